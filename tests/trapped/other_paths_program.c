/* SPDX-License-Identifier: MIT */
/*
 * Calls on a device's path: what stat tells, who may use it, names, links, and bad pointers.  The
 * device is "plain"; what Linux has that is like it is its null device.
 */
#include "other_program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#define LIKE "/dev/null"

#ifdef __i386__
#define NUMBER_FSTATAT SYS_fstatat64
#define NUMBER_STAT SYS_stat64
#define NUMBER_LSTAT SYS_lstat64
#define NUMBER_FSTAT SYS_fstat64
#else
#define NUMBER_FSTATAT SYS_newfstatat
#define NUMBER_STAT SYS_stat
#define NUMBER_LSTAT SYS_lstat
#define NUMBER_FSTAT SYS_fstat
#endif
#define STAT_ROOM 256 /* more than any form takes */

/* ---------------------------------------------------------------- status --------------- */

static void check_form(const struct stat *status, mode_t mode, unsigned minor)
{
    struct stat like;
    CHECK(stat(LIKE, &like) == 0);
    CHECK(status->st_mode == mode);
    CHECK(status->st_rdev == makedev(DEVICE_MAJOR, minor));
    CHECK(status->st_nlink == like.st_nlink);
    CHECK(status->st_size == 0);
    CHECK(status->st_blocks == 0);
    CHECK(status->st_blksize == like.st_blksize);
    CHECK(status->st_mtime > 1000000000);
}

