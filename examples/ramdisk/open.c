/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing, and selecting, for which a disk is always ready.
 *
 * The kernel calls rd_open for every open, and rd_close for the last close of a minor only, so that
 * there is nothing to count.
 */
#include "disk.h"

#include <sys/poll.h>

int rd_open(dev_t devno, ulong devflag, chan_t chan, int ext)
{
    unsigned bit = rd_minor_bit(devno);
    int error = 0;
    (void)devflag;
    (void)chan;
    (void)ext;
    simple_lock(&rd_table_lock);
    struct disk *disk = rd_number(devno) < RD_DISKS ? rd_disks[rd_number(devno)] : NULL;
    if (!disk || !(disk->minors & bit))
        error = ENODEV;
    else if (disk->exclusive && disk->open != 0)
        error = EBUSY;
    else
        disk->open |= bit;
    simple_unlock(&rd_table_lock);
    return error;
}

/* Also called after a failed first open.  No request is left: those who made them have waited. */
int rd_close(dev_t devno, chan_t chan)
{
    (void)chan;
    simple_lock(&rd_table_lock);
    struct disk *disk = rd_number(devno) < RD_DISKS ? rd_disks[rd_number(devno)] : NULL;
    if (disk)
        disk->open &= ~rd_minor_bit(devno);
    simple_unlock(&rd_table_lock);
    return 0;
}

int rd_select(dev_t devno, ushort events, ushort *reventp, int chan)
{
    (void)devno;
    (void)chan;
    *reventp = events & (POLLIN | POLLOUT);
    return 0;
}
