/* SPDX-License-Identifier: MIT */
/*
 * The funnel: the one lock around the routines of drivers that do not say DEV_MPSAFE, which stands
 * for the one processor that AIX runs them on.  It nests in itself.  A service that sleeps lets it
 * go meanwhile, since on that processor others would run then.
 *
 * It is of the process environment; at interrupt level nothing happens.  It is outermost: whoever
 * has a lock of the library does not enter.
 */
#ifndef XMEM_AIX_FUNNEL_H
#define XMEM_AIX_FUNNEL_H

#include "host/platform.h"

void funnel_enter(void);
void funnel_leave(void);

/* Lets it go, however often this thread has entered.  Returns what funnel_resume() takes. */
unsigned funnel_suspend(void);
void funnel_resume(unsigned entered);

#endif
