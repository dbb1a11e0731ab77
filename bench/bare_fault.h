/* SPDX-License-Identifier: MIT */
/*
 * The bare minimum of surviving a fault: one load of a page whose file was truncated, and a SIGBUS
 * handler that sends the load on to the instruction behind it.  What any recovery costs at least.
 */
#ifndef BENCH_BARE_FAULT_H
#define BENCH_BARE_FAULT_H

#include <stdbool.h>

bool bare_fault_create(void);
void bare_fault_destroy(void);

/* Around each batch: the handler is ours only meanwhile. */
void bare_fault_begin(void);
void bare_fault_end(void);

void run_bare_faults(void *unused, unsigned long count);

#endif
