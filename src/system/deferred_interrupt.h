/* SPDX-License-Identifier: MIT */
/*
 * The worker: the thread of the library that runs posted interrupt work, and to which timers
 * belong; deferred_interrupt.c says how.
 *
 * The work lock covers the queues, the timers and what the worker runs.  It nests inside
 * everything, and is held for a few instructions with every signal blocked on its holder, so that
 * no handler can want it on the thread that has it.
 */
#ifndef XMEM_SYSTEM_DEFERRED_INTERRUPT_H
#define XMEM_SYSTEM_DEFERRED_INTERRUPT_H

#include "host/platform.h"
#include "host/threads.h"
#include "xmem/kernel.h"

int worker_start(void); /* 0; ENOMEM */
/* Work and timers that have not begun are forgotten.  Start mutex held; no handler of the worker
 * is left on return. */
void worker_stop(void);
/* Something may have become runnable: more work, an earlier timer. */
void worker_poke(void);
/* Interrupts may be let through that were held off. */
void worker_poke_held_off(void);

struct work_section {
    struct host_signal_mask mask;
};
void work_lock(struct work_section *section);
void work_unlock(const struct work_section *section);

/* The work lock held.  False: there is no worker. */
bool work_accepted(void);
void work_enqueue(struct xmem_interrupt_work *work);
/* Takes it off its queue if it is on one.  True: its handler runs now. */
bool work_withdraw(struct xmem_interrupt_work *work);

/* The work lock held: enqueues the work of timers that are due.  Returns the first expiry of those
 * that are not, 0: there is none. */
uint64_t timers_expire(uint64_t now);
void timers_forget(void);

/* What the services that post and take back have in common: 0 or errno, recorded. */
int work_check(const char *operation, const struct xmem_interrupt_work *work);
int work_posted(const char *operation, bool accepted);
int work_withdrawn(const char *operation, bool runs);

/* In interrupt.c: runs the handler at interrupt level on this thread, whatever happens to the
 * signal. */
void interrupt_run(int priority, void (*handler)(void *), void *argument);

#endif
