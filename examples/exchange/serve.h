/* SPDX-License-Identifier: MIT */
/*
 * The kernel program's side of the Unix socket: starts the user programs and accepts those, and
 * only those, that it has started itself.
 *
 * A connection belongs to the pid that the socket reports (SO_PEERCRED).  The program is our child
 * and not waited for before client_end(), so that its pid cannot come to mean another one.
 */
#ifndef EXCHANGE_SERVE_H
#define EXCHANGE_SERVE_H

#include "protocol.h"

#include <sys/types.h>

struct client {
    struct client *next;
    pid_t pid;
    int socket; /* -1: not connected yet */
};

/* 0, or errno. */
int server_open(void);
void server_close(void);
/* Removes the socket's name.  Async-signal-safe. */
void server_remove_name(void);

/* Starts a program that lies beside this one, with the socket's path and up to three arguments.
 * NULL: it cannot be started. */
struct client *client_start(const char *program, const char *first, const char *second,
                            const char *third);

/* Waits for the program's offer.  *file is the caller's, or -1.  0, or errno as message_receive()
 * has it; ESRCH: the program has ended. */
int client_offer(struct client *client, struct message *offer, int *file, int milliseconds);

/* Says kind and waits for nothing. */
void client_tell(struct client *client, enum message_kind kind);

/* Says kind and waits for the answer.  0, or errno. */
int client_ask(struct client *client, enum message_kind kind, uint64_t length, uint64_t *checksum);

/* Hangs up and waits for the program's end, which is brought about if it does not come by itself.
 * Returns its exit status, or -1 if a signal ended it.  The client is gone. */
int client_end(struct client *client);

#endif
