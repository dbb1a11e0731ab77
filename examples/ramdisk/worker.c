/* SPDX-License-Identifier: MIT */
/*
 * The kernel process of a disk.  It has no user memory of its own, and reaches that of the programs
 * by the descriptors in the bufs alone.
 */
#include "disk.h"

#include <sys/sleep.h>

#define MILLISECONDS 1000   /* in a second */
#define NANOSECONDS 1000000 /* in a millisecond */

/* ---- seeks ---- */

/* The timer's: at INTTIMER. */
static void seek_done(struct trb *timer)
{
    struct disk *disk = timer->t_union.addr;
    int priority = disable_lock(INTIODONE, &disk->lock);
    disk->seeking = false;
    e_wakeup(&disk->work);
    unlock_enable(priority, &disk->lock);
}

static void start_timer(struct disk *disk)
{
    struct trb *timer = disk->timer;
    timer->flags = T_INCINTERVAL;
    timer->timeout.it_value.tv_sec = disk->delay / MILLISECONDS;
    timer->timeout.it_value.tv_nsec = (long)(disk->delay % MILLISECONDS) * NANOSECONDS;
    timer->func = seek_done;
    timer->ipri = INTTIMER;
    timer->id = -1;
    timer->t_union.addr = disk;
    tstart(timer);
}

/* Takes as long as a seek, or until the last request was taken back. */
static void seek(struct disk *disk)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    disk->seeking = disk->delay != 0;
    if (disk->seeking)
        start_timer(disk);
    while (disk->seeking && disk->first)
        e_sleep_thread(&disk->work, &disk->lock, LOCK_HANDLER);
    unlock_enable(priority, &disk->lock);
    /* Without the lock, for the handler may run at this moment, and want it. */
    while (tstop(disk->timer) != 0)
        ;
}

/* ---- transfers ---- */

/* 0 or an errno value.  The services do not say more than that the memory cannot be reached. */
static int move(struct disk *disk, struct buf *bp)
{
    caddr_t data = disk->data + (offset_t)bp->b_blkno * RD_BLOCK + (offset_t)bp->b_work;
    caddr_t user = bp->b_un.b_addr;
    int count = (int)bp->b_bcount;
    int result = bp->b_flags & B_READ ? xmemout(data, user, count, &bp->b_xmemd)
                                      : xmemin(user, data, count, &bp->b_xmemd);
    return result == XMEM_SUCC ? 0 : EFAULT;
}

static void count(struct rd_statistics *statistics, const struct buf *bp, int error)
{
    if (error)
        statistics->failed++;
    else if (bp->b_flags & B_READ) {
        statistics->reads++;
        statistics->bytes_read += bp->b_bcount;
    } else {
        statistics->writes++;
        statistics->bytes_written += bp->b_bcount;
    }
}

static void serve(struct disk *disk, struct buf *bp)
{
    int error = move(disk, bp);
    int priority = disable_lock(INTIODONE, &disk->lock);
    count(&disk->statistics, bp, error);
    unlock_enable(priority, &disk->lock);
    bp->b_resid = error ? bp->b_bcount : 0;
    if (error) {
        bp->b_error = error;
        bp->b_flags |= B_ERROR;
    }
    iodone(bp); /* and hands off the buf from here on */
}

/* ---- the process ---- */

/* false: there is none, and the disk is to end. */
static bool wait_for_request(struct disk *disk)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    while (!disk->first && !disk->ending)
        e_sleep_thread(&disk->work, &disk->lock, LOCK_HANDLER);
    bool found = disk->first != NULL;
    unlock_enable(priority, &disk->lock);
    return found;
}

/* Nobody can take it back from here on.  NULL: somebody has. */
static struct buf *take_request(struct disk *disk)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    struct buf *bp = disk->first;
    if (bp) {
        disk->first = bp->av_forw;
        bp->b_flags |= B_INFLGHT;
    }
    unlock_enable(priority, &disk->lock);
    return bp;
}

static void tell_end(struct disk *disk)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    disk->ended = true;
    e_wakeup(&disk->end);
    unlock_enable(priority, &disk->lock);
}

void rd_worker(int flag, void *parameters, int length)
{
    struct disk *disk = *(struct disk **)parameters;
    (void)flag;
    (void)length;
    setpinit(); /* whoever configured the disk need not hear of this process's end */
    while (wait_for_request(disk)) {
        seek(disk);
        struct buf *bp = take_request(disk);
        if (bp)
            serve(disk, bp);
    }
    tell_end(disk);
}
