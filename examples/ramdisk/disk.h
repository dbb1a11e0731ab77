/* SPDX-License-Identifier: MIT */
/*
 * The RAM disk driver, inside.
 *
 * A disk has two minor numbers: the even one is the disk, the odd one the same disk raw.  Every
 * transfer becomes struct bufs on the disk's queue.  A kernel process, which stands for the
 * hardware, takes them off one by one and moves the data; completion comes at interrupt level.
 *
 *      rd_read, rd_write ---- struct buf ----+                      +---> b_iodone, at INTIODONE,
 *      (attach, queue, sleep)                v                      |     wakes who sleeps
 *                                          queue ---> rd_worker ----+
 *      rd_strategy ---------- struct bufs ---^        (xmemin, xmemout, iodone)
 *      (uphysio, other kernel code)
 *
 * Locks
 *   rd_table_lock  rd_disks[], and the members of a disk that say so.  Process environment.  Held
 *                  by opens and closes, and when disks come and go; disk->lock nests inside it.
 *   disk->lock     everything else of a disk that changes.  Shared with interrupt level, so it is
 *                  taken by disable_lock(INTIODONE, ...): whoever takes it at interrupt level runs
 *                  at INTIODONE or less favoured.
 *
 * Invariants
 *   1. A struct buf is on the queue, or in the hands of the worker (B_INFLGHT), or the driver has
 *      nothing to do with it any more.  Only a buf on the queue can be taken back.
 *   2. From rd_queue() to its completion, or until it was taken back, a buf and its descriptor stay
 *      valid: who queued it waits for one of the two, signal or no signal.
 *   3. While a device is open its disk exists.
 */
#ifndef RAMDISK_DISK_H
#define RAMDISK_DISK_H

#include "ramdisk.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/buf.h>
#include <sys/device.h>
#include <sys/intr.h>
#include <sys/lock_def.h>
#include <sys/timer.h>
#include <sys/uio.h>

#define RD_DISKS 8
/* A request in the worker's hands cannot be cancelled: this bounds what a signal waits for. */
#define RD_LARGEST_TRANSFER (1 << 20)

struct disk {
    Simple_lock lock;
    caddr_t data;
    offset_t size;
    bool exclusive;

    unsigned minors; /* bit 0: configured; bit 1: raw, too.  rd_table_lock */
    unsigned open;   /* the same for open ones.  rd_table_lock */

    struct buf *first, *last; /* the queue, by av_forw */
    tid_t work;               /* event: the worker has to look again */
    tid_t end;                /* event: the worker has ended */
    bool ending;              /* the worker shall end */
    bool ended;

    struct trb *timer; /* for the seeks */
    unsigned delay;    /* milliseconds that one takes */
    bool seeking;

    struct rd_statistics statistics;
};

extern struct disk *rd_disks[RD_DISKS];
extern Simple_lock rd_table_lock;

/* Bits of a disk's `minors` and `open`. */
#define RD_COOKED 1u
#define RD_RAW 2u

static inline unsigned rd_number(dev_t devno)
{
    return minor(devno) / 2;
}

static inline unsigned rd_minor_bit(dev_t devno)
{
    return minor(devno) % 2 ? RD_RAW : RD_COOKED;
}

/* Of an open device. */
static inline struct disk *rd_disk(dev_t devno)
{
    return rd_disks[rd_number(devno)];
}

/* The entry points.  rd_config is the extension's own, too (ld -e rd_config). */
int rd_config(dev_t devno, int cmd, struct uio *uiop);                              /* config.c */
int rd_open(dev_t devno, ulong devflag, chan_t chan, int ext);                      /* open.c */
int rd_close(dev_t devno, chan_t chan);                                             /* open.c */
int rd_read(dev_t devno, struct uio *uiop, chan_t chan, int ext);                   /* transfer.c */
int rd_write(dev_t devno, struct uio *uiop, chan_t chan, int ext);                  /* transfer.c */
int rd_ioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext); /* ioctl.c */
int rd_select(dev_t devno, ushort events, ushort *reventp, int chan);               /* open.c */
void rd_strategy(struct buf *bp);                                                   /* queue.c */

/* Makes a disk with its worker (disk.c).  0; EINVAL: the size; ENOMEM; EAGAIN: no process is
 * left. */
int rd_disk_create(const struct rd_configuration *configuration, struct disk **diskp);
/* Of one that is not open; returns when its worker has ended. */
void rd_disk_destroy(struct disk *disk);

/* Puts a buf at the end of the queue (queue.c).  b_work: the byte in its block b_blkno where the
 * transfer begins.  The transfer ends inside the disk. */
void rd_queue(struct disk *disk, struct buf *bp);
/* Under disk->lock: takes a buf back.  false: the worker has it, or is done with it. */
bool rd_take_back(struct disk *disk, struct buf *bp);

/* The kernel process (worker.c).  parameters: a pointer to the disk. */
void rd_worker(int flag, void *parameters, int length);

/* One piece of a transfer by rd_read or rd_write: queues it and waits (wait.c).  0; EINTR: a signal
 * came, and nothing was moved; another errno value. */
int rd_move(struct disk *disk, dev_t devno, const struct uio *uiop, uint rw, int count);

/* A whole transfer of the raw device (raw.c).  0 or an errno value. */
int rd_move_raw(dev_t devno, struct uio *uiop, uint rw);

/* RD_FIND (find.c).  find: in kernel memory; what it points at is where devflag says. */
int rd_find(struct disk *disk, struct rd_find *find, ulong devflag);

/* Copies between the driver and an ioctl's argument, which is user memory or, with DKERNEL, the
 * kernel's (ioctl.c).  0 or an errno value. */
int rd_in(uint64_t from, void *to, int count, ulong devflag);
int rd_out(void *from, uint64_t to, int count, ulong devflag);

#endif
