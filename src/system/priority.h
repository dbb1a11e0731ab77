/* SPDX-License-Identifier: MIT */
/*
 * Which interrupts are held off, and by how many threads.
 *
 *   1. thread_state.priority is what is in force on this thread; thread_state.base, what the
 *      handler that it is in began with (XMEM_INTBASE: none).  priority < base: the thread holds
 *      that priority off.
 *   2. thread_state.counted is the priority under which this thread is counted in `held`
 *      (XMEM_INTBASE: under none): what it holds, or else what was counted when the handler that it
 *      is in began (thread_state.counted_outside).  A handler that holds nothing does not count.
 *   3. The worker (deferred_interrupt.c) says what it is about to run, then looks at the counts;
 *      whoever holds counts first, then looks at what the worker runs, and waits for its end.  So
 *      either the worker sees the count and waits, or the holder sees the handler and waits: once
 *      xmem_interrupts_hold() has returned, no posted handler of that priority runs.
 */
#ifndef XMEM_SYSTEM_PRIORITY_H
#define XMEM_SYSTEM_PRIORITY_H

#include "host/platform.h"

/* For the worker.  True: a handler of this priority may run, and holders wait for it, until
 * priority_running_end(). */
bool priority_running_begin(int priority);
void priority_running_end(void);
/* This thread is the worker: its handlers do not wait for themselves. */
void priority_is_worker(void);
/* For a thread that ends: it holds nothing any more. */
void priority_forget(void);
/* Counts this thread under that priority instead.  At the end of a handler that brings back what
 * was so at its beginning, whatever the handler held and did not restore. */
void priority_count(int counted);
/* In interrupt.c: runs what xmem_interrupt() has put off, as far as it is let through now. */
void interrupts_run_deferred(void);

#endif
