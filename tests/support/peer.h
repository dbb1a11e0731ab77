/* SPDX-License-Identifier: MIT */
/*
 * The peer: a separate program that plays the owner of an opened process's memory.  It obeys one
 * command after the other from a socket (descriptor PEER_SOCKET) and answers each.
 *
 * A loop command is answered before it begins and ends with the next command or the end of the
 * socket; so the owner misbehaves at full speed while the test goes on.
 */
#ifndef XMEM_TEST_PEER_H
#define XMEM_TEST_PEER_H

#include <stdint.h>
#include <sys/types.h>

#define PEER_SOCKET 3
#define PEER_FILE 4 /* the file that backs shared pages */

enum peer_operation {
    PEER_HELLO,   /* value: nothing; the answer is the peer's pid */
    PEER_MAP,     /* shared pages of PEER_FILE at address, from file offset value on */
    PEER_MAP_OWN, /* private anonymous pages at address */
    PEER_PROTECT, /* prot */
    PEER_UNMAP,
    PEER_FILL,     /* with the byte value */
    PEER_SUM,      /* answer: sum of the bytes */
    PEER_STORE,    /* one byte, value */
    PEER_LOAD,     /* answer: one byte */
    PEER_TRUNCATE, /* PEER_FILE to length bytes */
    PEER_EXIT,     /* no answer: the socket ends */
    PEER_EXEC,     /* the answer comes from the new program */
    PEER_LOOP_UNMAP,
    PEER_LOOP_PROTECT,
    PEER_LOOP_TRUNCATE,
    PEER_LOOP_STORE
};

struct peer_command {
    enum peer_operation operation;
    int prot;
    uint64_t address;
    uint64_t length;
    uint64_t value;
};

/* Starts a peer with file as its PEER_FILE (-1: none); its pid and socket are the caller's. */
pid_t peer_start(int file, int *socket);
/* Sends a command and waits for the answer; -1: the peer has gone. */
int64_t peer_ask(int socket, const struct peer_command *command);
/* Lets the peer exit, and reaps it. */
void peer_end(pid_t pid, int socket);

#endif
