/* SPDX-License-Identifier: MIT */
/*
 * Who runs, in the environment's sense: -1 in the interrupt environment, which belongs to nobody.
 */
#include "aix/service.h"

#include <sys/intr.h>
#include <sys/thread.h>

_Static_assert(INTMAX == XMEM_INTMAX && INTPAGER == XMEM_INTPAGER && INTIODONE == XMEM_INTIODONE,
               "priorities of the kernel");
_Static_assert(INTCLASS0 == XMEM_INTCLASS0 && INTCLASS1 == XMEM_INTCLASS1 &&
                   INTCLASS2 == XMEM_INTCLASS2 && INTCLASS3 == XMEM_INTCLASS3,
               "priorities of devices");
_Static_assert(INTOFFL0 == XMEM_INTOFFL0 && INTOFFL1 == XMEM_INTOFFL1 &&
                   INTOFFL2 == XMEM_INTOFFL2 && INTOFFL3 == XMEM_INTOFFL3,
               "off-level priorities");
_Static_assert(INTBASE == XMEM_INTBASE, "the priority of processes");

EXPORT pid_t xmem_aix_getpid(void)
{
    const struct xmem_process *process;

    if (xmem_in_interrupt())
        return -1;
    process = xmem_current();
    return process == NULL ? 0 : xmem_process_pid(process);
}

EXPORT tid_t xmem_aix_thread_self(void)
{
    static tid_t last;
    static THREAD_LOCAL tid_t own;

    if (xmem_in_interrupt())
        return -1;
    if (UNLIKELY(own == 0))
        own = add_fetch(&last, 1);
    return own;
}
