/* SPDX-License-Identifier: MIT */
/*
 * Small text files, as /proc has them.  Async-signal-safe.
 */
#ifndef XMEM_HOST_TEXT_H
#define XMEM_HOST_TEXT_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* What the file begins with, as far as there is room, with a null byte; one that cannot be read
 * counts as empty.  0, or why it cannot be opened (then text is empty, too). */
static inline int text_of_file(int directory, const char *path, char *text, size_t room)
{
    text[0] = '\0';
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t got = read(fd, text, room - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return 0;
}

/* What follows the name in a /proc/PID/stat, ") S 1 ..."; a name may hold anything.  NULL: none. */
static inline const char *stat_behind_name(const char *text)
{
    return strrchr(text, ')');
}

#endif
