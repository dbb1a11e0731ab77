/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the AIX services share: the headers, and short forms of what nearly every case
 * does.
 */
#ifndef XMEM_TEST_SERVICES_H
#define XMEM_TEST_SERVICES_H

#include "../support/check.h"

#include <sys/types.h>
#include <sys/errno.h>
#include <sys/uio.h>
#include <sys/xmem.h>
#include <sys/adspace.h>
#include <sys/vmuser.h>
#include <sys/user.h>
#include <sys/intr.h>
#include <sys/thread.h>

/* An address of a process as the services take it. */
#define ADDRESS(address) ((caddr_t)(uintptr_t)(address))

/* The segflg for a kind of memory. */
int segflag_of(enum kind kind);

/* Attaches under the memory's process, with stack garbage in every member but aspace_id. */
int attach(struct memory *memory, uint64_t address, size_t n, struct xmem *descriptor);
void must_attach(struct memory *memory, uint64_t address, size_t n, struct xmem *descriptor);
void must_detach(struct xmem *descriptor);
/* A descriptor that attach() could have got before: every byte the same, aspace_id XMEM_INVAL. */
void garbage_descriptor(struct xmem *descriptor, int byte);

/* All bytes of a memory; compare after a call that must have changed only [address, + n). */
unsigned char *snapshot(const struct memory *memory);
void unchanged_except(const struct memory *memory, unsigned char *before, uint64_t address,
                      size_t n);
/* Nothing changed; frees the snapshot, as unchanged_except() does. */
void unchanged(const struct memory *memory, unsigned char *before);

/* Waits until *value is at least `wanted`, up to ten seconds; whether it came to that. */
int comes_to(const int *value, int wanted);

/* Usage errors counted so far. */
uint64_t usage_errors_counted(void);

/* Asserts that act() ends in a panic, in a process of its own: with the hook, and by abort(). */
void must_panic(void (*act)(void));

#endif
