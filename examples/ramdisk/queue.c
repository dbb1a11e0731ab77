/* SPDX-License-Identifier: MIT */
/*
 * The queue, and the strategy entry point, which fills it for others.  Nothing here blocks or
 * touches pageable memory: strategy routines are called at interrupt level, too.
 */
#include "disk.h"

#include <sys/sleep.h>

void rd_queue(struct disk *disk, struct buf *bp)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    bp->av_forw = NULL;
    if (disk->first)
        disk->last->av_forw = bp;
    else
        disk->first = bp;
    disk->last = bp;
    e_wakeup(&disk->work);
    unlock_enable(priority, &disk->lock);
}

bool rd_take_back(struct disk *disk, struct buf *bp)
{
    struct buf *before = NULL;
    struct buf *at = disk->first;
    while (at && at != bp) {
        before = at;
        at = at->av_forw;
    }
    if (!at)
        return false;
    if (before)
        before->av_forw = bp->av_forw;
    else
        disk->first = bp->av_forw;
    if (disk->last == bp)
        disk->last = before;
    e_wakeup(&disk->work); /* which may seek for nothing now */
    return true;
}

static bool inside(const struct disk *disk, const struct buf *bp)
{
    offset_t from = (offset_t)bp->b_blkno * RD_BLOCK;
    return bp->b_blkno >= 0 && from <= disk->size && (offset_t)bp->b_bcount <= disk->size - from;
}

static void refuse(struct buf *bp)
{
    bp->b_flags |= B_ERROR;
    bp->b_error = ENXIO;
    bp->b_resid = bp->b_bcount;
    iodone(bp);
}

/* A chain of bufs.  Each may complete, and its memory be gone, as soon as it is queued. */
void rd_strategy(struct buf *bp)
{
    while (bp) {
        struct buf *next = bp->av_forw;
        struct disk *disk = rd_number(bp->b_dev) < RD_DISKS ? rd_disk(bp->b_dev) : NULL;
        bp->b_work = 0;
        if (disk && inside(disk, bp))
            rd_queue(disk, bp);
        else
            refuse(bp);
        bp = next;
    }
}
