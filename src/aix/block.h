/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside a service: what the caller holds against others in the manner of a machine with
 * one processor, the funnel and its interrupt priority, is let go meanwhile and held again on
 * return, the funnel first.  Both are outermost: whoever waits has no lock of the services, and
 * takes extensions' locks afterwards.
 */
#ifndef XMEM_AIX_BLOCK_H
#define XMEM_AIX_BLOCK_H

#include "aix/funnel.h"
#include "host/platform.h"

#include <xmem/kernel.h>

/* Waits while *word == expected; as xmem_wait(). */
static inline int block_for(const uint32_t *word, uint32_t expected, unsigned flags,
                            uint64_t nanoseconds)
{
    int priority = xmem_interrupts_hold(XMEM_INTBASE); /* only asks for it */
    unsigned entered = funnel_suspend();
    int error;

    xmem_interrupts_restore(XMEM_INTBASE);
    error = xmem_wait(word, expected, flags, nanoseconds);
    funnel_resume(entered);
    (void)xmem_interrupts_hold(priority);
    return error;
}

static inline int block_on(const uint32_t *word, uint32_t expected, unsigned flags)
{
    return block_for(word, expected, flags, 0);
}

#endif
