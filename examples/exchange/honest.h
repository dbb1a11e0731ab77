/* SPDX-License-Identifier: MIT */
/* The honest programs: two that hold the file, three that take it, and what we have attached of
 * them.  All functions give up when a program is not as it should be. */
#ifndef EXCHANGE_HONEST_H
#define EXCHANGE_HONEST_H

#include "buffer.h"
#include "protocol.h"
#include "raw.h"

struct party {
    const char *name;
    struct client *client;
    struct buffer buffer;
    uint64_t checksum;    /* as it was offered */
    struct raw_place raw; /* holders: the same bytes; takers: as many to spare */
};

enum { HOLDER, FILE_HOLDER, TAKER, COPY_TAKER, FILE_TAKER, HONEST };

extern struct party honest[HONEST];

/* Starts all of them and attaches what they offer; returns how many bytes the holders hold. */
size_t honest_start(const char *path);

/* Has the party clear its memory, or say the checksum of its first length bytes. */
uint64_t honest_ask(const struct party *party, enum message_kind kind, uint64_t length);

void honest_end(void);

#endif
