/* SPDX-License-Identifier: MIT */
/*
 * What the user programs share.  None of this knows xmem: they are ordinary programs that offer
 * some of their memory.
 */
#ifndef EXCHANGE_PROGRAM_H
#define EXCHANGE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
    unsigned char *bytes;
    size_t length;
    int file; /* the memfd that holds the bytes; -1: private memory */
};

/* Ends the program with a message when it cannot go on. */
void program_die(const char *what) __attribute__((noreturn));

/* Connects, and allows the kernel program to reach this one where Yama forbids it. */
int program_connect(const char *path);

/* Zero-filled memory; kind "file": a memfd, "private": our own. */
struct memory program_memory(const char *kind, size_t length);

/* Promises that the memfd keeps its size, so that the kernel program may map it in. */
void program_seal(const struct memory *memory);

void program_offer(int socket, const struct memory *memory, uint64_t checksum);

/* Answers the kernel program until it hangs up.  Never returns. */
void program_answer(int socket, const struct memory *memory, bool may_clear)
    __attribute__((noreturn));

#endif
