/* SPDX-License-Identifier: MIT */
/*
 * <sys/poll.h>: the system's own header, and what a driver's select routine needs beyond it.
 */
#ifndef XMEM_AIX_SYS_POLL_H
#define XMEM_AIX_SYS_POLL_H

#pragma GCC system_header
#include <sys/types.h>
#include_next <sys/poll.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In a select routine's events: only tell what holds now; nobody waits for a selnotify(). */
#define POLLSYNC 0x4000

/*
 * Tells that the events rtnevents (POLLIN, POLLOUT, POLLPRI) hold on a device: who waits for one of
 * them asks the driver's select routine again.
 * id: the device number; subid: the channel, 0 if the driver is not multiplexed.
 * Context: process, interrupt; never blocks or allocates.
 * Follows "selnotify Kernel Service".
 */
void selnotify XMEM_AIX_PARAMETERS((int id, int subid, ushort rtnevents));

#ifdef __cplusplus
}
#endif

#endif
