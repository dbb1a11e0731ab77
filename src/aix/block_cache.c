/* SPDX-License-Identifier: MIT */
/*
 * The buffers of 4096 bytes: geteblk, getblk, bread, breada, brelse, bwrite.
 *
 *   1. A buffer is busy from the moment it is taken until it is released; meanwhile its struct buf
 *      and its bytes are its taker's alone, and its driver's.  The rest of the entry is covered by
 *      the cache lock, always.
 *   2. An entry is of one block, or of none (NO_DEVICE); no two are of the same block.
 *   3. valid, of one that is not busy: it holds what the device does, but for b_resid bytes at the
 *      end that the device has not.  One that was released with an error, stale, or without
 *      contents is of no block.
 *   4. A buffer's descriptor is attached while it is busy.
 * The cache lock is a short one: buffers are released by handlers too.
 */
#include "aix/block_io.h"

#include "aix/block.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>

#define BUFFERS 64
#define NO_DEVICE ((dev_t)-1)

static struct cached {
    struct buf buf; /* first: a buffer's address is its entry's */
    dev_t devno;
    long block;
    uint64_t released;
    bool busy;
    bool valid;
    bool forgotten; /* while busy: of no block once it is released */
} buffers[BUFFERS];

static char contents[BUFFERS][XMEM_BUF_SIZE] __attribute__((aligned(XMEM_PAGE_SIZE)));
static struct short_lock cache_lock;
static bool prepared;
static uint64_t releases;
static uint32_t release_word; /* goes up with each release */
static uint32_t waiters;

/* ---- choosing (the cache lock held) ---- */

static void prepare(void)
{
    for (size_t index = 0; index < BUFFERS; index++)
        buffers[index].devno = NO_DEVICE;
    prepared = true;
}

static struct cached *find_block(dev_t devno, long block)
{
    for (size_t index = 0; index < BUFFERS; index++)
        if (buffers[index].devno == devno && buffers[index].block == block)
            return &buffers[index];
    return NULL;
}

static bool is_better_victim(const struct cached *one, const struct cached *other)
{
    bool empty = one->devno == NO_DEVICE;

    if (empty != (other->devno == NO_DEVICE))
        return empty;
    return one->released < other->released;
}

static struct cached *find_victim(void)
{
    struct cached *best = NULL;

    for (size_t index = 0; index < BUFFERS; index++) {
        struct cached *one = &buffers[index];

        if (!one->busy && (best == NULL || is_better_victim(one, best)))
            best = one;
    }
    return best;
}

/* NULL: all are busy, or the one of the block is. */
static struct cached *choose(dev_t devno, long block)
{
    struct cached *cached = devno == NO_DEVICE ? NULL : find_block(devno, block);

    if (cached == NULL) {
        cached = find_victim();
        if (cached == NULL)
            return NULL;
        cached->devno = devno;
        cached->block = block;
        cached->valid = false;
    }
    if (cached->busy)
        return NULL;
    cached->busy = true;
    return cached;
}

/* ---- taking ---- */

/* What a taker finds.  b_resid is part of what the buffer holds. */
static void make_ready(struct cached *cached)
{
    struct buf *bp = &cached->buf;
    size_t resid = cached->valid ? bp->b_resid : 0;

    *bp = (struct buf){.b_flags = B_BUSY | (cached->valid ? B_DONE : 0),
                       .b_dev = cached->devno,
                       .b_blkno = cached->block,
                       .b_un.b_addr = contents[cached - buffers],
                       .b_bcount = XMEM_BUF_SIZE,
                       .b_resid = resid,
                       .b_xmemd.aspace_id = XMEM_INVAL};
    (void)xmem_attach(xmem_process_kernel(), address_of(bp->b_un.b_addr), XMEM_BUF_SIZE,
                      native(&bp->b_xmemd));
}

static struct buf *try_to_take(dev_t devno, long block)
{
    int priority = short_lock_take(&cache_lock);
    struct cached *cached;

    if (!prepared)
        prepare();
    cached = choose(devno, block);
    short_lock_give(&cache_lock, priority);
    if (cached == NULL)
        return NULL;
    make_ready(cached);
    return &cached->buf;
}

static struct buf *take(dev_t devno, long block)
{
    struct buf *bp = try_to_take(devno, block);

    if (bp != NULL)
        return bp;
    add_fetch(&waiters, 1);
    full_fence();
    for (;;) {
        uint32_t seen = load_strong(&release_word);

        bp = try_to_take(devno, block);
        if (bp != NULL)
            break;
        (void)block_on(&release_word, seen, 0);
    }
    sub_fetch(&waiters, 1);
    return bp;
}

