/* SPDX-License-Identifier: MIT */
/*
 * Who runs, in the environment's sense: -1 in the interrupt environment, which belongs to nobody.
 */
#include "aix/service.h"

#include <sys/intr.h>
#include <sys/thread.h>
#include <xmem/kernel.h>

_Static_assert(INTMAX == XMEM_INTMAX && INTPAGER == XMEM_INTPAGER && INTIODONE == XMEM_INTIODONE,
               "priorities of the kernel");
_Static_assert(INTCLASS0 == XMEM_INTCLASS0 && INTCLASS1 == XMEM_INTCLASS1 &&
                   INTCLASS2 == XMEM_INTCLASS2 && INTCLASS3 == XMEM_INTCLASS3,
               "priorities of devices");
_Static_assert(INTOFFL0 == XMEM_INTOFFL0 && INTOFFL1 == XMEM_INTOFFL1 &&
                   INTOFFL2 == XMEM_INTOFFL2 && INTOFFL3 == XMEM_INTOFFL3,
               "off-level priorities");
_Static_assert(INTBASE == XMEM_INTBASE, "the priority of processes");
_Static_assert(INTTIMER >= INTIODONE && INTTIMER <= INTCLASS0, "the priority of timers");

EXPORT pid_t xmem_aix_getpid(void)
{
    const struct xmem_process *process;
    struct xmem_caller caller;

    if (xmem_in_interrupt())
        return -1;
    xmem_get_caller(&caller);
    process = xmem_current();
    if (caller.process != 0 || process == NULL)
        return caller.process;
    return xmem_process_pid(process);
}

EXPORT tid_t xmem_aix_thread_self(void)
{
    struct xmem_caller caller;

    if (xmem_in_interrupt())
        return -1;
    xmem_get_caller(&caller);
    return caller.thread;
}
