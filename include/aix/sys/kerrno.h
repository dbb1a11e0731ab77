/* SPDX-License-Identifier: MIT */
/*
 * <sys/kerrno.h>: error numbers that name the service too.
 */
#ifndef XMEM_AIX_SYS_KERRNO_H
#define XMEM_AIX_SYS_KERRNO_H

#pragma GCC system_header
#include <sys/errno.h>

typedef int kerrno_t; /* 0, or one of those below */

#define XMEM_AIX_KERNEL_ERROR(service, error) ((service)*1024 + (error))
#define EINVAL_HEAP_CREATE XMEM_AIX_KERNEL_ERROR(1, EINVAL)
#define ENOMEM_HEAP_CREATE XMEM_AIX_KERNEL_ERROR(1, ENOMEM)

#endif
