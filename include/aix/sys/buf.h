/* SPDX-License-Identifier: MIT */
/*
 * <sys/buf.h>: so far no more than the headers that come with it, which extensions rely upon.
 */
#ifndef XMEM_AIX_SYS_BUF_H
#define XMEM_AIX_SYS_BUF_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xmem.h>

#endif
