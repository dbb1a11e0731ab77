/* SPDX-License-Identifier: MIT */
/*
 * uphysio and uphysio_fast: raw transfers between a user's buffer and a block driver.
 *
 * A transfer is a ring of requests: they are given to the driver in the order of the buffer, as
 * many at a time as the ring has places, and taken back in that order, however they are finished.
 * The uio advances as they are taken back, so that it always tells what was transferred without a
 * gap; a cursor of its own says where the next request begins.  The first request that fails or
 * falls short ends the transfer; those behind it are waited for, and what they moved does not
 * count.
 */
#include "aix/block_io.h"
#include "aix/device_switch.h"
#include "aix/errors.h"
#include "aix/service.h"
#include "aix/uio_advance.h"

#include <sys/errno.h>
#include <sys/malloc.h>

#define REQUESTS_MOST 64u
#define REQUESTS_INSIDE 4u           /* for these no memory is allocated */
#define BYTES_MOST ((size_t)1 << 30) /* of one request: xmattach() counts in int */

struct request {
    struct buf buf;
    size_t length; /* what it was given as */
    bool attached;
    bool pinned;
};

/* How requests are made smaller, and what else the driver is told. */
struct manner {
    int (*mincnt)(struct buf *bp, void *parameters); /* or NULL */
    void *parameters;
    size_t most; /* bytes of a request */
    uint32_t options;
};

/* What has not been given yet.  Pieces are looked at once, before the uio can advance over them. */
struct cursor {
    const struct iovec *piece; /* the next one */
    const struct iovec *end;
    struct xmem *descriptor; /* UIO_XMEM: of the next piece */
    struct xmem *described;  /* and of this one */
    char *address;           /* what is left of this one */
    size_t length;
    size_t left; /* bytes of all */
    offset_t offset;
};

struct transfer {
    struct uio *uio;
    strategy_routine *strategy;
    const struct manner *manner;
    dev_t devno;
    uint direction;
    struct request *requests;
    uint places;
    uint first; /* the oldest request that was given and not taken back */
    uint given; /* how many there are */
    struct cursor cursor;
};

/* ---- one request ---- */

static int pin_memory(struct request *request)
{
    int error = xmem_pin(native(&request->buf.b_xmemd), address_of(request->buf.b_un.b_addr),
                         request->length);

    request->pinned = error == 0;
    return error == ENOTSUP ? 0 : error_number(error); /* what cannot be pinned need not be */
}

static int attach_memory(const struct transfer *transfer, struct request *request)
{
    struct buf *bp = &request->buf;
    int segflg = transfer->uio->uio_segflg;

    if (segflg == UIO_XMEM) {
        if (transfer->cursor.described == NULL)
            return EFAULT;
        bp->b_xmemd = *transfer->cursor.described;
        return 0;
    }
    if (xmattach(bp->b_un.b_addr, (int)request->length, &bp->b_xmemd, segflg) != XMEM_SUCC)
        return xmem_last_failure()->error == ENOMEM ? ENOMEM : EFAULT;
    request->attached = true;
    return pin_memory(request);
}

static void detach_memory(struct request *request)
{
    struct xmem_descriptor *descriptor = native(&request->buf.b_xmemd);

    if (request->pinned)
        (void)xmem_unpin(descriptor, address_of(request->buf.b_un.b_addr), request->length);
    if (request->attached)
        (void)xmem_detach(descriptor);
}

static int make_smaller(const struct manner *manner, struct buf *bp)
{
    size_t before = bp->b_bcount;
    int error;

    if (manner->mincnt == NULL)
        return 0;
    error = manner->mincnt(bp, manner->parameters);
    if (error != 0)
        return error;
    return bp->b_bcount == 0 || bp->b_bcount > before ? EINVAL : 0;
}

static int prepare(const struct transfer *transfer, struct request *request)
{
    const struct cursor *cursor = &transfer->cursor;
    struct buf *bp = &request->buf;
    int error;

    *request = (struct request){.length = 0};
    bp->b_flags = B_BUSY | transfer->direction;
    bp->b_iodone = buf_nobody_told;
    bp->b_dev = transfer->devno;
    bp->b_blkno = (long)(cursor->offset / DEV_BSIZE);
    bp->b_un.b_addr = cursor->address;
    bp->b_bcount =
        lesser(lesser(cursor->length, cursor->left), lesser(transfer->manner->most, BYTES_MOST));
    bp->b_options = transfer->manner->options;
    bp->b_xmemd.aspace_id = XMEM_INVAL;
    error = make_smaller(transfer->manner, bp);
    if (error != 0)
        return error;
    request->length = bp->b_bcount;
    error = attach_memory(transfer, request);
    if (error != 0)
        detach_memory(request);
    return error;
}

/* ---- the ring ---- */

/* False: there are no more pieces. */
static bool find_piece(const struct transfer *transfer, struct cursor *cursor)
{
    while (cursor->length == 0) {
        if (cursor->piece == cursor->end)
            return false;
        cursor->address = cursor->piece->iov_base;
        cursor->length = cursor->piece->iov_len;
        cursor->piece++;
        cursor->described = cursor->descriptor;
        if (cursor->descriptor != NULL && transfer->uio->uio_segflg == UIO_XMEM)
            cursor->descriptor++;
    }
    return true;
}

