/* SPDX-License-Identifier: MIT */
/*
 * May a trapped program's thread use a device in this way?  Decided by the device's mode and owner
 * and by the thread's identity, as Linux does for a device node.  Capabilities count as they stand
 * in the thread's own user namespace.
 */
#ifndef XMEM_TRAPPED_PERMISSION_H
#define XMEM_TRAPPED_PERMISSION_H

#include "trapped/devices.h"

#include <sys/types.h>

/* want: R_OK, W_OK and X_OK.  real: by the real identity, as access() asks; else by the one for
 * files.  0; EACCES; ESRCH: the thread is gone. */
int device_permission(const struct device *device, pid_t thread, int want, bool real);

#endif
