/* SPDX-License-Identifier: MIT */
/*
 * What stat tells of a device; status.h says what that is.
 */
#include "trapped/status.h"

#include "host/paths.h"
#include "host/threads.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#define FIRST_INODE 0x40000000u /* far from those that the file system gives out itself */
#define BLOCK_SIZE 4096         /* what Linux recommends for devices */

_Static_assert(sizeof(struct narrow_stat64) == 96, "i386's struct stat64");
_Static_assert(sizeof(struct narrow_stat) == 64, "i386's struct stat");
_Static_assert(sizeof(struct narrow_old_stat) == 32, "i386's first struct stat");

static struct timespec first_look(void)
{
    static const uint64_t second = 1000000000;
    static uint64_t time; /* nanoseconds; set once */
    uint64_t none = 0;
    if (!load_relaxed(&time))
        compare_exchange(&time, &none, host_time_of_day());
    uint64_t first = load_relaxed(&time);
    return (struct timespec){.tv_sec = (time_t)(first / second), .tv_nsec = (long)(first % second)};
}

void device_directory(const struct device *device, char *path)
{
    const char *slash = strrchr(device->is.path, '/');
    size_t length = (size_t)(slash - device->is.path);
    if (length == 0)
        length = 1; /* the root */
    memcpy(path, device->is.path, length);
    path[length] = '\0';
}

/* The file system that would hold the device. */
static void look_at_holder(const struct device *device, struct device_status *status)
{
    char directory[PATH_MAX];
    struct host_node node;
    device_directory(device, directory);
    if (host_path_own_node(directory, &node))
        return;
    status->holder_major = (unsigned)(node.device >> 32);
    status->holder_minor = (unsigned)node.device;
    status->mount = node.mount;
}

void device_status(const struct device *device, struct device_status *status)
{
    *status = (struct device_status){
        .inode = FIRST_INODE + device->inode,
        .mode = device->is.mode,
        .owner = device->is.owner,
        .group = device->is.group,
        .major = device->is.major,
        .minor = device->is.minor,
        .time = first_look(),
    };
    look_at_holder(device, status);
}

int status_native(const struct device_status *status, struct stat *form)
{
    memset(form, 0, sizeof(*form));
    form->st_dev = makedev(status->holder_major, status->holder_minor);
    form->st_ino = status->inode;
    form->st_nlink = 1;
    form->st_mode = status->mode;
    form->st_uid = status->owner;
    form->st_gid = status->group;
    form->st_rdev = makedev(status->major, status->minor);
    form->st_blksize = BLOCK_SIZE;
    form->st_atim = status->time;
    form->st_mtim = status->time;
    form->st_ctim = status->time;
    return 0;
}

int status_narrow64(const struct device_status *status, struct narrow_stat64 *form)
{
    memset(form, 0, sizeof(*form));
    form->st_dev = makedev(status->holder_major, status->holder_minor);
    form->st_ino_low = (uint32_t)status->inode;
    form->st_mode = status->mode;
    form->st_nlink = 1;
    form->st_uid = status->owner;
    form->st_gid = status->group;
    form->st_rdev = makedev(status->major, status->minor);
    form->st_blksize = BLOCK_SIZE;
    form->st_atime_seconds = (uint32_t)status->time.tv_sec;
    form->st_atime_nanoseconds = (uint32_t)status->time.tv_nsec;
    form->st_mtime_seconds = form->st_ctime_seconds = form->st_atime_seconds;
    form->st_mtime_nanoseconds = form->st_ctime_nanoseconds = form->st_atime_nanoseconds;
    form->st_ino = status->inode;
    return 0;
}

/* Device numbers and ids of 16 bits. */
static bool fits_short(unsigned major, unsigned minor)
{
    return major <= UINT8_MAX && minor <= UINT8_MAX;
}

static uint16_t short_device(unsigned major, unsigned minor)
{
    return (uint16_t)(major << 8 | minor);
}

static uint16_t short_id(unsigned id)
{
    static const uint16_t overflow_id = 65534;
    return id > UINT16_MAX ? overflow_id : (uint16_t)id;
}

static bool fits_all(const struct device_status *status)
{
    return fits_short(status->holder_major, status->holder_minor) &&
           fits_short(status->major, status->minor);
}

int status_narrow(const struct device_status *status, struct narrow_stat *form)
{
    memset(form, 0, sizeof(*form));
    if (!fits_all(status) || status->inode > UINT32_MAX)
        return EOVERFLOW;
    form->st_dev = short_device(status->holder_major, status->holder_minor);
    form->st_ino = (uint32_t)status->inode;
    form->st_mode = (uint16_t)status->mode;
    form->st_nlink = 1;
    form->st_uid = short_id(status->owner);
    form->st_gid = short_id(status->group);
    form->st_rdev = short_device(status->major, status->minor);
    form->st_blksize = BLOCK_SIZE;
    form->st_atime_seconds = (uint32_t)status->time.tv_sec;
    form->st_atime_nanoseconds = (uint32_t)status->time.tv_nsec;
    form->st_mtime_seconds = form->st_ctime_seconds = form->st_atime_seconds;
    form->st_mtime_nanoseconds = form->st_ctime_nanoseconds = form->st_atime_nanoseconds;
    return 0;
}

int status_narrow_old(const struct device_status *status, struct narrow_old_stat *form)
{
    memset(form, 0, sizeof(*form));
    if (!fits_all(status))
        return EOVERFLOW;
    form->st_dev = short_device(status->holder_major, status->holder_minor);
    form->st_ino = (uint16_t)status->inode; /* still one for each device */
    form->st_mode = (uint16_t)status->mode;
    form->st_nlink = 1;
    form->st_uid = short_id(status->owner);
    form->st_gid = short_id(status->group);
    form->st_rdev = short_device(status->major, status->minor);
    form->st_atime_seconds = (uint32_t)status->time.tv_sec;
    form->st_mtime_seconds = form->st_ctime_seconds = form->st_atime_seconds;
    return 0;
}

static struct statx_timestamp timestamp(const struct timespec *time)
{
    return (struct statx_timestamp){.tv_sec = time->tv_sec, .tv_nsec = (uint32_t)time->tv_nsec};
}

int status_extended(const struct device_status *status, struct statx *form)
{
    memset(form, 0, sizeof(*form));
    form->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
    form->stx_blksize = BLOCK_SIZE;
    form->stx_nlink = 1;
    form->stx_uid = status->owner;
    form->stx_gid = status->group;
    form->stx_mode = (uint16_t)status->mode;
    form->stx_ino = status->inode;
    form->stx_atime = timestamp(&status->time);
    form->stx_btime = form->stx_ctime = form->stx_mtime = form->stx_atime;
    form->stx_rdev_major = status->major;
    form->stx_rdev_minor = status->minor;
    form->stx_dev_major = status->holder_major;
    form->stx_dev_minor = status->holder_minor;
    if (status->mount) {
        form->stx_mask |= STATX_MNT_ID;
        form->stx_mnt_id = status->mount;
    }
    return 0;
}
