/* SPDX-License-Identifier: MIT */
/*
 * Objects in the current process's address space: as_att64 and its family, IS64U.
 *
 * Few of them look at the environment: the native services of the process environment refuse with
 * EPERM at interrupt level, and count it.
 */
#include "aix/service.h"

#include <sys/adspace.h>
#include <sys/errno.h>
#include <sys/user.h>

#define OFFSET_IN_REGION ((unsigned long long)XMEM_REGION_SIZE - 1)

EXPORT unsigned long long as_att64(vmhandle_t vmhandle, int offset)
{
    uint64_t base;
    int error = xmem_region_attach(NULL, vmhandle, &base);

    if (error != 0) {
        errno = error == ENOMEM ? ENOMEM : EINVAL;
        return 0;
    }
    return base + ((unsigned long long)offset & OFFSET_IN_REGION);
}

/* Regions of a 32-bit process that hold the kernel, its text, its data, and kernel use. */
static bool region_must_stay(uint64_t address)
{
    uint64_t region = address / XMEM_REGION_SIZE;

    return xmem_process_bits(NULL) == 32 && (region <= 2 || region == 0xE);
}

EXPORT int as_det64(unsigned long long addr64)
{
    if (refused_at_interrupt_level() || region_must_stay(addr64))
        return EINVAL;
    return xmem_region_detach(NULL, addr64) == 0 ? 0 : EINVAL;
}

EXPORT int as_seth64(unsigned long long addr64, vmhandle_t vmhandle)
{
    return xmem_region_attach_at(NULL, vmhandle, addr64) == 0 ? 0 : EINVAL;
}

static vmhandle_t handle_at(uint64_t address, int hold)
{
    xmem_handle_t handle;

    return xmem_region_handle(NULL, address, hold, &handle) == 0 ? handle : INVLSID;
}

EXPORT vmhandle_t as_geth64(unsigned long long addr64)
{
    return handle_at(addr64, 1);
}

/* Refused at interrupt level under a 64-bit process only. */
EXPORT vmhandle_t as_getsrval64(unsigned long long addr64)
{
    if (xmem_process_bits(NULL) == 64 && refused_at_interrupt_level())
        return INVLSID;
    return handle_at(addr64, 0);
}

EXPORT int as_puth64(unsigned long long addr64, vmhandle_t vmhandle)
{
    return xmem_region_release(addr64, vmhandle) == 0 ? 0 : EINVAL;
}

EXPORT int xmem_aix_is64u(void)
{
    return xmem_process_bits(NULL) == 64;
}
