/* SPDX-License-Identifier: MIT */
/*
 * xmem_start and xmem_stop, and xmem_get_statistics, which must not meet a stop half done.
 *
 * One mutex covers the count of starts; it is outermost of all.  What costs only address space
 * (tables, the reservation) is made at the first start and stays: after a stop a stale pointer or
 * descriptor still meets memory of ours, and is refused.
 */
#include "engine/current.h"
#include "engine/descriptor.h"
#include "engine/failure.h"
#include "engine/process.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "host/read_section.h"
#include "host/signals.h"
#include "host/threads.h"
#include "segments/segment.h"
#include "system/deferred_interrupt.h"
#include "system/kernel_process.h"
#include "system/priority.h"
#include "system/system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static unsigned starts;

static void thread_ending(struct thread_record *record)
{
    priority_forget();
    leave_all();
    descriptor_give_back_indexes(record);
}

static int prepare_tables(void)
{
    int error = threads_start(thread_ending);
    if (!error)
        error = processes_start();
    return error ? error : descriptors_start();
}

static const char *wrong_config(const struct xmem_config *config, int *error)
{
    *error = EINVAL;
    if (config->size != sizeof(*config))
        return "config->size is not sizeof(struct xmem_config) of this version";
    *error = ENOTSUP;
    if (config->real_memory || config->paging_space || config->paging_space_size)
        return "this version does not page; leave real_memory and paging_space unset";
    return NULL;
}

/* Where source and destination no longer fit the largest cache together, it is no help, and stores
 * that go past it are faster than memcpy (measured: 1.2 to 3 times from here on, slower below). */
static size_t stream_least(void)
{
    const size_t least = (size_t)4 << 20;
    const size_t most = (size_t)16 << 20;
    size_t half = host_cache_size() / 2;
    return half < least ? least : half > most ? most : half;
}

static void tell_of_little_room(void)
{
    const uint64_t little = 256;
    char words[160];
    if (segments_most() >= little)
        return;
    snprintf(words, sizeof(words),
             "xmem: there is address space for %" PRIu64 " segments only; raise the limit on it "
             "(ulimit -v) for more",
             segments_most());
    message(words);
}

static int start_parts(const struct xmem_config *config)
{
    int error = segments_start();
    if (error)
        return error;
    settings.stream_least = stream_least();
    settings.lock_memory = config->lock_memory != 0;
    messages_set(config->panic, config->message);
    error = interrupts_start(!config->leave_fault_signals, config->interrupt_signal);
    if (error) {
        segments_stop();
        return error;
    }
    error = worker_start();
    if (error) {
        host_handlers_remove();
        segments_stop();
        return error;
    }
    host_faults_unblock();
    tell_of_little_room();
    return 0;
}

static int start_first(const struct xmem_config *config)
{
    static const char operation[] = "xmem_start";
    if (!read_section_usable())
        return ENOSYS; /* no thread has a record yet that could keep words */
    int error = prepare_tables();
    if (error)
        return fail_no_memory(operation);
    error = thread_process_only(operation);
    if (error)
        return error;
    const char *wrong = wrong_config(config, &error);
    if (wrong)
        return fail(operation,
                    outcome_failure(error == EINVAL ? XMEM_FAILURE_ARGUMENT : XMEM_FAILURE_KIND,
                                    error, wrong));
    error = start_parts(config);
    if (error == EINVAL)
        return fail_argument(operation, "interrupt_signal is not a real-time signal");
    return error ? fail(operation, outcome_failure(XMEM_FAILURE_NO_MEMORY, error,
                                                   "no address space, descriptor or thread is "
                                                   "left"))
                 : 0;
}

EXPORT int xmem_start(const struct xmem_config *config)
{
    static const char operation[] = "xmem_start";
    static const struct xmem_config defaults = {.size = sizeof(defaults)};
    if (thread_state.mode == THREAD_INTERRUPT || thread_state.mode == THREAD_FORKED)
        return thread_require_process(operation);
    host_lock(&mutex);
    int error = 0;
    if (starts == 0)
        error = start_first(config ? config : &defaults);
    if (!error)
        starts++;
    store_relaxed(&settings.started, starts != 0);
    host_unlock(&mutex);
    return error;
}

/* Mutex held: the words are this function's until they stand in the thread's record. */
static int refuse_busy(const struct xmem_statistics *left)
{
    static char words[256];
    snprintf(words, sizeof(words),
             "still there: %" PRIu64 " processes, %" PRIu64 " descriptors, %" PRIu64
             " map-ins, %" PRIu64 " held handles, %" PRIu64 " segments, %" PRIu64
             " kernel processes; close, detach, map out, release, delete or end them first",
             left->processes, left->descriptors, left->mapped_in, left->holds, left->segments,
             left->kernel_processes);
    fail("xmem_stop", outcome_failure(XMEM_FAILURE_BUSY, EBUSY, words));
    return xmem_last_failure()->error;
}

static bool anything_left(const struct xmem_statistics *left)
{
    return left->processes || left->descriptors || left->mapped_in || left->holds ||
           left->segments || left->kernel_processes;
}

/* Mutex held.  From here on nothing new is made, and what is being made can be counted. */
static void end_making(void)
{
    store_strong(&settings.started, false);
    while (load_strong(&settings.making) != 0)
        host_sleep_microseconds(20);
}

/* Mutex held.  The last stop. */
static int stop_last(void)
{
    struct xmem_statistics left = {.size = sizeof(left)};
    end_making();
    kernel_processes_settle();
    reaper_drain();
    statistics_collect(&left);
    if (anything_left(&left))
        return refuse_busy(&left);
    worker_stop();
    host_handlers_remove();
    return segments_stop();
}

EXPORT int xmem_stop(void)
{
    static const char operation[] = "xmem_stop";
    if (!load_relaxed(&settings.started) && thread_state.mode == THREAD_UNKNOWN)
        return EINVAL; /* nothing was ever started, and no record can be kept */
    int error = thread_process_only(operation);
    if (error)
        return error;
    host_lock(&mutex);
    if (starts == 0)
        error = fail_argument(operation, "xmem is not started");
    else if (starts == 1)
        error = stop_last();
    if (!error)
        starts--;
    store_relaxed(&settings.started, starts != 0);
    host_unlock(&mutex);
    return error;
}

EXPORT int xmem_get_statistics(struct xmem_statistics *statistics)
{
    static const char operation[] = "xmem_get_statistics";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!statistics || statistics->size != sizeof(*statistics))
        return fail_argument(operation, "statistics->size is not sizeof(struct xmem_statistics)");
    host_lock(&mutex); /* the reaper must not be stopped while we wait for it */
    if (starts)
        reaper_drain(); /* what interrupt handlers freed counts as freed */
    statistics_collect(statistics);
    host_unlock(&mutex);
    return 0;
}
