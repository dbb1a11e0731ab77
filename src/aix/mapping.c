/* SPDX-License-Identifier: MIT */
/*
 * Memory of others in the kernel's own address space: xm_maxmap, xm_mapin, xm_det, and by handle
 * vm_handle, vm_att, vm_det.
 */
#include "aix/errors.h"
#include "aix/service.h"

#include <sys/adspace.h>

#define OFFSET_IN_REGION (XMEM_REGION_SIZE - 1)

EXPORT int xm_maxmap(struct xmem *dp, void *uaddr, size_t *len)
{
    return success_or_fail(xmem_map_limit(native(dp), address_of(uaddr), len));
}

EXPORT int xm_mapin(struct xmem *dp, caddr_t baddr, size_t count, caddr_t *eaddr)
{
    void *mapped;
    int error = xmem_map_in(native(dp), address_of(baddr), count, &mapped);

    if (error == EAGAIN)
        return EAGAIN;
    if (error != 0)
        return XMEM_FAIL;
    *eaddr = mapped;
    return 0;
}

EXPORT void xm_det(caddr_t baddr, struct xmem *dp)
{
    (void)dp;
    if (xmem_map_out(baddr) != 0)
        service_panic("xm_det", "the address is not one that xm_mapin returned");
}

/* There is no failure value, so that a call from the wrong environment can only be counted. */
EXPORT vmhandle_t vm_handle(vmid_t vmid, int key)
{
    (void)refused_at_interrupt_level();
    return xmem_handle(vmid, key == 0 ? XMEM_KEY_ALL : XMEM_KEY_USER);
}

EXPORT caddr_t vm_att(vmhandle_t vmhandle, caddr_t offset)
{
    void *mapped;

    if (xmem_handle_map(vmhandle, &mapped) != 0)
        service_panic("vm_att", "the object cannot be mapped");
    return (caddr_t)mapped + (address_of(offset) & OFFSET_IN_REGION);
}

EXPORT void vm_det(caddr_t eaddr)
{
    if (xmem_map_out(eaddr) != 0)
        service_panic("vm_det", "the region is not one that vm_att mapped");
}
