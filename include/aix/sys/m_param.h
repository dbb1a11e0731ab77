/* SPDX-License-Identifier: MIT */
/*
 * <sys/m_param.h>: constants of the machine.
 */
#ifndef XMEM_AIX_SYS_M_PARAM_H
#define XMEM_AIX_SYS_M_PARAM_H

#pragma GCC system_header

#ifndef HZ
#define HZ 100 /* clock ticks in a second; the system's headers know it as the same number */
#endif

#endif
