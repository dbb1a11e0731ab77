/* SPDX-License-Identifier: MIT */
/*
 * <sys/lock_def.h>: simple and complex locks.
 *
 * Both belong to the thread that takes them, and are not recursive: taking one's own again, or
 * releasing one that is somebody else's, is a panic that says so.  A lock that is all zero is free.
 */
#ifndef XMEM_AIX_SYS_LOCK_DEF_H
#define XMEM_AIX_SYS_LOCK_DEF_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* The members are ours. */
typedef struct xmem_aix_simple_lock {
    uint32_t xm_state;
    uint32_t xm_spare;
    uintptr_t xm_owner;
} Simple_lock;
typedef Simple_lock *simple_lock_t;

typedef struct xmem_aix_complex_lock {
    uint32_t xm_guard;
    uint32_t xm_changes;
    uint32_t xm_readers;
    uint32_t xm_writers_waiting;
    uint32_t xm_waiting;
    uint32_t xm_spare;
    uintptr_t xm_writer;
} Complex_lock;
typedef Complex_lock *complex_lock_t;

/* ---------------------------------------------------------------- simple locks --------- */

/* Makes it free.  Context: process, interrupt; never blocks or allocates.
 * Follows "simple_lock_init Kernel Service". */
void simple_lock_init XMEM_AIX_PARAMETERS((simple_lock_t lock_addr));

/*
 * Takes the lock, and waits while another thread has it.
 * Context: process; blocks.  At interrupt level, where handlers come by disable_lock(), it turns
 * round instead.  Follows "simple_lock or simple_lock_try Kernel Service".
 */
void simple_lock XMEM_AIX_PARAMETERS((simple_lock_t lock_addr));

/* Takes the lock if it is free.  Returns TRUE: the caller has it now; FALSE: it was taken.
 * Context: process, interrupt; never blocks or allocates. */
boolean_t simple_lock_try XMEM_AIX_PARAMETERS((simple_lock_t lock_addr));

/* Releases it.  Context: process, interrupt; never blocks or allocates.
 * Follows "simple_unlock Kernel Service". */
void simple_unlock XMEM_AIX_PARAMETERS((simple_lock_t lock_addr));

/*
 * Holds interrupts of int_pri (<sys/intr.h>) and less favored ones off this thread, and posted ones
 * off altogether, and takes the lock.
 * Returns the priority that was in force before, for unlock_enable().
 * Context: process (blocks); interrupt (turns round).  Follows "disable_lock Kernel Service".
 */
int disable_lock XMEM_AIX_PARAMETERS((int int_pri, simple_lock_t lock_addr));

/* Releases the lock and puts the priority back.
 * Context: process, interrupt.  Interrupts that were put off run in it.
 * Follows "unlock_enable Kernel Service". */
void unlock_enable XMEM_AIX_PARAMETERS((int int_pri, simple_lock_t lock_addr));

/* ---------------------------------------------------------------- complex locks -------- */

/* Makes it free.  can_sleep is ignored.  Context: process; never blocks or allocates.  At interrupt
 * level nothing happens, and it is counted as a usage error; so with those below.
 * Follows "lock_init Kernel Service". */
void xmem_aix_lock_init XMEM_AIX_PARAMETERS((complex_lock_t lock_addr, boolean_t can_sleep));

/*
 * lock_read() takes it together with other readers, and waits while somebody writes or waits to;
 * lock_write() takes it alone.
 * Context: process; block.  Follow "lock_read or lock_try_read Kernel Service" and "lock_write or
 * lock_try_write Kernel Service".
 */
void xmem_aix_lock_read XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));
void xmem_aix_lock_write XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));

/* Take it if they need not wait.  Return TRUE or FALSE.  Context: process; never block. */
boolean_t xmem_aix_lock_try_read XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));
boolean_t xmem_aix_lock_try_write XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));

/* Releases it, in whichever mode the caller has it; a writer that waits is next.
 * Context: process; never blocks.  Follows "lock_done Kernel Service". */
void xmem_aix_lock_done XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));

/* TRUE: somebody has it, in either mode.  Context: process; never blocks.
 * Follows "lock_islocked Kernel Service". */
int xmem_aix_lock_islocked XMEM_AIX_PARAMETERS((complex_lock_t lock_addr));

#ifdef __cplusplus
}
#endif

#endif

/* These names are those of many. */
#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_LOCK_DEF
#define XMEM_AIX_COMMON_NAMES_LOCK_DEF
#define lock_init xmem_aix_lock_init
#define lock_read xmem_aix_lock_read
#define lock_write xmem_aix_lock_write
#define lock_try_read xmem_aix_lock_try_read
#define lock_try_write xmem_aix_lock_try_write
#define lock_done xmem_aix_lock_done
#define lock_islocked xmem_aix_lock_islocked
#endif
