/* SPDX-License-Identifier: MIT */
/*
 * <sys/device.h>: device numbers, the device switch table, and what the entry points of a driver
 * are given.
 *
 * The entry points, as they are called:
 *   int  ddconfig(dev_t devno, int cmd, struct uio *uiop);
 *   int  ddopen(dev_t devno, ulong devflag, chan_t chan, int ext);
 *   int  ddclose(dev_t devno, chan_t chan);
 *   int  ddread(dev_t devno, struct uio *uiop, chan_t chan, int ext);
 *   int  ddwrite(dev_t devno, struct uio *uiop, chan_t chan, int ext);
 *   int  ddioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext);
 *   void ddstrategy(struct buf *bp);
 *   int  ddselect(dev_t devno, ushort events, ushort *reventp, int chan);
 *   int  ddmpx(dev_t devno, chan_t *chanp, char *channame);
 *   int  ddrevoke(dev_t devno, chan_t chan, int flag);
 *   int  dddump(dev_t devno, struct uio *uiop, int cmd, int arg, chan_t chan, int ext);
 * All are called in the process environment, for the calling process, except that ddstrategy may be
 * called in either.  They return 0 or an error number, which the caller gets.
 */
#ifndef XMEM_AIX_SYS_DEVICE_H
#define XMEM_AIX_SYS_DEVICE_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/poll.h>
#include <sys/sysmacros.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- device numbers ------- */

/* The system's own encoding, as expressions that also an initialiser may have.  A selnotify() takes
 * numbers of 32 bits: majors below 4096, minors below 2^20. */
#undef major
#undef minor
#undef makedev
#define major(devno)                                                                               \
    ((int)(((unsigned long long)(devno) >> 8 & 0xFFFu) |                                           \
           ((unsigned long long)(devno) >> 32 & 0xFFFFF000u)))
#define minor(devno)                                                                               \
    ((int)(((unsigned long long)(devno)&0xFFu) | ((unsigned long long)(devno) >> 12 & 0xFFFFFF00u)))
#define makedev(major, minor)                                                                      \
    ((dev_t)(((unsigned long long)(major)&0xFFFu) << 8 |                                           \
             ((unsigned long long)(major)&0xFFFFF000u) << 32 |                                     \
             ((unsigned long long)(minor)&0xFFu) |                                                 \
             ((unsigned long long)(minor)&0xFFFFFF00u) << 12))

typedef long chan_t; /* a channel of a multiplexed driver; 0 for others */

/* ---------------------------------------------------------------- flags ---------------- */

/* devflag of ddopen and ddioctl, and uio_fmode of ddread and ddwrite: how the device was opened. */
#define DREAD 0x01ul
#define DWRITE 0x02ul
#define DNDELAY 0x04ul /* do not wait (O_NONBLOCK) */
#define DAPPEND 0x08ul
#define DKERNEL 0x10ul /* called by kernel code: addresses are the kernel's own */

/* cmd of ddconfig.  Other values are the driver's own. */
#define CFG_INIT 1 /* begin */
#define CFG_TERM 2 /* end; refused while the device is open */
#define CFG_QVPD 3 /* hand vital product data back */

/* ---------------------------------------------------------------- the switch table ----- */

/* A pointer to a routine, whatever it was declared like.  Where () means "no parameters" there is
 * no such type, and the pointer has none. */
#if defined __cplusplus || (defined __STDC_VERSION__ && __STDC_VERSION__ > 201710L)
#define XMEM_AIX_ROUTINE(returns, name) void *name
#define XMEM_AIX_ROUTINE_AT(returns, name) void *name
#else
#define XMEM_AIX_ROUTINE(returns, name) returns (*name)()
#define XMEM_AIX_ROUTINE_AT(returns, name) returns (**name)()
#endif

struct tty;

/* An entry of the table.  A NULL routine counts as nodev.  Unused members are 0. */
struct devsw {
    XMEM_AIX_ROUTINE(int, d_open);
    XMEM_AIX_ROUTINE(int, d_close);
    XMEM_AIX_ROUTINE(int, d_read);
    XMEM_AIX_ROUTINE(int, d_write);
    XMEM_AIX_ROUTINE(int, d_ioctl);
    void *d_strategy; /* no type: nodev returns int, and strategy routines are void */
    struct tty *d_ttys;
    void *d_select; /* no type: one that takes a ushort is not nodev's */
    XMEM_AIX_ROUTINE(int, d_config);
    XMEM_AIX_ROUTINE(int, d_print);
    XMEM_AIX_ROUTINE(int, d_dump);
    XMEM_AIX_ROUTINE(int, d_mpx);
    XMEM_AIX_ROUTINE(int, d_revoke);
    caddr_t d_dsdptr; /* the driver's own, for devswqry() */
    caddr_t d_selptr; /* the kernel's */
    ulong d_opts;     /* DEV_MPSAFE */
};

