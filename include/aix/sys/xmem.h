/* SPDX-License-Identifier: MIT */
/*
 * <sys/xmem.h>: cross-memory descriptors and the services that move bytes through them.
 *
 * A descriptor gives any thread, and interrupt handlers, access to a buffer of a process that they
 * do not run under.  Life of one: aspace_id = XMEM_INVAL, xmattach() under the process, moves from
 * anywhere, xmdetach() from anywhere.  It is a plain value; a copy *is* the descriptor until it is
 * detached, and afterwards every copy fails.  Addresses are the owner's, not offsets, and the
 * bounds are the very bytes that were attached.
 *
 * All failures look alike here, as on AIX: XMEM_FAIL.  xmem_last_failure() says more.
 */
#ifndef XMEM_AIX_SYS_XMEM_H
#define XMEM_AIX_SYS_XMEM_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* aspace_id: what a descriptor describes. */
#define XMEM_INVAL (-1) /* nothing: free to be attached */
#define XMEM_PROC 1     /* memory of a process */
#define XMEM_GLOBAL 2   /* memory of the kernel */
#define XMEM_REMIO 3    /* bus I/O memory; never made here */
#define XMEM_XLATE 4    /* with translations prepared; never made here */

#define XMEM_SUCC 0
#define XMEM_FAIL (-1)

/* segflag: whose memory is attached.  UIO_USERSPACE and UIO_SYSSPACE are the same values. */
#define USER_ADSPACE 0 /* the current process */
#define SYS_ADSPACE 1  /* the kernel program's own memory */
/* Instructions of the current process: as USER_ADSPACE.  That they are not written is up to the
 * user's authority over their pages. */
#define USERI_ADSPACE 2
#define SYS_ADSPACE_ASSIGN_KEYSET 3 /* as SYS_ADSPACE: there are no keysets of threads */

struct xmem {
    int aspace_id; /* callers set XMEM_INVAL before an attach, and read it */
    uint xm_index; /* ours, as are the last two */
    /* Names the segment of the first byte: equal for descriptors of the same segment, and a handle
     * for vm_att(). */
    vmhandle_t subspace_id;
    uint64_t xm_generation;
    uint64_t xm_check;
};

/*
 * Attaches count bytes at addr of the address space that segflag selects, and fills *dp.  The
 * segments that hold them stay in existence until the detach.  Members of *dp other than aspace_id
 * may hold anything before.  A range may cross segments.  An attach checks that the memory is
 * there (in opened processes: the moves do), not what its user may do with it.
 * Returns XMEM_SUCC; XMEM_FAIL: count <= 0; dp is NULL or in use (aspace_id is not XMEM_INVAL);
 * unknown segflag; no current process; an address that is not valid; no memory.  *dp is then as it
 * was.
 * Context: process; allocates.  At interrupt level: XMEM_FAIL, counted as a usage error.
 * Ownership: whoever holds *dp, or a copy, detaches it.
 * Follows "xmattach Kernel Service", "xmattach64 Kernel Service".
 */
int xmattach XMEM_AIX_PARAMETERS((void *addr, int count, struct xmem *dp, int segflag));
int xmattach64 XMEM_AIX_PARAMETERS((unsigned long long addr64, int count, struct xmem *dp,
                                    int segflag));

/*
 * Ends the descriptor; on return no move through it or a copy is running (except at interrupt
 * level, where a move that runs already ends by itself).  dp->aspace_id becomes XMEM_INVAL.
 * Returns XMEM_SUCC; XMEM_FAIL: not a valid descriptor.
 * Context: process, where it may block on a move; interrupt.
 * Follows "xmdetach Kernel Service".
 */
int xmdetach XMEM_AIX_PARAMETERS((struct xmem *dp));

/*
 * Copies count bytes from uaddr in the address space of dp to kernel memory at kaddr.
 * Returns XMEM_SUCC (also for a count of 0 and a valid descriptor); XMEM_FAIL: the descriptor is
 * not valid; the range is not valid (or beyond what was attached, or count < 0); the user may not
 * read it; its segment was deleted or its process is gone; an I/O error; at interrupt level: a
 * page is not in memory, or the memory is that of an opened process.  What was copied before stays
 * copied.
 * Context: process, where it may block on a page; interrupt.  Allocates nothing.
 * Follows "xmemin Kernel Service".
 */
int xmemin XMEM_AIX_PARAMETERS((void *uaddr, void *kaddr, int count, struct xmem *dp));

/*
 * Copies count bytes from kernel memory at kaddr to uaddr in the address space of dp.  Mind the
 * order.  Returns as xmemin(), with write authority in place of read.
 * Context: as xmemin().
 * Follows "xmemout Kernel Service".
 */
int xmemout XMEM_AIX_PARAMETERS((void *kaddr, void *uaddr, int count, struct xmem *dp));

/*
 * Stores zeros in count bytes at uaddr in the address space of dp.
 * Returns as xmemout(); XMEM_FAIL also when aspace_id is neither XMEM_PROC nor XMEM_GLOBAL.
 * Context: as xmemin().
 * Follows "xmemzero Kernel Service" (which names <sys/vmuser.h>; either header will do).
 */
int xmemzero XMEM_AIX_PARAMETERS((struct xmem *dp, void *uaddr, long count));

/*
 * Returns the size in bytes of the smallest page in the count bytes at uaddr; XMEM_FAIL: the
 * descriptor or the range is not valid, or count is 0.
 * Context: process, interrupt; never blocks, pages or allocates.
 * Follows "xmempsize Kernel Service".
 */
long long xmempsize XMEM_AIX_PARAMETERS((struct xmem *dp, void *uaddr, size_t count));

#ifdef __cplusplus
}
#endif

#endif
