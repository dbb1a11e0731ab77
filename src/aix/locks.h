/* SPDX-License-Identifier: MIT */
/*
 * The locks of the services themselves.
 *
 * wait_lock: for the process environment; who finds it taken waits.  Under those of the library
 * nothing else is locked or waited for, except as device_nodes.h says; the funnel (funnel.h) is a
 * driver's.
 *
 * short_lock: for what handlers share with threads.  Whoever has it lets no interrupt through, so
 * that it is never wanted by a handler on the thread that has it; handlers on others spin for the
 * few instructions that it is held.
 */
#ifndef XMEM_AIX_LOCKS_H
#define XMEM_AIX_LOCKS_H

#include "host/platform.h"

#include <xmem/kernel.h>

/* Whether this thread can wait for locks: not at interrupt level, which is counted as a usage
 * error, in the child of a fork, or before the first xmem_start(). */
static inline bool wait_locks_usable(void)
{
    return xmem_thread_prepare() == 0;
}

struct wait_lock {
    uint32_t word; /* 0: free; 1: taken; 2: taken, and somebody may wait */
};

static inline void wait_lock_take(struct wait_lock *lock)
{
    uint32_t word = 0;

    if (LIKELY(compare_exchange(&lock->word, &word, 1)))
        return;
    while (exchange(&lock->word, 2) != 0)
        (void)xmem_wait(&lock->word, 2, 0, 0);
}

static inline void wait_lock_give(struct wait_lock *lock)
{
    if (UNLIKELY(exchange(&lock->word, 0) == 2))
        xmem_wake(&lock->word, 1);
}

#if defined __x86_64__
#define SPIN_PAUSE() __builtin_ia32_pause()
#else
#define SPIN_PAUSE() compiler_fence()
#endif

#define SHORT_LOCK_WAIT 50000u /* nanoseconds; nobody wakes whoever waits */

struct short_lock {
    uint32_t taken;
};

/* Returns what short_lock_give() takes. */
static inline int short_lock_take(struct short_lock *lock)
{
    for (;;) {
        int priority = xmem_interrupts_hold(XMEM_INTMAX);

        if (LIKELY(exchange(&lock->taken, 1) == 0))
            return priority;
        xmem_interrupts_restore(priority);
        if (xmem_in_interrupt())
            SPIN_PAUSE();
        else /* whoever has it may be off its processor: let it run */
            (void)xmem_wait(&lock->taken, 1, 0, SHORT_LOCK_WAIT);
    }
}

static inline void short_lock_give(struct short_lock *lock, int priority)
{
    store_release(&lock->taken, 0);
    xmem_interrupts_restore(priority);
}

#endif