static void check_device(const char *name, mode_t mode, unsigned minor)
{
    struct stat status;
    struct stat again;
    const char *path = in_directory(name);
    memset(&status, 0xff, sizeof(status));
    CHECK(stat(path, &status) == 0);
    check_form(&status, mode, minor);
    CHECK(lstat(path, &again) == 0);
    CHECK(memcmp(&status, &again, sizeof(status)) == 0);
    CHECK(fstatat(AT_FDCWD, path, &again, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(memcmp(&status, &again, sizeof(status)) == 0);
    int fd = open_device(name, O_RDONLY);
    CHECK(fstat(fd, &again) == 0);
    CHECK(memcmp(&status, &again, sizeof(status)) == 0);
    CHECK(fstatat(fd, "", &again, AT_EMPTY_PATH) == 0);
    CHECK(memcmp(&status, &again, sizeof(status)) == 0);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    CHECK(stat(link, &again) == 0);
    CHECK(memcmp(&status, &again, sizeof(status)) == 0);
    close(fd);
}

static void check_extended(void)
{
    struct statx status;
    struct stat short_form;
    memset(&status, 0, sizeof(status));
    CHECK(statx(AT_FDCWD, in_directory("plain"), 0, STATX_BASIC_STATS, &status) == 0);
    CHECK(stat(in_directory("plain"), &short_form) == 0);
    CHECK((status.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    CHECK(status.stx_mode == short_form.st_mode);
    CHECK(status.stx_ino == short_form.st_ino);
    CHECK(status.stx_rdev_major == DEVICE_MAJOR && status.stx_rdev_minor == MINOR_PLAIN);
    CHECK(makedev(status.stx_dev_major, status.stx_dev_minor) == short_form.st_dev);
    CHECK(status.stx_mtime.tv_sec == short_form.st_mtim.tv_sec);
    CHECK_RAW(-EINVAL, SYS_statx, AT_FDCWD, in_directory("plain"), 0x40000000L, 0L, &status);
    CHECK_RAW(-EINVAL, NUMBER_FSTATAT, AT_FDCWD, in_directory("plain"), &short_form, 0x40000000L);
}

static void check_refused(const char *rest, int error)
{
    char buffer[STAT_ROOM];
    CHECK_RAW(-error, NUMBER_STAT, in_directory(rest), buffer);
    CHECK_RAW(-error, NUMBER_LSTAT, in_directory(rest), buffer);
    CHECK_RAW(-error, SYS_access, in_directory(rest), F_OK);
    CHECK(open(in_directory(rest), O_RDONLY) == -1 && errno == error);
}

#ifdef __i386__
/* The forms of the first 32-bit programs, whose layouts the C library does not declare. */
static void check_old_forms(void)
{
    struct {
        uint32_t dev, ino;
        uint16_t mode, links, owner, group;
        uint32_t rdev, size, rest[20];
    } form;
    struct {
        uint16_t dev, ino, mode, links, owner, group, rdev;
        uint32_t size, times[3], rest[16];
    } old;
    int fd = open_device("plain", O_RDONLY);
    static const long forms[] = {SYS_stat, SYS_lstat, SYS_fstat};
    static const long old_forms[] = {SYS_oldstat, SYS_oldlstat, SYS_oldfstat};
    for (int index = 0; index < 3; index++) {
        long first = index == 2 ? fd : (long)in_directory("plain");
        memset(&form, 0xff, sizeof(form));
        CHECK_RAW(0, forms[index], first, &form);
        CHECK(form.mode == (S_IFCHR | 0666) && form.links == 1 && form.size == 0);
        CHECK(form.rdev == (DEVICE_MAJOR << 8 | MINOR_PLAIN));
        CHECK(form.rest[19] == UINT32_MAX);
        memset(&old, 0xff, sizeof(old));
        CHECK_RAW(0, old_forms[index], first, &old);
        CHECK(old.mode == (S_IFCHR | 0666) && old.links == 1 && old.size == 0);
        CHECK(old.rdev == (DEVICE_MAJOR << 8 | MINOR_PLAIN));
        CHECK(old.rest[15] == UINT32_MAX);
    }
    close(fd);
}
#endif

void case_status(void)
{
    struct stat one;
    struct stat other;
    check_device("plain", S_IFCHR | 0666, MINOR_PLAIN);
    check_device("block", S_IFBLK | 0660, MINOR_BLOCK);
    check_extended();
    CHECK(stat(in_directory("plain"), &one) == 0 && stat(in_directory("disk"), &other) == 0);
    CHECK(one.st_ino != other.st_ino);
    CHECK(stat(in_directory("."), &other) == 0 && one.st_dev == other.st_dev);
    check_refused("plain/", ENOTDIR);
    check_refused("plain/x", ENOTDIR);
    check_refused("none", ENOENT);
    struct statfs device_system;
    struct statfs directory_system;
    CHECK(statfs(in_directory("plain"), &device_system) == 0);
    CHECK(statfs(in_directory("."), &directory_system) == 0);
    CHECK(device_system.f_type == directory_system.f_type);
    CHECK(memcmp(&device_system.f_fsid, &directory_system.f_fsid, sizeof(device_system.f_fsid)) ==
          0);
#ifdef __i386__
    check_old_forms();
#endif
}

/* ---------------------------------------------------------------- permission ----------- */

/* Opening and access(), by the real and by the effective identity, say the same. */
static void check_permission(const char *name, int mode, bool granted)
{
    static const int flags[] = {0, 0, O_WRONLY, 0, O_RDONLY, 0, O_RDWR};
    const char *path = in_directory(name);
    int error = granted ? 0 : EACCES;
    CHECK((access(path, mode) == 0 ? 0 : errno) == error);
    CHECK((faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 ? 0 : errno) == error);
    if (mode & X_OK)
        return;
    int fd = open(path, flags[mode]);
    CHECK((fd >= 0 ? 0 : errno) == error);
    if (fd >= 0)
        close(fd);
}

/* As another user; readable and writable: "owned". */
static void check_as(unsigned user, unsigned group, bool readable, bool writable)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        CHECK(setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(user) == 0);
        check_permission("plain", R_OK | W_OK, true);
        check_permission("plain", X_OK, false);
        check_permission("guarded", R_OK, false);
        check_permission("guarded", W_OK, false);
        check_permission("owned", R_OK, readable);
        check_permission("owned", W_OK, writable);
        check_permission("owned", R_OK | W_OK, readable && writable);
        CHECK(access(in_directory("guarded"), F_OK) == 0);
        _exit(failures != 0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

void case_permission(void)
{
    check_permission("plain", R_OK | W_OK, true);
    check_permission("plain", X_OK, false);
    check_permission("guarded", R_OK | W_OK, true);
    CHECK_RAW(-EINVAL, SYS_access, in_directory("plain"), 8L);
    if (geteuid() != 0)
        return;
    check_permission("owned", R_OK | W_OK, true);
    check_as(OWNER, OWNER, true, true);
    check_as(1, GROUP, true, false);
    check_as(1, 1, false, false);
}

/* ---------------------------------------------------------------- names ---------------- */

void case_names(void)
{
    const char *plain = in_directory("plain");
    const char *file = in_directory("file");
    struct utimbuf times = {0, 0};
    int fd = open_device("plain", O_RDWR);
    CHECK(close(open(file, O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK_RAW(-EPERM, SYS_chmod, plain, 0600L);
    CHECK_RAW(-EPERM, SYS_fchmod, (long)fd, 0600L);
    CHECK_RAW(-EPERM, SYS_fchmodat, AT_FDCWD, plain, 0600L);
    CHECK_RAW(-EPERM, SYS_chown, plain, 1L, 1L);
    CHECK_RAW(-EPERM, SYS_lchown, plain, 1L, 1L);
    CHECK_RAW(-EPERM, SYS_fchown, (long)fd, 1L, 1L);
    CHECK_RAW(-EPERM, SYS_fchownat, AT_FDCWD, plain, 1L, 1L, 0L);
    CHECK(utime(plain, &times) == -1 && errno == EPERM);
    CHECK(utimes(plain, NULL) == -1 && errno == EPERM);
    CHECK(utimensat(AT_FDCWD, plain, NULL, 0) == -1 && errno == EPERM);
    CHECK(futimens(fd, NULL) == -1 && errno == EPERM);
    CHECK_RAW(-EPERM, SYS_rename, plain, in_directory("other"));
    CHECK_RAW(-EPERM, SYS_rename, file, plain);
    CHECK_RAW(-EPERM, SYS_renameat2, AT_FDCWD, plain, AT_FDCWD, in_directory("other"), 0L);
    CHECK_RAW(-EPERM, SYS_unlink, plain);
    CHECK_RAW(-EPERM, SYS_unlinkat, AT_FDCWD, plain, 0L);
    CHECK_RAW(-ENOTDIR, SYS_unlinkat, AT_FDCWD, plain, (long)AT_REMOVEDIR);
    CHECK_RAW(-ENOTDIR, SYS_rmdir, plain);
    CHECK_RAW(-EPERM, SYS_link, plain, in_directory("other"));
    CHECK_RAW(-EEXIST, SYS_link, file, plain);
    CHECK_RAW(-EPERM, SYS_linkat, (long)fd, "", AT_FDCWD, in_directory("other"),
              (long)AT_EMPTY_PATH);
    CHECK_RAW(-EEXIST, SYS_symlink, "x", plain);
    CHECK_RAW(-EEXIST, SYS_symlinkat, "x", AT_FDCWD, plain);
    CHECK_RAW(-EEXIST, SYS_mkdir, plain, 0700L);
    CHECK_RAW(-EEXIST, SYS_mkdirat, AT_FDCWD, plain, 0700L);
    CHECK_RAW(-EEXIST, SYS_mknod, plain, (long)S_IFIFO | 0600, 0L);
    CHECK_RAW(-EEXIST, SYS_mknodat, AT_FDCWD, plain, (long)S_IFIFO | 0600, 0L);
    CHECK_RAW(-ENOTDIR, SYS_chdir, plain);
    CHECK_RAW(-EINVAL, SYS_truncate, plain, 0L);
    CHECK(getxattr(plain, "user.x", NULL, 0) == -1 && errno == ENODATA);
    CHECK(lgetxattr(plain, "user.x", NULL, 0) == -1 && errno == ENODATA);
    CHECK(listxattr(plain, NULL, 0) == 0);
    CHECK(setxattr(plain, "user.x", "", 0, 0) == -1 && errno == EPERM);
    CHECK(fsetxattr(fd, "user.x", "", 0, 0) == -1 && errno == EPERM);
    CHECK(removexattr(plain, "user.x") == -1 && errno == EPERM);
    CHECK(fremovexattr(fd, "user.x") == -1 && errno == EPERM);
    struct {
        struct file_handle handle;
        char rest[128];
    } handle = {.handle = {.handle_bytes = 128}};
    int mount;
    CHECK(name_to_handle_at(AT_FDCWD, plain, &handle.handle, &mount, 0) == -1 &&
          errno == EOPNOTSUPP);
    /* Nothing has become of the device, nor of the null device that stands behind it. */
    check_device("plain", S_IFCHR | 0666, MINOR_PLAIN);
    CHECK(access(file, F_OK) == 0 && unlink(file) == 0);
    CHECK(access(in_directory("other"), F_OK) == -1);
    close(fd);
}

/* ---------------------------------------------------------------- links ---------------- */

static void check_link_to(const char *link, const char *text)
{
    char buffer[512];
    struct stat status;
    CHECK(symlink(text, link) == 0);
    CHECK(stat(link, &status) == 0 && S_ISCHR(status.st_mode) &&
          status.st_rdev == makedev(DEVICE_MAJOR, MINOR_PLAIN));
    CHECK(lstat(link, &status) == 0 && S_ISLNK(status.st_mode));
    ssize_t length = readlink(link, buffer, sizeof(buffer));
    CHECK(length == (ssize_t)strlen(text) && memcmp(buffer, text, (size_t)length) == 0);
    int fd = open(link, O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
          status.st_rdev == makedev(DEVICE_MAJOR, MINOR_PLAIN));
    close(fd);
    CHECK(open(link, O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
    CHECK(unlink(link) == 0);
}

void case_links(void)
{
    char buffer[512];
    char path[64];
    const char *plain = in_directory("plain");
    check_link_to(in_directory("link"), plain);
    check_link_to(in_directory("link"), "plain");
    CHECK(readlink(plain, buffer, sizeof(buffer)) == -1 && errno == EINVAL);
    CHECK(readlinkat(AT_FDCWD, plain, buffer, sizeof(buffer)) == -1 && errno == EINVAL);
    CHECK_RAW(-EINVAL, SYS_readlink, plain, buffer, 0L);
    int fd = open_device("plain", O_RDONLY);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, buffer, sizeof(buffer));
    CHECK(length == (ssize_t)strlen(plain) && memcmp(buffer, plain, (size_t)length) == 0);
    length = readlink(path, buffer, 3);
    CHECK(length == 3 && memcmp(buffer, plain, 3) == 0);
    close(fd);
    fd = open(LIKE, O_RDONLY);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    length = readlink(path, buffer, sizeof(buffer));
    CHECK(length == (ssize_t)strlen(LIKE) && memcmp(buffer, LIKE, (size_t)length) == 0);
    close(fd);
    CHECK(chdir(in_directory(".")) == 0);
    struct stat status;
    CHECK(stat("plain", &status) == 0 && S_ISCHR(status.st_mode));
    CHECK(stat("multi/some/thing", &status) == 0 &&
          status.st_rdev == makedev(DEVICE_MAJOR, MINOR_MULTI));
}

/* ---------------------------------------------------------------- bad pointers --------- */

/* Calls whose first arguments are as given, with a path in the place of PATH. */
#define PATH 0x7a7a7a7aL

static const struct {
    const char *name;
    long number;
    long arguments[5];
} path_calls[] = {
    {"stat", SYS_stat, {PATH, 0}},
    {"lstat", SYS_lstat, {PATH, 0}},
    {"fstatat", NUMBER_FSTATAT, {AT_FDCWD, PATH, 0, 0}},
    {"statx", SYS_statx, {AT_FDCWD, PATH, 0, 0, 0}},
    {"access", SYS_access, {PATH, 0}},
    {"faccessat", SYS_faccessat, {AT_FDCWD, PATH, 0}},
    {"readlink", SYS_readlink, {PATH, 0, 10}},
    {"readlinkat", SYS_readlinkat, {AT_FDCWD, PATH, 0, 10}},
    {"statfs", SYS_statfs, {PATH, 0}},
    {"chmod", SYS_chmod, {PATH, 0600}},
    {"fchmodat", SYS_fchmodat, {AT_FDCWD, PATH, 0600}},
    {"chown", SYS_chown, {PATH, 0, 0}},
    {"lchown", SYS_lchown, {PATH, 0, 0}},
    {"fchownat", SYS_fchownat, {AT_FDCWD, PATH, 0, 0, 0}},
    {"utime", SYS_utime, {PATH, 0}},
    {"utimes", SYS_utimes, {PATH, 0}},
    {"rename", SYS_rename, {PATH, PATH}},
    {"renameat2", SYS_renameat2, {AT_FDCWD, PATH, AT_FDCWD, PATH, 0}},
    {"unlink", SYS_unlink, {PATH}},
    {"unlinkat", SYS_unlinkat, {AT_FDCWD, PATH, 0}},
    {"rmdir", SYS_rmdir, {PATH}},
    {"link", SYS_link, {PATH, PATH}},
    {"linkat", SYS_linkat, {AT_FDCWD, PATH, AT_FDCWD, PATH, 0}},
    {"symlink", SYS_symlink, {PATH, PATH}},
    {"mkdir", SYS_mkdir, {PATH, 0700}},
    {"mknod", SYS_mknod, {PATH, S_IFIFO | 0600, 0}},
    {"chdir", SYS_chdir, {PATH}},
    {"truncate", SYS_truncate, {PATH, 0}},
    {"getxattr", SYS_getxattr, {PATH, (long)(intptr_t) "user.x", 0, 0}},
    {"listxattr", SYS_listxattr, {PATH, 0, 0}},
    {"setxattr", SYS_setxattr, {PATH, (long)(intptr_t) "user.x", (long)(intptr_t) "", 0, 0}},
    {"removexattr", SYS_removexattr, {PATH, (long)(intptr_t) "user.x"}},
};

void case_bad_paths(void)
{
    int fd = open_device("plain", O_RDWR); /* so that nothing is answered unseen */
    for (size_t index = 0; index < sizeof(path_calls) / sizeof(path_calls[0]); index++) {
        for (enum bad kind = 0; kind < BAD_TO_READ; kind++) {
            long arguments[5];
            for (int place = 0; place < 5; place++)
                arguments[place] = path_calls[index].arguments[place] == PATH
                                       ? (long)(intptr_t)bad_address(kind, 64)
                                       : path_calls[index].arguments[place];
            long result = raw(path_calls[index].number, arguments[0], arguments[1], arguments[2],
                              arguments[3], arguments[4]);
            if (result != -EFAULT) {
                failures++;
                printf("%s, bad address %d: %ld\n", path_calls[index].name, (int)kind, result);
            }
        }
    }
    check_device("plain", S_IFCHR | 0666, MINOR_PLAIN);
    close(fd);
}

/* Answers to bad addresses: the same for the device and for what is like it. */
static void same(const char *name, enum bad kind, long device, long like)
{
    if (device == like)
        return;
    failures++;
    printf("%s, bad address %d: %ld for the device, %ld for %s\n", name, (int)kind, device, like,
           LIKE);
}

void case_bad_buffers(void)
{
    const char *plain = in_directory("plain");
    int fd = open_device("plain", O_RDWR);
    int like = open(LIKE, O_RDWR);
    for (enum bad kind = 0; kind < BAD_KINDS; kind++) {
        void *bad = bad_address(kind, 64);
        same("stat", kind, raw(SYS_stat, plain, bad), raw(SYS_stat, LIKE, bad));
        same("lstat", kind, raw(SYS_lstat, plain, bad), raw(SYS_lstat, LIKE, bad));
        same("fstat", kind, raw(SYS_fstat, (long)fd, bad), raw(SYS_fstat, (long)like, bad));
        same("fstatat", kind, raw(NUMBER_FSTATAT, AT_FDCWD, plain, bad, 0L),
             raw(NUMBER_FSTATAT, AT_FDCWD, LIKE, bad, 0L));
        same("fstatat of a descriptor", kind,
             raw(NUMBER_FSTATAT, (long)fd, "", bad, (long)AT_EMPTY_PATH),
             raw(NUMBER_FSTATAT, (long)like, "", bad, (long)AT_EMPTY_PATH));
        same("statx", kind, raw(SYS_statx, AT_FDCWD, plain, 0L, 0x7ffL, bad),
             raw(SYS_statx, AT_FDCWD, LIKE, 0L, 0x7ffL, bad));
        same("statfs", kind, raw(SYS_statfs, plain, bad), raw(SYS_statfs, LIKE, bad));
        same("readlink", kind, raw(SYS_readlink, plain, bad, 10L),
             raw(SYS_readlink, LIKE, bad, 10L));
#ifdef __i386__
        same("stat64", kind, raw(SYS_stat64, plain, bad), raw(SYS_stat64, LIKE, bad));
        same("lstat64", kind, raw(SYS_lstat64, plain, bad), raw(SYS_lstat64, LIKE, bad));
        same("fstat64", kind, raw(SYS_fstat64, (long)fd, bad), raw(SYS_fstat64, (long)like, bad));
        same("oldstat", kind, raw(SYS_oldstat, plain, bad), raw(SYS_oldstat, LIKE, bad));
        same("statfs64", kind, raw(SYS_statfs64, plain, 84L, bad),
             raw(SYS_statfs64, LIKE, 84L, bad));
#endif
    }
    for (enum bad kind = BAD_LOW; kind < BAD_TO_READ; kind++) {
        void *bad = bad_address(kind, 8);
        same("getxattr", kind, raw(SYS_getxattr, plain, bad, 0L, 0L),
             raw(SYS_getxattr, LIKE, bad, 0L, 0L));
        CHECK_RAW(-EFAULT, SYS_utime, plain, bad);
        CHECK_RAW(-EFAULT, SYS_utimes, plain, bad);
        CHECK_RAW(-EFAULT, SYS_utimensat, AT_FDCWD, plain, bad, 0L);
        CHECK_RAW(-EFAULT, SYS_utimensat, (long)fd, 0L, bad, 0L);
        CHECK_RAW(-EFAULT, SYS_setxattr, plain, "user.x", bad, 8L, 0L);
        CHECK_RAW(-EFAULT, SYS_setxattr, plain, bad, "", 0L, 0L);
        CHECK_RAW(-EFAULT, SYS_fsetxattr, (long)fd, bad, "", 0L, 0L);
        CHECK_RAW(-EFAULT, SYS_removexattr, plain, bad);
    }
    check_device("plain", S_IFCHR | 0666, MINOR_PLAIN);
    close(like);
    close(fd);
}
