/* SPDX-License-Identifier: MIT */
/*
 * What programs know of the RAM disk: its ioctl commands, and the data that it is configured with.
 *
 * /dev/rd0 takes transfers of any size at any place.  /dev/rrd0 is the same disk raw: places and
 * lengths are multiples of RD_BLOCK.
 *
 * Addresses in structures are 64 bits wide, so that 32-bit and 64-bit programs mean the same.
 */
#ifndef RAMDISK_H
#define RAMDISK_H

#include <stdint.h>
#include <sys/ioctl.h>

#define RD_BLOCK 512

/* The device-dependent data that a disk is configured with. */
struct rd_configuration {
    uint64_t size;  /* bytes: a multiple of RD_BLOCK */
    uint32_t flags; /* RD_EXCLUSIVE, or 0 */
    uint32_t reserved;
};
#define RD_EXCLUSIVE 1 /* an open fails with EBUSY while the device is open */

struct rd_geometry {
    uint64_t size;
    uint64_t blocks;
    uint32_t block_size;
    uint32_t largest_transfer; /* longer ones are cut into pieces of this size */
};

struct rd_statistics {
    uint64_t reads; /* requests, of at most largest_transfer bytes each */
    uint64_t writes;
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t failed;    /* requests that ended with an error */
    uint64_t cancelled; /* requests taken back, because a signal ended the wait for them */
};

/* Looks for a text on the disk. */
struct rd_find {
    uint64_t text;   /* address of what is looked for: 1 to RD_TEXT_MOST - 1 bytes and a zero */
    uint64_t places; /* address of an array of uint64_t, which becomes where it begins ... */
    uint32_t most;   /* ... in so many places at most */
    uint32_t found;  /* becomes the number of all of them */
};
#define RD_TEXT_MOST 256

#define RD_GEOMETRY _IOR('R', 1, struct rd_geometry)
#define RD_STATISTICS _IOR('R', 2, struct rd_statistics)
/* The milliseconds (the argument itself, up to RD_DELAY_MOST) that every request takes from now on,
 * as if the disk had to seek.  The device must be open for writing: EACCES. */
#define RD_DELAY _IO('R', 3)
#define RD_DELAY_MOST 10000
/* E2BIG: the text is too long; EINVAL: it is empty. */
#define RD_FIND _IOWR('R', 4, struct rd_find)

#endif
