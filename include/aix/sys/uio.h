/* SPDX-License-Identifier: MIT */
/*
 * <sys/uio.h>: the system's own header (struct iovec, readv and their like), struct uio, and the
 * services for user strings and uio buffers.
 *
 * The rules at the top of <sys/user_access.h> hold for all services here.
 */
#ifndef XMEM_AIX_SYS_UIO_H
#define XMEM_AIX_SYS_UIO_H

#pragma GCC system_header
#include <sys/types.h>
#include_next <sys/uio.h>
#include <sys/user_access.h>

#ifdef __cplusplus
extern "C" {
#endif

/* uio_segflg: where the buffer is.  The first two are also USER_ADSPACE and SYS_ADSPACE. */
#define UIO_USERSPACE 0 /* in the current process */
#define UIO_SYSSPACE 1  /* in the kernel's own memory */
#define UIO_XMEM 4      /* where the cross-memory descriptors of uio_xmem say */

/* The direction, as the user sees it. */
enum uio_rw {
    UIO_READ, /* from the kernel to the buffer */
    UIO_WRITE /* from the buffer to the kernel */
};

struct xmem;

/* A buffer in pieces, and how far its transfer has come.  The services below change all members
 * but the last two, and the iovecs; the array and the descriptors stay the caller's. */
struct uio {
    struct iovec *uio_iov; /* the first piece not yet used up */
    struct xmem *uio_xmem; /* UIO_XMEM: its descriptor; one for each iovec */
    int uio_iovcnt;        /* pieces not yet used up, this one included */
    int uio_iovdcnt;       /* pieces used up; the sum of both never changes */
    offset_t uio_offset;   /* byte offset on the device */
    ssize_t uio_resid;     /* bytes left to transfer */
    int uio_segflg;
    ulong uio_fmode; /* how the device was opened */
};

/*
 * Moves min(n, uio_resid) bytes between kernel memory at cp and the buffer, in the direction of rw.
 * uio_iov, uio_xmem, uio_iovcnt, uio_iovdcnt, uio_offset, uio_resid, iov_base and iov_len advance
 * by the bytes that were moved, on failure too.  A piece that is used up, or empty, is passed at
 * once, so that uio_iovcnt is 0 after the last one.
 * Returns 0; ENOMEM: uio_resid is negative, or the pieces end before it does (or the memory for
 * paging); EFAULT: also n < 0, an unknown uio_segflg or rw, a descriptor that is missing or not
 * valid; EIO; ENOSPC.  n == 0 or uio_resid == 0: 0, nothing changes.
 * Follows "uiomove Kernel Service".
 */
int uiomove XMEM_AIX_PARAMETERS((void *cp, int n, enum uio_rw rw, struct uio *uiop));

/*
 * Stores the low 8 bits of c as the next byte of the buffer, which advances as for uiomove().
 * Returns 0; ENOMEM: no room in the buffer; EFAULT: the buffer cannot be reached, for whatever
 * reason (an I/O error included).
 * Follows "ureadc Kernel Service".
 */
int ureadc XMEM_AIX_PARAMETERS((int c, struct uio *uiop));

/*
 * Fetches the next byte of the buffer, which advances as for uiomove().
 * Returns the byte, 0 to 255; -1: the buffer is empty or cannot be reached.
 * Follows "uwritec Kernel Service".
 */
int uwritec XMEM_AIX_PARAMETERS((struct uio *uiop));

/*
 * Copies the string at from, its zero included, to kernel memory at to: max bytes at most.  The
 * bytes behind the zero are not touched.  For a thread without a current process (a kernel process)
 * from is an address in the kernel's own memory.
 * *actual (actual may be NULL) becomes the number of bytes stored, the zero included, on failure
 * too.
 * Returns 0; E2BIG: no zero among the first max bytes, which were stored; EFAULT; EIO; ENOMEM;
 * ENOSPC.
 * AIX has two declarations of it, which count in uint and in size_t.  Both kinds of callers are
 * served: a macro looks at the type of the last argument and calls the *_size form for a size_t *.
 * (copyinstr)(...) reaches the function; callers who declare it themselves define _NO_PROTO.
 * Follows "copyinstr Kernel Service", "copyinstr64 Kernel Service".
 */
int copyinstr XMEM_AIX_PARAMETERS((void *from, void *to, uint max, uint *actual));
int copyinstr64 XMEM_AIX_PARAMETERS((unsigned long long from64, void *to, uint max, uint *actual));
int xmem_aix_copyinstr_size(void *from, void *to, size_t max, size_t *actual);
int xmem_aix_copyinstr64_size(unsigned long long from64, void *to, size_t max, size_t *actual);

#if !defined _NO_PROTO && !defined __cplusplus
/* The conditional gives a plain 0 a pointer type and leaves other pointers their own. */
#if defined __STDC_VERSION__ && __STDC_VERSION__ >= 201112L
#define XMEM_AIX_BY_COUNTER(actual, small, size)                                                   \
    _Generic((1 ? (actual) : (void *)0), size_t *: size, default: small)
#define copyinstr(from, to, max, actual)                                                           \
    XMEM_AIX_BY_COUNTER(actual, copyinstr, xmem_aix_copyinstr_size)((from), (to), (max), (actual))
#define copyinstr64(from64, to, max, actual)                                                       \
    XMEM_AIX_BY_COUNTER(actual, copyinstr64, xmem_aix_copyinstr64_size)                            \
    ((from64), (to), (max), (actual))
#else
#define XMEM_AIX_COUNTS_IN_SIZE(actual) (sizeof(*(1 ? (actual) : (void *)0)) == sizeof(size_t))
#define copyinstr(from, to, max, actual)                                                           \
    (XMEM_AIX_COUNTS_IN_SIZE(actual)                                                               \
         ? xmem_aix_copyinstr_size((from), (to), (size_t)(max), (void *)(actual))                  \
         : (copyinstr)((from), (to), (uint)(max), (void *)(actual)))
#define copyinstr64(from64, to, max, actual)                                                       \
    (XMEM_AIX_COUNTS_IN_SIZE(actual)                                                               \
         ? xmem_aix_copyinstr64_size((from64), (to), (size_t)(max), (void *)(actual))              \
         : (copyinstr64)((from64), (to), (uint)(max), (void *)(actual)))
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif
