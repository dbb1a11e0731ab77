/* SPDX-License-Identifier: MIT */
/*
 * Timer request blocks: talloc, tstart, tstop, tfree.
 *
 * A block is the front of a structure of ours that holds the native timer.  Freed blocks are kept:
 * tfree(), which may be called at interrupt level, pushes them on a list without a lock; talloc()
 * alone pops, under its lock, so that no block can come back between its look at the first one and
 * its exchange.
 *
 * running says which handlers this thread is in, innermost first: tstop() of one of them is not to
 * wait for itself.
 */
#include "aix/locks.h"
#include "aix/service.h"
#include "aix/ticks.h"

#include <sys/intr.h>
#include <sys/malloc.h>
#include <sys/timer.h>

struct timer_block {
    struct trb trb;
    struct xmem_timer timer;
    struct timer_block *next;
    uint32_t in_use; /* 1 from talloc() to tfree() */
};

struct running_handler {
    const struct running_handler *outer;
    const struct trb *trb;
};

static struct wait_lock lock;
static struct timer_block *freed;
static THREAD_LOCAL const struct running_handler *running;

static struct timer_block *block_of(struct trb *t)
{
    return (struct timer_block *)(void *)((char *)t - offsetof(struct timer_block, trb));
}

static struct timer_block *pop(void)
{
    struct timer_block *first;

    wait_lock_take(&lock);
    first = load_acquire(&freed);
    while (first != NULL && !compare_exchange(&freed, &first, first->next))
        ;
    wait_lock_give(&lock);
    return first;
}

static void push(struct timer_block *block)
{
    struct timer_block *first = load_relaxed(&freed);

    do
        block->next = first;
    while (!compare_exchange(&freed, &first, block));
}

static void expire(void *argument)
{
    struct trb *t = argument;
    struct running_handler here = {.outer = running, .trb = t};

    running = &here;
    compiler_fence();
    ((void (*)(struct trb *))t->func)(t);
    compiler_fence();
    running = here.outer;
}

EXPORT struct trb *talloc(void)
{
    struct timer_block *block;

    if (!wait_locks_usable())
        return NULL;
    block = pop();
    if (block == NULL)
        block = (void *)xmem_aix_xmalloc(sizeof *block, 6, pinned_heap);
    if (block == NULL)
        return NULL;
    *block = (struct timer_block){
        .timer = {.work = {.handler = expire, .argument = &block->trb, .priority = INTTIMER}},
        .in_use = 1};
    return &block->trb;
}

static uint64_t expiry(const struct trb *t)
{
    uint64_t now = xmem_clock();
    int64_t value = nanoseconds_of(t->timeout.it_value.tv_sec, t->timeout.it_value.tv_nsec);
    uint64_t when;

    if (t->flags & T_ABSOLUTE)
        value = nanoseconds_less(value, xmem_time_of_day());
    when = clock_after(now, value);
    return t->flags & T_LOWRES ? next_tick(when) : when;
}

EXPORT void tstart(struct trb *t)
{
    struct timer_block *block = block_of(t);
    int priority = t->ipri >= INTMAX && t->ipri <= INTTIMER ? t->ipri : INTTIMER;

    if (load_relaxed(&block->in_use) != 1) {
        xmem_count_usage_error();
        return;
    }
    if (load_relaxed(&block->timer.work.priority) != priority)
        store_relaxed(&block->timer.work.priority, priority);
    if (xmem_timer_start(&block->timer, expiry(t)) != 0)
        xmem_count_usage_error(); /* xmem is not started: nothing will run */
}

static bool in_handler_of(const struct trb *t)
{
    for (const struct running_handler *each = running; each != NULL; each = each->outer)
        if (each->trb == t)
            return true;
    return false;
}

EXPORT int tstop(struct trb *t)
{
    if (xmem_timer_stop(&block_of(t)->timer) == 0)
        return 0;
    return in_handler_of(t) ? 0 : -1;
}

EXPORT void tfree(struct trb *t)
{
    struct timer_block *block = block_of(t);

    if (xmem_timer_stop(&block->timer) != 0 || exchange(&block->in_use, 0) != 1)
        xmem_count_usage_error();
    else
        push(block);
}
