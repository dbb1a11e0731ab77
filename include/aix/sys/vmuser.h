/* SPDX-License-Identifier: MIT */
/*
 * <sys/vmuser.h>: virtual memory objects in the kernel's address space.
 *
 * "Address space of the kernel" is the kernel program's own: what vm_att() maps is reached with
 * plain loads and stores from any thread, until the matching vm_det() from any thread.  It survives
 * the return to user mode, unlike on AIX; nothing detaches it but vm_det().
 */
#ifndef XMEM_AIX_SYS_VMUSER_H
#define XMEM_AIX_SYS_VMUSER_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/xmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a handle of object vmid and access key key.  With key 0 a mapping may read everything and
 * write what can be written at all; with key 1 each page's own authority decides.
 * Returns the handle, always; whether vmid exists is not looked at.
 * Context: process; neither blocks nor allocates.  At interrupt level the result is the same and
 * the call is counted as a usage error.
 * Follows "vm_handle Kernel Service".
 */
vmhandle_t vm_handle XMEM_AIX_PARAMETERS((vmid_t vmid, int key));

/*
 * Maps the handle's object into a free region of the kernel's address space.
 * Returns the address of the byte at offset in it; only the low 28 bits of offset count, so that an
 * address in the owner's region is as good.  There is no failure value: a handle of nothing, or no
 * region left, is a panic (xmem_panic()).
 * Loads and stores there are the kernel's own: authority is not checked, and a page of a file that
 * was truncated raises SIGBUS.
 * Context: process, interrupt.
 * Ownership: each call is undone by one vm_det(); until then the object stays in existence.
 * Follows "vm_att Kernel Service".
 */
caddr_t vm_att XMEM_AIX_PARAMETERS((vmhandle_t vmhandle, caddr_t offset));

/*
 * Undoes one vm_att().  eaddr: any address in what was mapped.  An address where nothing is mapped
 * is a panic.
 * Context: process, interrupt.
 * Follows "vm_det Kernel Service".
 */
void vm_det XMEM_AIX_PARAMETERS((caddr_t eaddr));

#ifdef __cplusplus
}
#endif

#endif
