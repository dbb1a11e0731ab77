/* SPDX-License-Identifier: MIT */
/*
 * The two other ways to copy much: stores that pass the caches by, and the processor's own string
 * move.  Bare loops, to tell what this machine has to offer where memcpy is to be beaten.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stddef.h>

/* Whole blocks of 64 bytes; `to` aligned to 16.  Both are memcpy where the processor has nothing of
 * the kind. */
void stream_bare(void *to, const void *from, size_t size);
void string_move_bare(void *to, const void *from, size_t size);

#endif