static int give_one(struct transfer *transfer)
{
    struct cursor *cursor = &transfer->cursor;
    uint place = (transfer->first + transfer->given) % transfer->places;
    struct request *request = &transfer->requests[place];
    int error;

    if (!find_piece(transfer, cursor))
        return ENOMEM;
    if (cursor->offset % DEV_BSIZE != 0)
        return EINVAL;
    error = prepare(transfer, request);
    if (error != 0)
        return error;
    transfer->given++;
    cursor->address += request->length;
    cursor->length -= request->length;
    cursor->left -= request->length;
    cursor->offset += (offset_t)request->length;
    transfer->strategy(&request->buf);
    return 0;
}

/* Waits for the oldest request.  *complete: all of it was transferred. */
static int take_one(struct transfer *transfer, bool *complete, size_t *done)
{
    struct request *request = &transfer->requests[transfer->first];
    int error = iowait(&request->buf);

    *done = request->length - lesser(request->buf.b_resid, request->length);
    if (error != 0 && request->buf.b_resid == 0)
        *done = 0; /* the driver does not say how far it came */
    *complete = error == 0 && *done == request->length;
    detach_memory(request);
    transfer->first = (transfer->first + 1) % transfer->places;
    transfer->given--;
    return error;
}

static int run(struct transfer *transfer)
{
    int refused = 0; /* why no more is given */
    int error = 0;
    bool complete = true;
    size_t done;

    while (complete) {
        while (refused == 0 && transfer->given < transfer->places && transfer->cursor.left > 0)
            refused = give_one(transfer);
        if (transfer->given == 0)
            return refused;
        error = take_one(transfer, &complete, &done);
        uio_advance(transfer->uio, done);
    }
    while (transfer->given > 0)
        (void)take_one(transfer, &complete, &done);
    return error;
}

static int begin(struct transfer *transfer, uint places)
{
    struct request inside[REQUESTS_INSIDE];
    struct request *allocated = NULL;
    int error;

    if (places > REQUESTS_INSIDE) {
        places = (uint)lesser(places, REQUESTS_MOST);
        allocated = (void *)xmem_aix_xmalloc((int)(places * sizeof *allocated), 0, pinned_heap);
    }
    transfer->requests = allocated == NULL ? inside : allocated;
    transfer->places = allocated == NULL ? (uint)lesser(places, REQUESTS_INSIDE) : places;
    if (transfer->places == 0)
        transfer->places = 1;
    error = run(transfer);
    if (allocated != NULL)
        (void)xmem_aix_xmfree(allocated, pinned_heap);
    return error;
}

/* ---- the services ---- */

static int physical(struct uio *uio, int rw, uint places, dev_t devno, void *strategy,
                    const struct manner *manner)
{
    struct transfer transfer = {.uio = uio,
                                .strategy = (strategy_routine *)strategy,
                                .manner = manner,
                                .devno = devno,
                                .direction = (uint)rw};
    offset_t end;

    if (refused_at_interrupt_level())
        return EFAULT;
    if (strategy == NULL || (rw != (int)B_READ && rw != (int)B_WRITE) || uio->uio_offset < 0 ||
        uio->uio_offset % DEV_BSIZE != 0)
        return EINVAL;
    if (uio->uio_resid == 0)
        return 0;
    if (uio->uio_resid < 0 || uio->uio_iovcnt <= 0)
        return ENOMEM;
    if (__builtin_add_overflow(uio->uio_offset, (offset_t)uio->uio_resid, &end))
        return EINVAL;
    transfer.cursor = (struct cursor){.piece = uio->uio_iov,
                                      .end = uio->uio_iov + uio->uio_iovcnt,
                                      .descriptor = uio->uio_xmem,
                                      .left = (size_t)uio->uio_resid,
                                      .offset = uio->uio_offset};
    return begin(&transfer, places);
}

EXPORT int uphysio(struct uio *uiop, int rw, uint buf_cnt, dev_t devno, void *strat,
                   int (*mincnt)(struct buf *, void *), void *minparms)
{
    struct manner manner = {.mincnt = mincnt, .parameters = minparms, .most = BYTES_MOST};

    return physical(uiop, rw, buf_cnt, devno, strat, &manner);
}

static bool are_multiples(const struct uio *uio, uint32_t alignment)
{
    for (int index = 0; index < uio->uio_iovcnt; index++)
        if (uio->uio_iov[index].iov_len % alignment != 0)
            return false;
    return true;
}

EXPORT int uphysio_fast(struct uio *uiop, int rw, uint buf_cnt, dev_t devno, void *strat,
                        uint64_t max_xfer, uint32_t options, uint32_t blk_align)
{
    struct manner manner = {.most = max_xfer == 0 ? BYTES_MOST : lesser(max_xfer, BYTES_MOST),
                            .options = options};

    if (blk_align != 0 && !are_multiples(uiop, blk_align))
        return EINVAL;
    return physical(uiop, rw, buf_cnt, devno, strat, &manner);
}
