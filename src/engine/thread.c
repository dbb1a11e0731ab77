/* SPDX-License-Identifier: MIT */
/*
 * Registering threads, and what a service requires of its caller; thread.h has the rules.
 */
#include "engine/thread.h"

#include "engine/failure.h"
#include "engine/settings.h"
#include "host/memory.h"
#include "host/read_section.h"
#include "host/signals.h"
#include "host/threads.h"
#include "xmem/kernel.h"

#include <errno.h>

#define END_FUNCTIONS 8

THREAD_LOCAL struct thread_state thread_state;

static host_mutex records_mutex = HOST_MUTEX_INITIALIZER;
static struct thread_record *records;
static uint32_t last_number;
static uint64_t usage_error_count;
static bool prepared;
static bool forked;
static void (*before_end)(struct thread_record *);
static void (*end_functions[END_FUNCTIONS])(void); /* filled from the front, under the mutex */

/* ---- registration ---- */

static void unlist(struct thread_record *record)
{
    struct thread_record **link = &records;
    while (*link != record)
        link = &(*link)->next;
    *link = record->next;
}

static void run_end_functions(void)
{
    for (int index = 0; index < END_FUNCTIONS; index++) {
        void (*function)(void) = load_acquire(&end_functions[index]);
        if (!function)
            return;
        function();
    }
}

EXPORT int xmem_at_thread_end(void (*function)(void))
{
    int index = 0;
    host_lock(&records_mutex);
    while (index < END_FUNCTIONS && end_functions[index] && end_functions[index] != function)
        index++;
    if (index < END_FUNCTIONS)
        store_release(&end_functions[index], function);
    host_unlock(&records_mutex);
    return index < END_FUNCTIONS ? 0 : ENOSPC;
}

/* From before the record goes to the end of the thread no signal finds it half gone: signals are
 * blocked meanwhile, and afterwards the thread is refused. */
static void thread_ended(void *argument)
{
    struct thread_record *record = argument;
    if (thread_state.mode != THREAD_PROCESS)
        return;
    run_end_functions();
    before_end(record);
    struct host_signal_mask mask;
    host_signals_block(&mask);
    thread_state.mode = THREAD_ENDED;
    thread_state.record = NULL;
    read_section_unregister();
    host_lock(&records_mutex);
    unlist(record);
    host_unlock(&records_mutex);
    if (record->stack != record->stack_inside)
        host_free(record->stack);
    host_free(record);
    host_signals_restore(&mask);
}

/* Signals blocked. */
static int enlist(struct thread_record *record)
{
    int error = host_thread_watch(record);
    if (error)
        return ENOMEM;
    error = read_section_register();
    if (error) {
        host_thread_watch(NULL);
        return error;
    }
    host_lock(&records_mutex);
    record->next = records;
    records = record;
    thread_state.number = ++last_number;
    host_unlock(&records_mutex);
    thread_state.record = record;
    thread_state.level = 0;
    thread_state.priority = XMEM_INTBASE;
    thread_state.base = XMEM_INTBASE;
    thread_state.counted = XMEM_INTBASE;
    thread_state.counted_outside = XMEM_INTBASE;
    compiler_fence();
    thread_state.mode = THREAD_PROCESS;
    return 0;
}

static int register_thread(void)
{
    if (load_relaxed(&forked) || !load_acquire(&prepared))
        return EPERM;
    struct host_signal_mask mask;
    host_signals_block(&mask);
    struct thread_record *record = host_allocate(sizeof(*record));
    int error = ENOMEM;
    if (record) {
        record->stack = record->stack_inside;
        record->stack_room = STACK_INSIDE;
        error = enlist(record);
    }
    if (error)
        host_free(record);
    host_signals_restore(&mask);
    if (!error)
        host_faults_unblock();
    return error;
}

/* In the child of a fork: the windows are gone and no other thread exists. */
static void in_forked_child(void)
{
    store_relaxed(&forked, true);
    thread_state.mode = THREAD_FORKED;
    thread_state.record = NULL;
    host_thread_watch(NULL);
}

int threads_start(void (*ending)(struct thread_record *))
{
    if (load_relaxed(&prepared))
        return 0;
    before_end = ending;
    int error = host_thread_exit_create(thread_ended);
    if (!error)
        error = host_on_fork(in_forked_child);
    if (!error)
        store_release(&prepared, true);
    return error;
}

void threads_each(void (*look)(const struct thread_record *, void *), void *argument)
{
    host_lock(&records_mutex);
    for (struct thread_record *record = records; record; record = record->next)
        look(record, argument);
    host_unlock(&records_mutex);
}

/* ---- requirements ---- */

static int refuse(const char *operation, const char *detail)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, EPERM, detail));
}

int thread_require_any(const char *operation)
{
    if (thread_state.mode == THREAD_FORKED || load_relaxed(&forked)) {
        thread_state.mode = THREAD_FORKED;
        return refuse(operation, "xmem does not work in the child of a fork; start it in a program "
                                 "of its own");
    }
    if (thread_state.mode == THREAD_ENDED)
        return EPERM; /* no record is left to say so in */
    if (thread_state.mode != THREAD_UNKNOWN)
        return 0;
    int error = register_thread();
    if (error == EPERM)
        return refuse(operation, "xmem is not started; call xmem_start() first");
    return error ? fail_no_memory(operation) : 0;
}

int thread_require_process(const char *operation)
{
    int error = thread_require_any(operation);
    if (error || thread_state.mode == THREAD_PROCESS)
        return error;
    xmem_count_usage_error();
    return refuse(operation, "this service may be called in the process environment only");
}

int making_begin(const char *operation)
{
    int error = thread_require_process(operation);
    if (error)
        return error;
    add_fetch(&settings.making, 1);
    if (load_strong(&settings.started))
        return 0;
    making_end();
    return refuse(operation, "xmem is not started; call xmem_start() first");
}

void making_end(void)
{
    sub_fetch(&settings.making, 1);
}

EXPORT int xmem_thread_prepare(void)
{
    return thread_process_only("xmem_thread_prepare");
}

EXPORT void xmem_count_usage_error(void)
{
    __atomic_fetch_add(&usage_error_count, 1, __ATOMIC_RELAXED);
}

uint64_t usage_errors(void)
{
    return load_relaxed(&usage_error_count);
}
