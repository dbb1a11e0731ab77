/* SPDX-License-Identifier: MIT */
/*
 * The raw device: uphysio() cuts the caller's buffer into bufs, attaches and queues them by the
 * strategy routine, and waits.  Several of them are under way at a time.
 */
#include "disk.h"

#define BUFS 4

/* mincnt: what the device can do at once. */
static int shorten(struct buf *bp, void *unused)
{
    (void)unused;
    if (bp->b_bcount > RD_LARGEST_TRANSFER)
        bp->b_bcount = RD_LARGEST_TRANSFER;
    return 0;
}

int rd_move_raw(dev_t devno, struct uio *uiop, uint rw)
{
    if (uiop->uio_offset % RD_BLOCK != 0 || uiop->uio_resid % RD_BLOCK != 0)
        return EINVAL;
    return uphysio(uiop, (int)rw, BUFS, devno, rd_strategy, shorten, NULL);
}
