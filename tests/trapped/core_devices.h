/* SPDX-License-Identifier: MIT */
/*
 * The devices of core.h, and running a program on them.
 */
#ifndef XMEM_TEST_TRAPPED_CORE_DEVICES_H
#define XMEM_TEST_TRAPPED_CORE_DEVICES_H

#include "core.h"

#include <xmem/devices.h>

struct core_counts {
    uint32_t opens;
    uint32_t closes;
    uint32_t interrupted; /* waits that a signal ended */
};
extern struct core_counts core_counts[CORE_DEVICES];

void core_devices_add(void);
/* Also asserts that every open had its close. */
void core_devices_remove(void);
/* The same, one having been removed. */
void core_devices_remove_but(unsigned gone);

/* Runs the trapped side with up to two arguments (NULL: none): what waitpid() tells. */
int core_run(const char *name, const char *first, const char *second);
/* The same, and asserts that it exited with 0. */
void core_run_well(const char *name, const char *first, const char *second);

/* Why trapped programs cannot be run here; NULL: they can. */
const char *core_refused(void);

#endif
