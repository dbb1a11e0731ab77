/* SPDX-License-Identifier: MIT */
/*
 * <sys/buf.h>: requests for block I/O, and the services that make, hand on, finish and wait for
 * them.
 *
 * Life of a request: its maker fills in a buf, b_iodone and b_event = EVENT_NULL included, and
 * calls devstrat(); the driver's strategy routine queues it and returns; when it is done the driver
 * sets b_resid (and b_error and B_ERROR after a failure) and calls iodone(), which sets B_DONE and
 * calls b_iodone; from there on the buf is its maker's again.
 */
#ifndef XMEM_AIX_SYS_BUF_H
#define XMEM_AIX_SYS_BUF_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xmem.h>
#include <sys/device.h>
#include <sys/sleep.h>
#include <sys/timer.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __daddr_t_defined
typedef int daddr_t; /* the number of a block */
#define __daddr_t_defined
#endif

#define DEV_BSIZE 512      /* bytes that b_blkno counts in */
#define XMEM_BUF_SIZE 4096 /* bytes of a buffer of geteblk(), getblk() and bread() */

/* b_flags */
#define B_WRITE 0x0u        /* to the device: the absence of B_READ */
#define B_READ 0x1u         /* from the device */
#define B_DONE 0x2u         /* complete */
#define B_ERROR 0x4u        /* it failed; b_error says how */
#define B_BUSY 0x8u         /* somebody uses the buffer */
#define B_INFLGHT 0x10u     /* the driver has it */
#define B_AGE 0x20u         /* to be used again first */
#define B_ASYNC 0x40u       /* released on completion; nobody waits */
#define B_DELWRI 0x80u      /* still to be written */
#define B_STALE 0x100u      /* differs from the device, after an error */
#define B_NOHIDE 0x200u     /* the page need not be hidden during the transfer */
#define B_SETMOD 0x400u     /* the page counts as modified */
#define B_XREADONLY 0x800u  /* a page that is only read, of a pager's list */
#define B_MORE_DONE 0x1000u /* more completions follow */
#define B_SPLIT 0x2000u     /* the transfer may begin anywhere in the buffer */
#define B_MPSAFE 0x4000u    /* b_iodone may run on any processor; always so */
#define B_MPSAFE_INITIAL 0x8000u
#define B_PFSTORE 0x10000u /* requests of pagers: a store into a page that is not there */
#define B_PFPROT 0x20000u  /* a store into a page that is protected, which needs no data */

struct vnode;

struct buf {
    uint b_flags;
    struct buf *b_forw; /* of the cache */
    struct buf *b_back;
    struct buf *av_forw; /* the driver's queue; the next of a list given to a strategy routine */
    struct buf *av_back;
    void(*b_iodone) XMEM_AIX_CALLED_WITH((struct buf *)); /* called when it is done */
    struct vnode *b_vp;                                   /* the object, for requests of pagers */
    dev_t b_dev;
    long b_blkno; /* where it begins on the device, in blocks of DEV_BSIZE bytes */
    union {
        caddr_t b_addr;
    } b_un;          /* the data: an address in the space that b_xmemd describes */
    size_t b_bcount; /* bytes to transfer */
    size_t b_resid;  /* bytes that were not transferred */
    int b_error;
    ulong b_work;    /* the driver's own */
    ulong b_options; /* options for the driver */
    tid_t b_event;   /* who waits for it; EVENT_NULL at first */
    struct timestruc_t b_start;
    struct xmem b_xmemd; /* the data, for xmemin() and xmemout() */
};

#define b_baddr b_un.b_addr

/*
 * Hands a request, or a list of requests for one device linked by av_forw, to the strategy routine
 * of b_dev, and does not wait.
 * Returns 0; ENODEV: the table has no strategy routine for b_dev.  The request is then as it was.
 * Context: process; interrupt, at INTIODONE or less favored.  As the strategy routine does, it
 * never blocks or allocates.
 * Follows "devstrat Kernel Service".
 */
int devstrat XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * The request is done: sets B_DONE and calls (*bp->b_iodone)(bp) at interrupt level, priority
 * INTIODONE: at once and on this thread, or, where this thread's interrupts of that priority are
 * held off or being handled, as soon as another thread of the library can.  Without a b_iodone, who
 * waits in iowait() is woken.  Once for each request; the caller does not touch the buf afterwards.
 * Context: process, interrupt; never blocks or allocates.
 * Follows "iodone Kernel Service".
 */
