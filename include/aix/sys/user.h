/* SPDX-License-Identifier: MIT */
/*
 * <sys/user.h>: the system's own header, and what kind of address space the current process has.
 */
#ifndef XMEM_AIX_SYS_USER_H
#define XMEM_AIX_SYS_USER_H

#pragma GCC system_header
#include <sys/types.h>
#include_next <sys/user.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Without parentheses in use: `if (IS64U)`.
 * 1: the current process has 64-bit addresses; 0: it has 32-bit addresses, or there is none.  At
 * interrupt level it is the process that the interrupted thread runs under.
 * Context: process, interrupt; never blocks, pages or allocates.
 * Follows "IS64U Kernel Service".
 */
#define IS64U (xmem_aix_is64u())
int xmem_aix_is64u(void);

#ifdef __cplusplus
}
#endif

#endif
