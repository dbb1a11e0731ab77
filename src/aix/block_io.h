/* SPDX-License-Identifier: MIT */
/*
 * Requests for block I/O, as the other parts of the environment use them.
 */
#ifndef XMEM_AIX_BLOCK_IO_H
#define XMEM_AIX_BLOCK_IO_H

#include "host/platform.h"

#include <sys/buf.h>

/* Marks a request as failed.  Whoever has it at the moment. */
static inline void buf_fail(struct buf *bp, int error)
{
    bp->b_error = error;
    bp->b_flags |= B_ERROR;
}

/* A b_iodone for requests whose maker waits by iowait(). */
void buf_nobody_told(struct buf *bp);

/* The cache (block_cache.c).  Process environment. */

/* The buffer of the block, busy: as getblk() and bread(), for block numbers of any size. */
struct buf *cache_get(dev_t devno, long block);
struct buf *cache_read(dev_t devno, long block);
/* Writes and releases; *written becomes the bytes that reached the device. */
int cache_write(struct buf *bp, size_t *written);
/* Nobody has the device open any more: what the cache holds of it is forgotten. */
void cache_forget(dev_t devno);
/* Nor has any device of this major number a driver. */
void cache_forget_driver(int major_number);

/* Reads or writes through the cache what the uio says: a block device's read and write. */
int block_transfer(dev_t devno, struct uio *uiop, enum uio_rw rw);

#endif
