/* SPDX-License-Identifier: MIT */
/*
 * What the programs and the kernel program say to each other, over a Unix socket that keeps
 * message boundaries.
 *
 * A received message has been checked in every field: size, magic, version, kind, the fields that
 * its kind does not use (zero), the number of files that came along.  Addresses are not judged
 * here.  Whether memory is there is known only when it is touched, and xmem judges it then.
 * Nobody says who he is: the socket knows (SO_PEERCRED).
 */
#ifndef EXCHANGE_PROTOCOL_H
#define EXCHANGE_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_MAGIC 0x58434847u
#define PROTOCOL_VERSION 1
#define PROTOCOL_LENGTH_MOST (UINT64_C(1) << 30)

enum message_kind {
    MESSAGE_OFFER = 1, /* program: here are length bytes of mine, at address; perhaps a file */
    MESSAGE_START,     /* kernel: transfers begin */
    MESSAGE_CLEAR,     /* kernel: zero everything you offered */
    MESSAGE_CHECKSUM,  /* kernel: what is the checksum of the first length bytes? */
    MESSAGE_ANSWER     /* program: cleared, or the checksum */
};

struct message {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;
    uint64_t address;
    uint64_t length;
    uint64_t checksum;
    uint32_t files; /* descriptors that come along: 0, or 1 with an offer */
    uint32_t reserved;
};

/* file: a descriptor to hand over, or -1.  It stays the caller's.  Returns 0 or an errno value. */
int message_send(int socket, const struct message *message, int file);

/* A message of this kind, with the header filled in and every other field zero. */
struct message message_of(enum message_kind kind);

/*
 * Waits milliseconds at most (negative: without end).  On success *file is the caller's descriptor,
 * or -1.  On failure nothing is held.
 * Returns 0; ETIMEDOUT; ECONNRESET: the other side is gone; EPROTO: not a valid message.
 */
int message_receive(int socket, struct message *message, int *file, int milliseconds);

#endif
