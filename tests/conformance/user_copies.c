/* SPDX-License-Identifier: MIT */
/*
 * Every statement about copyin64 and its three relatives; see user_copies.h.  Numbered alike: 1 the
 * bytes arrive, 2 authority at the access, 3 I/O errors are survived, 4 addresses of 32-bit and
 * 64-bit spaces, 5 process environment only, 6 returns 0, F1 EFAULT, F2 EIO, F3 ENOMEM, F4 ENOSPC.
 */
#include "user_copies.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#define PAGES 4

static const struct copier *copier;

static void shows(const char *number, enum kind kind)
{
    covers_of(copier->service, number, kind);
}

static void cannot(const char *number, enum kind kind, const char *reason)
{
    not_applicable_of(copier->service, number, kind, reason);
}

static void copies(struct memory *memory, uint64_t address, size_t n, unsigned seed)
{
    unsigned char *kernel = guarded_new(n), *owner = guarded_new(n);
    pattern_fill(kernel, n, seed);
    pattern_fill(owner, n, seed + 1);
    owner_store(memory, address, owner, n);
    unsigned char *before = snapshot(memory);
    int result = copier->copy(address, kernel, (int)n);
    if (result != 0)
        fail_msg("%s returned %d: %s", copier->service, result, xmem_last_failure()->words);
    unchanged_except(memory, before, address, copier->out ? n : 0);
    owner_load(memory, address, owner, n);
    assert_memory_equal(kernel, owner, n);
    assert_int_equal(kernel[0], pattern_byte(0, copier->out ? seed : seed + 1));
    guarded_free(kernel);
    guarded_free(owner);
}

static void fails(struct memory *memory, uint64_t address, int n, size_t may, int error)
{
    unsigned char *kernel = guarded_new(n > 0 ? (size_t)n : 0);
    unsigned char *before = snapshot(memory);
    assert_int_equal(copier->copy(address, kernel, n), error);
    unchanged_except(memory, before, address, copier->out ? may : 0);
    guarded_free(kernel);
}

static struct memory *enter_memory(enum kind kind, size_t pages, int64_t offset)
{
    struct memory *memory = memory_open_at(kind, pages, offset);
    xmem_enter(memory_process(memory));
    return memory;
}

static void copies_bytes(enum kind kind)
{
    struct memory *memory = enter_memory(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    static const size_t sizes[] = {1, 2, 3, 7, 8, 64, 4095, 4096, 4097, 3 * 4096 + 11};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++)
        for (uint64_t offset = 0; offset < 3; offset++)
            copies(memory, base + offset, sizes[index], (unsigned)index);
    copies(memory, base, PAGES * PAGE, 40);
    copies(memory, base + 2 * PAGE - 3, 7, 50); /* across the region boundary */
    xmem_leave();
    shows("1", kind);
    shows("6", kind);
}

static void authority_at_the_access(enum kind kind)
{
    struct memory *memory = enter_memory(kind, PAGES, 0);
    uint64_t base = memory_base(memory);
    copies(memory, base, 100, 1);
    memory_protect(memory, base, PAGE, PROT_NONE);
    fails(memory, base, 100, 0, EFAULT);
    memory_protect(memory, base, PAGE, PROT_READ);
    if (copier->out)
        fails(memory, base, 100, 0, EFAULT);
    else
        copies(memory, base, 100, 2);
    memory_protect(memory, base, PAGE, PROT_READ | PROT_WRITE);
    copies(memory, base, 100, 3);
    for (size_t bad = 0; bad < PAGES; bad++) {
        memory_protect(memory, base + bad * PAGE, PAGE, PROT_NONE);
        fails(memory, base, PAGES * PAGE, bad * PAGE, EFAULT);
        memory_protect(memory, base + bad * PAGE, PAGE, PROT_READ | PROT_WRITE);
    }
    xmem_leave();
    shows("2", kind);
    shows("F1", kind);
}

static void address_not_valid(enum kind kind)
{
    struct memory *memory = enter_memory(kind, PAGES, 0);
    uint64_t base = memory_base(memory), end = base + PAGES * PAGE;
    fails(memory, 0, 1, 0, EFAULT);
    fails(memory, base - 1, 1, 0, EFAULT);
    fails(memory, base - 1, 2, 0, EFAULT);
    fails(memory, end, 1, 0, EFAULT);
    fails(memory, end - 1, 2, 1, EFAULT);
    fails(memory, UINT64_MAX, 1, 0, EFAULT);
    fails(memory, UINT64_MAX - 99, 200, 0, EFAULT);
    fails(memory, UINT64_C(1) << 63, 8, 0, EFAULT);
    fails(memory, UINT64_C(1) << 60, 8, 0, EFAULT);
    fails(memory, (UINT64_C(1) << 60) - 4, 8, 0, EFAULT);
    fails(memory, base, -1, 0, EFAULT);
    fails(memory, base, INT_MIN, 0, EFAULT);
    unsigned char *kernel = guarded_new(PAGE);
    assert_int_equal(copier->copy(end - 1, kernel, INT_MAX), EFAULT);
    guarded_free(kernel);
    memory_unmap(memory, base + PAGE, PAGE);
    fails(memory, base + PAGE, 1, 0, EFAULT);
    fails(memory, base + 2 * PAGE - 1, 1, 0, EFAULT);
    fails(memory, base, PAGES * PAGE, PAGE, EFAULT);
    copies(memory, base, PAGE, 1);
    xmem_leave();
    shows("F1", kind);
}

