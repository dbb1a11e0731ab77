/* SPDX-License-Identifier: MIT */
/*
 * <sys/sleep.h>: sleeping until an event comes, and waking those who do.
 *
 * An event word is a tid_t that is EVENT_NULL before its first use and belongs to the services from
 * then on; it must stay where it is while anybody sleeps on it.  A wake-up reaches those who sleep
 * at that moment and is not remembered.
 *
 * Signals.  Those of a trapped program are noticed within 20 milliseconds, those posted to a kernel
 * process at once; other threads of the kernel program get none.  A signal that the program blocks
 * or ignores ends no sleep.
 */
#ifndef XMEM_AIX_SYS_SLEEP_H
#define XMEM_AIX_SYS_SLEEP_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVENT_NULL ((tid_t)0) /* nobody sleeps on the word */

/* How a sleep of a thread ended. */
#define THREAD_AWAKENED 0    /* the event came */
#define THREAD_INTERRUPTED 1 /* a signal came */
#define THREAD_TIMED_OUT 2   /* only where the waker says so */
#define THREAD_OTHER 16      /* subsystems have codes from here on */

/* Flags of e_sleep_thread(): which lock it is, if there is one, and whether signals count. */
#define LOCK_HANDLER 1   /* a simple lock, shared with interrupt handlers */
#define LOCK_SIMPLE 2    /* a simple lock, shared by threads only */
#define LOCK_READ 4      /* a complex lock, held for reading */
#define LOCK_WRITE 8     /* a complex lock, held for writing */
#define INTERRUPTIBLE 16 /* a signal ends the sleep */

/* Flags of e_sleep(), e_sleepl() and et_wait(). */
#define EVENT_SHORT 0   /* signals do not end it; for short sleeps that end for certain */
#define EVENT_SIGRET 1  /* a signal ends it, and it returns EVENT_SIG */
#define EVENT_SIGWAKE 2 /* as EVENT_SIGRET: there is no setjmpx() that it could return to */

#define EVENT_SUCC 0 /* the event came */
#define EVENT_SIG 1  /* a signal came; a bit of EVENT_KERNEL */

/* Masks of et_wait() and et_post(): extensions take bits from the most significant one down. */
#define EVENT_KERNEL 0xfffful
#define EVENT_NDELAY 0ul /* a wait_mask: do not wait */

/* ---------------------------------------------------------------- by event words ------- */

/*
 * Sleeps until a wake-up for event_word.  lock_word, if not NULL, is released as the sleep begins,
 * so that no wake-up is lost in between, and is held again on return; exactly one flag says which
 * kind it is, else it is a panic.  Interrupts that the caller holds off come through meanwhile.
 * Returns THREAD_AWAKENED; THREAD_INTERRUPTED: a signal (with INTERRUPTIBLE only), also where a
 * wake-up came at the same time; or what e_wakeup_w_result() or e_clear_wait() gave.
 * Context: process; blocks.  At interrupt level it returns THREAD_INTERRUPTED at once and is
 * counted as a usage error.  Follows "e_sleep_thread Kernel Service".
 */
int e_sleep_thread XMEM_AIX_PARAMETERS((tid_t * event_word, void *lock_word, int flags));

/*
 * Puts the caller among the sleepers, but does not sleep: locks can be released before
 * e_block_thread() does, and no wake-up from here on is lost.  A second one before that is a panic.
 * Context: process; never blocks or allocates.  At interrupt level nothing happens, and it is
 * counted as a usage error.  Follows "e_assert_wait Kernel Service".
 */
void e_assert_wait XMEM_AIX_PARAMETERS((tid_t * event_word, boolean_t interruptible));

/*
 * Sleeps as e_assert_wait() has begun to, unless woken already.
 * Returns as e_sleep_thread(); without an e_assert_wait() THREAD_AWAKENED, which is counted as a
 * usage error.
 * Context: process; blocks.  At interrupt level as e_sleep_thread().
 * Follows "e_block_thread Kernel Service".
 */
int e_block_thread XMEM_AIX_PARAMETERS((void));

/*
 * Wakes one thread, whatever event it sleeps for; its sleep returns result.  A thread that does not
 * sleep, or does not exist, is left alone; the caller itself may have called e_assert_wait().
 * Context: process, interrupt; never blocks or allocates.  Follows "e_clear_wait Kernel Service".
 */
void e_clear_wait XMEM_AIX_PARAMETERS((tid_t tid, int result));

