/* SPDX-License-Identifier: MIT */
/*
 * <sys/timer.h>: timer request blocks.
 *
 * Life of one: talloc(); set flags, timeout.it_value, func and ipri; tstart(); func(t) runs at
 * interrupt level when the time has come, and may start it again; tstop() until it returns 0;
 * tfree().
 */
#ifndef XMEM_AIX_SYS_TIMER_H
#define XMEM_AIX_SYS_TIMER_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/errno.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timestruc_t {
    long tv_sec;
    long tv_nsec;
};

struct itimerstruc_t {
    struct timestruc_t it_interval; /* not looked at */
    struct timestruc_t it_value;
};

/* flags */
#define T_INCINTERVAL 1 /* it_value counts from now (what it does without T_ABSOLUTE, too) */
#define T_ABSOLUTE 2    /* it_value is a time of day, in seconds since 1970 */
#define T_LOWRES 4      /* may be late by up to a tick of 1/HZ second, with others of its kind */
#define T_MOVE_OK 8     /* may run on another processor; always so */
#define T_LATE_OK 16    /* may be late; always so */

/* A timer request block.  Only talloc() makes one. */
struct trb {
    tid_t id; /* whose it is; -1 for drivers; not looked at */
    unsigned long flags;
    struct itimerstruc_t timeout;
    void(*func) XMEM_AIX_CALLED_WITH((struct trb *)); /* gets the block */
    int ipri; /* at which priority: INTMAX to INTTIMER; others count as INTTIMER */
    union {
        void *addr;
        long data;
    } t_union; /* the caller's own */
};

/*
 * Allocates a block, pinned and filled with zeros.
 * Returns it; NULL: no memory.  It is the caller's until tfree().
 * Context: process; blocks, allocates.  At interrupt level: NULL, counted as a usage error.
 * Follows "talloc Kernel Service".
 */
struct trb *talloc XMEM_AIX_PARAMETERS((void));

/*
 * Starts the timer.  A time that has passed has come.  One that runs is moved to the new time.  Of
 * a block that was freed: nothing happens, and it is counted as a usage error.
 * Context: process, interrupt (its own handler included); never blocks or allocates.
 * Follows "tstart Kernel Service".
 */
void tstart XMEM_AIX_PARAMETERS((struct trb * t));

/*
 * Stops the timer.  Called by its own handler it takes back a restart.
 * Returns 0: its handler does not run and will not; -1: its handler runs on another thread; try
 * again, without locks that the handler may want.
 * Context: process, interrupt; never blocks or allocates.  Follows "tstop Kernel Service".
 */
int tstop XMEM_AIX_PARAMETERS((struct trb * t));

/*
 * Frees a block that is stopped.  Not callable for the block passed to a handler that runs: that
 * does nothing and is counted as a usage error.  So is freeing twice.
 * Context: process, interrupt; never blocks or allocates.  Follows "tfree Kernel Service".
 */
void tfree XMEM_AIX_PARAMETERS((struct trb * t));

#ifdef __cplusplus
}
#endif

#endif
