/* SPDX-License-Identifier: MIT */
/*
 * Moves bytes from one buffer to another in chunks: in with one service, out with its counterpart.
 * Several threads share the work; none of them has a current process but for the service's sake.
 * Beside each call the same bytes are moved by process_vm, to and from memory that nobody checks.
 */
#ifndef EXCHANGE_MOVE_H
#define EXCHANGE_MOVE_H

#include "raw.h"
#include "samples.h"
#include "services.h"

#define CHUNK_MOST (16u << 20)

struct route {
    const char *services;
    const char *memory;
    enum service in, out;
    struct buffer *from, *to;
    struct raw_place raw_from, raw_to; /* raw_to: spare memory of the taker's */
};

struct row {
    const struct route *route;
    size_t chunk;
    uint64_t calls, bytes; /* in and out each */
    uint64_t failed;
    struct samples in, raw_in, out, raw_out; /* whole chunks only */
};

/* Moves the first `bytes` bytes once and adds to the row.  0; ENOMEM; EIO: a call failed, and
 * *words says why. */
int move_once(struct row *row, size_t bytes, const char **words);

/* The same without measuring: from one buffer to the other with xmemin and xmemout.  0 or
 * XMEM_FAIL. */
int carry(struct buffer *from, struct buffer *to, size_t bytes);

#endif
