/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events on descriptors, and standing in for them; waits.h says what each function
 * promises.
 */
#include "host/waits.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NANOSECONDS UINT64_C(1000000000)

uint64_t host_descriptor_limit(pid_t process)
{
    struct rlimit limit = {0, 0};
    if (prlimit(process, RLIMIT_NOFILE, NULL, &limit))
        return UINT64_MAX;
    return limit.rlim_cur;
}

int host_event_create(int *fd)
{
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *fd < 0 ? errno : 0;
}

void host_event_raise(int fd)
{
    uint64_t one = 1;
    int saved = errno;
    ssize_t written = write(fd, &one, sizeof(one)); /* at its limit it is readable anyway */
    (void)written;
    errno = saved;
}

void host_event_clear(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count)); /* fails if nobody raised it */
    (void)got;
}

int host_poll(struct pollfd *descriptors, size_t count, uint64_t nanoseconds, size_t *ready)
{
    struct timespec limit = {
        .tv_sec = (time_t)(nanoseconds / NANOSECONDS),
        .tv_nsec = (long)(nanoseconds % NANOSECONDS),
    };
    int result = ppoll(descriptors, count, nanoseconds == UINT64_MAX ? NULL : &limit, NULL);
    *ready = result < 0 ? 0 : (size_t)result;
    return result < 0 ? errno : 0;
}

/* ---------------------------------------------------------------- stand-ins ------------ */

/* A pair of connected sockets: what the inner end sends makes the shown one readable, and what the
 * inner end leaves unread makes it not writable. */

static void drain(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

static void put(int fd)
{
    ssize_t sent = send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* full: it shows already */
    (void)sent;
}

static void fill(int fd)
{
    static const char bytes[1024];
    while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
}

int host_stand_in_create(struct host_stand_in *pair)
{
    int ends[2];
    int least = 1; /* the Linux kernel makes it its own least */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
        return errno;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
    pair->shown = ends[0];
    pair->inner = ends[1];
    return 0;
}

void host_stand_in_readable(const struct host_stand_in *pair, bool readable)
{
    drain(pair->shown);
    if (readable)
        put(pair->inner);
}

void host_stand_in_writable(const struct host_stand_in *pair, bool writable)
{
    if (!writable) {
        fill(pair->shown);
        return;
    }
    put(pair->shown); /* taking something away is what tells those who wait */
    drain(pair->inner);
}

void host_stand_in_close(const struct host_stand_in *pair)
{
    close(pair->shown);
    close(pair->inner);
}

int host_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, operation, fd, &event) ? errno : 0;
}
