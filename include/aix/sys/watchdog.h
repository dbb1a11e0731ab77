/* SPDX-License-Identifier: MIT */
/*
 * <sys/watchdog.h>: watchdog timers, which count seconds.
 *
 * The structure is the caller's and must stay where it is from w_init() to w_clear().
 */
#ifndef XMEM_AIX_SYS_WATCHDOG_H
#define XMEM_AIX_SYS_WATCHDOG_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before w_init() the caller sets next and prev to NULL, count to 0, and func and restart. */
struct watchdog {
    struct watchdog *next;
    struct watchdog *prev;
    void (*func) XMEM_AIX_CALLED_WITH((struct watchdog *)); /* called when count becomes 0 */
    int count;                                             /* seconds left; 0 or less: idle */
    int restart;                                           /* seconds that w_start() begins with */
    uint64_t xm_timer[16];                                 /* ours */
};

/*
 * Makes the watchdog known; it is idle.
 * Returns 0 always.
 * Context: process; never blocks or allocates.  At interrupt level it works, and is counted as a
 * usage error.  Follows "w_init Kernel Service".
 */
int w_init XMEM_AIX_PARAMETERS((struct watchdog * w));

/*
 * Starts it, or starts it again: count becomes restart and falls by one each second; when it
 * becomes 0, func(w) is called at interrupt level (INTTIMER).  A restart of 0 or less leaves it
 * idle.
 * Context: process, interrupt; never blocks or allocates.  Follows "w_start Kernel Service".
 */
void w_start XMEM_AIX_PARAMETERS((struct watchdog * w));

/*
 * Stops it: count becomes 0 and func is not called.  A call that runs already is not waited for.
 * Context: process, interrupt; never blocks or allocates.  Follows "w_stop Kernel Service".
 */
void w_stop XMEM_AIX_PARAMETERS((struct watchdog * w));

/*
 * Stops it and forgets it.
 * Returns 0: the memory is the caller's alone again; -1: its function runs now; try again.
 * Context: process, interrupt; never blocks or allocates.  Follows "w_clear Kernel Service".
 */
int w_clear XMEM_AIX_PARAMETERS((struct watchdog * w));

#ifdef __cplusplus
}
#endif

#endif
