/* SPDX-License-Identifier: MIT */
/*
 * The top half's side of a request: attach the caller's memory, queue the request, sleep until it
 * is complete, detach.
 *
 * A signal ends the sleep.  A request that still queues is taken back then; one that the worker has
 * in hand cannot be, for the worker may be storing into the caller's memory at this moment, so the
 * sleep goes on, deaf to signals, for the little that is left.  Either way nobody but this thread
 * knows the request when its descriptor is detached and its memory, on this stack, is gone.
 */
#include "disk.h"

#include <sys/sleep.h>

struct request {
    struct buf buf; /* first: complete() is given its address */
    struct disk *disk;
    /* Not B_DONE, which iodone() sets before complete() has run, or even begun. */
    bool complete;
};

/* b_iodone: at INTIODONE. */
static void complete(struct buf *bp)
{
    struct request *request = (struct request *)bp;
    struct disk *disk = request->disk;
    int priority = disable_lock(INTIODONE, &disk->lock);
    request->complete = true;
    e_wakeup(&bp->b_event);
    unlock_enable(priority, &disk->lock); /* the request may be gone from here on */
}

static int wait_for(struct request *request)
{
    struct disk *disk = request->disk;
    int flags = LOCK_HANDLER | INTERRUPTIBLE;
    int priority = disable_lock(INTIODONE, &disk->lock);
    while (!request->complete) {
        int result = e_sleep_thread(&request->buf.b_event, &disk->lock, flags);
        if (result != THREAD_INTERRUPTED)
            continue;
        if (rd_take_back(disk, &request->buf)) {
            disk->statistics.cancelled++;
            unlock_enable(priority, &disk->lock);
            return EINTR;
        }
        flags = LOCK_HANDLER;
    }
    unlock_enable(priority, &disk->lock);
    return geterror(&request->buf);
}

/* The descriptor of the piece: the kernel's caller may have brought one. */
static int attach(struct xmem *dp, const struct uio *uiop, int count)
{
    if (uiop->uio_segflg == UIO_XMEM) {
        *dp = *uiop->uio_xmem;
        return 0;
    }
    dp->aspace_id = XMEM_INVAL;
    int result = xmattach(uiop->uio_iov->iov_base, count, dp, uiop->uio_segflg);
    return result == XMEM_SUCC ? 0 : EFAULT;
}

int rd_move(struct disk *disk, dev_t devno, const struct uio *uiop, uint rw, int count)
{
    struct request request = {.disk = disk};
    struct buf *bp = &request.buf;
    int error = attach(&bp->b_xmemd, uiop, count);
    if (error)
        return error;
    bp->b_flags = B_BUSY | rw;
    bp->b_iodone = complete;
    bp->b_dev = devno;
    bp->b_un.b_addr = uiop->uio_iov->iov_base;
    bp->b_bcount = (size_t)count;
    bp->b_blkno = (long)(uiop->uio_offset / RD_BLOCK);
    bp->b_work = (ulong)(uiop->uio_offset % RD_BLOCK);
    bp->b_event = EVENT_NULL;
    rd_queue(disk, bp);
    error = wait_for(&request);
    if (uiop->uio_segflg != UIO_XMEM)
        xmdetach(&bp->b_xmemd);
    return error;
}
