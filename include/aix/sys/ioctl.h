/* SPDX-License-Identifier: MIT */
/*
 * <sys/ioctl.h>: the system's own header, and IOCINFO, which every AIX driver answers.
 */
#ifndef XMEM_AIX_SYS_IOCTL_H
#define XMEM_AIX_SYS_IOCTL_H

#pragma GCC system_header
#include_next <sys/ioctl.h>
#include <sys/devinfo.h>

#endif
