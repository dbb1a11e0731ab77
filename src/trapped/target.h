/* SPDX-License-Identifier: MIT */
/*
 * What a call of a trapped program is about: a device by its path, an open one by a descriptor, or
 * neither.
 */
#ifndef XMEM_TRAPPED_TARGET_H
#define XMEM_TRAPPED_TARGET_H

#include "trapped/call.h"
#include "trapped/paths.h"

enum target_kind {
    TARGET_OTHER, /* no device: answer call_continue() */
    TARGET_DEVICE,
    TARGET_REFUSED /* answer with `error` */
};

struct target {
    enum target_kind kind;
    int error;
    struct device *device;    /* held */
    struct device_file *file; /* held; NULL: it was named by a path */
};

/* What the path names; empty: "" with AT_EMPTY_PATH, and NULL, are the descriptor itself. */
struct target target_of_path(struct call *call, int directory, uint64_t path, enum path_last last,
                             bool empty);
struct target target_of_descriptor(struct call *call, int fd);
void target_release(struct target *target);

/* Whether any device is open: a quick look for calls that look at several descriptors. */
static inline bool devices_are_open(void)
{
    return load_acquire(&placeholders_count) != 0;
}

/* For calls whose outcome is the same whatever device it is: releases the target, and answers with
 * the error if it is a device. */
struct answer target_answer(struct target *target, int error);

#endif
