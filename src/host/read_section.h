/* SPDX-License-Identifier: MIT */
/*
 * Read sections and grace periods.
 *
 * A thread reads shared structures (region tables, page state, descriptor entries) and copies
 * bytes inside a read section.  read_section_wait() returns when every section that was open at
 * its call has been left: whoever revokes something unpublishes it, waits, and then knows that
 * nobody uses it any more.
 *
 *   1. enter and leave nest, never wait, and may be called in a signal handler that interrupts
 *      either of them.
 *   2. a thread registers before its first section; register, unregister and wait are never
 *      called in a handler or inside a section.
 *   3. what happened before wait() was called is visible to every section entered after it
 *      returned; what a section did is visible after wait() has returned.
 *
 * Two forms: liburcu's "memb" flavour, whose readers pay no fence, and one of plain C11 atomics
 * for the thread sanitizer, which does not see liburcu's ordering.
 */
#ifndef XMEM_HOST_READ_SECTION_H
#define XMEM_HOST_READ_SECTION_H

#include "host/platform.h"

#ifndef XMEM_READ_SECTION_C11
#define XMEM_READ_SECTION_C11 THREAD_SANITIZER
#endif

#if XMEM_READ_SECTION_C11

struct read_section_slot {
    uint64_t state; /* 0: outside; else the period the outermost section began in */
    struct read_section_slot *next;
    unsigned nesting;
    bool in_use;
};

extern THREAD_LOCAL struct read_section_slot *read_section_own;
extern uint64_t read_section_period;

/* A handler may come between any two steps of either: it finds nesting raised whenever the state
 * still counts, so that its own leave does not end the section that it interrupted. */
static inline void read_section_enter(void)
{
    struct read_section_slot *own = read_section_own;
    own->nesting++;
    compiler_fence();
    if (load_strong(&own->state) == 0) {
        store_strong(&own->state, load_strong(&read_section_period));
        full_fence();
    }
    compiler_fence();
}

static inline void read_section_leave(void)
{
    struct read_section_slot *own = read_section_own;
    compiler_fence();
    if (--own->nesting == 0)
        store_strong(&own->state, 0);
}

static inline bool read_section_leave_quietly(void)
{
    read_section_leave();
    return false;
}

#else

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE /* inlined read sections */
#endif
/* Readers take for granted that waiters use membarrier(2); read_section_usable() makes sure. */
#ifndef CONFIG_RCU_FORCE_SYS_MEMBARRIER
#define CONFIG_RCU_FORCE_SYS_MEMBARRIER
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#include <urcu/urcu-memb.h>
#pragma GCC diagnostic pop

static ALWAYS_INLINE void read_section_enter(void)
{
    urcu_memb_read_lock();
}

static ALWAYS_INLINE void read_section_leave(void)
{
    urcu_memb_read_unlock();
}

/* Leaves without waking a thread that waits for us, and says whether there may be one: then the
 * caller calls read_section_wake().  It keeps a short function free of calls. */
static ALWAYS_INLINE bool read_section_leave_quietly(void)
{
    urcu_memb_smp_mb_slave();
    CMM_STORE_SHARED(URCU_TLS(urcu_memb_reader).ctr,
                     URCU_TLS(urcu_memb_reader).ctr - URCU_GP_COUNT);
    urcu_memb_smp_mb_slave();
    return uatomic_read(&urcu_memb_gp.futex) == -1;
}

#endif

/* Whether read sections work here: asked once, before the first. */
bool read_section_usable(void);
int read_section_register(void); /* 0 or ENOMEM; all signals blocked by the caller */
void read_section_unregister(void);
void read_section_wait(void);
/* Wakes whoever waits for sections that have been left.  Interrupt-callable. */
void read_section_wake(void);

#endif
