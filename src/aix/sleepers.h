/* SPDX-License-Identifier: MIT */
/*
 * Sleepers: threads that wait for a wake-up by the address of an event word, or of a channel.
 *
 *   1. Each thread has one record, in its thread-local storage, so that it waits for one thing at a
 *      time.  sleeper_enlist() puts it into the bucket of its address; from there it is taken off
 *      by exactly one of a wake-up, e_clear_wait(), or its own thread after a signal.
 *   2. A bucket's lock is a short one, held over a few sleepers, and covers the listed records in
 *      it and the event words of their addresses.  Two buckets are never locked together.
 *   3. An event word is the number of its first sleeper, EVENT_NULL while there is none.
 *   4. Who takes a record off stores the result, then that it waits no longer.  From then on the
 *      record is its thread's again, and may be gone: it is woken by address only, which may wake
 *      somebody else without a reason, never fail to wake.
 *   5. A thread that ends between sleeper_enlist() and sleeper_block() takes its record off.
 */
#ifndef XMEM_AIX_SLEEPERS_H
#define XMEM_AIX_SLEEPERS_H

#include "host/platform.h"

#include <sys/types.h>

/* The calling thread, in the process environment.  A channel has no event word: NULL.  What it
 * waited for before must have come, or have been cleared; the result is then forgotten. */
void sleeper_enlist(const char *service, const void *place, tid_t *event_word, bool interruptible);
/* Whether it is enlisted, or was and has not asked for the result yet. */
bool sleeper_is_enlisted(void);
/* Waits for the result. */
int sleeper_block(void);

/* Any environment. */
void sleepers_wake(const void *place, tid_t *event_word, unsigned most, int result);
void sleepers_signal(tid_t *event_word, int signal);
void sleepers_clear(tid_t thread, int result);

#endif
