/* SPDX-License-Identifier: MIT */
/*
 * Kernel processes.
 *
 *   1. A live one is listed, from before its maker knows its number until its function has returned
 *      or it was cancelled.  The list changes under the mutex of kernel_process.c, which nests
 *      inside the start mutex and has nothing nested in it; read sections read it.
 *   2. One that has ended is freed after its thread was joined and a grace period has passed.
 *   3. `signals` and `posted` may be changed by anybody in a read section, at interrupt level too:
 *      the bit first, then `posted`, which its interruptible waits wait on as well.
 */
#ifndef XMEM_SYSTEM_KERNEL_PROCESS_H
#define XMEM_SYSTEM_KERNEL_PROCESS_H

#include "host/platform.h"
#include "host/threads.h"

#include <sys/types.h>

#define KERNEL_PROCESS_NAME 16
#define SIGNALS_MOST 64

struct kernel_process {
    struct kernel_process *next;
    pthread_t thread;
    pid_t number;
    uint32_t state;   /* of its life; the thread and its maker wait for changes */
    uint32_t posted;  /* counts signals */
    uint64_t signals; /* bit n - 1: signal n is pending */
    void (*function)(void *);
    void *argument;
    char name[KERNEL_PROCESS_NAME];
};

/* The lowest pending signal's number, or 0. */
static inline int signals_lowest(uint64_t signals)
{
    return signals ? __builtin_ctzll(signals) + 1 : 0;
}

/* How many are listed.  For the last stop: waits for them, up to a limit, first. */
uint64_t kernel_processes_count(void);
uint64_t kernel_processes_settle(void);

#endif
