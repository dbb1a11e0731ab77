/* SPDX-License-Identifier: MIT */
/*
 * Kernel processes, and signals to them; kernel_process.h has the rules.
 */
#include "system/kernel_process.h"

#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/futex.h"
#include "host/memory.h"
#include "host/read_section.h"
#include "system/caller.h"
#include "xmem/kernel.h"

#include <errno.h>

#define SETTLE_MILLISECONDS 1000u

enum life { BEGINNING, IDLE, STARTED, CANCELLED, UNUSABLE };

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct kernel_process *live;  /* under the mutex; read in read sections */
static struct kernel_process *ended; /* under the mutex: their threads are to be joined */

/* ---- the lists ---- */

/* Mutex held. */
static struct kernel_process *find(pid_t number, enum life state)
{
    struct kernel_process *process = live;
    while (process && (process->number != number || process->state != state))
        process = process->next;
    return process;
}

/* Mutex held.  Readers may stand on it: its own link stays. */
static void unlist(const struct kernel_process *process)
{
    struct kernel_process **link = &live;
    while (*link != process)
        link = &(*link)->next;
    store_release(link, process->next);
}

static void list(struct kernel_process *process)
{
    host_lock(&mutex);
    process->next = live;
    store_release(&live, process);
    host_unlock(&mutex);
}

static void bury(struct kernel_process *process)
{
    host_thread_join(process->thread);
    read_section_wait();
    host_free(process);
}

/* A listed one's `next` is the list's until nobody reads it any more: so the dead are taken off
 * this list one by one, and are linked by `argument`, which they need no longer. */
static void bury_ended(void)
{
    for (;;) {
        host_lock(&mutex);
        struct kernel_process *process = ended;
        if (process)
            ended = process->argument;
        host_unlock(&mutex);
        if (!process)
            return;
        bury(process);
    }
}

uint64_t kernel_processes_count(void)
{
    uint64_t count = 0;
    host_lock(&mutex);
    for (const struct kernel_process *process = live; process; process = process->next)
        count++;
    host_unlock(&mutex);
    return count;
}

uint64_t kernel_processes_settle(void)
{
    uint64_t limit = host_milliseconds() + SETTLE_MILLISECONDS;
    uint64_t count = kernel_processes_count();
    while (count && host_milliseconds() < limit) {
        host_sleep_microseconds(500);
        count = kernel_processes_count();
    }
    bury_ended();
    return count;
}

/* ---- the thread ---- */

static void set_state(struct kernel_process *process, enum life state)
{
    store_strong(&process->state, state);
    host_wake(&process->state, 1);
}

static enum life await_other(const struct kernel_process *process, enum life state)
{
    uint32_t now;
    while ((now = load_strong(&process->state)) == state)
        host_wait(&process->state, state, 0);
    return now;
}

static void *body(void *argument)
{
    struct kernel_process *process = argument;
    process->number = host_thread_number();
    if (xmem_thread_prepare() != 0) {
        set_state(process, UNUSABLE);
        return NULL;
    }
    caller_is(process);
    set_state(process, IDLE);
    if (await_other(process, IDLE) == CANCELLED)
        return NULL;
    if (process->name[0])
        host_thread_name(process->name);
    process->function(process->argument);
    host_lock(&mutex);
    unlist(process);
    process->argument = ended;
    ended = process;
    host_unlock(&mutex);
    return NULL;
}

static struct kernel_process *make(void)
{
    struct kernel_process *process = host_allocate(sizeof(*process));
    if (!process)
        return NULL;
    process->state = BEGINNING;
    if (host_thread_create(&process->thread, body, process) != 0) {
        host_free(process);
        return NULL;
    }
    if (await_other(process, BEGINNING) == UNUSABLE) {
        host_thread_join(process->thread);
        host_free(process);
        return NULL;
    }
    list(process);
    return process;
}

/* ---- services ---- */

EXPORT int xmem_kernel_process_create(pid_t *number)
{
    static const char operation[] = "xmem_kernel_process_create";
    int error = making_begin(operation);
    if (error)
        return error;
    bury_ended();
    const struct kernel_process *process = make();
    if (process)
        *number = process->number;
    making_end();
    return process ? 0 : fail_no_memory(operation);
}

static int fail_not_idle(const char *operation)
{
    return fail_argument(operation, "no idle kernel process has that number");
}

static void copy_name(char *to, const char *from)
{
    size_t length = 0;
    for (; from && from[length] && length < KERNEL_PROCESS_NAME - 1; length++)
        to[length] = from[length];
    to[length] = '\0';
}

EXPORT int xmem_kernel_process_start(pid_t number, void (*function)(void *), void *argument,
                                     const char *name)
{
    static const char operation[] = "xmem_kernel_process_start";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!function)
        return fail_argument(operation, "there must be a function");
    host_lock(&mutex);
    struct kernel_process *process = find(number, IDLE);
    if (process) {
        process->function = function;
        process->argument = argument;
        copy_name(process->name, name);
        set_state(process, STARTED);
    }
    host_unlock(&mutex);
    return process ? 0 : fail_not_idle(operation);
}

EXPORT int xmem_kernel_process_cancel(pid_t number)
{
    static const char operation[] = "xmem_kernel_process_cancel";
    int error = thread_process_only(operation);
    if (error)
        return error;
    host_lock(&mutex);
    struct kernel_process *process = find(number, IDLE);
    if (process) {
        unlist(process);
        set_state(process, CANCELLED);
    }
    host_unlock(&mutex);
    if (!process)
        return fail_not_idle(operation);
    bury(process);
    return 0;
}

/* ---- signals ---- */

EXPORT int xmem_signal_take(void)
{
    struct kernel_process *process = caller_kernel_process();
    if (thread_process_only("xmem_signal_take") != 0 || !process)
        return 0;
    uint64_t signals = load_strong(&process->signals);
    while (signals && !compare_exchange(&process->signals, &signals, signals & (signals - 1))) {
    }
    return signals_lowest(signals);
}

static bool post(pid_t number, int signal)
{
    read_section_enter();
    struct kernel_process *process = load_acquire(&live);
    while (process && process->number != number)
        process = load_acquire(&process->next);
    if (process && signal) {
        or_fetch(&process->signals, UINT64_C(1) << (signal - 1));
        add_fetch(&process->posted, 1);
        host_wake(&process->posted, 1);
    }
    read_section_leave();
    return process;
}

static int fail_to_reach(const char *operation, int error)
{
    if (error == EINVAL)
        return fail_argument(operation, "there is no signal of that number");
    if (error == EPERM)
        return fail(operation, outcome_failure(XMEM_FAILURE_PERMISSION, error,
                                               "the thread belongs to somebody else, and the Linux "
                                               "kernel refused"));
    return fail(operation, outcome_failure(XMEM_FAILURE_PEER_GONE, ESRCH,
                                           "no kernel process, and no thread of a user process, "
                                           "has that number"));
}

EXPORT int xmem_signal_post(pid_t thread, int signal)
{
    static const char operation[] = "xmem_signal_post";
    int error = thread_any(operation);
    if (error)
        return error;
    if (signal < 0 || signal > SIGNALS_MOST)
        return fail_to_reach(operation, EINVAL);
    if (thread > 0 && post(thread, signal))
        return 0;
    if (thread > 0 && host_thread_is_ours(thread))
        return signal ? fail_to_reach(operation, ESRCH) : 0;
    error = thread > 0 ? host_thread_signal(thread, signal) : ESRCH;
    if (error == EPERM && !signal)
        error = 0;
    return error ? fail_to_reach(operation, error) : 0;
}
