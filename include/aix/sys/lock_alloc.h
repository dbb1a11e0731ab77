/* SPDX-License-Identifier: MIT */
/*
 * <sys/lock_alloc.h>: instrumentation of locks, of which there is none here.
 */
#ifndef XMEM_AIX_SYS_LOCK_ALLOC_H
#define XMEM_AIX_SYS_LOCK_ALLOC_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOCK_ALLOC_PIN 1
#define LOCK_ALLOC_PAGED 2

/*
 * Before a lock is made: says what it is.  flags: LOCK_ALLOC_PIN or LOCK_ALLOC_PAGED; lock_class:
 * the family of locks; occurrence: which of them, -1: there is only one.  Nothing is noted.
 * Context: process; never blocks or allocates.  Follows "lock_alloc Kernel Service".
 */
void xmem_aix_lock_alloc XMEM_AIX_PARAMETERS((void *lock_addr, int flags, int lock_class,
                                              int occurrence));

/* Before the memory of a lock goes.  Context: process; never blocks or allocates.
 * Follows "lock_free Kernel Service". */
void xmem_aix_lock_free XMEM_AIX_PARAMETERS((void *lock_addr));

#ifdef __cplusplus
}
#endif

#endif

#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_LOCK_ALLOC
#define XMEM_AIX_COMMON_NAMES_LOCK_ALLOC
#define lock_alloc xmem_aix_lock_alloc
#define lock_free xmem_aix_lock_free
#endif
