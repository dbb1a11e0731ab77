/* SPDX-License-Identifier: MIT */
/*
 * Sleep and wake-up by event words and by channels.  An event word sleeps under its own address,
 * and so does a channel: what tells them apart is that a channel has no word.
 */
#include "aix/service.h"
#include "aix/sleepers.h"

#include <sys/lock_def.h>
#include <sys/lockl.h>
#include <sys/pri.h>
#include <sys/sleep.h>

#define ALL (~0u)
#define LOCK_KINDS (LOCK_HANDLER | LOCK_SIMPLE | LOCK_READ | LOCK_WRITE)

/* ---- with a lock ---- */

static void release(void *lock_word, int kind)
{
    switch (kind) {
    case LOCK_HANDLER:
    case LOCK_SIMPLE:
        simple_unlock(lock_word);
        return;
    case LOCK_READ:
    case LOCK_WRITE:
        xmem_aix_lock_done(lock_word);
        return;
    default:
        address_panic("e_sleep_thread",
                      "flags must say with exactly one of LOCK_HANDLER, LOCK_SIMPLE, LOCK_READ and "
                      "LOCK_WRITE what lock_word is",
                      lock_word);
    }
}

static void take_again(void *lock_word, int kind)
{
    if (kind == LOCK_READ)
        xmem_aix_lock_read(lock_word);
    else if (kind == LOCK_WRITE)
        xmem_aix_lock_write(lock_word);
    else
        simple_lock(lock_word);
}

EXPORT int e_sleep_thread(tid_t *event_word, void *lock_word, int flags)
{
    int kind = flags & LOCK_KINDS;
    int result;

    if (refused_at_interrupt_level())
        return THREAD_INTERRUPTED;
    sleeper_enlist("e_sleep_thread", event_word, event_word, (flags & INTERRUPTIBLE) != 0);
    if (lock_word != NULL)
        release(lock_word, kind);
    result = sleeper_block();
    if (lock_word != NULL)
        take_again(lock_word, kind);
    return result;
}

/* ---- in two steps ---- */

EXPORT void e_assert_wait(tid_t *event_word, boolean_t interruptible)
{
    if (!refused_at_interrupt_level())
        sleeper_enlist("e_assert_wait", event_word, event_word, interruptible != 0);
}

EXPORT int e_block_thread(void)
{
    if (refused_at_interrupt_level())
        return THREAD_INTERRUPTED;
    if (sleeper_is_enlisted())
        return sleeper_block();
    xmem_count_usage_error();
    return THREAD_AWAKENED;
}

/* ---- the older ones ---- */

static void enlist(const char *service, tid_t *event_word, int flags)
{
    sleeper_enlist(service, event_word, event_word, (flags & (EVENT_SIGRET | EVENT_SIGWAKE)) != 0);
}

EXPORT int e_sleep(tid_t *event_word, int flags)
{
    if (refused_at_interrupt_level())
        return EVENT_SIG;
    enlist("e_sleep", event_word, flags);
    return sleeper_block() == THREAD_INTERRUPTED ? EVENT_SIG : EVENT_SUCC;
}

EXPORT int e_sleepl(int *lock_word, tid_t *event_word, int flags)
{
    int result;

    if (refused_at_interrupt_level())
        return EVENT_SIG;
    enlist("e_sleepl", event_word, flags);
    xmem_aix_unlockl(lock_word);
    result = sleeper_block();
    (void)xmem_aix_lockl(lock_word, LOCK_SHORT);
    return result == THREAD_INTERRUPTED ? EVENT_SIG : EVENT_SUCC;
}

EXPORT int sleepx(void *chan, int pri, int flags)
{
    if (refused_at_interrupt_level())
        return 1;
    sleeper_enlist("sleep", chan, NULL, ((pri | flags) & (SWAKEONSIG | PCATCH)) != 0);
    return sleeper_block() == THREAD_INTERRUPTED;
}

EXPORT int xmem_aix_sleep(void *chan, int priflags)
{
    return sleepx(chan, priflags, 0);
}

/* ---- wake-ups ---- */

EXPORT void e_wakeup(tid_t *event_word)
{
    sleepers_wake(event_word, event_word, ALL, THREAD_AWAKENED);
}

EXPORT void e_wakeup_one(tid_t *event_word)
{
    sleepers_wake(event_word, event_word, 1, THREAD_AWAKENED);
}

EXPORT void e_wakeup_w_result(tid_t *event_word, int result)
{
    sleepers_wake(event_word, event_word, ALL, result);
}

EXPORT void e_wakeup_w_sig(tid_t *event_word, int sig)
{
    sleepers_signal(event_word, sig);
}

EXPORT void e_clear_wait(tid_t tid, int result)
{
    sleepers_clear(tid, result);
}

EXPORT void xmem_aix_wakeup(void *chan)
{
    sleepers_wake(chan, NULL, ALL, THREAD_AWAKENED);
}
