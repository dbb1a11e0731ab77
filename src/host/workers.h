/* SPDX-License-Identifier: MIT */
/*
 * Threads that run the kernel's code on behalf of others, and can be called out of the system call
 * that they wait in.
 */
#ifndef XMEM_HOST_WORKERS_H
#define XMEM_HOST_WORKERS_H

#include "host/platform.h"

#include <pthread.h>

/* The first thing a worker calls: faults of guarded routines reach us on it, and so do kicks. */
void host_worker_prepare(void);
/* Whether this thread is one.  Async-signal-safe. */
bool host_worker_is(void);

/* A kick ends the system call that the worker waits in: with EINTR if that is the receiving of a
 * notification.  It may come just before the worker waits, or when it does something else: so it
 * is given again until the worker has done what is wanted.  Between begin and end, by one thread at
 * a time; the worker is not joined yet.  Meanwhile system calls that this program's interrupts end
 * are not restarted. */
void host_worker_kicks_begin(void);
void host_worker_kick(pthread_t thread);
void host_worker_kicks_end(void);

#endif
