/* SPDX-License-Identifier: MIT */
/*
 * Guarded access: loads and stores on memory that can vanish while it is touched (a truncated
 * file, this program's own memory under another thread's munmap).  A fault ends the access at the
 * exact byte instead of ending the program.
 *
 * On x86-64 the routines are assembly with a table of recovery points: the signal handler finds
 * the interrupted instruction in it and resumes at the recovery point.  Elsewhere the Linux kernel
 * does the copy (process_vm_readv on this very program), slower and as exact.
 *
 * All are async-signal-safe.
 */
#ifndef XMEM_HOST_GUARDED_H
#define XMEM_HOST_GUARDED_H

#include "host/platform.h"

struct guarded_fault {
    int signal;        /* SIGSEGV or SIGBUS; 0: there was no fault */
    uintptr_t address; /* 0: the processor did not say where */
};

/* Copies n bytes.  Returns the number copied, exact to the byte; *fault says why not all. */
size_t guarded_copy(void *to, const void *from, size_t n, bool stream, struct guarded_fault *fault);

/* Copies n bytes of memory that cannot vanish, past the caches; for runs too long for them. */
void stream_copy(void *to, const void *from, size_t n);

/* One atomic operation.  False: it faulted, or is not offered on this processor (fault->signal
 * 0). */
bool guarded_load32(const uint32_t *word, uint32_t *value, struct guarded_fault *fault);
bool guarded_load64(const uint64_t *word, uint64_t *value, struct guarded_fault *fault);
bool guarded_compare_exchange32(uint32_t *word, uint32_t expected, uint32_t desired,
                                uint32_t *before, struct guarded_fault *fault);
bool guarded_compare_exchange64(uint64_t *word, uint64_t expected, uint64_t desired,
                                uint64_t *before, struct guarded_fault *fault);

/* For the signal handler: when `context` was interrupted inside a guarded routine, lets it resume
 * at the recovery point and returns true. */
bool guarded_recover(int signal, uintptr_t address, void *context);

#endif
