/* SPDX-License-Identifier: MIT */
/*
 * Sleepers; sleepers.h has the rules.
 */
#include "aix/sleepers.h"

#include "aix/block.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/sleep.h>

#define BUCKETS 64u
#define BATCH 16u

struct sleeper {
    struct sleeper *next;
    const void *place; /* NULL: not listed; as all below, under the bucket's lock while listed */
    tid_t *event_word;
    pid_t thread;
    bool interruptible;
    int result;
    uint32_t waiting; /* the futex */
    const void *home; /* the thread's own: where it was listed last; NULL: it has its result */
};

struct bucket {
    _Alignas(CACHE_LINE) struct short_lock lock;
    struct sleeper *first; /* in the order of enlisting */
};

static struct bucket buckets[BUCKETS];
static THREAD_LOCAL struct sleeper own;

static struct bucket *bucket_of(const void *place)
{
    uint64_t mixed = address_of(place) * UINT64_C(0x9e3779b97f4a7c15);

    return &buckets[mixed >> 58];
}

_Static_assert(BUCKETS == 1u << (64 - 58), "the upper bits choose the bucket");

static bool sleeps_on(const struct sleeper *sleeper, const void *place, const tid_t *event_word)
{
    return sleeper->place == place && sleeper->event_word == event_word;
}

/* ---- under the bucket's lock ---- */

static struct sleeper *first_on(const struct bucket *bucket, const void *place,
                                const tid_t *event_word)
{
    struct sleeper *sleeper = bucket->first;

    while (sleeper != NULL && !sleeps_on(sleeper, place, event_word))
        sleeper = sleeper->next;
    return sleeper;
}

static void note_first(const struct bucket *bucket, const void *place, tid_t *event_word)
{
    const struct sleeper *first;

    if (event_word == NULL)
        return;
    first = first_on(bucket, place, event_word);
    store_strong(event_word, first == NULL ? EVENT_NULL : first->thread);
}

/* The event word is the caller's to set. */
static void take_off(struct bucket *bucket, struct sleeper *sleeper, int result)
{
    struct sleeper **link = &bucket->first;

    while (*link != sleeper)
        link = &(*link)->next;
    *link = sleeper->next;
    sleeper->place = NULL;
    sleeper->result = result;
    store_strong(&sleeper->waiting, 0);
}

/* ---- the sleeper's side ---- */

void sleeper_enlist(const char *service, const void *place, tid_t *event_word, bool interruptible)
{
    struct bucket *bucket = bucket_of(place);
    struct sleeper **link = &bucket->first;
    struct xmem_caller caller;
    int priority;

    if (own.home != NULL && load_strong(&own.waiting) != 0)
        address_panic(service, "this thread waits for another event already", own.home);
    xmem_get_caller(&caller);
    own.home = place;
    own.event_word = event_word;
    own.thread = caller.thread;
    own.interruptible = interruptible;
    own.next = NULL;
    own.waiting = 1;
    priority = short_lock_take(&bucket->lock);
    own.place = place;
    while (*link != NULL)
        link = &(*link)->next;
    *link = &own;
    note_first(bucket, place, event_word);
    short_lock_give(&bucket->lock, priority);
    full_fence(); /* before the caller looks once more for what it waits for */
}

bool sleeper_is_enlisted(void)
{
    return own.home != NULL;
}

static void give_up(int result)
{
    const void *place = own.home;
    tid_t *event_word = own.event_word;
    struct bucket *bucket = bucket_of(place);
    int priority = short_lock_take(&bucket->lock);

    if (own.place != NULL) {
        take_off(bucket, &own, result);
        note_first(bucket, place, event_word);
    }
    short_lock_give(&bucket->lock, priority);
}

/* A signal came.  It counts, also where a wake-up came at the same time. */
static void interrupted(void)
{
    give_up(THREAD_INTERRUPTED);
    if (own.result == THREAD_AWAKENED)
        own.result = THREAD_INTERRUPTED;
}

static void thread_ends(void)
{
    if (own.home != NULL)
        give_up(THREAD_OTHER);
    own.home = NULL;
}

static __attribute__((constructor)) void watch_ends(void)
{
    (void)xmem_at_thread_end(thread_ends);
}

