/* SPDX-License-Identifier: MIT */
/*
 * The worker; deferred_interrupt.h has the lock.
 *
 * Posted work waits in one queue for each priority, linked through the caller's structures.  The
 * worker takes the first of the most favoured queue, asks whether anybody holds that priority off
 * (priority.h, rule 3), and runs the handler by a real signal to itself, like any other interrupt.
 *
 * Its sleep.  `changes` counts pokes; `sleeping` says that one is needed.  The worker announces
 * itself as sleeping before it looks for something to do, and waits on the count as it was before;
 * others make something runnable first and look at `sleeping` afterwards.  So what one side misses
 * the other sees.
 *
 * Work that is held off.  `held_off` says that the most favoured work waits for priorities to be
 * restored: only then has who restores one to poke.  The worker stores it before it looks at the
 * counts of holders (priority.h, rule 3); who restores takes its count away first and looks at
 * `held_off` afterwards, all of it sequentially consistent.  So a worker that still saw the count
 * had stored `held_off` before that holder looks, and is poked.  The holder finds 0 only if the
 * worker has taken work since, or found none: then it looks again by itself before it sleeps, or
 * has nothing to be woken for.  Less favoured work needs no word of its own: whoever holds off the
 * most favoured holds it off, too.  The word may stay set after the work was taken back; that costs
 * a poke in vain.
 *
 * From the moment its handler begins the work is the caller's again: the worker remembers nothing
 * but its address, to answer xmem_cancel_interrupt().
 */
#include "system/deferred_interrupt.h"

#include "engine/failure.h"
#include "engine/thread.h"
#include "host/futex.h"
#include "system/priority.h"

#include <errno.h>

#define SPINS 100u

struct queue {
    struct xmem_interrupt_work *first;
    struct xmem_interrupt_work *last;
};

enum work_state { WORK_FREE, WORK_QUEUED };
enum worker_life { WORKER_BEGINNING, WORKER_READY, WORKER_UNUSABLE };

static uint32_t taken; /* the work lock */

/* Under the work lock. */
static struct queue queues[XMEM_INTBASE];
static const struct xmem_interrupt_work *current; /* its handler runs */
static bool accepting;

static uint32_t changes;
static uint32_t sleeping;
static uint32_t held_off;
static uint32_t life;
static pthread_t thread;

/* ---- the lock ---- */

void work_lock(struct work_section *section)
{
    host_signals_block(&section->mask);
    for (unsigned spins = 0; exchange(&taken, 1) != 0; spins++)
        if (spins > SPINS)
            host_yield();
}

void work_unlock(const struct work_section *section)
{
    store_release(&taken, 0);
    host_signals_restore(&section->mask);
}

/* ---- queues ---- */

bool work_accepted(void)
{
    return accepting;
}

void work_enqueue(struct xmem_interrupt_work *work)
{
    struct queue *queue = &queues[work->priority];
    if (work->state == WORK_QUEUED)
        return;
    work->state = WORK_QUEUED;
    work->next = NULL;
    if (queue->first)
        queue->last->next = work;
    else
        queue->first = work;
    queue->last = work;
}

static bool unlink_from(struct queue *queue, const struct xmem_interrupt_work *work)
{
    struct xmem_interrupt_work *before = NULL;
    struct xmem_interrupt_work *each = queue->first;
    for (; each && each != work; each = each->next)
        before = each;
    if (!each)
        return false;
    if (before)
        before->next = each->next;
    else
        queue->first = each->next;
    if (queue->last == each)
        queue->last = before;
    return true;
}

bool work_withdraw(struct xmem_interrupt_work *work)
{
    bool found = work->state != WORK_QUEUED;
    for (int priority = XMEM_INTMAX; priority < XMEM_INTBASE && !found; priority++)
        found = unlink_from(&queues[priority], work);
    work->state = WORK_FREE;
    return current == work;
}

static struct xmem_interrupt_work *most_favoured(int *priority)
{
    for (int each = XMEM_INTMAX; each < XMEM_INTBASE; each++) {
        *priority = each;
        if (queues[each].first)
            return queues[each].first;
    }
    return NULL;
}

static void forget_all(void)
{
    for (int each = XMEM_INTMAX; each < XMEM_INTBASE; each++) {
        while (queues[each].first) {
            struct xmem_interrupt_work *work = queues[each].first;
            queues[each].first = work->next;
            work->state = WORK_FREE;
        }
    }
}

/* ---- the worker ---- */

