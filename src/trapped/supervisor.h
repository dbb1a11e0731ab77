/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: threads that receive the calls of trapped programs and answer them.
 */
#ifndef XMEM_TRAPPED_SUPERVISOR_H
#define XMEM_TRAPPED_SUPERVISOR_H

#include "host/platform.h"

#include <sys/types.h>

/* Begins to serve the listener, which becomes the supervisor's.  0; ENOMEM, EAGAIN. */
int supervisor_begin(int listener);
/* Ends it: calls that are being served are served to their end; the listener is closed, so that
 * whoever is left under the filter gets ENOSYS from handled calls. */
void supervisor_end(void);

/* What this thread does next may wait for somebody else: has another worker receive calls.  On
 * threads that do not receive, nothing.  xmem_wait() calls it by itself. */
void supervisor_may_wait(void);
/* For the watcher, now and then: the same on behalf of a worker that is at the same call as the
 * last time.  Returns whether calls have come since then, or one is being served: then come back
 * soon. */
bool supervisor_busy(void);

/* The worker is about to use a device (any device: it does not know yet which; NULL: none).
 * Return what was so before, for _serves_also(): then it serves that one, too. */
const void *supervisor_serves(const void *device);
const void *supervisor_serves_any(void);
void supervisor_serves_also(const void *device, const void *before);
/* Whether another worker that may use the device has a caller that is dead, or answered already:
 * its hold of the device ends soon. */
bool supervisor_serves_dead(const void *device);

/* Calls can be received or answered no more.  The watcher sees it, and ends the supervisor before
 * anybody waits for ever. */
void supervisor_give_up(void);
bool supervisor_broken(void);

int supervisor_listener(void);
/* The process that was started: this program's child; 0 before and after. */
pid_t supervisor_child(void);
void supervisor_set_child(pid_t child);

/* Has the watcher (program.c) look at the placeholders now and soon again. */
void supervisor_look(void);
extern void (*supervisor_look_hook)(void);

#endif
