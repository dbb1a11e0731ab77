/* SPDX-License-Identifier: MIT */
/*
 * The process that a thread runs under.  The stack of entered processes is the thread's own; each
 * entry holds a reference, so that a process closed meanwhile is a closed process and not freed
 * memory.
 */
#include "engine/current.h"

#include "engine/process.h"
#include "engine/thread.h"
#include "host/memory.h"

static bool stack_grow(struct thread_record *record)
{
    size_t room = 2 * record->stack_room;
    struct xmem_process **larger = host_allocate(room * sizeof(*larger));
    if (!larger)
        return false;
    for (size_t at = 0; at < record->stack_used; at++)
        larger[at] = record->stack[at];
    if (record->stack != record->stack_inside)
        host_free(record->stack);
    record->stack = larger;
    record->stack_room = room;
    return true;
}

EXPORT void xmem_enter(struct xmem_process *process)
{
    if (thread_process_only("xmem_enter"))
        return;
    struct thread_record *record = thread_state.record;
    if (record->stack_used == record->stack_room && !stack_grow(record))
        xmem_panic("xmem_enter: no memory for one more nesting level");
    if (process && !process_hold(process))
        process = &process_gone; /* not NULL, which would make a kernel process of this thread */
    record->stack[record->stack_used++] = process;
    thread_state.current = process;
}

EXPORT void xmem_leave(void)
{
    if (thread_process_only("xmem_leave"))
        return;
    struct thread_record *record = thread_state.record;
    if (record->stack_used == 0) {
        xmem_count_usage_error();
        return;
    }
    struct xmem_process *process = record->stack[--record->stack_used];
    thread_state.current = record->stack_used ? record->stack[record->stack_used - 1] : NULL;
    if (process && process != &process_gone)
        process_drop(process);
}

void leave_all(void)
{
    while (thread_state.record->stack_used)
        xmem_leave();
}

EXPORT struct xmem_process *xmem_current(void)
{
    return thread_state.mode == THREAD_PROCESS ? thread_state.current : NULL;
}
