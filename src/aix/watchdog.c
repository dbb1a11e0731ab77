/* SPDX-License-Identifier: MIT */
/*
 * Watchdog timers: each has a native timer of its own, inside the caller's structure, that goes off
 * every second while count is above 0.
 *
 * count is changed by whoever holds nothing: w_start() and w_stop() store it, the handler takes one
 * off with an exchange that fails if they did meanwhile.  So a watchdog that was stopped, or
 * started again, never loses that; at most its timer goes off once more and finds nothing to do.
 */
#include "aix/service.h"
#include "aix/ticks.h"

#include <sys/intr.h>
#include <sys/watchdog.h>
#include <xmem/kernel.h>

_Static_assert(sizeof(struct xmem_timer) <= sizeof(((struct watchdog *)0)->xm_timer),
               "room for the native timer");

static struct xmem_timer *timer_of(struct watchdog *w)
{
    return (struct xmem_timer *)(void *)w->xm_timer;
}

static void start(struct watchdog *w)
{
    if (xmem_timer_start(timer_of(w), xmem_clock() + (uint64_t)NANOSECONDS) != 0)
        xmem_count_usage_error(); /* xmem is not started: nothing will run */
}

static void second_is_over(void *argument)
{
    struct watchdog *w = argument;
    int count = load_relaxed(&w->count);

    while (count > 0 && !compare_exchange(&w->count, &count, count - 1))
        ;
    if (count > 1)
        start(w);
    else if (count == 1)
        ((void (*)(struct watchdog *))w->func)(w);
}

EXPORT int w_init(struct watchdog *w)
{
    (void)refused_at_interrupt_level();
    *timer_of(w) = (struct xmem_timer){
        .work = {.handler = second_is_over, .argument = w, .priority = INTTIMER}};
    return 0;
}

EXPORT void w_start(struct watchdog *w)
{
    store_strong(&w->count, w->restart);
    if (w->restart > 0)
        start(w);
    else
        (void)xmem_timer_stop(timer_of(w));
}

EXPORT void w_stop(struct watchdog *w)
{
    store_strong(&w->count, 0);
    (void)xmem_timer_stop(timer_of(w));
}

EXPORT int w_clear(struct watchdog *w)
{
    store_strong(&w->count, 0);
    return xmem_timer_stop(timer_of(w)) == 0 ? 0 : -1;
}
