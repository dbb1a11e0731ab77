/* SPDX-License-Identifier: MIT */
/*
 * Signals: faults of guarded routines, and interrupts as real signals.
 *
 * Handlers are installed without SA_ONSTACK (the read sections' library excludes it) and chain to
 * what was there: a fault that is not ours reaches the program's handler, or ends the program the
 * way it would have ended.
 *
 * A worker (workers.h) is also sent the interrupt signal to end the system call that it waits in.
 */
#ifndef XMEM_HOST_SIGNALS_H
#define XMEM_HOST_SIGNALS_H

#include "host/platform.h"

/* own_faults false: SIGSEGV and SIGBUS stay the program's. `interrupt` runs in the interrupt
 * signal's handler.  0; EINVAL: the interrupt signal is not a usable real-time signal. */
int host_handlers_install(bool own_faults, int interrupt_signal, bool (*interrupt)(void));
void host_handlers_remove(void);

/* True: the fault was a guarded routine's and is dealt with. */
bool host_fault(int signal, void *information, void *context);

/* Unblocks SIGSEGV and SIGBUS on this thread, when they are ours: Linux ends a program that faults
 * while they are blocked, and asks no handler. */
void host_faults_unblock(void);

/* The interrupt signal's number. */
int host_interrupt_signal(void);

/* Raises the interrupt signal on this thread; its handler has run on return.  Async-signal-safe. */
int host_interrupt_raise(void);

#endif
