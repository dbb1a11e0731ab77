/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events on devices and other descriptors of a trapped program together.
 *
 * The devices are asked by their poll operation, in the caller's context.  The other descriptors
 * are copied into this program and waited on here, which tells the same as in the caller.  Not so
 * signalfd descriptors, which tell of the signals of whoever waits, and those of a thread that has
 * a descriptor table of its own, for which its process's are taken.
 */
#ifndef XMEM_TRAPPED_POLL_SET_H
#define XMEM_TRAPPED_POLL_SET_H

#include "trapped/call.h"

#include <poll.h>

struct poll_member {
    int number; /* the caller's descriptor; negative: ignored */
    short events;
    short returned;
    int own;                  /* our copy of it; -1: none */
    struct device_file *file; /* held; NULL: no device */
};

#define POLL_FOREVER UINT64_MAX

struct poll_set {
    struct poll_member *members; /* malloc()ed */
    size_t count;
    size_t devices;
    size_t others;
    bool masked; /* the wait has a signal mask of its own, for Linux: */
    uint64_t mask;
};

/* Room for `count` members, of which none is used yet.  0 or ENOMEM. */
int poll_set_create(struct poll_set *set, size_t count);

/* Finds the devices among the members' numbers. */
void poll_set_find_devices(struct call *call, struct poll_set *set);

/*
 * Waits until an event holds, or for so many nanoseconds; *ready: members with something returned.
 * nanoseconds: becomes what is left of them.
 * 0; EINTR: a signal of the caller's came, and nothing holds; ENOMEM: no memory or no descriptor
 * of ours is left; ESRCH: the caller is gone; what a device's poll operation returned.
 */
int poll_set_wait(struct call *call, struct poll_set *set, uint64_t *nanoseconds, size_t *ready);

/* Whether the signal that ended the wait reaches the caller only under the wait's own mask. */
bool poll_set_needs_mask(struct call *call, const struct poll_set *set);

void poll_set_destroy(struct poll_set *set);

#endif