/* d_opts: the routines may run on several threads at a time.  Without it one lock is held around
 * all routines of all such drivers, and let go while one of them sleeps. */
#define DEV_MPSAFE 0x1ul

/* What devswchg() exchanges, and what the status of devswqry() and SYS_QDVSW tells. */
#define DSW_UNDEFINED 0x0000
#define DSW_DEFINED 0x0001
#define DSW_BLOCK 0x0002  /* d_strategy */
#define DSW_CONFIG 0x0004 /* d_config */
#define DSW_CREAD 0x0008  /* d_read */
#define DSW_CWRITE 0x0010 /* d_write */
#define DSW_DUMP 0x0020   /* d_dump */
#define DSW_MPX 0x0040    /* d_mpx */
#define DSW_SELECT 0x0080 /* d_select */
#define DSW_TCPATH 0x0100 /* d_revoke */
#define DSW_IOCTL 0x0200  /* d_ioctl */
/* The same for devswchg(), if the present routine is the one that the caller names. */
#define DSW_BLOCK_COND 0x10002
#define DSW_CONFIG_COND 0x10004
#define DSW_CREAD_COND 0x10008
#define DSW_CWRITE_COND 0x10010
#define DSW_DUMP_COND 0x10020
#define DSW_MPX_COND 0x10040
#define DSW_SELECT_COND 0x10080
#define DSW_TCPATH_COND 0x10100
#define DSW_IOCTL_COND 0x10200

/*
 * Adds or replaces the entry for the major number of devno by a copy of *dswptr, which stays the
 * caller's.  d_ttys and d_selptr are not copied.
 * Returns 0; EEXIST: a device of the present entry is open; EINVAL: the major number is beyond the
 * table (256 entries), or dswptr is NULL; ENOMEM: never.
 * Context: process; blocks briefly.  At interrupt level: EINVAL, counted as a usage error.
 * Follows "devswadd Kernel Service".
 */
int devswadd XMEM_AIX_PARAMETERS((dev_t devno, struct devsw *dswptr));

/*
 * Removes the entry: all routines become nodev, so that later callers get ENODEV.
 * Returns 0; EEXIST: a device of it is open; ENODEV: it is not defined; EINVAL: the major number is
 * beyond the table.
 * Context: as devswadd().  Follows "devswdel Kernel Service".
 */
int devswdel XMEM_AIX_PARAMETERS((dev_t devno));

/*
 * Exchanges one routine of an entry, open or not.  type: one of the DSW_ names above, from
 * DSW_BLOCK on.  *oldfunc (oldfunc may be NULL) becomes the routine before.  A _COND form exchanges
 * only if the present routine is *oldfunc.
 * Returns 0; ENODEV: the entry is not defined; EINVAL: type, the major number, or a _COND form
 * without oldfunc; EPERM: the present routine is not *oldfunc, which becomes the present one.
 * Context: as devswadd().  Follows "devswchg Kernel Service".
 */
int devswchg XMEM_AIX_PARAMETERS((dev_t devno, int type, XMEM_AIX_ROUTINE(int, newfunc),
                                  XMEM_AIX_ROUTINE_AT(int, oldfunc)));

/*
 * *status becomes DSW_UNDEFINED, or DSW_DEFINED with a flag for each routine that is not nodev;
 * *dsdptr the entry's d_dsdptr, NULL if it is not defined.  NULL arguments are passed over.
 * Returns 0; EINVAL: the major number is beyond the table.
 * Context: process, interrupt; never blocks or allocates.  Follows "devswqry Kernel Service".
 */
int devswqry XMEM_AIX_PARAMETERS((dev_t devno, uint *status, caddr_t *dsdptr));

/* Routines for entries: nodev returns ENODEV; nulldev does nothing and returns 0.  Called with any
 * arguments, in any environment. */
#if defined __cplusplus
int nodev(...);
int nulldev(...);
#elif defined __STDC_VERSION__ && __STDC_VERSION__ > 201710L
int nodev(void);
int nulldev(void);
#else
int nodev();
int nulldev();
#endif

#ifdef __cplusplus
}
#endif

#endif
