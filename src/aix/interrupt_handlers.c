/* SPDX-License-Identifier: MIT */
/*
 * i_init, i_clear, i_mask, i_unmask, i_sched, i_disable, i_enable, and the raising of device
 * interrupts by devices that are software.
 *
 *   1. A bus level (bus_type, bid, level) exists while it has handlers, which all have its
 *      priority. They are linked by `next`, in the order in which they were registered.
 *   2. `running` is set while the handlers of the level are being called.  The list changes only
 *      while it is not, except that a handler may be added to its end.
 *   3. An off-level structure is in the queue of its class while INTR_QUEUED is set in its flags.
 * The level lock is a short one and covers all of it; no handler is called with it held.
 */
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/intr.h>

#define LEVELS 256
#define CLASSES (INTOFFL3 - INTOFFL0 + 1)

struct level {
    struct intr *handlers; /* NULL: the place is free */
    bool masked;
    bool pending; /* raised while it was masked */
    bool running;
    uint32_t word; /* goes up when running ends */
    struct xmem_interrupt_work work;
};

static struct level levels[LEVELS];
static struct short_lock level_lock;

/* ---- priorities ---- */

EXPORT int i_disable(int newprio)
{
    return xmem_interrupts_hold(newprio);
}

EXPORT void i_enable(int oldprio)
{
    xmem_interrupts_restore(oldprio);
}

/* ---- handlers of devices ---- */

static bool are_on_one_level(const struct intr *one, const struct intr *other)
{
    return one->bus_type == other->bus_type && one->bid == other->bid && one->level == other->level;
}

/* Lock held. */
static struct level *find_level(const struct intr *h)
{
    for (size_t index = 0; index < LEVELS; index++)
        if (levels[index].handlers != NULL && are_on_one_level(levels[index].handlers, h))
            return &levels[index];
    return NULL;
}

/* Lock held.  The place where h stands or would be put. */
static struct intr **find_handler(struct level *level, const struct intr *h)
{
    struct intr **place = &level->handlers;

    while (*place != NULL && *place != h)
        place = &(*place)->next;
    return place;
}

/* Calls the handlers until one knows its device. */
static void level_interrupts(void *argument)
{
    struct level *level = argument;
    int priority = short_lock_take(&level_lock);
    struct intr *h = level->handlers;

    level->running = true;
    short_lock_give(&level_lock, priority);
    while (h != NULL && h->handler(h) != INTR_SUCC) {
        priority = short_lock_take(&level_lock);
        h = h->next;
        short_lock_give(&level_lock, priority);
    }
    priority = short_lock_take(&level_lock);
    level->running = false;
    add_fetch(&level->word, 1);
    short_lock_give(&level_lock, priority);
    xmem_wake(&level->word, INT32_MAX);
}

/* Lock held. */
static struct level *make_level(int priority)
{
    for (size_t index = 0; index < LEVELS; index++) {
        struct level *level = &levels[index];

        if (level->handlers != NULL || level->running)
            continue;
        level->masked = false;
        level->pending = false;
        level->work.handler = level_interrupts;
        level->work.argument = level;
        level->work.priority = priority;
        return level;
    }
    return NULL;
}

/* Lock held. */
static int add_handler(struct intr *h)
{
    struct level *level = find_level(h);

    if (level == NULL) {
        level = make_level(h->priority);
        if (level == NULL)
            return INTR_FAIL;
    } else if (((level->handlers->flags | h->flags) & INTR_NOT_SHARED) != 0 ||
               level->handlers->priority != h->priority || *find_handler(level, h) == h) {
        return INTR_FAIL;
    }
    h->next = NULL;
    *find_handler(level, h) = h;
    return INTR_SUCC;
}

EXPORT int i_init(struct intr *h)
{
    int priority, result;

    if (refused_at_interrupt_level() || h->handler == NULL || h->priority < INTMAX ||
        h->priority >= INTBASE)
        return INTR_FAIL;
    priority = short_lock_take(&level_lock);
    result = add_handler(h);
    short_lock_give(&level_lock, priority);
    return result;
}

/* Lock held, outside of handlers.  A level whose last handler goes has nothing to be called for any
 * more.  While the lock is held no handler runs, so that it does not matter whether the work could
 * be taken back: one that was called is over, even if that has not been noted yet. */
