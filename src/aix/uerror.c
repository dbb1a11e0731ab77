/* SPDX-License-Identifier: MIT */
/*
 * The error of a system call: each thread's own, zero as the call begins, and what the caller finds
 * in errno when it ends.
 */
#include "aix/service.h"

#include <sys/errno.h>

static THREAD_LOCAL int thread_error;

EXPORT int setuerror(int error)
{
    if (!refused_at_interrupt_level())
        thread_error = error;
    return error;
}

EXPORT int getuerror(void)
{
    return refused_at_interrupt_level() ? 0 : thread_error;
}

EXPORT void xmem_aix_call_begin(void)
{
    if (!refused_at_interrupt_level())
        thread_error = 0;
}

EXPORT long xmem_aix_call_end(long value)
{
    if (!xmem_in_interrupt() && thread_error != 0)
        errno = thread_error;
    return value;
}
