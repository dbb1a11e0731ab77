/* SPDX-License-Identifier: MIT */
/*
 * Waiting on a word and waking those who do, the clock of such waits, and signals to one thread.
 * All but the waits are async-signal-safe, and none changes errno.
 */
#ifndef XMEM_HOST_FUTEX_H
#define XMEM_HOST_FUTEX_H

#include "host/platform.h"

#include <sys/types.h>

/* Nanoseconds of the monotonic clock. */
uint64_t host_nanoseconds(void);

/* Waits while *word == expected, until the clock reaches deadline (0: for ever).  0, for any
 * reason or none; ETIMEDOUT. */
int host_wait(const uint32_t *word, uint32_t expected, uint64_t deadline);

/* The same for two words: waits while both are as expected.  Returns also ENOSYS: this Linux kernel
 * or a sandbox does not do that. */
int host_wait_either(const uint32_t *word, uint32_t expected, const uint32_t *other,
                     uint32_t other_expected, uint64_t deadline);

void host_wake(const uint32_t *word, int most);

/* Lets other threads run first. */
void host_yield(void);

/* The calling thread's Linux id, asked anew each time. */
pid_t host_thread_number(void);
/* What debuggers show for the calling thread; 15 characters count. */
void host_thread_name(const char *name);
/* Whether a thread of this program has the number. */
bool host_thread_is_ours(pid_t thread);
/* Sends a signal to one thread of any process.  0; ESRCH; EINVAL; EPERM. */
int host_thread_signal(pid_t thread, int signal);

#endif
