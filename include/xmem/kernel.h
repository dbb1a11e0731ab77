/* SPDX-License-Identifier: MIT */
/*
 * xmem: what kernel code needs around the memory services: kernel processes, waiting and waking,
 * interrupts that arrive from elsewhere, and timers.
 *
 * The rules at the top of <xmem/xmem.h> hold here too.  Words that threads wait on are ordinary
 * memory of the kernel program.
 */
#ifndef XMEM_KERNEL_H
#define XMEM_KERNEL_H

#include <xmem/xmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- kernel processes ----- */

/*
 * A kernel process: a thread of the kernel program without a current process, known by a number.
 * It is made idle and runs nothing until it is started.  All Linux signals are blocked on it, but
 * for those that xmem uses.
 */

/*
 * Makes an idle kernel process.
 * number: becomes its number (a Linux thread id, so that it equals no Linux process's).
 * Returns 0; ENOMEM: no memory or thread is left; EPERM: see the top of <xmem/xmem.h>.
 * Context: process.  Blocks, allocates.
 */
int xmem_kernel_process_create(pid_t *number);

/*
 * Starts it: it calls function(argument) and ends when that returns, in no other way.
 * name: NULL or what debuggers show; 15 characters count.
 * Returns 0; EINVAL: no idle kernel process has that number, or function is NULL; EPERM.
 * Context: process.  Blocks briefly.
 */
int xmem_kernel_process_start(pid_t number, void (*function)(void *), void *argument,
                              const char *name);

/*
 * Ends one that is still idle.  Returns 0; EINVAL: no idle one has that number; EPERM.
 * Context: process.  Blocks.
 */
int xmem_kernel_process_cancel(pid_t number);

/* ---------------------------------------------------------------- who runs ------------- */

/*
 * On whose behalf this thread runs: a kernel process, a thread of a trapped program whose call it
 * serves, or neither.
 */
struct xmem_caller {
    pid_t process; /* 0: the kernel program itself; a kernel process: its number */
    pid_t thread;  /* the Linux id of the thread that is served, or of this one */
    int kernel;    /* nonzero: a kernel process */
};

/* Context: process, interrupt (there it is the interrupted thread's); allocates nothing. */
void xmem_get_caller(struct xmem_caller *caller);

/*
 * Whether a signal waits for whom this thread serves: for a trapped program's thread one that is
 * neither blocked nor ignored there (or the thread is being killed), for a kernel process one
 * posted by xmem_signal_post().
 * Returns the signal's number, or 0.
 * Context: process.  Does not block or allocate; may take some system calls.
 */
int xmem_signal_pending(void);

/* Takes the lowest posted signal of this kernel process off.  Returns its number, or 0.
 * Context: process.  Does not block or allocate. */
int xmem_signal_take(void);

/*
 * Sends a signal to the thread that has this number: to a kernel process as a pending signal, which
 * ends its interruptible waits; to a thread of a user process by the Linux kernel.
 * signal: 1 to 64; 0 only asks whether anybody has the number.
 * Returns 0; ESRCH: nobody has the number, or a thread of the kernel program itself, which gets no
 * signals; EINVAL: no signal; EPERM (also: Linux refused).
 * Context: process, interrupt; never blocks or allocates.
 */
int xmem_signal_post(pid_t thread, int signal);

/*
 * Has function run in every thread that has called a service, as the thread ends: in the process
 * environment, with all services.  May be called before xmem_start(); the same function again
 * counts nothing.  It cannot be taken back.
 * Returns 0; ENOSPC: there are 8 already.
 * Context: process.  Blocks briefly.
 */
int xmem_at_thread_end(void (*function)(void));

/* ---------------------------------------------------------------- waiting -------------- */

#define XMEM_WAIT_INTERRUPTIBLE 1u /* a signal for whom this thread serves ends the wait */

/*
 * Waits while *word == expected until somebody calls xmem_wake() for the word, or the time is up.
 * May return without a reason: look again.
 * nanoseconds: the longest wait; 0: for ever.
 * Returns 0: woken, or *word is different (asked first); ETIMEDOUT; EINTR: a signal (interruptible
 * waits only; a kernel process's at once, a trapped program's within 20 ms); EINVAL: flags; EPERM.
 * Context: process.  Blocks; allocates nothing.
 */
int xmem_wait(const uint32_t *word, uint32_t expected, unsigned flags, uint64_t nanoseconds);

/* Wakes at most `most` threads that wait on the word.
 * Context: process, interrupt; never blocks or allocates. */
void xmem_wake(const uint32_t *word, int most);

