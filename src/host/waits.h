/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events on descriptors, and standing in for them.
 *
 * Functions that return int return 0 or errno.  Descriptors end by host_close().
 */
#ifndef XMEM_HOST_WAITS_H
#define XMEM_HOST_WAITS_H

#include "host/platform.h"

#include <poll.h>
#include <sys/types.h>

/* How many descriptors the process may have (0: this one). */
uint64_t host_descriptor_limit(pid_t process);

/* A descriptor that is readable from raise to clear. */
int host_event_create(int *fd);
void host_event_raise(int fd);
void host_event_clear(int fd);

/* Waits for one of the descriptors to be ready; nanoseconds: UINT64_MAX: for ever.
 * *ready: how many are. */
int host_poll(struct pollfd *descriptors, size_t count, uint64_t nanoseconds, size_t *ready);

/*
 * A stand-in: a descriptor whose readiness we decide.  Each of the two changes is an event for
 * those who wait for one, also when nothing changes.
 */
struct host_stand_in {
    int shown; /* the descriptor that is waited on */
    int inner;
};
int host_stand_in_create(struct host_stand_in *pair); /* writable, not readable */
void host_stand_in_readable(const struct host_stand_in *pair, bool readable);
void host_stand_in_writable(const struct host_stand_in *pair, bool writable);
void host_stand_in_close(const struct host_stand_in *pair);

/* epoll_ctl on an epoll instance that we have a descriptor of. */
int host_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data);

#endif
