/* SPDX-License-Identifier: MIT */
/*
 * What the parts cost that no call can do without, measured in the same run: where a row misses its
 * target, they say how much of its time is whose.
 */
#ifndef BENCH_COSTS_H
#define BENCH_COSTS_H

#include "rows.h"

/* The least call: through libxmem-aix and libxmem to a word of the thread's own, and back. */
void run_empty_calls(void *unused, unsigned long count);

/* Measures all parts; xmem is started. */
void costs_measure(void);

void costs_print(void);

/* In words what a call with this hint consists of at least. */
void costs_explain(enum hint hint, char *words, size_t size);

#endif
