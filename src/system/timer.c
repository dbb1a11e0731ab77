/* SPDX-License-Identifier: MIT */
/*
 * Timers: a list in the order of expiry, under the work lock, linked through the caller's
 * structures.  The worker waits until the first is due and posts the work of those that are; so a
 * timer is in the list, or its work in a queue, or its handler runs, or it is nobody's.
 */
#include "engine/thread.h"
#include "host/futex.h"
#include "system/deferred_interrupt.h"

#include <errno.h>

enum timer_state { TIMER_FREE, TIMER_RUNNING };

static struct xmem_timer *timers; /* the work lock held */

/* Equals in the order of starting. */
static void insert(struct xmem_timer *timer)
{
    struct xmem_timer **link = &timers;
    while (*link && (*link)->when <= timer->when)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    timer->state = TIMER_RUNNING;
}

/* The work lock held.  True: its handler runs now. */
static bool withdraw(struct xmem_timer *timer)
{
    struct xmem_timer **link = &timers;
    if (timer->state == TIMER_RUNNING) {
        while (*link && *link != timer)
            link = &(*link)->next;
        if (*link)
            *link = timer->next;
    }
    timer->state = TIMER_FREE;
    return work_withdraw(&timer->work);
}

uint64_t timers_expire(uint64_t now)
{
    while (timers && timers->when <= now) {
        struct xmem_timer *timer = timers;
        timers = timer->next;
        timer->state = TIMER_FREE;
        work_enqueue(&timer->work);
    }
    return timers ? timers->when : 0;
}

void timers_forget(void)
{
    while (timers) {
        struct xmem_timer *timer = timers;
        timers = timer->next;
        timer->state = TIMER_FREE;
    }
}

EXPORT uint64_t xmem_clock(void)
{
    return host_nanoseconds();
}

EXPORT int xmem_timer_start(struct xmem_timer *timer, uint64_t when)
{
    static const char operation[] = "xmem_timer_start";
    struct work_section section;
    int error = work_check(operation, timer ? &timer->work : NULL);
    if (error)
        return error;
    work_lock(&section);
    bool accepted = work_accepted();
    bool first = false;
    if (accepted) {
        withdraw(timer);
        timer->when = when > INT64_MAX ? INT64_MAX : when;
        insert(timer);
        first = timers == timer;
    }
    work_unlock(&section);
    return accepted && !first ? 0 : work_posted(operation, accepted);
}

EXPORT int xmem_timer_stop(struct xmem_timer *timer)
{
    static const char operation[] = "xmem_timer_stop";
    struct work_section section;
    int error = thread_any(operation);
    if (error)
        return error;
    work_lock(&section);
    bool runs = withdraw(timer);
    work_unlock(&section);
    return work_withdrawn(operation, runs);
}
