/* SPDX-License-Identifier: MIT */
/*
 * A kernel extension of the run: loaded, its devices configured and named, and the latter undone in
 * reverse order.  This is the part that configuration methods have on AIX, and it is done by the
 * same means, sysconfig().
 *
 * Extensions stay loaded until this program ends, which it does then: a kernel process that has
 * told its driver that it ends may still be on the last instructions of it.
 */
#ifndef XMEM_TOOL_EXTENSION_H
#define XMEM_TOOL_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/special_file.h>
#include <sys/sysconfig.h>

struct device_name {
    struct xmem_special_file file;
    bool configured; /* by this name: CFG_TERM is due */
};

struct extension {
    char *path;
    struct device_name *added; /* by --special-file */
    size_t added_count;

    mid_t kmid;                /* 0: not loaded */
    struct device_name *names; /* those of its table, then the added ones */
    size_t count;              /* so many of them are there */
    bool module;               /* configured as a whole: it has no special files */
};

/* false: it complained, and has undone what it had done. */
bool extension_start(struct extension *extension);

/* Complains about what cannot be undone, and goes on. */
void extension_stop(struct extension *extension);

#endif
