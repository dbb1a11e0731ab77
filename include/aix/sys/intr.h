/* SPDX-License-Identifier: MIT */
/*
 * <sys/intr.h>: interrupt priorities, most favored first.  The values are those of
 * enum xmem_priority and go to xmem_interrupt().
 */
#ifndef XMEM_AIX_SYS_INTR_H
#define XMEM_AIX_SYS_INTR_H

#pragma GCC system_header
#include <sys/types.h>

#define INTMAX 0    /* all interrupts off */
#define INTPAGER 1  /* pagers */
#define INTIODONE 2 /* completion of I/O, exception handlers */
#define INTCLASS0 3 /* devices, most to least urgent */
#define INTCLASS1 4
#define INTCLASS2 5
#define INTCLASS3 6
#define INTOFFL0 7 /* off-level work */
#define INTOFFL1 8
#define INTOFFL2 9
#define INTOFFL3 10
#define INTBASE 11 /* the process environment */

#endif
