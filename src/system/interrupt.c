/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: real signals on the interrupted thread.
 *
 * xmem_interrupt() leaves what to run in the thread's `pending` and raises the signal; the handler
 * takes it, so a stray signal finds nothing to run.  Whatever the handler changes (mode, level,
 * priority) is put back before it returns, and one handler that interrupts another finds `pending`
 * as it left it.
 */
#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/signals.h"
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
    thread_state.priority = pending->priority;
    thread_state.mode = THREAD_INTERRUPT;
    compiler_fence();
    pending->handler(pending->argument);
    compiler_fence();
    if (thread_state.mode != THREAD_FORKED) /* the handler may have forked, and this be the child */
        thread_state.mode = before.mode;
    thread_state.priority = before.priority;
    thread_state.level = before.level;
    return true;
}

EXPORT int xmem_interrupt(int priority, void (*handler)(void *), void *argument)
{
    static const char operation[] = "xmem_interrupt";
    int error = thread_any(operation);
    if (error)
        return error;
    if (!handler || priority < XMEM_INTMAX || priority >= XMEM_INTBASE)
        return fail_argument(operation, "priority must be XMEM_INTMAX to XMEM_INTOFFL3, and there "
                                        "must be a handler");
    if (priority >= thread_state.priority)
        return fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EBUSY,
                                               "the thread is in a handler that is as favoured or "
                                               "more, and would wait for itself"));
    if (!load_relaxed(&settings.started))
        return fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, EPERM,
                                               "xmem is not started; call xmem_start() first"));
    struct pending_interrupt own = {priority, handler, argument};
    /* A handler that interrupts us here leaves pending as it found it. */
    struct pending_interrupt *outer = thread_state.pending;
    thread_state.pending = &own;
    compiler_fence();
    error = host_interrupt_raise();
    if (!error && thread_state.pending == &own)
        error = ENOSYS; /* somebody put a handler of theirs over ours */
    thread_state.pending = outer;
    return error ? fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, error,
                                                   "the interrupt signal did not reach xmem; is "
                                                   "another handler installed for it?"))
                 : 0;
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
