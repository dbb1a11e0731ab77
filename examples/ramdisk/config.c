/* SPDX-License-Identifier: MIT */
/*
 * The configuration entry point: disks come and go.
 *
 * Each minor number is configured by itself: first the disk, with its size; then, if it is wanted,
 * the raw device of the same disk, without any data.  They go in reverse order.
 */
#include "disk.h"

#include <sys/lockl.h>
#include <sys/lock_alloc.h>

#define ONLY_ONE (-1) /* lock_alloc: there is one of its class */

struct disk *rd_disks[RD_DISKS];
Simple_lock rd_table_lock;

/* Configuration methods one after the other.  Of all locks this one needs no initialisation, and
 * nobody has done any yet when the first of them comes. */
static lock_t configuration_lock = LOCK_AVAIL;
static unsigned disk_count; /* of rd_disks; configuration_lock */

static struct devsw entry_points = {
    .d_open = rd_open,
    .d_close = rd_close,
    .d_read = rd_read,
    .d_write = rd_write,
    .d_ioctl = rd_ioctl,
    .d_strategy = rd_strategy,
    .d_select = rd_select,
    .d_config = rd_config,
    .d_print = nodev,
    .d_dump = nodev,
    .d_mpx = nodev,
    .d_revoke = nodev,
    .d_opts = DEV_MPSAFE,
};

static int driver_begin(dev_t devno)
{
    lock_alloc(&rd_table_lock, LOCK_ALLOC_PIN, 0, ONLY_ONE);
    simple_lock_init(&rd_table_lock);
    int error = devswadd(devno, &entry_points);
    if (error)
        lock_free(&rd_table_lock);
    return error;
}

static void driver_end(dev_t devno)
{
    devswdel(devno);
    lock_free(&rd_table_lock);
}

static int configuration_in(struct rd_configuration *configuration, struct uio *uiop)
{
    if (!uiop || uiop->uio_resid != sizeof *configuration)
        return EINVAL;
    return uiomove(configuration, sizeof *configuration, UIO_WRITE, uiop);
}

static int add_disk(dev_t devno, struct uio *uiop)
{
    struct rd_configuration configuration;
    struct disk *disk;
    int error = configuration_in(&configuration, uiop);
    if (!error)
        error = rd_disk_create(&configuration, &disk);
    if (error)
        return error;
    if (disk_count == 0)
        error = driver_begin(devno);
    if (error) {
        rd_disk_destroy(disk);
        return error;
    }
    disk_count++;
    simple_lock(&rd_table_lock);
    disk->minors = RD_COOKED;
    rd_disks[rd_number(devno)] = disk;
    simple_unlock(&rd_table_lock);
    return 0;
}

static int initialise(dev_t devno, struct uio *uiop)
{
    unsigned number = rd_number(devno);
    if (number >= RD_DISKS)
        return ENXIO;
    struct disk *disk = rd_disks[number];
    if (rd_minor_bit(devno) == RD_COOKED)
        return disk ? EEXIST : add_disk(devno, uiop);
    if (!disk)
        return ENODEV;
    if (disk->minors & RD_RAW)
        return EEXIST;
    simple_lock(&rd_table_lock);
    disk->minors |= RD_RAW;
    simple_unlock(&rd_table_lock);
    return 0;
}

/* From here on the minor cannot be opened.  *last: it was the disk's last one. */
static int refuse_opens(struct disk *disk, dev_t devno, bool *last)
{
    unsigned bit = rd_minor_bit(devno);
    int error = 0;
    simple_lock(&rd_table_lock);
    if (!(disk->minors & bit))
        error = ENODEV;
    else if ((disk->open & bit) || (bit == RD_COOKED && disk->minors != RD_COOKED))
        error = EBUSY;
    else
        disk->minors &= ~bit;
    *last = disk->minors == 0;
    if (*last)
        rd_disks[rd_number(devno)] = NULL;
    simple_unlock(&rd_table_lock);
    return error;
}

static int terminate(dev_t devno)
{
    bool last;
    struct disk *disk = rd_number(devno) < RD_DISKS ? rd_disks[rd_number(devno)] : NULL;
    if (!disk)
        return ENODEV;
    int error = refuse_opens(disk, devno, &last);
    if (error || !last)
        return error;
    rd_disk_destroy(disk);
    if (--disk_count == 0)
        driver_end(devno);
    return 0;
}

static int vital_data_out(struct uio *uiop)
{
    static char words[] = "RAM disk, made of memory";
    return uiop ? uiomove(words, sizeof words, UIO_READ, uiop) : EINVAL;
}

int rd_config(dev_t devno, int cmd, struct uio *uiop)
{
    int error;
    int locked = lockl(&configuration_lock, LOCK_SHORT);
    switch (cmd) {
    case CFG_INIT:
        error = initialise(devno, uiop);
        break;
    case CFG_TERM:
        error = terminate(devno);
        break;
    case CFG_QVPD:
        error = vital_data_out(uiop);
        break;
    default:
        error = EINVAL;
    }
    if (locked != LOCK_NEST)
        unlockl(&configuration_lock);
    return error;
}
