/* SPDX-License-Identifier: MIT */
/*
 * <sys/proc.h>: named by the pages of services whose declarations are elsewhere; there is no
 * process structure here.
 */
#ifndef XMEM_AIX_SYS_PROC_H
#define XMEM_AIX_SYS_PROC_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/pri.h>

#endif
