/* SPDX-License-Identifier: MIT */
/*
 * xmattach, xmdetach and the moves through a descriptor.
 */
#include "aix/errors.h"
#include "aix/service.h"

/* Moves of nothing succeed, but only through a valid descriptor. */
static COLD int move_nothing(struct xmem *dp, uint64_t address, long count)
{
    size_t limit;
    int error;

    if (count < 0)
        return XMEM_FAIL;
    error = xmem_map_limit(native(dp), address, &limit);
    return error == 0 || error == EFAULT ? XMEM_SUCC : XMEM_FAIL; /* no byte, no bad address */
}

static int attach(uint64_t address, int count, struct xmem *dp, int segflag)
{
    struct xmem_process *process;

    if (count <= 0 || dp == NULL || dp->aspace_id != XMEM_INVAL)
        return XMEM_FAIL;
    switch (segflag) {
    case USER_ADSPACE:
    case USERI_ADSPACE:
        process = NULL;
        break;
    case SYS_ADSPACE:
    case SYS_ADSPACE_ASSIGN_KEYSET:
        process = xmem_process_kernel();
        break;
    default:
        return XMEM_FAIL;
    }
    return success_or_fail(xmem_attach(process, address, (size_t)count, native(dp)));
}

EXPORT int xmattach(void *addr, int count, struct xmem *dp, int segflag)
{
    return attach(address_of(addr), count, dp, segflag);
}

EXPORT int xmattach64(unsigned long long addr64, int count, struct xmem *dp, int segflag)
{
    return attach(addr64, count, dp, segflag);
}

EXPORT int xmdetach(struct xmem *dp)
{
    return success_or_fail(xmem_detach(native(dp)));
}

EXPORT int xmemin(void *uaddr, void *kaddr, int count, struct xmem *dp)
{
    if (UNLIKELY(count <= 0))
        return move_nothing(dp, address_of(uaddr), count);
    return success_or_fail(xmem_move_in(native(dp), address_of(uaddr), kaddr, (size_t)count, NULL));
}

EXPORT int xmemout(void *kaddr, void *uaddr, int count, struct xmem *dp)
{
    if (UNLIKELY(count <= 0))
        return move_nothing(dp, address_of(uaddr), count);
    return success_or_fail(
        xmem_move_out(native(dp), kaddr, address_of(uaddr), (size_t)count, NULL));
}

EXPORT int xmemzero(struct xmem *dp, void *uaddr, long count)
{
    if (dp->aspace_id != XMEM_PROC && dp->aspace_id != XMEM_GLOBAL)
        return XMEM_FAIL;
    if (UNLIKELY(count <= 0))
        return move_nothing(dp, address_of(uaddr), count);
    return success_or_fail(xmem_move_zero(native(dp), address_of(uaddr), (size_t)count, NULL));
}

EXPORT long long xmempsize(struct xmem *dp, void *uaddr, size_t count)
{
    size_t size;

    if (xmem_page_size(native(dp), address_of(uaddr), count, &size) != 0)
        return XMEM_FAIL;
    return (long long)size;
}
