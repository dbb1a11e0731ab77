/* SPDX-License-Identifier: MIT */
/*
 * The tables of calls other than opening, closing and transferring; call.h says what a row is.
 */
#ifndef XMEM_TRAPPED_TABLES_H
#define XMEM_TRAPPED_TABLES_H

#include "trapped/call.h"

extern const struct call_row calls_stat[];   /* looking: calls_stat.c */
extern const struct call_row calls_change[]; /* names, owners, modes, times: calls_change.c */
extern const struct call_row calls_file[];   /* open files: calls_file.c */
extern const struct call_row calls_poll[];   /* waiting for events: calls_poll.c */
extern const struct call_row calls_epoll[];  /* calls_epoll.c */

#define XATTR_NAME_ROOM 256 /* the longest name of an extended attribute, and its null byte */

#endif
