/* SPDX-License-Identifier: MIT */
/*
 * Events by masks: et_wait, et_post, and e_wait, e_post for whole processes.
 *
 * Posted events are remembered whether or not their thread waits, and may be posted to threads that
 * never called a service, at interrupt level.  So they are kept in a table of fixed size under the
 * thread's number.
 *
 *   1. An entry is in use while events are pending or somebody waits for some.
 *   2. A bucket's lock is a short one and covers its entries; nothing is locked under it.
 *   3. Waiters wait on the entry's count of posts, which they read under the lock.
 *   4. What is pending for a thread of the kernel program, or a kernel process, goes when it ends,
 *      so that the next one of that number does not get it.  An entry of a user's thread that is
 *      gone is used again when its bucket is full.
 */
#include "aix/block.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/sleep.h>

#define BUCKETS 256u
#define ENTRIES 16u
#define WHOLE_PROCESS (UINT64_C(1) << 32) /* in a key: the number is a process's */

struct entry {
    uint64_t key; /* 0: free */
    unsigned long pending;
    uint32_t posts;
    uint32_t waiters;
};

struct bucket {
    struct short_lock lock;
    struct entry entries[ENTRIES];
};

static struct bucket buckets[BUCKETS];

static struct bucket *bucket_of(uint64_t key)
{
    return &buckets[key % BUCKETS];
}

static bool is_alive(uint64_t key)
{
    return xmem_signal_post((pid_t)(key & UINT32_MAX), 0) == 0;
}

/* ---- under the bucket's lock ---- */

static struct entry *find(struct bucket *bucket, uint64_t key)
{
    for (unsigned each = 0; each < ENTRIES; each++)
        if (bucket->entries[each].key == key)
            return &bucket->entries[each];
    return NULL;
}

static struct entry *find_abandoned(struct bucket *bucket)
{
    for (unsigned each = 0; each < ENTRIES; each++)
        if (bucket->entries[each].waiters == 0 && !is_alive(bucket->entries[each].key))
            return &bucket->entries[each];
    return NULL;
}

static struct entry *find_or_make(struct bucket *bucket, uint64_t key)
{
    struct entry *entry = find(bucket, key);

    if (entry != NULL)
        return entry;
    entry = find(bucket, 0);
    if (entry == NULL)
        entry = find_abandoned(bucket);
    if (entry == NULL)
        xmem_panic("et_post: events are pending for too many threads that do not wait for them");
    entry->key = key;
    entry->pending = 0;
    return entry;
}

static void free_if_idle(struct entry *entry)
{
    if (entry->pending == 0 && entry->waiters == 0)
        entry->key = 0;
}

/* ---- waiting ---- */

struct wanted {
    uint64_t key;
    unsigned long wait_mask, clear_mask;
    unsigned flags;
};

static unsigned long take(struct entry *entry, const struct wanted *wanted)
{
    unsigned long events = entry->pending & (wanted->wait_mask == EVENT_NDELAY ? wanted->clear_mask
                                                                               : wanted->wait_mask);

    entry->pending &= ~wanted->clear_mask;
    return events;
}

static unsigned long take_now(const struct wanted *wanted)
{
    struct bucket *bucket = bucket_of(wanted->key);
    unsigned long events = 0;
    int priority = short_lock_take(&bucket->lock);
    struct entry *entry = find(bucket, wanted->key);

    if (entry != NULL) {
        events = take(entry, wanted);
        free_if_idle(entry);
    }
    short_lock_give(&bucket->lock, priority);
    return events;
}

static unsigned long wait_for(const struct wanted *wanted)
{
    struct bucket *bucket = bucket_of(wanted->key);
    unsigned long events = EVENT_SIG;
    int priority = short_lock_take(&bucket->lock);
    struct entry *entry = find_or_make(bucket, wanted->key);
    int error = 0;

    entry->waiters++;
    while (error == 0 && (entry->pending & wanted->wait_mask) == 0) {
        uint32_t posts = entry->posts;

        short_lock_give(&bucket->lock, priority);
        error = block_on(&entry->posts, posts, wanted->flags);
        priority = short_lock_take(&bucket->lock);
    }
    if (error == 0)
        events = take(entry, wanted);
    entry->waiters--;
    free_if_idle(entry);
    short_lock_give(&bucket->lock, priority);
    return events;
}

static unsigned long wait_or_take(struct wanted *wanted, int flags)
{
    wanted->flags = flags & (EVENT_SIGRET | EVENT_SIGWAKE) ? XMEM_WAIT_INTERRUPTIBLE : 0;
    return wanted->wait_mask == EVENT_NDELAY ? take_now(wanted) : wait_for(wanted);
}

EXPORT unsigned long et_wait(unsigned long wait_mask, unsigned long clear_mask, int flags)
{
    struct wanted wanted = {.wait_mask = wait_mask, .clear_mask = clear_mask};
    struct xmem_caller caller;

    if (refused_at_interrupt_level())
        return EVENT_SIG;
    xmem_get_caller(&caller);
    wanted.key = (uint64_t)caller.thread;
    return wait_or_take(&wanted, flags);
}

/* Threads of the kernel program itself, which have no process number, are one each. */
EXPORT unsigned long e_wait(unsigned long wait_mask, unsigned long clear_mask, int flags)
{
    struct wanted wanted = {.wait_mask = wait_mask, .clear_mask = clear_mask};
    struct xmem_caller caller;

    if (refused_at_interrupt_level())
        return EVENT_SIG;
    xmem_get_caller(&caller);
    wanted.key = WHOLE_PROCESS | (uint64_t)(caller.process ? caller.process : caller.thread);
    return wait_or_take(&wanted, flags);
}

/* ---- ending ---- */

static void forget(uint64_t key)
{
    struct bucket *bucket = bucket_of(key);
    int priority = short_lock_take(&bucket->lock);
    struct entry *entry = find(bucket, key);

    if (entry != NULL) {
        entry->pending = 0;
        free_if_idle(entry);
    }
    short_lock_give(&bucket->lock, priority);
}

static void thread_ends(void)
{
    struct xmem_caller caller;

    xmem_get_caller(&caller);
    forget((uint64_t)caller.thread);
    forget(WHOLE_PROCESS | (uint64_t)caller.thread);
}

static __attribute__((constructor)) void watch_ends(void)
{
    (void)xmem_at_thread_end(thread_ends);
}

/* ---- posting ---- */

static void post(uint64_t key, unsigned long events)
{
    struct bucket *bucket = bucket_of(key);
    const uint32_t *posts = NULL;
    int priority = short_lock_take(&bucket->lock);
    struct entry *entry = find(bucket, key);

    if (entry == NULL && events != 0 && is_alive(key))
        entry = find_or_make(bucket, key);
    if (entry != NULL) {
        entry->pending |= events;
        add_fetch(&entry->posts, 1);
        if (entry->waiters != 0)
            posts = &entry->posts;
    }
    short_lock_give(&bucket->lock, priority);
    if (posts != NULL)
        xmem_wake(posts, INT32_MAX);
}

EXPORT void et_post(unsigned long events, tid_t tid)
{
    if (tid > 0 && tid <= INT32_MAX)
        post((uint64_t)tid, events);
}

EXPORT void e_post(unsigned long events, pid_t pid)
{
    if (pid > 0)
        post(WHOLE_PROCESS | (uint64_t)pid, events);
}
