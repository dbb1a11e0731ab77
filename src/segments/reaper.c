/* SPDX-License-Identifier: MIT */
/*
 * The reaper; reaper.h says what is guaranteed.
 *
 * State: `pushed`, a stack that anybody pushes to and only the reaper empties, whole (so that no
 * entry is popped singly and the ABA problem does not arise); `begun` and `finished` count rounds,
 * written by the reaper alone.
 */
#include "segments/reaper.h"

#include "host/read_section.h"
#include "host/threads.h"

#include <errno.h>

static struct deferred *pushed;
static host_signal wake;
static pthread_t thread;
static bool stopping;
static uint64_t requested; /* rounds asked for */
static uint64_t finished;  /* rounds ended */

void reaper_push(struct deferred *deferred)
{
    struct deferred *head = load_relaxed(&pushed);
    do {
        store_relaxed(&deferred->next, head);
    } while (!compare_exchange(&pushed, &head, deferred));
    host_signal_post(&wake);
}

static void run_round(void)
{
    struct deferred *list = exchange(&pushed, NULL);
    if (!list)
        return;
    read_section_wait();
    while (list) {
        struct deferred *next = load_relaxed(&list->next);
        list->run(list);
        list = next;
    }
}

static void *reaper_body(void *argument)
{
    (void)argument;
    for (;;) {
        host_signal_wait(&wake);
        uint64_t asked = load_strong(&requested);
        run_round();
        store_strong(&finished, asked);
        if (load_strong(&stopping) && !load_strong(&pushed))
            return NULL;
    }
}

/* The semaphore stays: a move that was parked for longer than its closing waits may end after the
 * stop, and what it pushes then is run by the next reaper. */
static int prepare_wake(void)
{
    static bool prepared;
    int error = prepared ? 0 : host_signal_create(&wake);
    prepared = !error;
    return error;
}

int reaper_start(void)
{
    store_strong(&stopping, false);
    int error = prepare_wake();
    if (!error)
        error = host_thread_create(&thread, reaper_body, NULL);
    return error == EAGAIN ? ENOMEM : error;
}

void reaper_stop(void)
{
    store_strong(&stopping, true);
    host_signal_post(&wake);
    host_thread_join(thread);
}

void reaper_drain(void)
{
    uint64_t ticket = __atomic_add_fetch(&requested, 1, __ATOMIC_SEQ_CST);
    host_signal_post(&wake);
    while (load_strong(&finished) < ticket)
        host_sleep_microseconds(50);
}
