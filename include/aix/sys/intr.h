/* SPDX-License-Identifier: MIT */
/*
 * <sys/intr.h>: interrupt priorities, handlers of device interrupts, and off-level work.
 */
#ifndef XMEM_AIX_SYS_INTR_H
#define XMEM_AIX_SYS_INTR_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Priorities, most favored first.  The values are those of enum xmem_priority and go to
 * xmem_interrupt(). */
#define INTMAX 0    /* all interrupts off */
#define INTPAGER 1  /* pagers */
#define INTIODONE 2 /* completion of I/O, exception handlers */
#define INTTIMER 3  /* timers; as favoured as the most urgent devices */
#define INTCLASS0 3 /* devices, most to least urgent */
#define INTCLASS1 4
#define INTCLASS2 5
#define INTCLASS3 6
#define INTOFFL0 7 /* off-level work */
#define INTOFFL1 8
#define INTOFFL2 9
#define INTOFFL3 10
#define INTBASE 11 /* the process environment */

/*
 * Holds interrupts of priority newprio, and less favored ones, off the calling thread.  It never
 * makes the priority less favored than it is.  Callers stay in the environment they are in.
 * Returns the priority before, for i_enable().
 * Context: process, interrupt; never blocks or allocates.
 * Follows "i_disable Kernel Service", "i_enable Kernel Service".
 */
int i_disable XMEM_AIX_PARAMETERS((int newprio));
void i_enable XMEM_AIX_PARAMETERS((int oldprio));

/* What handlers return, and i_init(). */
#define INTR_SUCC 0
#define INTR_FAIL (-1)

/* flags */
#define INTR_MPSAFE 0x1     /* may run on any processor; always so */
#define INTR_NOT_SHARED 0x2 /* the only handler of its bus level */
#define INTR_QUEUED 0x8000  /* the library's */

/* A handler.  The caller's memory; from i_init() to i_clear(), and from i_sched() to the call, it
 * must stay where and as it is. */
struct intr {
    struct intr *next; /* the library's */
    int(*handler) XMEM_AIX_CALLED_WITH((struct intr *));
    ushort bus_type; /* these, level and bid are the bus level: any numbers */
    ushort flags;
    int level;
    int priority; /* INTCLASS0 to INTCLASS3; off-level: INTOFFL0 to INTOFFL3 */
    ulong bid;
};

/*
 * Registers a handler, as the last one of its bus level; the level is unmasked if it is the first.
 * When the device interrupts (xmem_aix_raise()), the handlers of the level are called at interrupt
 * level, priority h->priority, until one returns INTR_SUCC.
 * Returns INTR_SUCC; INTR_FAIL: the level is shared and h is not to share it, or the other way
 * round; handlers of a level have one priority; there are 256 levels already; h is registered; a
 * NULL handler; priority.
 * Context: process; does not block or allocate.  At interrupt level: INTR_FAIL, counted as a usage
 * error.  Follows "i_init Kernel Service".
 */
int i_init XMEM_AIX_PARAMETERS((struct intr * h));

/*
 * Takes a handler off; on return it does not run.  The level is masked if it was the last.
 * Context: process; blocks while the handler runs.  At interrupt level, and for a handler that is
 * not registered, nothing happens, and it is counted as a usage error.
 * Follows "i_clear Kernel Service".
 */
void i_clear XMEM_AIX_PARAMETERS((struct intr * h));

/* Masks the bus level of h: interrupts wait.  They come, one for all that waited, when it is
 * unmasked.  Context: process, interrupt.
 * Follows "i_mask Kernel Service", "i_unmask Kernel Service". */
void i_mask XMEM_AIX_PARAMETERS((struct intr * h));
void i_unmask XMEM_AIX_PARAMETERS((struct intr * h));

/*
 * The device interrupts: as if it had raised the line of the bus level of h.  Raised again before
 * the handlers have been called, it is one interrupt.  An addition of ours, for devices made of
 * software.
 * Returns 0; EINVAL: no handler is registered for that bus level.
 * Context: process, interrupt; never blocks or allocates.
 */
int xmem_aix_raise(struct intr *h);

/* Fills in h for i_sched(): class n is the priority INTOFFLn. */
#define INIT_OFFL0(h, routine, flag) XMEM_AIX_INIT_OFFL(h, routine, flag, INTOFFL0)
#define INIT_OFFL1(h, routine, flag) XMEM_AIX_INIT_OFFL(h, routine, flag, INTOFFL1)
#define INIT_OFFL2(h, routine, flag) XMEM_AIX_INIT_OFFL(h, routine, flag, INTOFFL2)
#define INIT_OFFL3(h, routine, flag) XMEM_AIX_INIT_OFFL(h, routine, flag, INTOFFL3)
#define XMEM_AIX_INIT_OFFL(h, routine, flag, class)                                                \
    ((h)->next = 0, (h)->handler = (routine), (h)->bus_type = 0, (h)->flags = (flag),              \
     (h)->level = 0, (h)->priority = (class), (h)->bid = 0)

/*
 * Has (*h->handler)(h) called once at interrupt level, priority h->priority, after what is queued
 * for it already.  Ignored while h is queued; h is taken off the queue just before the call, and
 * may be queued again by it.
 * Context: process, interrupt; never blocks or allocates.  Follows "i_sched Kernel Service".
 */
void i_sched XMEM_AIX_PARAMETERS((struct intr * h));

#ifdef __cplusplus
}
#endif

#endif
