/* SPDX-License-Identifier: MIT */
/*
 * The funnel; funnel.h says what it is.
 */
#include "aix/funnel.h"

#include "aix/locks.h"
#include "aix/service.h"

static struct wait_lock lock;
static THREAD_LOCAL unsigned depth; /* how often this thread has entered; it has the lock if ever */

void funnel_enter(void)
{
    if (xmem_in_interrupt())
        return;
    if (depth == 0)
        wait_lock_take(&lock);
    depth++;
}

void funnel_leave(void)
{
    if (xmem_in_interrupt())
        return;
    if (--depth == 0)
        wait_lock_give(&lock);
}

unsigned funnel_suspend(void)
{
    unsigned entered;

    if (xmem_in_interrupt() || depth == 0)
        return 0;
    entered = depth;
    depth = 0;
    wait_lock_give(&lock);
    return entered;
}

void funnel_resume(unsigned entered)
{
    if (entered == 0)
        return;
    wait_lock_take(&lock);
    depth = entered;
}
