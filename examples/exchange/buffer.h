/* SPDX-License-Identifier: MIT */
/*
 * A buffer of somebody else's that the kernel program has attached, and the process it is in.
 *
 *   opened    memory of a running program, named by pid and address
 *   imported  a memfd that a program handed over, mapped into an embedded process of ours across a
 *             region boundary
 *   embedded  working storage of an embedded process, in one region
 */
#ifndef EXCHANGE_BUFFER_H
#define EXCHANGE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/xmem.h>
#include <xmem/xmem.h>

struct buffer {
    struct xmem_process *process;
    uint64_t address;
    size_t length;
    struct xmem descriptor;
    /* Cannot shrink under us, so that it may be mapped in and touched directly. */
    bool steady;
};

/* Each returns 0 or the native call's error, with the failure recorded; the buffer can be closed in
 * either case.  The file stays the caller's. */
int buffer_open(struct buffer *buffer, pid_t pid, uint64_t address, size_t length);
int buffer_import(struct buffer *buffer, int file, size_t length);
int buffer_create(struct buffer *buffer, size_t length);

/* Attaches it, under its process: XMEM_SUCC or XMEM_FAIL. */
int buffer_attach(struct buffer *buffer);

/* Detaches what is attached, and closes the process.  0, or what went wrong. */
int buffer_close(struct buffer *buffer);

#endif
