/* SPDX-License-Identifier: MIT */
/*
 * The edge where an outcome becomes an errno value and this thread's last failure.  Recording is a
 * few stores; the words are put together when somebody asks for them.
 */
#ifndef XMEM_ENGINE_FAILURE_H
#define XMEM_ENGINE_FAILURE_H

#include "segments/outcome.h"

struct segment;

/* Records and returns outcome.error.  Any environment. */
int fail(const char *operation, struct outcome outcome);
/* The same for a move of `asked` bytes of this kind of memory (NULL: unknown). */
int fail_move(const char *operation, struct outcome outcome, const char *kind, pid_t pid,
              size_t asked);

/* The same for the plainest failures, in few instructions. */
int fail_at(const char *operation, enum xmem_failure_class cause, int error, uint64_t address,
            const char *detail, const char *kind, size_t asked);

/* Shorthand for arguments that can never be right. */
int fail_argument(const char *operation, const char *detail);
int fail_no_memory(const char *operation);

#endif
