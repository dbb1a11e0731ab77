/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: real signals on the interrupted thread.
 *
 * xmem_interrupt() leaves what to run in the thread's `pending` and raises the signal; the handler
 * takes it, so a stray signal finds nothing to run.  Whatever the handler changes (mode, level,
 * priority) is put back before it returns, and one handler that interrupts another finds `pending`
 * as it left it.
 *
 * An interrupt that the thread holds off (system/priority.h) is put into the thread's record, with
 * every signal blocked meanwhile, and run when it is let through.
 */
#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/signals.h"
#include "host/threads.h"
#include "system/deferred_interrupt.h"
#include "system/priority.h"
#include "system/system.h"

#include <errno.h>

static bool interrupt_arrived(void)
{
    struct pending_interrupt *pending = thread_state.pending;
    if (!pending)
        return false;
    thread_state.pending = NULL;
    struct thread_state before = thread_state;
    thread_state.level = before.level + 1;
    thread_state.counted_outside = before.counted;
    thread_state.base = pending->priority;
    thread_state.priority = pending->priority;
    thread_state.mode = THREAD_INTERRUPT;
    compiler_fence();
    pending->handler(pending->argument);
    compiler_fence();
    if (thread_state.mode !=
        THREAD_FORKED) { /* the handler may have forked, and this be the child */
        thread_state.mode = before.mode;
        priority_count(before.counted);
    }
    thread_state.priority = before.priority;
    thread_state.base = before.base;
    thread_state.counted_outside = before.counted_outside;
    thread_state.level = before.level;
    if (thread_state.mode != THREAD_FORKED)
        interrupts_run_deferred(); /* what the handler put off and did not let through */
    return true;
}

/* 0, and the handler has run; else it has not. */
static int raise(struct pending_interrupt *own)
{
    /* A handler that interrupts us here leaves pending as it found it. */
    struct pending_interrupt *outer = thread_state.pending;
    thread_state.pending = own;
    compiler_fence();
    int error = host_interrupt_raise();
    if (!error && thread_state.pending == own)
        error = ENOSYS; /* somebody put a handler of theirs over ours */
    thread_state.pending = outer;
    return error;
}

/* Nobody is left who could be told that the signal did not come; the handler must run. */
void interrupt_run(int priority, void (*handler)(void *), void *argument)
{
    struct pending_interrupt own = {priority, handler, argument};
    if (raise(&own) == 0)
        return;
    struct pending_interrupt *outer = thread_state.pending;
    thread_state.pending = &own;
    compiler_fence();
    interrupt_arrived();
    thread_state.pending = outer;
}

/* ---- interrupts that are held off ---- */

static bool defer(const struct pending_interrupt *interrupt)
{
    struct thread_record *record = thread_state.record;
    struct host_signal_mask mask;
    host_signals_block(&mask);
    bool room = record->deferred_used < DEFERRED_MOST;
    if (room)
        record->deferred[record->deferred_used++] = *interrupt;
    host_signals_restore(&mask);
    return room;
}

/* The most favoured of those let through, the first of its equals.  Signals blocked. */
static bool take_deferred(struct thread_record *record, struct pending_interrupt *taken)
{
    uint32_t best = record->deferred_used;
    int limit = thread_state.priority;
    for (uint32_t at = 0; at < record->deferred_used; at++) {
        if (record->deferred[at].priority >= limit)
            continue;
        best = at;
        limit = record->deferred[at].priority;
    }
    if (best == record->deferred_used)
        return false;
    *taken = record->deferred[best];
    record->deferred_used--;
    for (uint32_t at = best; at < record->deferred_used; at++)
        record->deferred[at] = record->deferred[at + 1];
    return true;
}

/* After a stop nobody's handler runs any more. */
void interrupts_run_deferred(void)
{
    struct thread_record *record = thread_state.record;
    while (UNLIKELY(load_relaxed(&record->deferred_used) != 0)) {
        struct pending_interrupt interrupt;
        struct host_signal_mask mask;
        host_signals_block(&mask);
        bool found = take_deferred(record, &interrupt);
        host_signals_restore(&mask);
        if (!found)
            return;
        if (load_relaxed(&settings.started))
            interrupt_run(interrupt.priority, interrupt.handler, interrupt.argument);
    }
}

static int refuse(const char *operation, int priority, void (*handler)(void *))
{
    int error = thread_any(operation);
    if (error)
        return error;
    if (!handler || priority < XMEM_INTMAX || priority >= XMEM_INTBASE)
        return fail_argument(operation, "priority must be XMEM_INTMAX to XMEM_INTOFFL3, and there "
                                        "must be a handler");
    if (priority >= thread_state.base)
        return fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EBUSY,
                                               "the thread is in a handler that is as favoured or "
                                               "more, and would wait for itself"));
    if (!load_relaxed(&settings.started))
        return fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, EPERM,
                                               "xmem is not started; call xmem_start() first"));
    return 0;
}

EXPORT int xmem_interrupt(int priority, void (*handler)(void *), void *argument)
{
    static const char operation[] = "xmem_interrupt";
    int error = refuse(operation, priority, handler);
    if (error)
        return error;
    struct pending_interrupt own = {priority, handler, argument};
    if (priority >= thread_state.priority)
        return defer(&own)
                   ? 0
                   : fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EAGAIN,
                                                     "too many interrupts wait already for this "
                                                     "thread to let them through"));
    error = raise(&own);
    if (!error)
        return 0;
    return fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, error,
                                           error == EAGAIN
                                               ? "the Linux kernel queues no more signals for this "
                                                 "user; raise RLIMIT_SIGPENDING"
                                               : "the interrupt signal did not reach xmem; is "
                                                 "another handler installed for it?"));
}

EXPORT int xmem_in_interrupt(void)
{
    return thread_state.mode == THREAD_INTERRUPT;
}

int interrupts_start(bool own_faults, int interrupt_signal)
{
    return host_handlers_install(own_faults, interrupt_signal, interrupt_arrived);
}

EXPORT int xmem_fault_signal(int signal, void *siginfo, void *context)
{
    return host_fault(signal, siginfo, context);
}
