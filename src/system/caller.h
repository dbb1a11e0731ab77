/* SPDX-License-Identifier: MIT */
/*
 * On whose behalf a thread runs.
 *
 * A thread that serves a trapped program says so with caller_serve(), and takes it back with
 * caller_done() before it serves the next call; both concern the calling thread alone.
 */
#ifndef XMEM_SYSTEM_CALLER_H
#define XMEM_SYSTEM_CALLER_H

#include "host/platform.h"
#include "xmem/kernel.h"

struct kernel_process;

/* signal_pending(argument) is asked during interruptible waits, every 20 ms, and by
 * xmem_signal_pending(): the number of a signal that shall end a wait, or 0.  NULL: never any.
 * The caller is copied.  Process environment. */
void caller_serve(const struct xmem_caller *caller, int (*signal_pending)(void *), void *argument);
void caller_done(void);

/* A served thread is about to wait: its supervisor sees to it that others are served meanwhile.
 * `waits` is called by xmem_wait() on threads that serve; any number of times. */
void caller_on_wait(void (*waits)(void));
void caller_waits(void);

/* This thread is the kernel process, from here to its end. */
void caller_is(struct kernel_process *process);
/* NULL: it is none, or serves a trapped program. */
struct kernel_process *caller_kernel_process(void);
/* Whether signals of whom it serves have to be asked for. */
bool caller_is_served(void);

#endif
