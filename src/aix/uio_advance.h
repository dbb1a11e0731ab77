/* SPDX-License-Identifier: MIT */
/*
 * How a uio advances over what was transferred: the same for every service that transfers.
 */
#ifndef XMEM_AIX_UIO_ADVANCE_H
#define XMEM_AIX_UIO_ADVANCE_H

#include "host/platform.h"

#include <sys/uio.h>

static inline size_t lesser(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Accounts for `bytes` moved at the front, and passes pieces that are used up or empty. */
static inline void uio_advance(struct uio *uio, size_t bytes)
{
    uio->uio_resid -= (ssize_t)bytes;
    uio->uio_offset += (offset_t)bytes;
    while (uio->uio_iovcnt > 0) {
        struct iovec *piece = uio->uio_iov;
        size_t part = lesser(bytes, piece->iov_len);

        piece->iov_base = (char *)piece->iov_base + part;
        piece->iov_len -= part;
        bytes -= part;
        if (piece->iov_len > 0)
            return;
        uio->uio_iov++;
        if (uio->uio_segflg == UIO_XMEM && uio->uio_xmem != NULL)
            uio->uio_xmem++;
        uio->uio_iovcnt--;
        uio->uio_iovdcnt++;
    }
}

#endif