/* ---------------------------------------------------------------- interrupts ----------- */

/*
 * Holds interrupts of `priority` and less favoured ones off this thread: xmem_interrupt() on it
 * then runs the handler when they are let through again, and xmem_post_interrupt() work waits
 * while anybody holds its priority off (as on a machine with one processor).  A handler of posted
 * work that it holds off and that runs already is waited for, except by handlers (which may have
 * what that one waits for): once this has returned to a thread in the process environment none
 * does.  So nobody must hold interrupts off and wait for one of them.
 * Returns the priority that was in force before, for xmem_interrupts_restore().  Nests; one that
 * is as favoured already stays in force.  A handler's end restores what it held.
 * Context: process, interrupt.  Allocates nothing; waits as said.
 */
int xmem_interrupts_hold(int priority);
void xmem_interrupts_restore(int priority);

/* Work for interrupt level.  The caller's memory, until the handler has begun. */
struct xmem_interrupt_work {
    void (*handler)(void *argument);
    void *argument;
    int priority;                     /* enum xmem_priority, XMEM_INTMAX to XMEM_INTOFFL3 */
    struct xmem_interrupt_work *next; /* the library's */
    uint32_t state;                   /* the library's; 0 at first */
};

/*
 * Has the handler run once at interrupt level, on a thread of the library, most favoured first,
 * and in the order of posting among equals; one after the other.  Posted again before its handler
 * has begun, it still runs once, in its first place; from the beginning of the handler on it may be
 * changed, and posted again (by the handler, too).
 * Returns 0; EINVAL: priority or handler; EPERM: xmem is not started.
 * Context: process, interrupt; never blocks or allocates.
 */
int xmem_post_interrupt(struct xmem_interrupt_work *work);

/*
 * Takes work back.  Returns 0: it was waiting and will not run, or was not posted at all; EBUSY:
 * its handler runs now (called by the handler itself: EBUSY too); if it was posted again meanwhile
 * that has been taken back.  EPERM.
 * Context: process, interrupt; never blocks or allocates.
 */
int xmem_cancel_interrupt(struct xmem_interrupt_work *work);

/* ---------------------------------------------------------------- timers --------------- */

/* A timer.  The caller's memory, from start to expiry or a stop that returned 0. */
struct xmem_timer {
    struct xmem_interrupt_work work; /* what is posted at expiry */
    uint64_t when;                   /* the library's from here on; zero-filled at first */
    struct xmem_timer *next;
    uint32_t state;
};

/* Nanoseconds of the monotonic clock.  Context: process, interrupt. */
uint64_t xmem_clock(void);

/* Nanoseconds since 1970, by the clock that can be set.  Context: process, interrupt. */
uint64_t xmem_time_of_day(void);

/*
 * Posts timer->work when the monotonic clock reaches `when` (nanoseconds; one that has passed is
 * at once).  A timer that is running, or whose handler has not begun, is moved to the new time.
 * The time it takes grows with the number of timers that expire earlier.
 * Returns 0; EINVAL: the work's priority or handler; EPERM: see xmem_post_interrupt().
 * Context: process, interrupt; never blocks or allocates.
 */
int xmem_timer_start(struct xmem_timer *timer, uint64_t when);

/* Returns 0: it will not run; EBUSY: its handler runs now, and will not run again; EPERM.
 * Context: process, interrupt; never blocks or allocates. */
int xmem_timer_stop(struct xmem_timer *timer);

/* ---------------------------------------------------------------- kernel memory -------- */
/*
 * Memory of the kernel program itself, in whole pages, for heaps.  It stays until it is deleted,
 * beyond an xmem_stop() too.
 */
#define XMEM_MEMORY_PINNED 1u /* to be locked into real memory, so that Linux does not swap it */

/*
 * Makes length zero-filled bytes (rounded up to pages) at *memory, which is aligned to a page.
 * Where Linux refuses to lock it (RLIMIT_MEMLOCK), pinned memory is left unlocked: handlers can use
 * it all the same, only slower if it was swapped.  A program that started xmem with lock_memory
 * gets the error instead.
 * Returns 0; EINVAL: length is 0, or no flag; ENOMEM; EPERM (also: Linux refused); EAGAIN: Linux
 * refused.
 * Context: process.  Blocks.
 */
int xmem_memory_create(size_t length, unsigned flags, void **memory);

/* Deletes what xmem_memory_create() made, with the same length.  Returns 0; EPERM.
 * Context: process.  Blocks. */
int xmem_memory_delete(void *memory, size_t length);

#ifdef __cplusplus
}
#endif

#endif