/*
 * e_wakeup() wakes all who sleep on the word, e_wakeup_one() the one that has slept longest (all
 * threads are equally favored here), e_wakeup_w_result() all with that result.
 * Context: process, interrupt; never block or allocate.
 * Follow "e_wakeup, e_wakeup_one, or e_wakeup_w_result Kernel Service".
 */
void e_wakeup XMEM_AIX_PARAMETERS((tid_t * event_word));
void e_wakeup_one XMEM_AIX_PARAMETERS((tid_t * event_word));
void e_wakeup_w_result XMEM_AIX_PARAMETERS((tid_t * event_word, int result));

/*
 * Posts the signal to each interruptible sleeper of the word.  Threads of the kernel program
 * itself, which get no signals, are woken with THREAD_INTERRUPTED.
 * Context: process, interrupt; never blocks or allocates.  Follows "e_wakeup_w_sig Kernel Service".
 */
void e_wakeup_w_sig XMEM_AIX_PARAMETERS((tid_t * event_word, int sig));

/*
 * Sleeps until a wake-up for event_word.  flags: EVENT_SHORT or EVENT_SIGRET.
 * Returns EVENT_SUCC; EVENT_SIG: a signal (EVENT_SIGRET only).
 * Context: process; blocks.  At interrupt level EVENT_SIG, counted as a usage error.
 * Follows "e_sleep Kernel Service".
 */
int e_sleep XMEM_AIX_PARAMETERS((tid_t * event_word, int flags));

/*
 * The same with a lockl() lock that the caller has: it is released while it sleeps.
 * Follows "e_sleepl Kernel Service".
 */
int e_sleepl XMEM_AIX_PARAMETERS((int *lock_word, tid_t *event_word, int flags));

/* ---------------------------------------------------------------- by masks ------------- */

/*
 * Waits until one of the events of wait_mask is posted to this thread; those posted before and not
 * yet cleared count.  The events of clear_mask are then cleared.  wait_mask EVENT_NDELAY: does not
 * wait, and clears the events of clear_mask that are there.
 * flags: EVENT_SHORT, or EVENT_SIGRET for a wait that signals end.
 * Returns the events of wait_mask that had come; EVENT_NDELAY: those that it cleared; EVENT_SIG: a
 * signal, and no event is cleared.
 * Context: process; blocks.  At interrupt level EVENT_SIG, counted as a usage error.
 * Follows "et_wait Kernel Service".
 */
unsigned long et_wait XMEM_AIX_PARAMETERS((unsigned long wait_mask, unsigned long clear_mask,
                                           int flags));

/*
 * Posts events to a thread.  One that does not exist is left alone.
 * Context: process, interrupt; never blocks or allocates.  Follows "et_post Kernel Service".
 */
void et_post XMEM_AIX_PARAMETERS((unsigned long events, tid_t tid));

/* The same for processes: the events are those of the whole process. */
unsigned long e_wait XMEM_AIX_PARAMETERS((unsigned long wait_mask, unsigned long clear_mask,
                                          int flags));
void e_post XMEM_AIX_PARAMETERS((unsigned long events, pid_t pid));

/* ---------------------------------------------------------------- by channels ---------- */

/*
 * Sleep until a wake-up for the channel, which is any address; all who sleep there are woken and
 * look again.  Flags in <sys/pri.h>: SWAKEONSIG and PCATCH both say that a signal ends the sleep,
 * and that it returns then; the priority is ignored.
 * Return 0; 1: a signal.
 * Context: process; block.  At interrupt level 1, counted as a usage error.
 * Follow "sleep Kernel Service" and "sleepx Kernel Service".
 */
int xmem_aix_sleep XMEM_AIX_PARAMETERS((void *chan, int priflags));
int sleepx XMEM_AIX_PARAMETERS((void *chan, int pri, int flags));

/* Wakes all who sleep on the channel.
 * Context: process, interrupt; never blocks or allocates. */
void xmem_aix_wakeup XMEM_AIX_PARAMETERS((void *chan));

#ifdef __cplusplus
}
#endif

#endif

/* `sleep` is the C library's name, and `wakeup` that of many. */
#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_SLEEP
#define XMEM_AIX_COMMON_NAMES_SLEEP
#pragma GCC system_header
#include <unistd.h>
#define sleep xmem_aix_sleep
#define wakeup xmem_aix_wakeup
#endif