static bool can_remove(struct level *level)
{
    if (level->running)
        return false;
    if (level->handlers->next == NULL)
        (void)xmem_cancel_interrupt(&level->work);
    return true;
}

/* Lock held.  *wait: h has to wait until the word is no longer *seen. */
static bool remove_handler(struct intr *h, struct level **wait, uint32_t *seen)
{
    struct level *level = find_level(h);
    struct intr **place = level == NULL ? NULL : find_handler(level, h);

    *wait = NULL;
    if (place == NULL || *place == NULL)
        return false;
    if (can_remove(level)) {
        *place = h->next;
        return true;
    }
    *wait = level;
    *seen = load_strong(&level->word);
    return true;
}

EXPORT void i_clear(struct intr *h)
{
    struct level *wait;
    uint32_t seen;
    bool known;

    if (refused_at_interrupt_level())
        return;
    do {
        int priority = short_lock_take(&level_lock);

        known = remove_handler(h, &wait, &seen);
        short_lock_give(&level_lock, priority);
        if (wait != NULL)
            (void)xmem_wait(&wait->word, seen, 0, 0);
    } while (wait != NULL);
    if (!known)
        xmem_count_usage_error();
}

EXPORT void i_mask(struct intr *h)
{
    int priority = short_lock_take(&level_lock);
    struct level *level = find_level(h);

    if (level != NULL)
        level->masked = true;
    short_lock_give(&level_lock, priority);
}

/* Posting is under the lock, so that a level does not go between being found and being posted. */
EXPORT void i_unmask(struct intr *h)
{
    int priority = short_lock_take(&level_lock);
    struct level *level = find_level(h);

    if (level != NULL) {
        level->masked = false;
        if (level->pending && xmem_post_interrupt(&level->work) == 0)
            level->pending = false;
    }
    short_lock_give(&level_lock, priority);
}

EXPORT int xmem_aix_raise(struct intr *h)
{
    int priority = short_lock_take(&level_lock);
    struct level *level = find_level(h);
    int error = level == NULL ? EINVAL : 0;

    if (level != NULL && level->masked)
        level->pending = true;
    else if (level != NULL)
        error = xmem_post_interrupt(&level->work);
    short_lock_give(&level_lock, priority);
    return error;
}

/* ---- off-level work ---- */

static void class_runs(void *argument);

static struct off_level {
    struct intr *first, *last;
    struct xmem_interrupt_work work;
} off_levels[CLASSES] = {
    {.work = {.handler = class_runs, .argument = &off_levels[0], .priority = INTOFFL0}},
    {.work = {.handler = class_runs, .argument = &off_levels[1], .priority = INTOFFL1}},
    {.work = {.handler = class_runs, .argument = &off_levels[2], .priority = INTOFFL2}},
    {.work = {.handler = class_runs, .argument = &off_levels[3], .priority = INTOFFL3}},
};

static struct intr *take_first(struct off_level *off_level)
{
    int priority = short_lock_take(&level_lock);
    struct intr *h = off_level->first;

    if (h != NULL) {
        off_level->first = h->next;
        h->next = NULL;
        h->flags &= (ushort)~INTR_QUEUED;
    }
    short_lock_give(&level_lock, priority);
    return h;
}

/* One routine at a time: what is more favored comes in between. */
static void class_runs(void *argument)
{
    struct off_level *off_level = argument;
    struct intr *h = take_first(off_level);

    if (h == NULL)
        return;
    if (load_relaxed(&off_level->first) != NULL)
        (void)xmem_post_interrupt(&off_level->work);
    (void)h->handler(h);
}

/* Lock held. */
static void append(struct off_level *off_level, struct intr *h)
{
    h->next = NULL;
    h->flags |= INTR_QUEUED;
    if (off_level->first == NULL)
        off_level->first = h;
    else
        off_level->last->next = h;
    off_level->last = h;
}

EXPORT void i_sched(struct intr *h)
{
    struct off_level *off_level;
    int priority;

    if (h->handler == NULL || h->priority < INTOFFL0 || h->priority > INTOFFL3) {
        xmem_count_usage_error();
        return;
    }
    off_level = &off_levels[h->priority - INTOFFL0];
    priority = short_lock_take(&level_lock);
    if ((h->flags & INTR_QUEUED) == 0) {
        append(off_level, h);
        (void)xmem_post_interrupt(&off_level->work);
    }
    short_lock_give(&level_lock, priority);
}
