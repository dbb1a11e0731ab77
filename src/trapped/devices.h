/* SPDX-License-Identifier: MIT */
/*
 * The devices that trapped programs see: a table by path name.
 *
 *   1. A device is found by its path, or (suffixes) by a path below it.  It stays in existence
 *      while it is held; removing it takes it out of the table, and fails while it is open.
 *   2. `opens` counts open files from before the operation `open` is called to after `close`
 *      returned; it changes under the devices mutex, so that removal and opening exclude each
 *      other.
 *   3. `closing` counts calls of the operation `close` that are under way, so that an open can wait
 *      for them: who opens a device that somebody has just closed for the last time finds it
 *      closed.
 *   4. xmem_device_ready() takes no lock: it raises devices_ready_word, wakes who waits for it, and
 *      calls the hook.
 * Locks: the devices mutex nests inside nothing and is never held while an operation runs.
 */
#ifndef XMEM_TRAPPED_DEVICES_H
#define XMEM_TRAPPED_DEVICES_H

#include "host/platform.h"
#include "xmem/devices.h"

struct device {
    struct xmem_device is; /* what was added; path and operations are our own copies */
    struct xmem_device_operations operations;
    uint32_t references;
    uint32_t opens;
    uint32_t closing;
    uint32_t closing_waiters;
    bool removed;
    uint64_t inode; /* a number of its own, for stat */
    struct device *next;
};

/* The device that an absolute path without symbolic links, "." and ".." names, held; NULL: none.
 * *rest: what follows the device's path and a "/" ("": nothing), inside `path`. */
struct device *device_find(const char *path, const char **rest);
struct device *device_hold(struct device *device);
void device_drop(struct device *device);

/* Whether any device exists at all: a quick look for handlers of paths. */
bool devices_exist(void);

/* Counts an open; false: it was removed. */
bool device_count_open(struct device *device);
void device_count_close(struct device *device);

/* Around the operation `close`. */
void device_closing_begin(struct device *device);
void device_closing_end(struct device *device);
/* Waits until no close is under way.  0; EINTR: a signal of the caller's came. */
int device_closing_wait(struct device *device);

/* Goes up with each xmem_device_ready(); to wait for by xmem_wait(). */
extern uint32_t devices_ready_word;
/* Called by xmem_device_ready(), in any environment: must not block, lock or allocate. */
extern void (*devices_ready_hook)(void *device, short events);

#endif
