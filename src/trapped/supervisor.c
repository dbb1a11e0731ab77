/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's threads.
 *
 * One worker, the leader, waits for the next call on the listener, handles it, answers, and waits
 * again; so a call that nobody has to wait for costs no more than one thread's two system calls.
 * (Linux wakes every thread that waits on a listener for each call: they must not be many.)  Others
 * are parked.
 *   1. A leader that may have to wait gives the lead to a parked worker, or to a new one, before it
 *      does: in xmem_wait() and at other places that may block (supervisor_may_wait()).  One that
 *      waits in a way that we do not see is found by the watcher at the same call twice in a row,
 *      and loses the lead then.  Who gives the lead away or takes it away changes `leader` by
 *      compare-and-exchange from the worker to NULL: once.
 *   2. A worker that comes back from a call and still has the lead goes on to receive.  If the lead
 *      is taken from it this moment, it receives one more call as it would have, and then parks;
 *      two receivers are no harm.
 *   3. One that comes back without the lead parks, or ends if PARKED_MOST are parked.
 *   4. If no worker can be started (no memory), the leader keeps the lead: later calls wait until
 *      it is done.
 *   5. supervisor_end() kicks the workers that are not at a call out of the system call that
 *      receives, again and again until they have ended, and wakes the parked ones; others end when
 *      they have answered.
 *   6. A worker that has ended is joined by who starts the next one, or by supervisor_end().
 *   7. A worker says which device it is about to use (`serving`) before it takes a hold of an open
 *      file of it, or looks whether its caller lives for the last time before it calls the
 *      device's open.  So whoever opens that device after the caller's death has come to be known
 *      sees that worker, until it has let go of the file, and with it called the device's close.
 * Locks: the supervisor mutex nests inside nothing; nothing that blocks is done under it but to
 * start a thread.
 */
#include "trapped/supervisor.h"

#include "host/futex.h"
#include "host/memory.h"
#include "host/notify.h"
#include "host/threads.h"
#include "host/workers.h"
#include "system/caller.h"
#include "trapped/calls.h"

#include <errno.h>

#define PARKED_MOST 4