/* Of a trapped program's signals only those noticed by the wait count: asking costs more than most
 * sleeps take. */
static bool signal_came_too(void)
{
    struct xmem_caller caller;

    xmem_get_caller(&caller);
    return caller.kernel && xmem_signal_pending() != 0;
}

int sleeper_block(void)
{
    unsigned flags = own.interruptible ? XMEM_WAIT_INTERRUPTIBLE : 0;
    int error = 0;

    while (error == 0 && load_strong(&own.waiting) != 0)
        error = block_on(&own.waiting, 1, flags);
    if (error != 0)
        interrupted();
    else if (own.interruptible && own.result == THREAD_AWAKENED && signal_came_too())
        own.result = THREAD_INTERRUPTED;
    own.home = NULL;
    return own.result;
}

/* ---- the waker's side ---- */

struct woken {
    unsigned count;
    const uint32_t *waiting[BATCH];
};

static void wake(const struct woken *woken)
{
    for (unsigned each = 0; each < woken->count; each++)
        xmem_wake(woken->waiting[each], 1);
}

/* Takes off as many as a batch holds.  True: there may be more. */
static bool wake_some(const void *place, tid_t *event_word, unsigned *most, int result)
{
    struct bucket *bucket = bucket_of(place);
    struct woken woken = {.count = 0};
    struct sleeper *sleeper = NULL;
    int priority = short_lock_take(&bucket->lock);

    while (woken.count<BATCH && * most> 0) {
        sleeper = first_on(bucket, place, event_word);
        if (sleeper == NULL)
            break;
        woken.waiting[woken.count++] = &sleeper->waiting;
        take_off(bucket, sleeper, result);
        --*most;
    }
    note_first(bucket, place, event_word);
    short_lock_give(&bucket->lock, priority);
    wake(&woken);
    return sleeper != NULL && *most > 0;
}

void sleepers_wake(const void *place, tid_t *event_word, unsigned most, int result)
{
    full_fence(); /* after what the caller stored for sleepers to see */
    if (event_word != NULL && load_strong(event_word) == EVENT_NULL)
        return;
    while (wake_some(place, event_word, &most, result))
        ;
}

/* Under the bucket's lock, so that no sleeper goes away.  Returns whether to wake it: threads of
 * the kernel program get no signals. */
static bool signal_one(const struct sleeper *sleeper, int signal)
{
    return sleeper->interruptible && xmem_signal_post(sleeper->thread, signal) == ESRCH;
}

void sleepers_signal(tid_t *event_word, int signal)
{
    struct bucket *bucket = bucket_of(event_word);
    struct sleeper *sleeper, *next;
    int priority = short_lock_take(&bucket->lock);

    for (sleeper = bucket->first; sleeper != NULL; sleeper = next) {
        const uint32_t *waiting = &sleeper->waiting;

        next = sleeper->next;
        if (!sleeps_on(sleeper, event_word, event_word) || !signal_one(sleeper, signal))
            continue;
        take_off(bucket, sleeper, THREAD_INTERRUPTED);
        xmem_wake(waiting, 1);
    }
    note_first(bucket, event_word, event_word);
    short_lock_give(&bucket->lock, priority);
}

static bool clear_in(struct bucket *bucket, tid_t thread, int result)
{
    const uint32_t *waiting = NULL;
    struct sleeper *sleeper;
    int priority = short_lock_take(&bucket->lock);

    for (sleeper = bucket->first; sleeper != NULL; sleeper = sleeper->next)
        if (sleeper->thread == thread)
            break;
    if (sleeper != NULL) {
        const void *place = sleeper->place;
        tid_t *event_word = sleeper->event_word;

        waiting = &sleeper->waiting;
        take_off(bucket, sleeper, result);
        note_first(bucket, place, event_word);
    }
    short_lock_give(&bucket->lock, priority);
    if (waiting != NULL)
        xmem_wake(waiting, 1);
    return waiting != NULL;
}

void sleepers_clear(tid_t thread, int result)
{
    for (unsigned each = 0; each < BUCKETS; each++)
        if (clear_in(&buckets[each], thread, result))
            return;
}
