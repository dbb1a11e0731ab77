/* SPDX-License-Identifier: MIT */
/*
 * uiomove, ureadc and uwritec.
 *
 * One routine moves a run of bytes between the kernel and the front of the buffer; what it moved is
 * accounted in the uio and its iovecs whether it succeeded or not, so that uio_resid always tells
 * how far the transfer came.
 */
#include "aix/errors.h"
#include "aix/service.h"
#include "aix/uio_advance.h"

#include <sys/uio.h>

_Static_assert(UIO_USERSPACE == USER_ADSPACE, "UIO_USERSPACE");
_Static_assert(UIO_SYSSPACE == SYS_ADSPACE, "UIO_SYSSPACE");

/* Pieces of user memory that are moved with one native call. */
#define PIECES_AT_ONCE 64

/* Several pieces of user memory: as many as one native call takes. */
static int move_user_pieces(struct uio *uio, void *kernel, size_t n, enum uio_rw rw, size_t *done)
{
    struct xmem_range ranges[PIECES_AT_ONCE];
    struct iovec vector = {.iov_base = kernel, .iov_len = 0};
    size_t count = 0;

    while (count < PIECES_AT_ONCE && count < (size_t)uio->uio_iovcnt && vector.iov_len < n) {
        const struct iovec *piece = &uio->uio_iov[count];
        size_t part = lesser(n - vector.iov_len, piece->iov_len);

        ranges[count].address = address_of(piece->iov_base);
        ranges[count].length = part;
        vector.iov_len += part;
        count++;
    }
    if (rw == UIO_READ)
        return xmem_copy_outv(NULL, &vector, 1, ranges, count, done);
    return xmem_copy_inv(NULL, ranges, count, &vector, 1, done);
}

static int move_user(struct uio *uio, void *kernel, size_t n, enum uio_rw rw, size_t *done)
{
    const struct iovec *piece = uio->uio_iov;

    if (n > piece->iov_len && uio->uio_iovcnt > 1)
        return move_user_pieces(uio, kernel, n, rw, done);
    n = lesser(n, piece->iov_len);
    if (rw == UIO_READ)
        return xmem_copy_out(NULL, kernel, address_of(piece->iov_base), n, done);
    return xmem_copy_in(NULL, address_of(piece->iov_base), kernel, n, done);
}

static int move_described(struct uio *uio, void *kernel, size_t n, enum uio_rw rw, size_t *done)
{
    const struct iovec *piece = uio->uio_iov;

    if (uio->uio_xmem == NULL)
        return EFAULT;
    n = lesser(n, piece->iov_len);
    if (rw == UIO_READ)
        return xmem_move_out(native(uio->uio_xmem), kernel, address_of(piece->iov_base), n, done);
    return xmem_move_in(native(uio->uio_xmem), address_of(piece->iov_base), kernel, n, done);
}

static int move_system(struct uio *uio, void *kernel, size_t n, enum uio_rw rw, size_t *done)
{
    const struct iovec *piece = uio->uio_iov;

    n = lesser(n, piece->iov_len);
    if (rw == UIO_READ)
        __builtin_memmove(piece->iov_base, kernel, n);
    else
        __builtin_memmove(kernel, piece->iov_base, n);
    *done = n;
    return 0;
}

/* Moves a run of one to n bytes at the front, which is a piece with bytes in it. */
static int move_run(struct uio *uio, void *kernel, size_t n, enum uio_rw rw, size_t *done)
{
    *done = 0;
    switch (uio->uio_segflg) {
    case UIO_USERSPACE:
    case USERI_ADSPACE:
        return move_user(uio, kernel, n, rw, done);
    case UIO_SYSSPACE:
    case SYS_ADSPACE_ASSIGN_KEYSET:
        return move_system(uio, kernel, n, rw, done);
    case UIO_XMEM:
        return move_described(uio, kernel, n, rw, done);
    default:
        return EFAULT;
    }
}

static bool has_room(struct uio *uio)
{
    uio_advance(uio, 0);
    return uio->uio_resid > 0 && uio->uio_iovcnt > 0;
}

static int move(struct uio *uio, char *kernel, size_t n, enum uio_rw rw)
{
    n = lesser(n, (size_t)uio->uio_resid);
    while (n > 0) {
        size_t done;
        int error;

        if (uio->uio_iovcnt <= 0)
            return ENOMEM;
        error = move_run(uio, kernel, n, rw, &done);
        uio_advance(uio, done);
        if (error != 0)
            return documented_error(error);
        kernel += done;
        n -= done;
    }
    return 0;
}

EXPORT int uiomove(void *cp, int n, enum uio_rw rw, struct uio *uiop)
{
    if (refused_at_interrupt_level() || n < 0 || (rw != UIO_READ && rw != UIO_WRITE))
        return EFAULT;
    if (n == 0 || uiop->uio_resid == 0)
        return 0;
    if (!has_room(uiop))
        return ENOMEM;
    return move(uiop, cp, (size_t)n, rw);
}

EXPORT int ureadc(int c, struct uio *uiop)
{
    char byte = (char)c;

    if (refused_at_interrupt_level())
        return EFAULT;
    if (!has_room(uiop))
        return ENOMEM;
    return move(uiop, &byte, 1, UIO_READ) == 0 ? 0 : EFAULT;
}

EXPORT int uwritec(struct uio *uiop)
{
    uchar byte;

    if (refused_at_interrupt_level() || !has_room(uiop))
        return -1;
    return move(uiop, (char *)&byte, 1, UIO_WRITE) == 0 ? byte : -1;
}
