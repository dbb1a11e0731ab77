/* SPDX-License-Identifier: MIT */
/*
 * The device switch table, as the other parts of the environment use it.
 *
 *   1. An entry always has a routine in each place; nodev stands for one that is missing, and in
 *      all places of an entry that is not defined.
 *   2. Routines are read and exchanged one by one, without a lock, in any environment.  What makes
 *      an entry stay is a use: while there is one the entry is neither replaced nor removed.
 *   3. Uses and definitions change under the switch lock, in the process environment; it nests
 *      inside the node lock (device_nodes.h) alone.
 */
#ifndef XMEM_AIX_DEVICE_SWITCH_H
#define XMEM_AIX_DEVICE_SWITCH_H

#include "host/platform.h"

#include <sys/device.h>

struct buf;
struct uio;

enum routine {
    ROUTINE_OPEN,
    ROUTINE_CLOSE,
    ROUTINE_READ,
    ROUTINE_WRITE,
    ROUTINE_IOCTL,
    ROUTINE_STRATEGY,
    ROUTINE_SELECT,
    ROUTINE_CONFIG,
    ROUTINE_PRINT,
    ROUTINE_DUMP,
    ROUTINE_MPX,
    ROUTINE_REVOKE,
    ROUTINES
};

typedef int config_routine(dev_t devno, int cmd, struct uio *uiop);
typedef int open_routine(dev_t devno, ulong devflag, chan_t chan, int ext);
typedef int close_routine(dev_t devno, chan_t chan);
typedef int transfer_routine(dev_t devno, struct uio *uiop, chan_t chan, int ext);
typedef int ioctl_routine(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext);
typedef void strategy_routine(struct buf *bp);
typedef int select_routine(dev_t devno, ushort events, ushort *reventp, int chan);
typedef int mpx_routine(dev_t devno, chan_t *chanp, char *channame);

/* The routine of a device.  Any environment. */
void *device_routine(dev_t devno, enum routine which);
bool device_has(dev_t devno, enum routine which);
/* Whether its routines may run on several threads at a time.  Any environment. */
bool device_is_mpsafe(dev_t devno);

/* Stores the routines of all entries, as far as there is room.  Returns how many there are.
 * Process environment. */
size_t device_routines(void **routines, size_t most);

/* The device is open, or about to be: its entry stays.  0 or ENODEV. */
int device_use(dev_t devno);
void device_unuse(dev_t devno);

#endif
