/* SPDX-License-Identifier: MIT */
/*
 * The one table that turns the native interface's errors into those that AIX documents for the
 * user-memory services.  Whatever is not an I/O or resource error is, to a caller of theirs, an
 * address that is not valid: bad addresses and missing authority, exited processes, no current
 * process, stale descriptors, the wrong environment, memory of a kind that cannot do it.
 */
#ifndef XMEM_AIX_ERRORS_H
#define XMEM_AIX_ERRORS_H

#include "host/platform.h"

#include <sys/errno.h>
#include <sys/xmem.h>

static COLD int documented_error(int error)
{
    switch (error) {
    case 0:
    case EIO:
    case ENOMEM:
    case ENOSPC:
        return error;
    case ETIMEDOUT:
        return EIO;
    default:
        return EFAULT;
    }
}

/* For services that return error numbers: success costs one test. */
static ALWAYS_INLINE int error_number(int error)
{
    return LIKELY(error == 0) ? 0 : error == EFAULT ? EFAULT : documented_error(error);
}

/* For services where all failures look alike. */
static ALWAYS_INLINE int success_or_fail(int error)
{
    return error == 0 ? XMEM_SUCC : XMEM_FAIL;
}

#endif
