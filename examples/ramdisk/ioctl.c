/* SPDX-License-Identifier: MIT */
/*
 * The ioctl commands.  Every structure is copied in before it is looked at, since its owner may
 * change it at any time, and copied out when it is complete.
 */
#include "disk.h"

#include <string.h>
#include <sys/devinfo.h>

int rd_in(uint64_t from, void *to, int count, ulong devflag)
{
    if (!(devflag & DKERNEL))
        return copyin64(from, to, count);
    memcpy(to, (const void *)(uintptr_t)from, (size_t)count);
    return 0;
}

int rd_out(void *from, uint64_t to, int count, ulong devflag)
{
    if (!(devflag & DKERNEL))
        return copyout64(from, to, count);
    memcpy((void *)(uintptr_t)to, from, (size_t)count);
    return 0;
}

static int information(struct disk *disk, uint64_t arg, ulong devflag)
{
    struct devinfo information = {.devtype = DD_DISK, .flags = DF_RAND};
    information.un.dk.bytpsec = RD_BLOCK;
    information.un.dk.numblks = (uint)(disk->size / RD_BLOCK);
    return rd_out(&information, arg, sizeof information, devflag);
}

static int geometry(struct disk *disk, uint64_t arg, ulong devflag)
{
    struct rd_geometry geometry = {.size = (uint64_t)disk->size,
                                   .blocks = (uint64_t)disk->size / RD_BLOCK,
                                   .block_size = RD_BLOCK,
                                   .largest_transfer = RD_LARGEST_TRANSFER};
    return rd_out(&geometry, arg, sizeof geometry, devflag);
}

/* Copied under the lock, since they change, and out without it, since that may block. */
static int statistics(struct disk *disk, uint64_t arg, ulong devflag)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    struct rd_statistics statistics = disk->statistics;
    unlock_enable(priority, &disk->lock);
    return rd_out(&statistics, arg, sizeof statistics, devflag);
}

static int delay_by(struct disk *disk, uint64_t milliseconds, ulong devflag)
{
    if (!(devflag & DWRITE))
        return EACCES;
    if (milliseconds > RD_DELAY_MOST)
        return EINVAL;
    int priority = disable_lock(INTIODONE, &disk->lock);
    disk->delay = (unsigned)milliseconds;
    unlock_enable(priority, &disk->lock);
    return 0;
}

static int find(struct disk *disk, uint64_t arg, ulong devflag)
{
    struct rd_find find;
    int error = rd_in(arg, &find, sizeof find, devflag);
    if (!error)
        error = rd_find(disk, &find, devflag);
    if (!error)
        error = rd_out(&find, arg, sizeof find, devflag);
    return error;
}

int rd_ioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext)
{
    struct disk *disk = rd_disk(devno);
    uint64_t address = (uintptr_t)arg;
    (void)chan;
    (void)ext;
    switch ((unsigned)cmd) {
    case IOCINFO:
        return information(disk, address, devflag);
    case RD_GEOMETRY:
        return geometry(disk, address, devflag);
    case RD_STATISTICS:
        return statistics(disk, address, devflag);
    case RD_DELAY:
        return delay_by(disk, address, devflag);
    case RD_FIND:
        return find(disk, address, devflag);
    default:
        return EINVAL;
    }
}
