/* SPDX-License-Identifier: MIT */
/*
 * The one table of handled calls, made of the tables of all files with handlers: the filter stops
 * what is in it, and the supervisor finds the handlers here.
 */
#ifndef XMEM_TRAPPED_CALLS_H
#define XMEM_TRAPPED_CALLS_H

#include "trapped/call.h"
#include "trapped/filter.h"

/* Once, before the others; any number of times. */
void calls_prepare(void);
/* NULL: not handled. */
const struct call_row *calls_find(enum call_architecture architecture, int number);
bool calls_handled(enum call_architecture architecture, int number);

#endif
