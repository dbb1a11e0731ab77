/* SPDX-License-Identifier: MIT */
/*
 * <sys/special_file.h>: special files, the names under which programs open devices.  An addition of
 * ours; on AIX a configuration method makes them.
 *
 * An extension may export the array
 *     const struct xmem_special_file xmem_special_files[];
 * which ends with a path of NULL.  Who runs programs with it (`xmem run`) configures each device
 * (SYS_CFGDD with CFG_INIT and the data at dds) and then makes its special file.
 */
#ifndef XMEM_AIX_SYS_SPECIAL_FILE_H
#define XMEM_AIX_SYS_SPECIAL_FILE_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xmem_special_file {
    const char *path; /* absolute, without symbolic links; need not exist */
    dev_t devno;
    mode_t mode;       /* S_IFCHR or S_IFBLK, and permissions */
    const void *dds;   /* the device-dependent structure for ddconfig, or NULL */
    size_t dds_length; /* its bytes */
    uid_t owner;
    gid_t group;
};

/*
 * Makes a special file: programs that open its path get the device devno, whose driver is looked up
 * in the switch table at each open.  The structure and the path are copied.  A driver that is
 * multiplexed must be in the table by now, so that paths below this one lead to its channels.
 * Returns 0; EINVAL: path or mode; EEXIST: the path is taken; ENOMEM; ENOSPC: 256 different devices
 * have special files; EPERM: at interrupt level (counted as a usage error), or xmem is not started.
 * Context: process; blocks, allocates.
 */
int xmem_aix_special_file(const struct xmem_special_file *file);

/*
 * Removes it.
 * Returns 0; ENOENT; EBUSY: it is open; EPERM.
 * Context: process; blocks.
 */
int xmem_aix_special_file_remove(const char *path);

#ifdef __cplusplus
}
#endif

#endif
