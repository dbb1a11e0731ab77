/* SPDX-License-Identifier: MIT */
/*
 * Does a path that a trapped program gave name a device?
 *
 * The names of devices are kept here; who owns the devices adds and takes them away.  A path is
 * followed as Linux would for the caller: from its working directory or descriptor, below its root,
 * in its mounts, through symbolic links and the links of /proc.  A device is found when the walk
 * reaches the directory that holds it, wherever that is mounted; what Linux has under the device's
 * own name is hidden by it.  Where the device's directories do not exist they count as there.
 *
 * Guarantees
 *   1. Without names the answer takes no system call; for a path that has no device's name as a
 *      component and no symbolic link at its end, seven at most.
 *   2. PATH_OTHER is the answer to everything that the Linux kernel would refuse or do by itself,
 *      so that the call can be left to it.
 *   3. Nothing in the caller's tree is opened for use, created or changed.
 *
 * Not exact: search permission of directories is this program's, not the caller's (they differ for
 * a privileged kernel program only); openat2's RESOLVE_* flags do not bind on the way to a device;
 * a path that goes through another pid namespace's /proc to another process's descriptor is left to
 * Linux.
 *
 * Locks: `names` nests inside nothing and covers nothing but the list.  Context: process.
 */
#ifndef XMEM_TRAPPED_PATHS_H
#define XMEM_TRAPPED_PATHS_H

#include "host/platform.h"

#include <limits.h>
#include <sys/types.h>

/* path: absolute, without symbolic links, ".", ".." and double slashes.  suffixes: path/anything is
 * the device too.  0; EINVAL; EEXIST: one is the other, or would be below it; ENOMEM. */
int path_name_add(const char *path, bool suffixes);
void path_name_remove(const char *path);

enum path_last {
    PATH_FOLLOW,  /* a symbolic link as the last component is followed */
    PATH_STAY,    /* it is not */
    PATH_STAY_FD, /* the same, but links of /proc to descriptors are found: for readlink */
};

struct path_request {
    pid_t process; /* the caller: its thread group */
    pid_t thread;
    int directory;    /* AT_FDCWD, or a descriptor of the caller */
    const char *path; /* what it gave, copied out of its memory */
    enum path_last last;
};

enum path_kind {
    PATH_OTHER,      /* no device: let the call continue */
    PATH_DEVICE,     /* device, rest */
    PATH_DESCRIPTOR, /* a link of /proc to a descriptor on a null device: owner, descriptor */
    PATH_REFUSED     /* error: the path uses a device as a directory, or there is no memory */
};

struct path_found {
    enum path_kind kind;
    int error;
    pid_t owner;
    int descriptor;
    char device[PATH_MAX]; /* as added */
    char rest[PATH_MAX];   /* what follows it behind a slash; "" if nothing does */
};

/* The caller cannot be looked at, for this reason: what its use of the path is refused with.
 * 0: not at all, since the path has no device's name or the reason is no shortage. */
int path_unseen(const char *path, int error);

/* Looks; found->kind says what came out.  In a shortage that is PATH_REFUSED. */
void path_find(const struct path_request *request, struct path_found *found);

#endif
