/* SPDX-License-Identifier: MIT */
/*
 * Other programs' threads: looking at them, reaching their memory, and holding one for a moment.
 *
 * Functions that return int return 0 or errno.
 */
#ifndef XMEM_HOST_TRACEES_H
#define XMEM_HOST_TRACEES_H

#include "host/platform.h"

#include <sys/types.h>

/*
 * Holds a thread that waits for the answer to a notification, at the end of the call that the
 * answer lets it execute, before it is back in its program: what the call did is done (descriptors
 * that it closed are gone), its result can still be changed, and if it is to be restarted it will
 * be.  begin, then the answer, then wait, then end; all by one thread of this program.
 *
 * begin: 0; EPERM: somebody traces the thread, or we must not; ESRCH.
 * wait: false: the thread has been killed; do not call end.  No thread of a child of this program:
 * the end of one is news for somebody else, too.
 */
int host_hold_begin(pid_t thread);
bool host_hold_wait(pid_t thread);
void host_hold_fail(pid_t thread, int error); /* the call fails with this errno value */
void host_hold_end(pid_t thread);

/* The thread group of a thread.  ESRCH. */
int host_thread_group(pid_t thread, pid_t *group);
/* Whether two threads share their descriptor table. */
bool host_same_descriptors(pid_t thread, pid_t other);

/* A thread's signals: bits 1 << (signal - 1). */
struct host_signal_state {
    uint64_t own;    /* pending for the thread */
    uint64_t shared; /* pending for its process */
    uint64_t blocked;
    uint64_t ignored;
    uint64_t caught;
    unsigned threads; /* of its process */
};
int host_signals_look(pid_t thread, struct host_signal_state *state);
/* Whether another thread of the group is stopped by a signal. */
bool host_others_stopped(pid_t group, pid_t thread);

/* The memory of the process that has the thread.  0: all was moved; EFAULT; ESRCH; EPERM;
 * ENOMEM. */
int host_memory_in(pid_t thread, uint64_t address, void *to, size_t size);
int host_memory_out(pid_t thread, const void *from, uint64_t address, size_t size);
/* Up to `room` bytes, as many as can be read from there on; *got: how many. */
int host_memory_some(pid_t thread, uint64_t address, void *to, size_t room, size_t *got);

#endif
