/* SPDX-License-Identifier: MIT */
/*
 * Directories and names as another process sees them; paths.h says what each function promises.
 */
#include "host/paths.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY_DAC_OVERRIDE 1

static int opened(int result, int *fd)
{
    *fd = result;
    return result < 0 ? errno : 0;
}

static int open_view(pid_t thread, const char *name, int *fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)thread, name);
    return opened(open(path, O_PATH | O_CLOEXEC), fd);
}

int host_view_root(pid_t thread, int *fd)
{
    return open_view(thread, "root", fd);
}

int host_view_directory(pid_t thread, int *fd)
{
    return open_view(thread, "cwd", fd);
}

int host_view_descriptor(pid_t thread, int number, int *fd)
{
    char name[32];
    snprintf(name, sizeof(name), "fd/%d", number);
    int error = open_view(thread, name, fd);
    return error == ENOENT ? EBADF : error;
}

int host_view_own(const char *path, int *fd)
{
    return opened(open(path, O_PATH | O_CLOEXEC), fd);
}

static int node_of(int directory, const char *path, int flags, struct host_node *node)
{
    struct statx status;
    memset(&status, 0, sizeof(status));
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT,
              STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID, &status))
        return errno;
    *node = (struct host_node){
        .device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor,
        .inode = status.stx_ino,
        .mount = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0,
        .mode = status.stx_mode,
        .major = status.stx_rdev_major,
        .minor = status.stx_rdev_minor,
    };
    return 0;
}

bool host_view_same_root(pid_t thread)
{
    char path[64];
    struct host_node own = {0};
    struct host_node theirs = {0};
    snprintf(path, sizeof(path), "/proc/%d/root", (int)thread);
    return node_of(AT_FDCWD, path, 0, &theirs) == 0 && node_of(AT_FDCWD, "/", 0, &own) == 0 &&
           own.device == theirs.device && own.inode == theirs.inode && own.mount == theirs.mount;
}

int host_path_step(int directory, const char *name, bool jump, int *fd)
{
    int flags = O_PATH | O_CLOEXEC | (jump ? 0 : O_NOFOLLOW);
    return opened(openat(directory, name, flags), fd);
}

int host_path_look(int directory, const char *path, bool follow, int *fd)
{
    struct open_how how = {
        .flags = (uint64_t)(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)),
        .resolve = RESOLVE_NO_MAGICLINKS,
    };
    return opened((int)syscall(SYS_openat2, directory, path, &how, sizeof(how)), fd);
}

int host_path_node(int fd, struct host_node *node)
{
    return node_of(fd, "", AT_EMPTY_PATH, node);
}

int host_path_own_node(const char *path, struct host_node *node)
{
    return node_of(AT_FDCWD, path, 0, node);
}

static int link_text(ssize_t length, char *text, size_t size)
{
    if (length < 0)
        return errno;
    if ((size_t)length >= size)
        return ENAMETOOLONG;
    text[length] = '\0';
    return 0;
}

int host_path_link(int fd, char *text, size_t size)
{
    return link_text(readlinkat(fd, "", text, size), text, size);
}

int host_path_name(int fd, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return link_text(readlink(path, text, size), text, size);
}

int host_file_system(const char *path, struct host_file_system *system)
{
    struct statfs *native = &system->native;
    memset(system, 0, sizeof(*system));
    /* The Linux kernel's structure is the C library's. */
    if (syscall(SYS_statfs, path, native))
        return errno;
    system->type = (uint64_t)native->f_type;
    system->block_size = (uint64_t)native->f_bsize;
    system->blocks = native->f_blocks;
    system->blocks_free = native->f_bfree;
    system->blocks_available = native->f_bavail;
    system->files = native->f_files;
    system->files_free = native->f_ffree;
    memcpy(system->id, &native->f_fsid, sizeof(system->id));
    system->name_length = (uint64_t)native->f_namelen;
    system->fragment_size = (uint64_t)native->f_frsize;
    system->flags = (uint64_t)native->f_flags;
    return 0;
}

bool host_path_in_proc(int fd)
{
    struct statfs status;
    return fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* The column'th number behind "Name:"; hexadecimal for base 16. */
static bool status_number(const char *status, const char *name, int column, int base,
                          unsigned long long *value)
{
    const char *line = strstr(status, name);
    if (!line)
        return false;
    const char *place = line + strlen(name);
    char *end = NULL;
    for (int index = 0; index <= column; index++) {
        while (*place == ' ' || *place == '\t')
            place++;
        if (*place == '\n' || *place == '\0')
            return false;
        *value = strtoull(place, &end, base);
        if (end == place)
            return false;
        place = end;
    }
    return true;
}

int host_identity(pid_t thread, bool real, struct host_identity *identity)
{
    char path[64];
    char status[8192];
    unsigned long long value = 0;
    memset(identity, 0, sizeof(*identity));
    snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
    int error = text_of_file(AT_FDCWD, path, status, sizeof(status));
    if (error)
        return error == ENOENT ? ESRCH : error;
    /* Each line has the real, effective, saved and file system id. */
    int column = real ? 0 : 3;
    if (!status_number(status, "\nUid:", column, 10, &value))
        return ESRCH;
    identity->user = (unsigned)value;
    if (!status_number(status, "\nGid:", column, 10, &value))
        return ESRCH;
    identity->group = (unsigned)value;
    while (identity->group_count < sizeof(identity->groups) / sizeof(identity->groups[0]) &&
           status_number(status, "\nGroups:", (int)identity->group_count, 10, &value))
        identity->groups[identity->group_count++] = (unsigned)value;
    /* access() counts what the real user could have: for root what is permitted, else nothing. */
    if (status_number(status, real ? "\nCapPrm:" : "\nCapEff:", 0, 16, &value))
        identity->override_access =
            (value >> CAPABILITY_DAC_OVERRIDE & 1) && (!real || identity->user == 0);
    return 0;
}
