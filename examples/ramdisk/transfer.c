/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing: the rules at the end of the device, and the way through the buffer of the
 * caller, piece by piece.
 */
#include "disk.h"

/* How many of the bytes wanted are behind the end.  0; ENXIO: all of them, and nothing may be
 * read or written there; a read that begins exactly at the end finds nothing (0). */
static int look_at_end(const struct disk *disk, const struct uio *uiop, uint rw, ssize_t *behind)
{
    offset_t left = disk->size - uiop->uio_offset;
    *behind = 0;
    if (uiop->uio_offset < 0)
        return EINVAL;
    if (left < 0 || (left == 0 && rw == B_WRITE))
        return ENXIO;
    if (uiop->uio_resid > left)
        *behind = uiop->uio_resid - left;
    return 0;
}

static void pass_empty_pieces(struct uio *uiop)
{
    while (uiop->uio_iovcnt > 0 && uiop->uio_iov->iov_len == 0) {
        uiop->uio_iov++;
        if (uiop->uio_segflg == UIO_XMEM)
            uiop->uio_xmem++;
        uiop->uio_iovcnt--;
        uiop->uio_iovdcnt++;
    }
}

/* The length of the next request; 0: the pieces end before the bytes wanted do. */
static int next_count(const struct uio *uiop)
{
    size_t count = RD_LARGEST_TRANSFER;
    if (uiop->uio_iovcnt == 0)
        return 0;
    if (count > uiop->uio_iov->iov_len)
        count = uiop->uio_iov->iov_len;
    if (count > (size_t)uiop->uio_resid)
        count = (size_t)uiop->uio_resid;
    return (int)count;
}

/* As uiomove() does. */
static void advance(struct uio *uiop, int count)
{
    uiop->uio_iov->iov_base = (caddr_t)uiop->uio_iov->iov_base + count;
    uiop->uio_iov->iov_len -= (size_t)count;
    uiop->uio_offset += count;
    uiop->uio_resid -= count;
    pass_empty_pieces(uiop);
}

/* A transfer that a signal ends in the middle succeeds, with what has been moved. */
static int move_pieces(struct disk *disk, dev_t devno, struct uio *uiop, uint rw)
{
    ssize_t wanted = uiop->uio_resid;
    pass_empty_pieces(uiop);
    while (uiop->uio_resid > 0) {
        int count = next_count(uiop);
        int error = count == 0 ? ENOMEM : rd_move(disk, devno, uiop, rw, count);
        if (error == EINTR && uiop->uio_resid < wanted)
            return 0;
        if (error)
            return error;
        advance(uiop, count);
    }
    return 0;
}

static int transfer(dev_t devno, struct uio *uiop, uint rw)
{
    struct disk *disk = rd_disk(devno);
    ssize_t behind;
    if (uiop->uio_resid == 0)
        return 0;
    int error = look_at_end(disk, uiop, rw, &behind);
    if (error)
        return error;
    uiop->uio_resid -= behind;
    if (rd_minor_bit(devno) == RD_RAW)
        error = rd_move_raw(devno, uiop, rw);
    else
        error = move_pieces(disk, devno, uiop, rw);
    uiop->uio_resid += behind;
    return error;
}

int rd_read(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    (void)chan;
    (void)ext;
    return transfer(devno, uiop, B_READ);
}

int rd_write(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    (void)chan;
    (void)ext;
    return transfer(devno, uiop, B_WRITE);
}
