/* SPDX-License-Identifier: MIT */
/*
 * Memory from Linux; memory.h says what each function promises.
 */
#include "host/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
/* As <linux/magic.h> has them, which not every system installs. */
#define TMPFS_MAGIC_NUMBER 0x01021994
#define FUSE_MAGIC_NUMBER 0x65735546
#define HUGETLBFS_MAGIC_NUMBER 0x958458f6

void *host_allocate(size_t size)
{
    void *pointer = NULL;
    if (posix_memalign(&pointer, CACHE_LINE, size) != 0)
        return NULL;
    return memset(pointer, 0, size);
}

void host_free(void *pointer)
{
    free(pointer);
}

int host_reserve(size_t size, size_t alignment, char **base)
{
    size_t whole = size + alignment;
    if (whole < size)
        return ENOMEM;
    char *start = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return errno;
    char *aligned = (char *)(((uintptr_t)start + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (aligned > start)
        munmap(start, (size_t)(aligned - start));
    size_t tail = whole - (size_t)(aligned - start) - size;
    if (tail)
        munmap(aligned + size, tail);
    madvise(aligned, size, MADV_DONTFORK);
    madvise(aligned, size, MADV_DONTDUMP);
    *base = aligned;
    return 0;
}

void host_unreserve(char *base, size_t size)
{
    munmap(base, size);
}

int host_table_create(size_t size, void **table)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return errno;
    madvise(start, size, MADV_NOHUGEPAGE);
    *table = start;
    return 0;
}

int host_arena_create(uint64_t size, int *descriptor)
{
    int fd = memfd_create("xmem-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return errno;
    if (ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    *descriptor = fd;
    return 0;
}

static int map_shared(int descriptor, uint64_t offset, size_t size, char *at, int protection)
{
    void *got = mmap(at, size, protection, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, descriptor,
                     (off_t)offset);
    if (got == MAP_FAILED)
        return errno;
    madvise(at, size, MADV_NOHUGEPAGE);
    madvise(at, size, MADV_DONTFORK);
    return 0;
}

int host_arena_map(int descriptor, uint64_t offset, size_t size, char *at)
{
    return map_shared(descriptor, offset, size, at, PROT_READ | PROT_WRITE);
}

int host_arena_punch(int descriptor, uint64_t offset, uint64_t size)
{
    if (fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                  (off_t)size) != 0)
        return errno;
    return 0;
}

void host_close(int descriptor)
{
    close(descriptor);
}

int host_unmap(char *at, size_t size)
{
    void *got =
        mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (got == MAP_FAILED)
        return errno;
    madvise(at, size, MADV_DONTFORK);
    return 0;
}

int host_lock_memory(char *at, size_t size)
{
    return mlock(at, size) == 0 ? 0 : errno;
}

void host_unlock_memory(char *at, size_t size)
{
    munlock(at, size);
}

/* Only a memfd on ordinary pages that is sealed against shrinking, mapped within its size, keeps
 * its pages whatever anybody does. */
static bool keeps_its_pages(bool tmpfs, int seals, const struct stat *status, uint64_t end)
{
    return tmpfs && seals >= 0 && (seals & F_SEAL_SHRINK) && end <= (uint64_t)status->st_size;
}

int host_file_hold(int descriptor, bool write, uint64_t end, struct host_file *file)
{
    struct stat status;
    struct statfs file_system;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fstat(descriptor, &status) != 0 || fstatfs(descriptor, &file_system) != 0)
        return errno;
    int mode = flags & O_ACCMODE;
    int seals = fcntl(descriptor, F_GET_SEALS);
    bool sealed = seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
    if (mode == O_WRONLY || (flags & O_PATH) || (write && (mode != O_RDWR || sealed)))
        return EACCES;
    /* Anything else may give each mapping memory of its own (/dev/zero does), and both windows must
     * show the same. */
    if (!S_ISREG(status.st_mode))
        return ENODEV;
    if (file_system.f_type == FUSE_MAGIC_NUMBER || file_system.f_type == HUGETLBFS_MAGIC_NUMBER)
        return ENOTSUP;
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return errno;
    bool tmpfs = file_system.f_type == TMPFS_MAGIC_NUMBER;
    file->descriptor = copy;
    file->can_write = mode == O_RDWR && !sealed;
    file->can_vanish = !keeps_its_pages(tmpfs, seals, &status, end);
    file->can_wait = !tmpfs;
    return 0;
}

int host_file_map(const struct host_file *file, uint64_t offset, size_t size, char *at)
{
    int protection = file->can_write ? PROT_READ | PROT_WRITE : PROT_READ;
    int error = map_shared(file->descriptor, offset, size, at, protection);
    return error == EPERM ? EACCES : error;
}

enum host_file_fault host_file_fault_cause(int descriptor, uint64_t offset)
{
    struct stat status;
    struct statfs file_system;
    int saved = errno;
    enum host_file_fault cause = HOST_FILE_FAILED;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        offset >= (((uint64_t)status.st_size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1)))
        cause = HOST_FILE_TRUNCATED;
    else if (fstatfs(descriptor, &file_system) == 0 && file_system.f_blocks &&
             file_system.f_bavail == 0)
        cause = HOST_FILE_FULL;
    errno = saved;
    return cause;
}

/* Asks mincore() about a range; false: a page of it is not mapped or, with `resident`, not in
 * memory. */
static bool ask_pages(uint64_t address, uint64_t size, bool resident)
{
    unsigned char residency[256];
    uint64_t start = address & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t last = (address + size - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    while (start <= last) {
        uint64_t pages = (last - start) / PAGE_BYTES + 1;
        if (pages > sizeof(residency))
            pages = sizeof(residency);
        if (mincore((void *)start, (size_t)(pages * PAGE_BYTES), residency) != 0)
            return false;
        for (uint64_t page = 0; resident && page < pages; page++)
            if (!(residency[page] & 1))
                return false;
        start += pages * PAGE_BYTES;
    }
    return true;
}

bool host_pages_resident(const char *at, size_t size)
{
    int saved = errno;
    bool resident = ask_pages((uintptr_t)at, size, true);
    errno = saved;
    return resident;
}

bool host_own_memory_mapped(uint64_t address, uint64_t size)
{
    int saved = errno;
    bool mapped = ask_pages(address, size, false);
    errno = saved;
    return mapped;
}

size_t host_cache_size(void)
{
    long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return size > 0 ? (size_t)size : 0;
}

int host_random(void *to, size_t size)
{
    return getrandom(to, size, 0) == (ssize_t)size ? 0 : errno ? errno : EIO;
}