static void release(struct buf *bp)
{
    struct cached *cached = (struct cached *)bp;
    uint flags = bp->b_flags;
    int priority;

    if (bp->b_xmemd.aspace_id != XMEM_INVAL)
        (void)xmem_detach(native(&bp->b_xmemd));
    priority = short_lock_take(&cache_lock);
    cached->valid = !cached->forgotten && (flags & (B_DONE | B_ERROR | B_STALE)) == B_DONE;
    if (!cached->valid)
        cached->devno = NO_DEVICE;
    cached->forgotten = false;
    cached->released = (flags & B_AGE) != 0 ? 0 : ++releases;
    cached->busy = false;
    short_lock_give(&cache_lock, priority);
    add_fetch(&release_word, 1);
    full_fence();
    if (load_strong(&waiters) != 0)
        xmem_wake(&release_word, INT32_MAX);
}

/* ---- transfers ---- */

static void release_when_done(struct buf *bp)
{
    release(bp);
}

/* Gives the buffer to its driver; flags: B_READ or not, B_ASYNC.  A driver that is not there has
 * refused it. */
static void start(struct buf *bp, uint flags)
{
    bool forget = (flags & B_ASYNC) != 0;

    bp->b_flags = B_BUSY | flags | (bp->b_flags & (B_AGE | B_STALE));
    bp->b_resid = 0;
    bp->b_error = 0;
    bp->av_forw = NULL;
    bp->b_iodone = forget ? release_when_done : buf_nobody_told;
    if (devstrat(bp) == 0)
        return;
    buf_fail(bp, ENODEV);
    bp->b_resid = bp->b_bcount;
    iodone(bp);
}

struct buf *cache_get(dev_t devno, long block)
{
    return take(devno, block);
}

struct buf *cache_read(dev_t devno, long block)
{
    struct buf *bp = take(devno, block);

    if ((bp->b_flags & B_DONE) != 0)
        return bp;
    start(bp, B_READ);
    (void)iowait(bp);
    return bp;
}

static void read_ahead(dev_t devno, long block)
{
    struct buf *bp = try_to_take(devno, block);

    if (bp == NULL)
        return;
    if ((bp->b_flags & B_DONE) != 0)
        release(bp);
    else
        start(bp, B_READ | B_ASYNC);
}

/* The cache lock held. */
static void forget(struct cached *cached)
{
    if (cached->busy)
        cached->forgotten = true;
    else
        cached->devno = NO_DEVICE;
}

/* Other buffers that begin inside this one, or in which it begins, show what was there before. */
static void forget_overlapping(const struct buf *bp)
{
    const struct cached *written = (const struct cached *)bp;
    const long blocks = XMEM_BUF_SIZE / DEV_BSIZE;
    int priority = short_lock_take(&cache_lock);

    for (size_t index = 0; index < BUFFERS; index++) {
        struct cached *other = &buffers[index];

        if (other != written && other->devno == bp->b_dev && other->block > bp->b_blkno - blocks &&
            other->block < bp->b_blkno + blocks)
            forget(other);
    }
    short_lock_give(&cache_lock, priority);
}

int cache_write(struct buf *bp, size_t *written)
{
    int error;

    start(bp, B_WRITE);
    error = iowait(bp);
    *written = bp->b_bcount - (bp->b_resid < bp->b_bcount ? bp->b_resid : bp->b_bcount);
    if (error != 0 && bp->b_resid == 0)
        *written = 0; /* the driver does not say how far it came */
    if (*written != XMEM_BUF_SIZE)
        bp->b_flags |= B_STALE;
    forget_overlapping(bp);
    release(bp);
    return error;
}

void cache_forget(dev_t devno)
{
    int priority = short_lock_take(&cache_lock);

    for (size_t index = 0; index < BUFFERS; index++)
        if (prepared && buffers[index].devno == devno)
            forget(&buffers[index]);
    short_lock_give(&cache_lock, priority);
}

void cache_forget_driver(int major_number)
{
    int priority = short_lock_take(&cache_lock);

    for (size_t index = 0; index < BUFFERS; index++)
        if (prepared && buffers[index].devno != NO_DEVICE &&
            major(buffers[index].devno) == major_number)
            forget(&buffers[index]);
    short_lock_give(&cache_lock, priority);
}

/* ---- the services ---- */

EXPORT struct buf *geteblk(void)
{
    return refused_at_interrupt_level() ? NULL : take(NO_DEVICE, 0);
}

EXPORT struct buf *getblk(dev_t dev, daddr_t blkno)
{
    return refused_at_interrupt_level() ? NULL : cache_get(dev, blkno);
}

EXPORT struct buf *bread(dev_t dev, daddr_t blkno)
{
    return refused_at_interrupt_level() ? NULL : cache_read(dev, blkno);
}

EXPORT struct buf *breada(dev_t dev, daddr_t blkno, daddr_t rablkno)
{
    struct buf *bp;

    if (refused_at_interrupt_level())
        return NULL;
    bp = take(dev, blkno);
    if ((bp->b_flags & B_DONE) != 0) {
        read_ahead(dev, rablkno);
        return bp;
    }
    start(bp, B_READ);
    read_ahead(dev, rablkno);
    (void)iowait(bp);
    return bp;
}

EXPORT void brelse(struct buf *bp)
{
    release(bp);
}

EXPORT int bwrite(struct buf *bp)
{
    size_t written;

    return refused_at_interrupt_level() ? EIO : cache_write(bp, &written);
}