void iodone XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * Waits until the request is done; its b_iodone must wake b_event.  Signals do not end the wait.
 * Returns as geterror() does.
 * Context: process; blocks.  At interrupt level: EIO, counted as a usage error.
 * Follows "iowait Kernel Service".
 */
int iowait XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * Returns 0: no B_ERROR; else b_error, or EIO if that is 0.
 * Context: process, interrupt.  Follows "geterror Kernel Service".
 */
int geterror XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * Waits for a free buffer of 4096 bytes and makes it the caller's, busy and of no device.  It goes
 * back by brelse().  b_un.b_addr points to its bytes, which b_xmemd describes too; av_forw,
 * av_back, b_blkno and b_resid are free for use.
 * Context: process; blocks.  Follows "geteblk Kernel Service".
 */
struct buf *geteblk XMEM_AIX_PARAMETERS((void));

/*
 * The buffer of the 4096 bytes from block blkno on (of DEV_BSIZE bytes) of device dev, busy, so
 * that nobody else has it; waits while somebody has.  B_DONE tells that it holds what the device
 * does.  Buffers whose blocks overlap are different ones; the end of a bwrite() of one forgets what
 * the others hold.
 * Context: process; blocks.  Follows "getblk Kernel Service".
 */
struct buf *getblk XMEM_AIX_PARAMETERS((dev_t dev, daddr_t blkno));

/*
 * The same, read from the device if it is not there already.  After a failure B_ERROR is set, and
 * geterror() tells it; b_resid bytes at the end were not read.  breada() starts reading rablkno as
 * well, and does not wait for it.
 * Context: process; blocks.  Follows "bread Kernel Service", "breada Kernel Service".
 */
struct buf *bread XMEM_AIX_PARAMETERS((dev_t dev, daddr_t blkno));
struct buf *breada XMEM_AIX_PARAMETERS((dev_t dev, daddr_t blkno, daddr_t rablkno));

/*
 * Releases a buffer of the above, which keeps its contents unless they are in error (B_ERROR,
 * B_STALE) or it has no device.
 * Context: process.  Follows "brelse Kernel Service".
 */
void brelse XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * Writes a buffer of getblk() or bread() to its device, waits, and releases it.
 * Returns as geterror() does.
 * Context: process; blocks.  At interrupt level: EIO, counted as a usage error.
 * Follows "bwrite Kernel Service".
 */
int bwrite XMEM_AIX_PARAMETERS((struct buf * bp));

/*
 * Transfers between the buffer that uiop describes and a device, without a copy in between: cuts
 * the buffer into requests, attaches its memory to them (b_xmemd) and pins it where it can be, and
 * gives them to strat, up to buf_cnt at a time.  Returns when all are done.
 * rw: B_READ (from the device) or B_WRITE.  buf_cnt: 1 to 64; others count as the nearest.
 * strat: the strategy routine of devno (no type, as d_strategy).  uiop->uio_offset must be a
 * multiple of DEV_BSIZE, and not so large that uio_resid leads beyond the largest offset.
 * mincnt (may be NULL): called as (*mincnt)(bp, minparms) before each request goes to strat; it may
 * make b_bcount smaller, and set what else strat needs (b_options, b_work).  Nonzero ends the
 * transfer with that error.
 * Requests begin at b_blkno and do not cross an iovec.  uiop advances over what was transferred
 * from its beginning without a gap, on failure too.  A request that ends with b_resid ends the
 * transfer; with no error, that is the end of the device.
 * Returns 0; EINVAL: offset, rw, a NULL strat, a b_bcount of 0 or more than it was from mincnt;
 * EFAULT: memory that cannot be attached, uio_segflg; ENOMEM: no memory for requests, or iovecs
 * that end before uio_resid; what mincnt returned; the error of the first request that failed.
 * Context: process; blocks, allocates.  At interrupt level: EFAULT, counted as a usage error.
 * Follows "uphysio or uphysio_fast Kernel Service".
 */
int uphysio XMEM_AIX_PARAMETERS((struct uio * uiop, int rw, uint buf_cnt, dev_t devno, void *strat,
                                 XMEM_AIX_ROUTINE(int, mincnt), void *minparms));

/*
 * The same with a limit in place of a routine: requests have max_xfer bytes at most (0: no limit)
 * and b_options = options.  blk_align: what the length of each iovec must be a multiple of (0: of
 * anything), else EINVAL.
 */
int uphysio_fast XMEM_AIX_PARAMETERS((struct uio * uiop, int rw, uint buf_cnt, dev_t devno,
                                      void *strat, uint64_t max_xfer, uint32_t options,
                                      uint32_t blk_align));

#ifdef __cplusplus
}
#endif

#endif
