/* SPDX-License-Identifier: MIT */
/*
 * <sys/pri.h>: flags in the priority of sleep() (<sys/sleep.h>).
 */
#ifndef XMEM_AIX_SYS_PRI_H
#define XMEM_AIX_SYS_PRI_H

#pragma GCC system_header
#include <sys/types.h>

#define PCATCH 0x100     /* a sleep that a signal ends returns */
#define SWAKEONSIG 0x200 /* a signal ends the sleep */

#endif
