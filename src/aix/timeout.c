/* SPDX-License-Identifier: MIT */
/*
 * delay, and the time-outs of old drivers: timeout, untimeout, timeoutcf.
 *
 * Entries are reserved beforehand and kept in one list.  They change under a short lock, which
 * handlers take too.  A handler may be about to take it when its entry is taken back, or begins
 * anew: it looks whether the entry waits, and whether its time has come.  Outside of handlers,
 * whoever has the lock holds all interrupts off, which waits for a handler that runs: so an entry
 * that does not wait then is nobody's, and may be freed.
 */
#include "aix/block.h"
#include "aix/locks.h"
#include "aix/service.h"
#include "aix/ticks.h"

#include <sys/errno.h>
#include <sys/intr.h>
#include <sys/malloc.h>

struct entry {
    struct entry *next;
    struct xmem_timer timer;
    void (*func)(caddr_t *);
    caddr_t *arg;
    uint64_t when;
    bool waits;
};

static struct short_lock lock;
static struct entry *entries; /* as all below, under the lock */

EXPORT void xmem_aix_delay(int ticks)
{
    uint32_t word = 0;
    uint64_t now, until;

    if (refused_at_interrupt_level())
        return;
    now = xmem_clock();
    until = clock_after_ticks(now, ticks);
    for (; now < until; now = xmem_clock())
        if (block_for(&word, 0, 0, until - now) == EPERM)
            break;
}

static struct entry *find(void (*func)(caddr_t *), const caddr_t *arg)
{
    struct entry *entry = entries;

    while (entry != NULL && !(entry->waits && entry->func == func && entry->arg == arg))
        entry = entry->next;
    return entry;
}

static struct entry *find_unused(void)
{
    struct entry *entry = entries;

    while (entry != NULL && entry->waits)
        entry = entry->next;
    return entry;
}

static void expire(void *argument)
{
    struct entry *entry = argument;
    int priority = short_lock_take(&lock);
    void (*func)(caddr_t *) = entry->func;
    caddr_t *arg = entry->arg;
    bool due = entry->waits && xmem_clock() >= entry->when;

    if (due)
        entry->waits = false;
    short_lock_give(&lock, priority);
    if (due)
        func(arg);
}

static bool begin(void (*func)(caddr_t *), caddr_t *arg, uint64_t when)
{
    struct entry *entry = find(func, arg);

    if (entry == NULL)
        entry = find_unused();
    if (entry == NULL)
        return false;
    entry->func = func;
    entry->arg = arg;
    entry->when = when;
    entry->waits = true;
    if (xmem_timer_start(&entry->timer, when) != 0)
        xmem_count_usage_error(); /* xmem is not started: nothing will run */
    return true;
}

EXPORT void xmem_aix_timeout(void (*func)(caddr_t *), caddr_t *arg, int ticks)
{
    uint64_t when = clock_after_ticks(xmem_clock(), ticks);
    int priority = short_lock_take(&lock);
    bool begun = begin(func, arg, when);

    short_lock_give(&lock, priority);
    if (!begun)
        xmem_panic("timeout: no entry is free; reserve more with timeoutcf()");
}

EXPORT void xmem_aix_untimeout(void (*func)(caddr_t *), caddr_t *arg)
{
    int priority = short_lock_take(&lock);
    struct entry *entry = find(func, arg);

    if (entry != NULL) {
        entry->waits = false;
        (void)xmem_timer_stop(&entry->timer);
    }
    short_lock_give(&lock, priority);
}

static void free_all(struct entry *list)
{
    while (list != NULL) {
        struct entry *next = list->next;

        (void)xmem_aix_xmfree(list, pinned_heap);
        list = next;
    }
}

static struct entry *make(int count)
{
    struct entry *list = NULL;

    for (; count > 0; count--) {
        struct entry *entry = (void *)xmem_aix_xmalloc(sizeof *entry, 6, pinned_heap);

        if (entry == NULL) {
            free_all(list);
            return NULL;
        }
        *entry = (struct entry){
            .next = list,
            .timer = {.work = {.handler = expire, .argument = entry, .priority = INTTIMER}}};
        list = entry;
    }
    return list;
}

static int reserve(int count)
{
    struct entry *list = make(count);
    struct entry *last = list;
    int priority;

    if (list == NULL)
        return -1;
    while (last->next != NULL)
        last = last->next;
    priority = short_lock_take(&lock);
    last->next = entries;
    entries = list;
    short_lock_give(&lock, priority);
    return 0;
}

/* The lock is held.  At most so many unused entries leave the list. */
static struct entry *take_unused(int64_t count)
{
    struct entry *taken = NULL;

    for (struct entry **link = &entries; *link != NULL && count > 0;) {
        struct entry *entry = *link;

        if (entry->waits) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        entry->next = taken;
        taken = entry;
        count--;
    }
    return taken;
}

static int give_back(int64_t count)
{
    int priority = short_lock_take(&lock);
    struct entry *taken = take_unused(count);
    int64_t missing = count;

    for (struct entry *each = taken; each != NULL; each = each->next)
        missing--;
    while (missing > 0 && taken != NULL) {
        struct entry *next = taken->next;

        taken->next = entries;
        entries = taken;
        taken = next;
    }
    short_lock_give(&lock, priority);
    free_all(taken);
    return missing > 0 ? -1 : 0;
}

EXPORT int timeoutcf(int cocnt)
{
    if (refused_at_interrupt_level())
        return -1;
    if (cocnt == 0)
        return 0;
    return cocnt > 0 ? reserve(cocnt) : give_back(-(int64_t)cocnt);
}
