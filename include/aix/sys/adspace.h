/* SPDX-License-Identifier: MIT */
/*
 * <sys/adspace.h>: mapping buffers into the kernel's address space, and objects into the current
 * process's.  vm_att() and vm_det() come along with <sys/vmuser.h>.
 *
 * The as_* services act on the current process, which must be an embedded one (32-bit or 64-bit);
 * without one, as in a kernel process, and for an opened one they fail.  At interrupt level they
 * fail and the call is counted as a usage error.  Regions are XMEM_REGION_SIZE (256 MiB) large.
 */
#ifndef XMEM_AIX_SYS_ADSPACE_H
#define XMEM_AIX_SYS_ADSPACE_H

#pragma GCC system_header
#include <sys/seg.h>
#include <sys/types.h>
#include <sys/vmuser.h>
#include <sys/xmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Stores in *len the largest count in bytes that xm_mapin() takes at uaddr without EAGAIN: up to
 * the end of its segment, or of the attached bytes if they end before.  Whether the memory can be
 * mapped in at all is not looked at.
 * Returns XMEM_SUCC; XMEM_FAIL: the descriptor is not valid, or uaddr is outside the attached
 * bytes.  *len is then as it was.
 * Context: process, interrupt; never blocks, pages or allocates.
 * Follows "xm_maxmap Kernel Service".
 */
int xm_maxmap XMEM_AIX_PARAMETERS((struct xmem *dp, void *uaddr, size_t *len));

/*
 * Makes the count bytes at baddr of the address space of dp addressable for the kernel, and stores
 * the address to use in *eaddr.  It is the same memory, not a copy.
 * Returns 0; EAGAIN: the range crosses a segment boundary; XMEM_FAIL: the descriptor is not valid,
 * count is 0, the range is not valid or was not attached, its segment was deleted, or the memory
 * cannot be mapped in (an opened process).  On failure nothing is mapped, and *eaddr is as it was.
 * Loads and stores there are the kernel's own, as after vm_att().
 * Context: process, interrupt.
 * Ownership: each success is undone by one xm_det(); until then the memory stays in existence, also
 * beyond xmdetach().
 * Follows "xm_mapin Kernel Service".
 */
int xm_mapin XMEM_AIX_PARAMETERS((struct xmem *dp, caddr_t baddr, size_t count, caddr_t *eaddr));

/*
 * Undoes one xm_mapin().  baddr: the address that it stored in *eaddr; dp: its descriptor (not
 * looked at; it may have been detached).  An address where nothing is mapped is a panic.
 * Context: process, interrupt.
 * Follows "xm_det Kernel Service".
 */
void xm_det XMEM_AIX_PARAMETERS((caddr_t baddr, struct xmem *dp));

/*
 * Maps the handle's object into a free region of the current process, with the handle's access.
 * Returns the user address of the byte at offset in it, of which only the low 28 bits count; 0 and
 * the reason in errno: ENOMEM: no region is free, or no memory; EINVAL: anything else.
 * Context: process; may block; allocates.
 * Ownership: undone by as_det64(), or by the end of the process.
 * Follows "as_att64 Kernel Service".
 */
unsigned long long as_att64 XMEM_AIX_PARAMETERS((vmhandle_t vmhandle, int offset));

/*
 * Unmaps the object from the region of the current process that holds addr64.
 * Returns 0; EINVAL: out of range; nothing was attached there; a region that must stay (the
 * process's own memory; in a 32-bit process also regions 0, 1, 2 and 14).
 * Context: process; blocks until no move into the region is running.
 * Follows "as_det64 Kernel Service".
 */
int as_det64 XMEM_AIX_PARAMETERS((unsigned long long addr64));

/*
 * Maps the handle's object over the region of the current process that holds addr64; what was
 * mapped there is unmapped first.
 * Returns 0; EINVAL: addr64 is out of range, or anything else went wrong.
 * Context: process; may block; allocates.
 * Ownership: as as_att64().
 * Follows "as_seth64 Kernel Service".
 */
int as_seth64 XMEM_AIX_PARAMETERS((unsigned long long addr64, vmhandle_t vmhandle));

/*
 * The handle of the object that is mapped at addr64 in the current process, for as_att64() and
 * vm_att().
 * Returns it; INVLSID: out of range, or nothing is mapped there.
 * Context: process; may block; allocates.
 * Ownership: the object is kept in existence until as_puth64(), which must follow.
 * Follows "as_geth64 Kernel Service".
 */
vmhandle_t as_geth64 XMEM_AIX_PARAMETERS((unsigned long long addr64));

/*
 * As as_geth64(), but the object is not kept in existence, and as_puth64() must not follow.
 * Context: process; neither blocks nor allocates.  AIX allows the call at interrupt level too
 * unless the interrupted thread runs under a 64-bit process: then the result is INVLSID, and the
 * call is counted as a usage error.
 * Follows "as_getsrval64 Kernel Service".
 */
vmhandle_t as_getsrval64 XMEM_AIX_PARAMETERS((unsigned long long addr64));

/*
 * Ends what as_geth64(addr64) began; vmhandle: what it returned.
 * Returns 0; EINVAL: no such call is open.
 * Context: process; may block.
 * Follows "as_puth64 Kernel Service".
 */
int as_puth64 XMEM_AIX_PARAMETERS((unsigned long long addr64, vmhandle_t vmhandle));

#ifdef __cplusplus
}
#endif

#endif
