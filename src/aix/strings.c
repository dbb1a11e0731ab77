/* SPDX-License-Identifier: MIT */
/*
 * copyinstr and copyinstr64, in the form with int-sized counts and in the one with size_t (see
 * <sys/uio.h>, whose macros choose).
 */
#include "aix/errors.h"
#include "aix/service.h"

#include <sys/uio.h>

/* A thread without a current process is a kernel process, which may name its own memory.  At
 * interrupt level there is no current process either, and the native service refuses. */
static int string_in(uint64_t from, void *to, size_t max, size_t *done)
{
    struct xmem_process *process = xmem_current();
    int error;

    *done = 0;
    if (max == 0)
        return refused_at_interrupt_level() ? EFAULT : E2BIG;
    error = xmem_string_in(process != NULL ? process : xmem_process_kernel(), from, to, max, done);
    return error == E2BIG ? E2BIG : error_number(error);
}

static int string_in_counted(uint64_t from, void *to, uint max, uint *actual)
{
    size_t done;
    int error = string_in(from, to, max, &done);

    if (actual != NULL)
        *actual = (uint)done;
    return error;
}

static int string_in_sized(uint64_t from, void *to, size_t max, size_t *actual)
{
    size_t done;
    int error = string_in(from, to, max, &done);

    if (actual != NULL)
        *actual = done;
    return error;
}

EXPORT int(copyinstr)(void *from, void *to, uint max, uint *actual)
{
    return string_in_counted(address_of(from), to, max, actual);
}

EXPORT int(copyinstr64)(unsigned long long from64, void *to, uint max, uint *actual)
{
    return string_in_counted(from64, to, max, actual);
}

EXPORT int xmem_aix_copyinstr_size(void *from, void *to, size_t max, size_t *actual)
{
    return string_in_sized(address_of(from), to, max, actual);
}

EXPORT int xmem_aix_copyinstr64_size(unsigned long long from64, void *to, size_t max,
                                     size_t *actual)
{
    return string_in_sized(from64, to, max, actual);
}
