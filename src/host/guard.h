/* SPDX-License-Identifier: MIT */
/*
 * The guard: a process between this program and one that it starts, so that nothing of what that
 * one started, in turn, outlives this program.
 *
 *   1. The guard is the parent of the program and, as a subreaper, becomes that of every process
 *      whose own parent ends.  So all of them are always among its descendants.
 *   2. It holds one end of a socket, this program the other.  When this program ends, however it
 *      does, or lets go of its end, the guard kills its children until it has none, and ends.
 *   3. Should somebody kill the guard, Linux kills the program it started.
 *   4. It runs in a copy of a program with several threads and calls nothing that is not
 *      async-signal-safe.  It keeps no descriptor but the socket, and no signal reaches it but
 *      SIGKILL and SIGSTOP.
 */
#ifndef XMEM_HOST_GUARD_H
#define XMEM_HOST_GUARD_H

#include "host/platform.h"

#include <sys/types.h>

struct host_guard {
    pid_t guard;
    pid_t child; /* the program */
    int line;    /* our end of the socket */
};

/* Forks the guard, which forks the child, which runs child_run(argument) with every signal blocked
 * and is killed when the guard ends.  0; EAGAIN; ENOMEM; EMFILE. */
int host_guard_start(void (*child_run)(const void *argument) __attribute__((noreturn)),
                     const void *argument, struct host_guard *guard);

/* Waits until the child has ended.  *status as from waitpid(); that of a SIGKILL if the guard was
 * killed. */
void host_guard_child_status(const struct host_guard *guard, int *status);

/* Kills what is left, and returns when nothing is. */
void host_guard_end(struct host_guard *guard);

#endif
