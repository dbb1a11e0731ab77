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
 * The number of the thread that the caller runs for: itself, or, where it serves a trapped program,
 * that program's thread.
 * Returns the Linux thread id; -1 in the interrupt environment.
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
