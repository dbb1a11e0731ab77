/* SPDX-License-Identifier: MIT */
/*
 * Complex locks: many readers or one writer, and waiting writers before readers.
 *
 *   1. xm_guard is a lock of the kind in locks.h, held for a few instructions, and covers the rest.
 *      While it is held nothing is waited for.
 *   2. Who waits counts itself in xm_waiting, a writer in xm_writers_waiting too, and waits on
 *      xm_changes as it was under the guard; each release raises that and wakes them all, to look
 *      again.
 *   3. xm_writer is who writes, 0: nobody.  Each thread notes what it reads in a small list of its
 *      own: that is how a thread that would wait for itself, or releases somebody else's, is told.
 *      One that reads more locks at a time than fit is not.
 */
#include "aix/block.h"
#include "aix/locks.h"
#include "aix/self.h"
#include "aix/service.h"

#include <sys/lock_alloc.h>
#include <sys/lock_def.h>

#define READ_MOST 16u

static THREAD_LOCAL struct {
    complex_lock_t locks[READ_MOST];
    unsigned count;
    unsigned beyond; /* read, but not in the list */
} reads;

/* ---- what this thread reads ---- */

static unsigned place_of(complex_lock_t lock)
{
    unsigned place = 0;

    while (place < reads.count && reads.locks[place] != lock)
        place++;
    return place;
}

static bool reads_it(complex_lock_t lock)
{
    return place_of(lock) < reads.count;
}

static void note_read(complex_lock_t lock)
{
    if (reads.count < READ_MOST)
        reads.locks[reads.count++] = lock;
    else
        reads.beyond++;
}

static void forget_read(complex_lock_t lock)
{
    unsigned place = place_of(lock);

    if (place < reads.count)
        reads.locks[place] = reads.locks[--reads.count];
    else if (reads.beyond > 0)
        reads.beyond--;
    else
        address_panic("lock_done", "the lock is not this thread's", lock);
}

/* ---- the guard ---- */

static void guard(complex_lock_t lock)
{
    uint32_t free = 0;

    if (LIKELY(compare_exchange(&lock->xm_guard, &free, 1)))
        return;
    while (exchange(&lock->xm_guard, 2) != 0)
        (void)xmem_wait(&lock->xm_guard, 2, 0, 0);
}

static void unguard(complex_lock_t lock)
{
    if (UNLIKELY(exchange(&lock->xm_guard, 0) == 2))
        xmem_wake(&lock->xm_guard, 1);
}

/* ---- taking ---- */

static bool is_free_for(const Complex_lock *lock, bool write)
{
    if (load_relaxed(&lock->xm_writer) != 0)
        return false;
    return write ? lock->xm_readers == 0 : lock->xm_writers_waiting == 0;
}

/* The guard is held. */
static void note_taken(complex_lock_t lock, bool write)
{
    if (write)
        store_relaxed(&lock->xm_writer, self());
    else
        lock->xm_readers++;
}

static void refuse_own(const char *service, complex_lock_t lock)
{
    if (load_relaxed(&lock->xm_writer) == self() || reads_it(lock))
        address_panic(service, "this thread has the lock already", lock);
}

/* The guard is held, and is on return. */
static void wait_until_free(complex_lock_t lock, bool write)
{
    lock->xm_waiting++;
    lock->xm_writers_waiting += write;
    while (!is_free_for(lock, write)) {
        uint32_t seen = load_relaxed(&lock->xm_changes);

        unguard(lock);
        (void)block_on(&lock->xm_changes, seen, 0);
        guard(lock);
    }
    lock->xm_writers_waiting -= write;
    lock->xm_waiting--;
}

static void take(const char *service, complex_lock_t lock, bool write)
{
    if (refused_at_interrupt_level())
        return;
    refuse_own(service, lock);
    guard(lock);
    if (!is_free_for(lock, write))
        wait_until_free(lock, write);
    note_taken(lock, write);
    unguard(lock);
    if (!write)
        note_read(lock);
}

static boolean_t take_if_free(complex_lock_t lock, bool write)
{
    bool taken;

    if (refused_at_interrupt_level() || reads_it(lock))
        return FALSE;
    guard(lock);
    taken = is_free_for(lock, write);
    if (taken)
        note_taken(lock, write);
    unguard(lock);
    if (taken && !write)
        note_read(lock);
    return taken ? TRUE : FALSE;
}

/* ---- services ---- */

EXPORT void xmem_aix_lock_init(complex_lock_t lock_addr, boolean_t can_sleep)
{
    (void)can_sleep;
    if (!refused_at_interrupt_level())
        *lock_addr = (Complex_lock){.xm_guard = 0};
}

EXPORT void xmem_aix_lock_read(complex_lock_t lock_addr)
{
    take("lock_read", lock_addr, false);
}

EXPORT void xmem_aix_lock_write(complex_lock_t lock_addr)
{
    take("lock_write", lock_addr, true);
}

EXPORT boolean_t xmem_aix_lock_try_read(complex_lock_t lock_addr)
{
    return take_if_free(lock_addr, false);
}

EXPORT boolean_t xmem_aix_lock_try_write(complex_lock_t lock_addr)
{
    return take_if_free(lock_addr, true);
}

EXPORT void xmem_aix_lock_done(complex_lock_t lock_addr)
{
    bool write, waited_for;

    if (refused_at_interrupt_level())
        return;
    write = load_relaxed(&lock_addr->xm_writer) == self();
    if (!write)
        forget_read(lock_addr);
    guard(lock_addr);
    if (write)
        store_relaxed(&lock_addr->xm_writer, 0);
    else
        lock_addr->xm_readers--;
    waited_for = lock_addr->xm_waiting != 0;
    if (waited_for)
        add_fetch(&lock_addr->xm_changes, 1);
    unguard(lock_addr);
    if (waited_for)
        xmem_wake(&lock_addr->xm_changes, INT32_MAX);
}

EXPORT int xmem_aix_lock_islocked(complex_lock_t lock_addr)
{
    bool taken;

    if (refused_at_interrupt_level())
        return FALSE;
    guard(lock_addr);
    taken = load_relaxed(&lock_addr->xm_writer) != 0 || lock_addr->xm_readers != 0;
    unguard(lock_addr);
    return taken ? TRUE : FALSE;
}

EXPORT void xmem_aix_lock_alloc(void *lock_addr, int flags, int lock_class, int occurrence)
{
    (void)lock_addr;
    (void)flags;
    (void)lock_class;
    (void)occurrence;
    (void)refused_at_interrupt_level();
}

EXPORT void xmem_aix_lock_free(void *lock_addr)
{
    (void)lock_addr;
    (void)refused_at_interrupt_level();
}
