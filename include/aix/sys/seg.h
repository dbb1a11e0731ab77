/* SPDX-License-Identifier: MIT */
/*
 * <sys/seg.h>: the value that stands for no segment.
 */
#ifndef XMEM_AIX_SYS_SEG_H
#define XMEM_AIX_SYS_SEG_H

#pragma GCC system_header
#include <sys/types.h>

/* What as_geth64() and as_getsrval64() return on failure; never a handle or a segment. */
#define INVLSID (~(vmhandle_t)0)

#endif
