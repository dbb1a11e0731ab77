/* SPDX-License-Identifier: MIT */
/*
 * <sys/thread.h>: who runs.
 */
#ifndef XMEM_AIX_SYS_THREAD_H
#define XMEM_AIX_SYS_THREAD_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The number of the calling thread.
 * Returns a positive number that no other thread of the program has or had, the same at every call
 * (it is not the Linux thread id); -1 in the interrupt environment.
 * Context: process, interrupt; never blocks, pages or allocates.
 * Follows "thread_self Kernel Service".
 */
tid_t xmem_aix_thread_self(void);

#ifdef __cplusplus
}
#endif

#endif

#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_THREAD
#define XMEM_AIX_COMMON_NAMES_THREAD
#define thread_self xmem_aix_thread_self
#endif
