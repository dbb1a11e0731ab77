/* SPDX-License-Identifier: MIT */
/*
 * What stat tells of a device, and the forms in which callers want it.
 *
 * A device has size 0, one link, a number of its own as its inode, and the time at which trapped
 * programs first looked at any device as all of its times, so that programs that look twice see
 * the same.
 */
#ifndef XMEM_TRAPPED_STATUS_H
#define XMEM_TRAPPED_STATUS_H

#include "trapped/devices.h"

#include <sys/stat.h>

struct device_status {
    uint64_t inode;
    uint64_t mount; /* of the directory that holds it; 0: unknown */
    unsigned mode;
    unsigned owner;
    unsigned group;
    unsigned holder_major; /* the file system's that holds it */
    unsigned holder_minor;
    unsigned major;
    unsigned minor;
    struct timespec time;
};

void device_status(const struct device *device, struct device_status *status);

/* The directory that holds it; path has room for PATH_MAX bytes. */
void device_directory(const struct device *device, char *path);

/* Each fills in one form, and returns 0, or EOVERFLOW where a number does not fit. */

/* i386's struct stat64 */
struct __attribute__((packed)) narrow_stat64 {
    uint64_t st_dev;
    uint32_t pad0;
    uint32_t st_ino_low;
    uint32_t st_mode;
    uint32_t st_nlink;
    uint32_t st_uid;
    uint32_t st_gid;
    uint64_t st_rdev;
    uint32_t pad3;
    int64_t st_size;
    uint32_t st_blksize;
    uint64_t st_blocks;
    uint32_t st_atime_seconds;
    uint32_t st_atime_nanoseconds;
    uint32_t st_mtime_seconds;
    uint32_t st_mtime_nanoseconds;
    uint32_t st_ctime_seconds;
    uint32_t st_ctime_nanoseconds;
    uint64_t st_ino;
};

/* i386's struct stat */
struct narrow_stat {
    uint32_t st_dev;
    uint32_t st_ino;
    uint16_t st_mode;
    uint16_t st_nlink;
    uint16_t st_uid;
    uint16_t st_gid;
    uint32_t st_rdev;
    uint32_t st_size;
    uint32_t st_blksize;
    uint32_t st_blocks;
    uint32_t st_atime_seconds;
    uint32_t st_atime_nanoseconds;
    uint32_t st_mtime_seconds;
    uint32_t st_mtime_nanoseconds;
    uint32_t st_ctime_seconds;
    uint32_t st_ctime_nanoseconds;
    uint32_t unused4;
    uint32_t unused5;
};

/* what i386's first stat calls store */
struct narrow_old_stat {
    uint16_t st_dev;
    uint16_t st_ino;
    uint16_t st_mode;
    uint16_t st_nlink;
    uint16_t st_uid;
    uint16_t st_gid;
    uint16_t st_rdev;
    uint16_t pad;
    uint32_t st_size;
    uint32_t st_atime_seconds;
    uint32_t st_mtime_seconds;
    uint32_t st_ctime_seconds;
};

int status_native(const struct device_status *status, struct stat *form);
int status_narrow64(const struct device_status *status, struct narrow_stat64 *form);
int status_narrow(const struct device_status *status, struct narrow_stat *form);
int status_narrow_old(const struct device_status *status, struct narrow_old_stat *form);
int status_extended(const struct device_status *status, struct statx *form);

#endif
