/* SPDX-License-Identifier: MIT */
/*
 * Holding interrupts off; priority.h has the rules.
 *
 * A handler that interrupts xmem_interrupts_hold() or _restore() leaves the thread's state as it
 * found it, so each step may be taken as if alone: the priority goes down before the count goes up,
 * and the count goes down after the priority went up.  Counts are changed by differences, with the
 * thread's own record of them, and a handler finds the record and the counts in step or the count
 * one too high.
 */
#include "system/priority.h"

#include "engine/settings.h"
#include "engine/thread.h"
#include "host/futex.h"
#include "system/deferred_interrupt.h"
#include "xmem/kernel.h"

#define SPINS 200u

static uint32_t held[XMEM_INTBASE + 1]; /* threads that are counted under each priority */
static uint32_t moves;                  /* goes up when a thread's count is under two priorities */
static int running = XMEM_INTBASE;      /* what the worker runs or is about to */
static THREAD_LOCAL bool is_worker;

static bool look_for_holders(int priority)
{
    for (int each = XMEM_INTMAX; each <= priority; each++)
        if (load_strong(&held[each]))
            return true;
    return false;
}

/* A count that moved between two looks was perhaps seen at neither place: look once more then. */
static bool anybody_holds(int priority)
{
    for (;;) {
        uint32_t before = load_strong(&moves);
        if (look_for_holders(priority))
            return true;
        if (load_strong(&moves) == before)
            return false;
    }
}

bool priority_running_begin(int priority)
{
    store_strong(&running, priority);
    if (!anybody_holds(priority))
        return true;
    priority_running_end();
    return false;
}

void priority_running_end(void)
{
    store_strong(&running, XMEM_INTBASE);
}

void priority_is_worker(void)
{
    is_worker = true;
}

static bool worker_runs(int priority)
{
    int now = load_strong(&running);
    return now != XMEM_INTBASE && now >= priority;
}

static void await_running(int priority)
{
    for (unsigned spins = 0; worker_runs(priority); spins++)
        if (spins > SPINS)
            host_yield();
}

void priority_count(int counted)
{
    int before = thread_state.counted;
    if (counted == before)
        return;
    if (counted != XMEM_INTBASE)
        __atomic_fetch_add(&held[counted], 1, __ATOMIC_SEQ_CST);
    thread_state.counted = counted;
    compiler_fence();
    if (before != XMEM_INTBASE) {
        add_fetch(&moves, 1);
        __atomic_fetch_sub(&held[before], 1, __ATOMIC_SEQ_CST);
        worker_poke_held_off();
    }
}

void priority_forget(void)
{
    thread_state.priority = thread_state.base;
    priority_count(XMEM_INTBASE);
}

static bool unusable(void)
{
    return thread_any("xmem_interrupts_hold") != 0;
}

EXPORT int xmem_interrupts_hold(int priority)
{
    if (unusable())
        return XMEM_INTBASE;
    int before = thread_state.priority;
    if (priority < XMEM_INTMAX)
        priority = XMEM_INTMAX;
    if (priority >= before)
        return before;
    thread_state.priority = priority;
    compiler_fence();
    priority_count(priority);
    /* A handler, of the worker or not, must not wait: it may have the lock that the worker's
     * handler spins for. */
    if (!is_worker && thread_state.base == XMEM_INTBASE)
        await_running(priority);
    return before;
}

EXPORT void xmem_interrupts_restore(int priority)
{
    if (unusable() || priority <= thread_state.priority)
        return;
    if (priority > thread_state.base)
        priority = thread_state.base;
    int counted = priority < thread_state.base ? priority : thread_state.counted_outside;
    thread_state.priority = priority;
    compiler_fence();
    priority_count(counted);
    interrupts_run_deferred();
}