static void zero_count(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 1, 0);
    unsigned char *kernel = guarded_new(0);
    assert_int_equal(copier->copy(memory_base(memory), kernel, 0), 0);
    assert_int_equal(copier->copy(0, kernel, 0), 0);
    assert_int_equal(copier->copy(UINT64_MAX, NULL, 0), 0);
    guarded_free(kernel);
    xmem_leave();
    shows("6", kind);
}

/* In a 32-bit space an address beyond it is not valid, and none is cut down to 32 bits. */
static void address_width(enum kind kind)
{
    struct memory *memory = enter_memory(kind, PAGES, 0);
    uint64_t base = memory_base(memory);
    if (kind == KIND_EMBEDDED32) {
        fails(memory, base + (UINT64_C(1) << 32), 8, 0, EFAULT);
        fails(memory, base | (UINT64_C(0xFFFFFFFF) << 32), 8, 0, EFAULT);
        must(xmem_process_map(memory_process(memory), UINT64_C(0xFFFFF000), PAGE,
                              PROT_READ | PROT_WRITE));
        unsigned char *kernel = guarded_new(16);
        assert_int_equal(copier->copy(UINT64_C(0xFFFFFFF8), kernel, 8), 0);
        assert_int_equal(copier->copy(UINT64_C(0xFFFFFFF8), kernel, 9), EFAULT);
        guarded_free(kernel);
    } else {
        assert_true(base >= UINT64_C(1) << 32);
        fails(memory, base & 0xFFFFFFFF, 8, 0, EFAULT);
    }
    copies(memory, base, 8, 1);
    xmem_leave();
    shows("4", kind);
}

struct interrupted {
    uint64_t address;
    unsigned char *kernel;
    int result;
};

static void copy_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->result = copier->copy(call->address, call->kernel, 8);
}

static void process_environment_only(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 1, 0);
    struct interrupted call = {memory_base(memory), guarded_new(8), 99};
    struct xmem_statistics before = {.size = sizeof before}, after = {.size = sizeof after};
    unsigned char *bytes = snapshot(memory);
    must(xmem_get_statistics(&before));
    at_interrupt(copy_at_interrupt, &call);
    must(xmem_get_statistics(&after));
    assert_int_equal(call.result, EFAULT);
    assert_int_equal(call.kernel[0], 0xA5);
    unchanged(memory, bytes);
    assert_int_equal(after.usage_errors, before.usage_errors + 1);
    copies(memory, memory_base(memory), 8, 1);
    guarded_free(call.kernel);
    xmem_leave();
    shows("5", kind);
}

static void no_current_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    fails(memory, memory_base(memory), 8, 0, EFAULT);
    xmem_enter(NULL);
    fails(memory, memory_base(memory), 8, 0, EFAULT);
    xmem_leave();
    struct memory *other = enter_memory(KIND_EMBEDDED32, 1, 0);
    (void)other;
    xmem_enter(memory_process(memory));
    copies(memory, memory_base(memory), 8, 1);
    xmem_leave();
    fails(memory, memory_base(memory) + 64 * REGION, 8, 0, EFAULT);
    xmem_leave();
    shows("5", kind);
    shows("F1", kind);
}

static void owner_gone(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 1, 0);
    unsigned char byte = 3;
    memory_exit(memory);
    assert_int_equal(copier->copy(memory_base(memory), &byte, 1), EFAULT);
    assert_int_equal(byte, 3);
    xmem_leave();
    shows("F1", kind);
}

