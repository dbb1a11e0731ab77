/* SPDX-License-Identifier: MIT */
/*
 * On whose behalf a thread runs; caller.h has the rules.  All state is the thread's own.  `serving`
 * is stored last and cleared first, for handlers that interrupt the thread and ask.
 */
#include "system/caller.h"

#include "engine/thread.h"
#include "host/futex.h"
#include "system/kernel_process.h"

static THREAD_LOCAL struct {
    struct xmem_caller served;
    int (*signal_pending)(void *);
    void *argument;
    struct kernel_process *kernel;
    pid_t own; /* this thread's number; 0: not asked for yet */
    bool serving;
} caller_state;

void caller_serve(const struct xmem_caller *caller, int (*signal_pending)(void *), void *argument)
{
    caller_state.serving = false;
    compiler_fence();
    caller_state.served = *caller;
    caller_state.signal_pending = signal_pending;
    caller_state.argument = argument;
    compiler_fence();
    caller_state.serving = true;
}

void caller_done(void)
{
    caller_state.serving = false;
}

static void (*on_wait)(void);

void caller_on_wait(void (*waits)(void))
{
    store_release(&on_wait, waits);
}

void caller_waits(void)
{
    void (*waits)(void) = caller_state.serving ? load_acquire(&on_wait) : NULL;
    if (waits)
        waits();
}

void caller_is(struct kernel_process *process)
{
    caller_state.kernel = process;
}

struct kernel_process *caller_kernel_process(void)
{
    return caller_state.serving ? NULL : caller_state.kernel;
}

bool caller_is_served(void)
{
    return caller_state.serving && caller_state.signal_pending;
}

static pid_t own_number(void)
{
    if (UNLIKELY(thread_state.mode == THREAD_FORKED))
        return host_thread_number();
    if (UNLIKELY(caller_state.own == 0))
        caller_state.own = host_thread_number();
    return caller_state.own;
}

EXPORT void xmem_get_caller(struct xmem_caller *caller)
{
    const struct kernel_process *kernel = caller_state.kernel;
    if (caller_state.serving)
        *caller = caller_state.served;
    else if (kernel)
        *caller = (struct xmem_caller){kernel->number, kernel->number, 1};
    else
        *caller = (struct xmem_caller){0, own_number(), 0};
}

EXPORT int xmem_signal_pending(void)
{
    const struct kernel_process *kernel = caller_kernel_process();
    if (thread_process_only("xmem_signal_pending") != 0)
        return 0;
    if (caller_is_served())
        return caller_state.signal_pending(caller_state.argument);
    return kernel ? signals_lowest(load_strong(&kernel->signals)) : 0;
}