void worker_poke(void)
{
    if (!load_strong(&sleeping))
        return;
    add_fetch(&changes, 1);
    host_wake(&changes, 1);
}

void worker_poke_held_off(void)
{
    if (load_strong(&held_off))
        worker_poke();
}

/* What the worker is to do next. */
struct step {
    bool run;
    bool end;
    int priority;
    void (*handler)(void *);
    void *argument;
    uint64_t deadline; /* 0: none; when to look again if nothing is to be run */
};

/* The work lock held. */
static void choose(struct step *step)
{
    step->deadline = timers_expire(host_nanoseconds());
    struct xmem_interrupt_work *work = most_favoured(&step->priority);
    store_strong(&held_off, work != NULL);
    if (!work || !priority_running_begin(step->priority))
        return;
    store_strong(&held_off, 0);
    queues[step->priority].first = work->next;
    work->state = WORK_FREE;
    step->run = true;
    step->handler = work->handler;
    step->argument = work->argument;
    current = work;
}

static struct step next_step(void)
{
    struct step step = {.end = false};
    struct work_section section;
    work_lock(&section);
    current = NULL;
    step.end = !accepting;
    if (!step.end)
        choose(&step);
    work_unlock(&section);
    return step;
}

static void *body(void *argument)
{
    (void)argument;
    int error = xmem_thread_prepare();
    priority_is_worker();
    host_thread_name("xmem-interrupts");
    store_strong(&life, error ? WORKER_UNUSABLE : WORKER_READY);
    host_wake(&life, 1);
    while (!error) {
        uint32_t seen = load_strong(&changes);
        store_strong(&sleeping, 1);
        struct step step = next_step();
        if (step.end)
            break;
        if (step.run) {
            store_strong(&sleeping, 0);
            interrupt_run(step.priority, step.handler, step.argument);
            priority_running_end();
        } else {
            host_wait(&changes, seen, step.deadline);
        }
    }
    return NULL;
}

static void accept(bool from_now_on)
{
    struct work_section section;
    work_lock(&section);
    accepting = from_now_on;
    if (!from_now_on) {
        timers_forget();
        forget_all();
    }
    work_unlock(&section);
}

int worker_start(void)
{
    accept(true);
    store_strong(&life, WORKER_BEGINNING);
    int error = host_thread_create(&thread, body, NULL);
    while (!error && load_strong(&life) == WORKER_BEGINNING)
        host_wait(&life, WORKER_BEGINNING, 0);
    if (!error && load_strong(&life) == WORKER_READY)
        return 0;
    accept(false);
    if (!error)
        host_thread_join(thread);
    return ENOMEM;
}

void worker_stop(void)
{
    accept(false);
    add_fetch(&changes, 1);
    host_wake(&changes, 1);
    host_thread_join(thread);
}

/* ---- services ---- */

static int fail_not_started(const char *operation)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_ENVIRONMENT, EPERM,
                                           "xmem is not started; call xmem_start() first"));
}

int work_check(const char *operation, const struct xmem_interrupt_work *work)
{
    int error = thread_any(operation);
    if (error)
        return error;
    if (!work || !work->handler || work->priority < XMEM_INTMAX || work->priority >= XMEM_INTBASE)
        return fail_argument(operation, "priority must be XMEM_INTMAX to XMEM_INTOFFL3, and there "
                                        "must be a handler");
    return 0;
}

int work_posted(const char *operation, bool accepted)
{
    if (!accepted)
        return fail_not_started(operation);
    worker_poke();
    return 0;
}

int work_withdrawn(const char *operation, bool runs)
{
    return runs ? fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EBUSY, "its handler runs now"))
                : 0;
}

EXPORT int xmem_post_interrupt(struct xmem_interrupt_work *work)
{
    static const char operation[] = "xmem_post_interrupt";
    struct work_section section;
    int error = work_check(operation, work);
    if (error)
        return error;
    work_lock(&section);
    bool accepted = work_accepted();
    if (accepted)
        work_enqueue(work);
    work_unlock(&section);
    return work_posted(operation, accepted);
}

EXPORT int xmem_cancel_interrupt(struct xmem_interrupt_work *work)
{
    static const char operation[] = "xmem_cancel_interrupt";
    struct work_section section;
    int error = thread_any(operation);
    if (error)
        return error;
    work_lock(&section);
    bool runs = work_withdraw(work);
    work_unlock(&section);
    return work_withdrawn(operation, runs);
}