static void storage_fails(enum kind kind)
{
    struct memory *memory = enter_memory(kind, PAGES, 0);
    uint64_t base = memory_base(memory);
    unsigned char *kernel = guarded_new(PAGES * PAGE);
    int error = kind == KIND_OPENED ? EFAULT : EIO;
    memory_truncate(memory, 1);
    assert_int_equal(copier->copy(base + PAGE, kernel, 1), error);
    assert_int_equal(copier->copy(base, kernel, PAGES * PAGE), error);
    assert_int_equal(copier->copy(base + PAGE - 1, kernel, 2), error);
    assert_int_equal(copier->copy(base, kernel, PAGE), 0);
    memory_truncate(memory, PAGES);
    copies(memory, base, PAGES * PAGE, 1);
    guarded_free(kernel);
    xmem_leave();
    shows("3", kind);
    if (kind == KIND_OPENED)
        cannot("F2", kind,
               "Linux tells a failed page of another process from a bad address only "
               "to that process; the copy survives and returns EFAULT");
    else
        shows("F2", kind);
}

static const char no_paging[] = "takes paging, which does not exist yet";
static const char not_kernel[] = "acts on the memory of the current user process only";

static void needs_paging(enum kind kind)
{
    cannot("F3", kind, no_paging);
    if (kind != KIND_IMPORTED)
        cannot("F4", kind, kind == KIND_OPENED ? "as F2: the copy returns EFAULT" : no_paging);
    if (KIND_BIT(kind) & EMBEDDED_KINDS) {
        cannot("3", kind, no_paging);
        cannot("F2", kind, no_paging);
    }
}

static void not_for_kernel_memory(enum kind kind)
{
    static const char *const numbers[] = {"1", "2", "3", "4", "5", "6", "F1", "F2", "F3", "F4"};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        cannot(numbers[index], kind, not_kernel);
}

/* ------------------------------------------------------------- a full file system -------- */

static int write_all(const char *path, const char *words)
{
    int file = open(path, O_WRONLY);
    ssize_t wrote = file < 0 ? -1 : write(file, words, strlen(words));
    if (file >= 0)
        close(file);
    return wrote == (ssize_t)strlen(words) ? 0 : -1;
}

/* A file system of our own of 16 pages; -1: this machine does not let us. */
static int mount_small(char *directory)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (!mkdtemp(directory))
        return -1;
    if (uid != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            return -1;
        snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
        if (write_all("/proc/self/uid_map", map) != 0 ||
            write_all("/proc/self/setgroups", "deny") != 0)
            return -1;
        snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
        if (write_all("/proc/self/gid_map", map) != 0)
            return -1;
    } else if (unshare(CLONE_NEWNS) != 0 ||
               mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0) {
        return -1;
    }
    return mount("xmem test", directory, "tmpfs", 0, "size=64k");
}

static int fill_up(const char *directory)
{
    char path[256];
    static const char page[4096] = {1};
    snprintf(path, sizeof path, "%s/filler", directory);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (file >= 0 && write(file, page, sizeof page) > 0)
        ;
    return file;
}

static void full_with(const char *directory)
{
    char path[256];
    snprintf(path, sizeof path, "%s/sparse", directory);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, 2 * (off_t)PAGE), 0);
    int filler = fill_up(directory);
    must(xmem_start(NULL));
    struct xmem_process *process;
    unsigned char *kernel = guarded_new(64);
    uint64_t base = UINT64_C(0x700000000);
    must(xmem_process_create(64, &process));
    must(xmem_process_map_fd(process, base, 2 * PAGE, PROT_READ | PROT_WRITE, file, 0));
    xmem_enter(process);
    int result = copier->copy(base + PAGE - 8, kernel, 64);
    xmem_leave();
    must(xmem_process_close(process));
    must(xmem_stop());
    guarded_free(kernel);
    close(file);
    close(filler);
    if (copier->out)
        assert_int_equal(result, ENOSPC);
    else
        assert_true(result == 0 || result == ENOSPC); /* Linux may read a hole as zeros */
}

static void file_system_full(enum kind kind)
{
    (void)kind;
    char directory[] = "/tmp/xmem-test-XXXXXX";
    if (mount_small(directory) == 0) {
        full_with(directory);
        umount2(directory, MNT_DETACH);
        shows("F4", KIND_IMPORTED);
    } else {
        cannot("F4", KIND_IMPORTED, "no file system can be mounted by this user here");
    }
    rmdir(directory);
}

int run_copier(const struct copier *chosen)
{
    static const struct test_case cases[] = {
        EACH(copies_bytes, USER_KINDS),
        EACH(authority_at_the_access, USER_KINDS),
        EACH(address_not_valid, USER_KINDS),
        EACH(zero_count, USER_KINDS),
        EACH(address_width, USER_KINDS),
        EACH(process_environment_only, USER_KINDS),
        EACH(no_current_process, USER_KINDS),
        EACH(owner_gone, USER_KINDS),
        EACH(storage_fails, KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED)),
        EACH(needs_paging, USER_KINDS),
        EACH(not_for_kernel_memory, KIND_BIT(KIND_KERNEL)),
        BARE(file_system_full),
    };
    copier = chosen;
    return RUN_CASES(chosen->service, cases);
}