struct worker {
    pthread_t thread;
    bool parked;
    uint32_t ended;
    uint32_t called; /* out of the park, to lead: what it waits for there */
    uint32_t calls;  /* its own count of beginnings and ends: odd while it is at a call */
    uint64_t id;     /* of that call's notification */
    const void *serving;
    struct worker *next;
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct worker *workers;
static unsigned parked;
static struct worker *leader;
static bool ending;
static bool broken; /* calls can be received or answered no more */
static int listener = -1;
static pid_t child;

static THREAD_LOCAL struct worker *own_worker;

void (*supervisor_look_hook)(void);

int supervisor_listener(void)
{
    return load_relaxed(&listener);
}

pid_t supervisor_child(void)
{
    return load_relaxed(&child);
}

void supervisor_set_child(pid_t pid)
{
    store_relaxed(&child, pid);
}

void supervisor_look(void)
{
    void (*hook)(void) = load_acquire(&supervisor_look_hook);
    if (hook)
        hook();
}

/* ---------------------------------------------------------------- one call ------------- */

static struct answer handle(struct call *call)
{
    /* The filter stops nothing else; but it may be another program's, below ours. */
    return call->row ? call->row->handle(call) : call_continue();
}

/* Nobody must wait for an answer that does not come: the watcher closes the listener. */
COLD void supervisor_give_up(void)
{
    store_strong(&broken, true);
    supervisor_look();
}

bool supervisor_broken(void)
{
    return load_strong(&broken);
}

HOT static void serve(const struct host_notification *notification)
{
    enum call_architecture architecture = filter_architecture(notification->architecture);
    struct call call = {
        .id = notification->id,
        .thread = notification->thread,
        .narrow = architecture == CALL_ARCHITECTURE_I386,
        .row = calls_find(architecture, notification->number),
    };
    for (unsigned index = 0; index < 6; index++)
        call.arguments[index] =
            call.narrow ? (uint32_t)notification->arguments[index] : notification->arguments[index];
    struct answer answer = handle(&call);
    supervisor_serves(NULL);
    call_send(&call, answer);
    call_end(&call);
}

/* ---------------------------------------------------------------- the lead ------------- */

static void *worker_body(void *argument);

/* Mutex held. */
static void join_ended(void)
{
    for (struct worker **link = &workers; *link;) {
        struct worker *worker = *link;
        if (!load_strong(&worker->ended)) {
            link = &worker->next;
            continue;
        }
        *link = worker->next;
        host_thread_join(worker->thread);
        host_free(worker);
    }
}

/* Mutex held.  The new worker leads. */
static int start_leader(void)
{
    join_ended();
    struct worker *worker = host_allocate(sizeof(*worker));
    if (!worker)
        return ENOMEM;
    worker->next = workers;
    store_strong(&leader, worker);
    int error = host_thread_create(&worker->thread, worker_body, worker);
    if (error) {
        host_free(worker);
        return error;
    }
    workers = worker;
    return 0;
}

/* Mutex held.  A parked worker leads; false: there is none. */
static bool call_parked(void)
{
    struct worker *worker = workers;
    while (worker && (!worker->parked || worker->called))
        worker = worker->next;
    if (!worker)
        return false;
    parked--;
    store_strong(&leader, worker);
    store_strong(&worker->called, 1);
    host_wake(&worker->called, 1);
    return true;
}

/* Takes the lead from the worker, if it has it, and gives it to another. */
static void pass_lead(struct worker *from)
{
    struct worker *expected = from;
    if (!from || load_relaxed(&leader) != from || !compare_exchange(&leader, &expected, NULL))
        return;
    host_lock(&mutex);
    if (!ending && !call_parked() && start_leader())
        store_strong(&leader, from);
    host_unlock(&mutex);
}

void supervisor_may_wait(void)
{
    pass_lead(own_worker);
}

bool supervisor_busy(void)
{
    static const struct worker *seen_leader;
    static uint32_t seen_calls;
    host_lock(&mutex); /* a worker is not freed meanwhile */
    struct worker *leading = load_strong(&leader);
    uint32_t calls = leading ? load_relaxed(&leading->calls) : 0;
    host_unlock(&mutex);
    bool same = leading == seen_leader && calls == seen_calls;
    seen_leader = leading;
    seen_calls = calls;
    if (same && calls % 2)
        pass_lead(leading);
    return !same || calls % 2;
}

/* ---------------------------------------------------------------- workers -------------- */

/* Until it is called to lead.  False: it is to end. */
static bool park(struct worker *worker)
{
    host_lock(&mutex);
    bool stays = !ending && parked < PARKED_MOST;
    if (stays) {
        parked++;
        worker->parked = true;
        store_relaxed(&worker->called, 0);
        host_unlock(&mutex);
        while (load_strong(&worker->called) == 0)
            host_wait(&worker->called, 0, 0);
        host_lock(&mutex);
        worker->parked = false;
        stays = !ending;
    }
    host_unlock(&mutex);
    return stays;
}

static NOINLINE void take_call(struct worker *worker, const struct host_notification *notification)
{
    store_release(&worker->id, notification->id);
    store_release(&worker->calls, worker->calls + 1);
    serve(notification);
    store_release(&worker->calls, worker->calls + 1);
}

/* A receive that failed for want of memory, say. */
static COLD void failed_again(unsigned *failures)
{
    const unsigned patience = 100;
    host_sleep_microseconds(1000);
    if (++*failures == patience)
        supervisor_give_up();
}

HOT static void *worker_body(void *argument)
{
    struct worker *worker = argument;
    unsigned failures = 0; /* in a row */
    host_worker_prepare();
    xmem_thread_prepare();
    own_worker = worker;
    for (bool stays = true; stays;) {
        struct host_notification notification;
        int error = host_notify_receive(listener, &notification);
        if (!error) {
            failures = 0;
            take_call(worker, &notification);
            stays = load_relaxed(&leader) == worker || park(worker);
        } else if (load_relaxed(&ending) || (error == ENOENT && host_notify_ended(listener))) {
            stays = false;
        } else if (error != ENOENT && error != EINTR) {
            failed_again(&failures);
        }
    }
    store_strong(&worker->ended, 1);
    host_wake(&worker->ended, 1);
    return NULL;
}

/* ---------------------------------------------------------------- calls of the dead ---- */

static const char any_device;

const void *supervisor_serves(const void *device)
{
    struct worker *worker = own_worker;
    const void *before = worker ? worker->serving : NULL;
    if (worker)
        store_release(&worker->serving, device);
    return before;
}

const void *supervisor_serves_any(void)
{
    return supervisor_serves(&any_device);
}

void supervisor_serves_also(const void *device, const void *before)
{
    if (!before || !device)
        supervisor_serves(device ? device : before);
    else
        supervisor_serves(before == device ? device : &any_device);
}

static bool serves_dead(struct worker *worker, const void *device)
{
    uint32_t calls = load_acquire(&worker->calls);
    uint64_t id = load_acquire(&worker->id);
    const void *serving = load_acquire(&worker->serving);
    if (calls % 2 == 0 || worker == own_worker || (serving != device && serving != &any_device))
        return false;
    return !host_notify_valid(listener, id) && load_acquire(&worker->calls) == calls;
}

bool supervisor_serves_dead(const void *device)
{
    bool found = false;
    host_lock(&mutex);
    for (struct worker *worker = workers; worker && !found; worker = worker->next)
        found = serves_dead(worker, device);
    host_unlock(&mutex);
    return found;
}

/* ---------------------------------------------------------------- beginning and end ---- */

int supervisor_begin(int fd)
{
    calls_prepare();
    caller_on_wait(supervisor_may_wait);
    host_lock(&mutex);
    store_relaxed(&ending, false);
    store_relaxed(&broken, false);
    parked = 0;
    listener = fd;
    int error = start_leader();
    if (error) {
        listener = -1;
        store_strong(&leader, NULL);
    }
    host_unlock(&mutex);
    return error;
}

/* Mutex held. */
static void call_all_parked(void)
{
    for (struct worker *worker = workers; worker; worker = worker->next) {
        if (worker->parked) {
            store_strong(&worker->called, 1);
            host_wake(&worker->called, 1);
        }
    }
}

static void await_end(struct worker *worker)
{
    const uint64_t patience = 1000000; /* nanoseconds to the next kick */
    while (load_strong(&worker->ended) == 0) {
        if (load_acquire(&worker->calls) % 2 == 0)
            host_worker_kick(worker->thread);
        host_wait(&worker->ended, 0, host_nanoseconds() + patience);
    }
    host_thread_join(worker->thread);
}

void supervisor_end(void)
{
    host_lock(&mutex);
    store_relaxed(&ending, true);
    call_all_parked();
    struct worker *left = workers;
    workers = NULL;
    host_unlock(&mutex);
    host_worker_kicks_begin();
    while (left) {
        struct worker *next = left->next;
        await_end(left);
        host_free(left);
        left = next;
    }
    host_worker_kicks_end();
    store_strong(&leader, NULL);
    host_close(listener);
    store_relaxed(&listener, -1);
    store_relaxed(&child, 0);
}
