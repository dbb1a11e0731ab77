/* SPDX-License-Identifier: MIT */
/*
 * <sys/lockl.h>: the older locks, each a word.
 */
#ifndef XMEM_AIX_SYS_LOCKL_H
#define XMEM_AIX_SYS_LOCKL_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int lock_t;

#define LOCK_AVAIL ((lock_t)0) /* what a lock word is at first, and while it is free */

#define LOCK_SHORT 0   /* signals do not end the wait */
#define LOCK_NDELAY 1  /* do not wait */
#define LOCK_SIGRET 2  /* a signal ends the wait, and LOCK_SIG is returned */
#define LOCK_SIGWAKE 4 /* as LOCK_SIGRET: there is no setjmpx() that it could return to */

#define LOCK_SUCC 0
#define LOCK_NEST 1
#define LOCK_FAIL (-1)
#define LOCK_SIG (-2)

/*
 * Takes the lock, and waits while another thread has it.
 * Returns LOCK_SUCC: the caller has it now; LOCK_NEST: it had it already, and one unlockl() frees
 * it; LOCK_FAIL: somebody else has it (LOCK_NDELAY); LOCK_SIG: a signal (LOCK_SIGRET).
 * Context: process; blocks.  At interrupt level LOCK_FAIL, counted as a usage error.
 * Follows "lockl Kernel Service".
 */
int xmem_aix_lockl XMEM_AIX_PARAMETERS((lock_t * lock_word, int flags));

/*
 * Frees it.  A panic if it is not the caller's.
 * Context: process; never blocks.  At interrupt level nothing happens, and it is counted as a usage
 * error.  Follows "unlockl Kernel Service".
 */
void xmem_aix_unlockl XMEM_AIX_PARAMETERS((lock_t * lock_word));

#ifdef __cplusplus
}
#endif

#endif

#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_LOCKL
#define XMEM_AIX_COMMON_NAMES_LOCKL
#define lockl xmem_aix_lockl
#define unlockl xmem_aix_unlockl
#endif
