/* SPDX-License-Identifier: MIT */
/*
 * Open files of devices, and the placeholders by which they are known; placeholders.c has the
 * rules.
 */
#ifndef XMEM_TRAPPED_PLACEHOLDERS_H
#define XMEM_TRAPPED_PLACEHOLDERS_H

#include "trapped/devices.h"

struct call;

/* An open file of a device.  Held by its placeholder and by each call that uses it; the device's
 * close is called when the last holder lets go. */
struct device_file {
    struct device *device;
    struct xmem_open_file file; /* handed to the operations; .flags as given to open */
    int64_t position;           /* load_relaxed(), store_relaxed() */
    int flags;      /* O_* of this moment; F_SETFL and FIONBIO change it by store_relaxed() */
    bool path_only; /* O_PATH: the device's operations are not called for it */
    bool opened;    /* the device's open succeeded: its close is owed */
    uint64_t place; /* of the placeholder's mark */
    bool listed;    /* its placeholder is known: placeholders mutex */
    uint32_t references;
    struct device_file *next;
};

struct device_file *device_file_hold(struct device_file *file);
/* May call the device's close, which may block: what that returned, or 0. */
int device_file_release(struct device_file *file);

/* An open file of a held and counted device, which becomes its own (with the path's rest, copied)
 * if that succeeds.  Held by the caller; not yet known by any placeholder.  0; ENOMEM. */
int device_file_new(struct device *device, int flags, const char *rest, struct device_file **file);

/* Opens a placeholder: *fd is to be put into the caller and then closed.  From here on the file is
 * held by it.  0; EMFILE, ENFILE, ENOMEM, ENOLCK ... */
int placeholder_open(struct device_file *file, int *fd);

/* How many placeholders there are: 0: no call is about a device. */
extern uint32_t placeholders_count;

/* The open file behind a descriptor of the caller, held; NULL: none, or it may not be looked at. */
struct device_file *placeholder_of(struct call *call, int fd);
/* The same for any thread, as /proc tells. */
struct device_file *placeholder_of_thread(pid_t thread, int fd);

/* Looks whether the last reference to the file's placeholder is gone, or to any: then lets it go.
 * May call the close of devices. */
void placeholder_check(struct device_file *file);
void placeholders_check(void);
/* The same for all that are left, whatever refers to them: nobody is left to use them. */
void placeholders_end(void);

#endif
