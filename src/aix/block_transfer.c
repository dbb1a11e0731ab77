/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing a block device: byte ranges, by whole buffers of the cache, one after the
 * other.  A part of a block is written by reading the block first.  The end of the device is where
 * a driver leaves b_resid.
 */
#include "aix/block_io.h"

#include <sys/errno.h>

struct part {
    long block;    /* the first one of the buffer, in DEV_BSIZE bytes */
    size_t within; /* where the part begins in the buffer */
    size_t length;
};

static struct part next_part(const struct uio *uio)
{
    struct part part;
    size_t left = (size_t)uio->uio_resid;

    part.within = (size_t)(uio->uio_offset % XMEM_BUF_SIZE);
    part.block = (long)(uio->uio_offset - (offset_t)part.within) / DEV_BSIZE;
    part.length = XMEM_BUF_SIZE - part.within;
    if (part.length > left)
        part.length = left;
    return part;
}

/* Cuts the part to the bytes that the device has of the block.  False: it has none. */
static bool cut(struct part *part, const struct buf *bp)
{
    size_t there = XMEM_BUF_SIZE - (bp->b_resid < XMEM_BUF_SIZE ? bp->b_resid : XMEM_BUF_SIZE);

    if (part->within >= there)
        return false;
    if (part->length > there - part->within)
        part->length = there - part->within;
    return true;
}

/* Each moves one part.  *end: the device ends there. */
static int read_part(dev_t devno, struct uio *uio, bool *end)
{
    struct part part = next_part(uio);
    struct buf *bp = cache_read(devno, part.block);
    int error = geterror(bp);

    *end = error != 0 || bp->b_resid != 0;
    if (error == 0 && cut(&part, bp))
        error = uiomove(bp->b_un.b_addr + part.within, (int)part.length, UIO_READ, uio);
    brelse(bp);
    return error;
}

/* The buffer to write into.  NULL: *error says why there is none. */
static struct buf *begin_write(dev_t devno, struct part *part, int *error)
{
    struct buf *bp;

    if (part->length == XMEM_BUF_SIZE)
        return cache_get(devno, part->block);
    bp = cache_read(devno, part->block);
    *error = geterror(bp);
    if (*error == 0 && cut(part, bp)) {
        bp->b_bcount = XMEM_BUF_SIZE - bp->b_resid;
        return bp;
    }
    if (*error == 0)
        *error = ENXIO;
    brelse(bp);
    return NULL;
}

static int write_part(dev_t devno, struct uio *uio, bool *end)
{
    struct part part = next_part(uio);
    ssize_t resid = uio->uio_resid;
    offset_t offset = uio->uio_offset;
    size_t written = 0;
    int error = 0;
    struct buf *bp = begin_write(devno, &part, &error);

    *end = bp == NULL;
    if (bp == NULL)
        return error;
    error = uiomove(bp->b_un.b_addr + part.within, (int)part.length, UIO_WRITE, uio);
    if (error != 0) {
        bp->b_flags |= B_STALE; /* it is half overwritten */
        brelse(bp);
    } else {
        error = cache_write(bp, &written);
    }
    written = written < part.within ? 0 : written - part.within;
    if (written > part.length)
        written = part.length;
    *end = error != 0 || written < part.length;
    uio->uio_resid = resid - (ssize_t)written;
    uio->uio_offset = offset + (offset_t)written;
    return error == 0 && written == 0 ? ENXIO : error;
}

int block_transfer(dev_t devno, struct uio *uiop, enum uio_rw rw)
{
    ssize_t whole = uiop->uio_resid;
    offset_t behind;
    bool end = false;
    int error = 0;

    if (uiop->uio_offset < 0 || __builtin_add_overflow(uiop->uio_offset, (offset_t)whole, &behind))
        return EINVAL;
    while (error == 0 && !end && uiop->uio_resid > 0)
        error = rw == UIO_READ ? read_part(devno, uiop, &end) : write_part(devno, uiop, &end);
    return error == ENXIO && uiop->uio_resid < whole ? 0 : error;
}
