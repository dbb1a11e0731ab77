/* SPDX-License-Identifier: MIT */
/*
 * The null device and marks on its open files; null_device.h says what each function promises.
 */
#include "host/null_device.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int host_null_open(int flags, int *fd)
{
    *fd = open("/dev/null", flags | O_CLOEXEC);
    return *fd >= 0 ? 0 : errno;
}

bool host_null_is(int fd)
{
    struct statx look;
    /* As it is known here: no file server is asked, which might not answer. */
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &look) != 0)
        return false;
    return S_ISCHR(look.stx_mode) && look.stx_rdev_major == 1 && look.stx_rdev_minor == 3;
}

static struct flock mark_at(short type, uint64_t place)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)place, .l_len = 1};
}

int host_mark_set(int fd, bool writer, uint64_t place)
{
    struct flock mark = mark_at(writer ? F_WRLCK : F_RDLCK, place);
    return fcntl(fd, F_OFD_SETLK, &mark) == 0 ? 0 : errno;
}

bool host_mark_exists(int fd, uint64_t place)
{
    struct flock mark = mark_at(F_WRLCK, place);
    /* What cannot be asked counts as there: nobody's device is closed under him. */
    return fcntl(fd, F_OFD_GETLK, &mark) != 0 || mark.l_type != F_UNLCK;
}

bool host_mark_is_elsewhere(int fd, uint64_t place)
{
    struct flock mark = mark_at(F_WRLCK, place);
    return fcntl(fd, F_OFD_GETLK, &mark) == 0 && mark.l_type != F_UNLCK;
}

int host_access_mode(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? flags : flags & O_ACCMODE;
}

/* From the line "lock:\t1: OFDLCK  ADVISORY  READ -1 00:06:118 1000 1000". */
static int mark_in(const char *path, uint64_t *place)
{
    char text[1024];
    int error = text_of_file(AT_FDCWD, path, text, sizeof(text));
    if (error)
        return error;
    const char *lock = strstr(text, "OFDLCK");
    const char *end = lock ? strchr(lock, '\n') : NULL;
    if (!end)
        return ENOENT;
    /* The last number but one of the line. */
    const char *at = end;
    for (unsigned words = 0; words < 2; words++)
        do
            at--;
        while (at > lock && *at != ' ');
    *place = strtoull(at, NULL, 10);
    return 0;
}

int host_mark_of(int fd, uint64_t *place)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    return mark_in(path, place);
}

int host_mark_of_thread(pid_t thread, int number, uint64_t *place)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)thread, number);
    return mark_in(path, place);
}
