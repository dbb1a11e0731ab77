/* SPDX-License-Identifier: MIT */
/*
 * devstrat, iodone, iowait, geterror: requests on their way to a driver and back.
 *
 *   1. B_DONE is set by iodone() alone, before b_iodone is called.
 *   2. From the moment B_DONE is set until b_iodone has returned, the request stands in a slot of
 *      `finishing`.  iowait() returns when B_DONE is set and no slot has the request, so that its
 *      caller may free it even though b_iodone still had it when B_DONE was set already.
 *   3. After b_iodone has been called nothing touches the request.
 *   4. Who waits counts itself in the waiting place for the request's address, then looks; who
 *      finished frees the slot, then raises the place's word, then looks whether somebody waits.
 * There are no locks: a handler may finish a request in the middle of anything.
 */
#include "aix/block_io.h"

#include "aix/block.h"
#include "aix/device_switch.h"
#include "aix/funnel.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/intr.h>
#include <xmem/kernel.h>

#define SLOTS 64
#define PLACES 64

static struct buf *finishing[SLOTS];

static struct place {
    uint32_t word; /* goes up with each request that is finished */
    uint32_t waiters;
} places[PLACES];

static struct place *place_of(const struct buf *bp)
{
    uint64_t address = address_of(bp);

    return &places[(address >> 6 ^ address >> 12) % PLACES];
}

void buf_nobody_told(struct buf *bp)
{
    (void)bp;
}

/* ---- finishing ---- */

/* A free slot that has the request now; NULL: all are taken, by as many handlers as there are. */
static struct buf **take_slot(struct buf *bp)
{
    for (size_t index = 0; index < SLOTS; index++) {
        struct buf *nobody = NULL;

        if (load_relaxed(&finishing[index]) == NULL &&
            compare_exchange(&finishing[index], &nobody, bp))
            return &finishing[index];
    }
    return NULL;
}

static void finish(void *request)
{
    struct buf *bp = request;
    struct place *place = place_of(bp);
    struct buf **slot;

    while ((slot = take_slot(bp)) == NULL)
        SPIN_PAUSE();
    or_fetch(&bp->b_flags, B_DONE);
    if (bp->b_iodone != NULL)
        bp->b_iodone(bp);
    store_strong(slot, NULL);
    add_fetch(&place->word, 1);
    full_fence();
    if (load_strong(&place->waiters) != 0)
        xmem_wake(&place->word, INT32_MAX);
}

/* ---- finishing on another thread ---- */

static struct buf *later; /* the last to come, first; linked by av_forw, which nobody else needs */
static void finish_later(void *unused);
static struct xmem_interrupt_work later_work = {.handler = finish_later, .priority = INTIODONE};

static void finish_later(void *unused)
{
    struct buf *last = exchange(&later, NULL);
    struct buf *first = NULL;

    (void)unused;
    while (last != NULL) {
        struct buf *before = last->av_forw;

        last->av_forw = first;
        first = last;
        last = before;
    }
    while (first != NULL) {
        struct buf *bp = first;

        first = bp->av_forw;
        bp->av_forw = NULL;
        finish(bp);
    }
}

static void put_off(struct buf *bp)
{
    struct buf *before = load_relaxed(&later);

    do
        bp->av_forw = before;
    while (!compare_exchange(&later, &before, bp));
    if (xmem_post_interrupt(&later_work) != 0)
        finish_later(NULL); /* xmem is stopped: there is nothing that could be interrupted */
}

/* ---- the services ---- */

EXPORT void iodone(struct buf *bp)
{
    int priority = xmem_interrupts_hold(XMEM_INTBASE); /* changes nothing */

    if (priority > INTIODONE) {
        if (xmem_interrupt(INTIODONE, finish, bp) != 0)
            put_off(bp);
    } else if (priority == INTIODONE && xmem_in_interrupt()) {
        finish(bp);
    } else {
        put_off(bp);
    }
}

EXPORT int devstrat(struct buf *bp)
{
    dev_t devno = bp->b_dev;
    bool alone = !device_is_mpsafe(devno);
    strategy_routine *strategy;

    if (!device_has(devno, ROUTINE_STRATEGY))
        return ENODEV;
    strategy = (strategy_routine *)device_routine(devno, ROUTINE_STRATEGY);
    if (alone)
        funnel_enter();
    strategy(bp);
    if (alone)
        funnel_leave();
    return 0;
}

EXPORT int geterror(struct buf *bp)
{
    if ((load_acquire(&bp->b_flags) & B_ERROR) == 0)
        return 0;
    return bp->b_error == 0 ? EIO : bp->b_error;
}

/* Until B_DONE is there, drivers store into b_flags as they like, which is no race that could
 * matter: this asks again when it has been told. */
TOUCHES_USER_MEMORY static bool may_be_done(const struct buf *bp)
{
    return (*(const volatile uint *)&bp->b_flags & B_DONE) != 0;
}

static bool is_finished(struct buf *bp)
{
    if (!may_be_done(bp) || (load_strong(&bp->b_flags) & B_DONE) == 0)
        return false;
    for (size_t index = 0; index < SLOTS; index++)
        if (load_strong(&finishing[index]) == bp)
            return false;
    return true;
}

EXPORT int iowait(struct buf *bp)
{
    struct place *place = place_of(bp);

    if (refused_at_interrupt_level())
        return EIO;
    if (!is_finished(bp)) {
        add_fetch(&place->waiters, 1);
        full_fence();
        for (;;) {
            uint32_t seen = load_strong(&place->word);

            if (is_finished(bp))
                break;
            (void)block_on(&place->word, seen, 0);
        }
        sub_fetch(&place->waiters, 1);
    }
    return geterror(bp);
}
