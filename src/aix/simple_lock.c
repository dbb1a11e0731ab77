/* SPDX-License-Identifier: MIT */
/*
 * Simple locks.
 *
 * xm_state is 0: free; 1: taken; 2: taken, and somebody may wait.  A thread waits for it in the
 * Linux kernel.  Whoever may not, at interrupt level, turns round: the lock is then another
 * thread's, for a thread that shares one with handlers holds their priority off while it has it
 * (disable_lock), and one that does not is told so by the panic.
 *
 * xm_owner is stored by the owner alone, between taking and releasing, so that a thread that reads
 * its own value there has the lock.
 */
#include "aix/block.h"
#include "aix/locks.h"
#include "aix/self.h"
#include "aix/service.h"

#include <sys/lock_def.h>

#define SPINS 100

THREAD_LOCAL char self_place;

static bool take_if_free(simple_lock_t lock)
{
    uint32_t free = 0;

    if (load_relaxed(&lock->xm_state) != 0 || !compare_exchange(&lock->xm_state, &free, 1))
        return false;
    store_relaxed(&lock->xm_owner, self());
    return true;
}

static bool spin(simple_lock_t lock, int64_t times)
{
    for (int64_t spins = 0; spins < times; spins++) {
        if (take_if_free(lock))
            return true;
        SPIN_PAUSE();
    }
    return false;
}

static NOINLINE void take_slowly(const char *service, simple_lock_t lock)
{
    if (load_relaxed(&lock->xm_owner) == self())
        address_panic(service, "this thread has the lock already", lock);
    if (spin(lock, xmem_in_interrupt() ? INT64_MAX : SPINS))
        return;
    while (exchange(&lock->xm_state, 2) != 0)
        (void)block_on(&lock->xm_state, 2, 0);
    store_relaxed(&lock->xm_owner, self());
}

static void give(const char *service, simple_lock_t lock)
{
    if (UNLIKELY(load_relaxed(&lock->xm_owner) != self()))
        address_panic(service, "the lock is not this thread's", lock);
    store_relaxed(&lock->xm_owner, 0);
    if (UNLIKELY(exchange(&lock->xm_state, 0) == 2))
        xmem_wake(&lock->xm_state, 1);
}

EXPORT void simple_lock_init(simple_lock_t lock_addr)
{
    *lock_addr = (Simple_lock){.xm_state = 0};
}

EXPORT void simple_lock(simple_lock_t lock_addr)
{
    if (UNLIKELY(!take_if_free(lock_addr)))
        take_slowly("simple_lock", lock_addr);
}

EXPORT boolean_t simple_lock_try(simple_lock_t lock_addr)
{
    return take_if_free(lock_addr) ? TRUE : FALSE;
}

EXPORT void simple_unlock(simple_lock_t lock_addr)
{
    give("simple_unlock", lock_addr);
}

EXPORT int disable_lock(int int_pri, simple_lock_t lock_addr)
{
    int before = xmem_interrupts_hold(int_pri);

    if (UNLIKELY(!take_if_free(lock_addr)))
        take_slowly("disable_lock", lock_addr);
    return before;
}

EXPORT void unlock_enable(int int_pri, simple_lock_t lock_addr)
{
    give("unlock_enable", lock_addr);
    xmem_interrupts_restore(int_pri);
}
