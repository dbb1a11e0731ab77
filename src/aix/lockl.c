/* SPDX-License-Identifier: MIT */
/*
 * lockl, unlockl.  The word is LOCK_AVAIL, or the number of the thread that has the lock; CONTENDED
 * is added while somebody may wait for it.  Whoever has waited takes it with CONTENDED, since there
 * may be more.
 */
#include "aix/block.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/lockl.h>

#define CONTENDED (UINT32_C(1) << 30) /* above every thread's number */

static uint32_t own_number(void)
{
    struct xmem_caller caller;

    xmem_get_caller(&caller);
    return (uint32_t)caller.thread;
}

/* The word as what the natives wait on. */
static uint32_t *word_of(lock_t *lock_word)
{
    return (uint32_t *)lock_word;
}

_Static_assert(sizeof(lock_t) == sizeof(uint32_t) && LOCK_AVAIL == 0, "words of locks");

/* Announces that somebody waits.  Returns the word as it is then; 0: free. */
static uint32_t announce(uint32_t *word)
{
    uint32_t now = load_strong(word);

    while (now != 0 && !(now & CONTENDED))
        if (compare_exchange(word, &now, now | CONTENDED))
            return now | CONTENDED;
    return now;
}

static int wait_and_take(uint32_t *word, uint32_t own, unsigned flags)
{
    for (;;) {
        uint32_t now = announce(word);

        if (now != 0 && block_on(word, now, flags) == EINTR) {
            xmem_wake(word, 1); /* for the next one, if an unlock has woken this thread, too */
            return LOCK_SIG;
        }
        now = 0;
        if (compare_exchange(word, &now, own | CONTENDED))
            return LOCK_SUCC;
    }
}

EXPORT int xmem_aix_lockl(lock_t *lock_word, int flags)
{
    uint32_t *word = word_of(lock_word);
    uint32_t now = 0, own;
    unsigned interruptible = flags & (LOCK_SIGRET | LOCK_SIGWAKE) ? XMEM_WAIT_INTERRUPTIBLE : 0;

    if (refused_at_interrupt_level())
        return LOCK_FAIL;
    own = own_number();
    if (compare_exchange(word, &now, own))
        return LOCK_SUCC;
    if ((now & ~CONTENDED) == own)
        return LOCK_NEST;
    return flags & LOCK_NDELAY ? LOCK_FAIL : wait_and_take(word, own, interruptible);
}

EXPORT void xmem_aix_unlockl(lock_t *lock_word)
{
    uint32_t *word = word_of(lock_word);

    if (refused_at_interrupt_level())
        return;
    if ((load_strong(word) & ~CONTENDED) != own_number())
        address_panic("unlockl", "the lock is not this thread's", lock_word);
    if (exchange(word, 0) & CONTENDED)
        xmem_wake(word, 1);
}
