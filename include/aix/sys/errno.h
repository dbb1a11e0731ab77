/* SPDX-License-Identifier: MIT */
/*
 * <sys/errno.h>: the error numbers, which are the host's, and the services whose pages name no
 * other header than this one and <sys/types.h>.
 */
#ifndef XMEM_AIX_SYS_ERRNO_H
#define XMEM_AIX_SYS_ERRNO_H

#pragma GCC system_header
#include <errno.h>
#include <sys/types.h>
#include <sys/user_access.h>
#include <sys/kernel_services.h>

#endif
