/* SPDX-License-Identifier: MIT */
/*
 * The user-memory access services; reached through <sys/errno.h> and <sys/uio.h>.
 *
 * Rules for all of them
 *
 * They act on the current process (xmem_enter()), with the authority that its user has over each
 * page at the moment of the access.  A thread without a current process gets the failure value.
 * User addresses are 64 bits wide in both forms of a service: the forms ending in 64 take them as
 * integers, the others as pointers.  Under a 32-bit process an address of 2^32 or more is not
 * valid.
 *
 * Kernel addresses are the program's own pointers, stay the caller's, and are not checked.
 *
 * Errors: those that return error numbers return
 *   EFAULT  the address is not valid, the user has no authority for it, the count is negative,
 *           there is no current process, or it has exited; also at interrupt level
 *   EIO     the storage behind the memory failed for good, or did not answer in time
 *   ENOMEM  no memory for the paging that the access needs
 *   ENOSPC  no file-system or paging space for it
 * the others return -1 in all these cases.  errno is not touched.  xmem_last_failure() has words.
 * What was stored before a failure stays stored; nothing is ever stored outside the given range.
 *
 * Context, if nothing else is said: process only; may block on a page; allocates nothing.  At
 * interrupt level they touch nothing, fail, and the call is counted as a usage error.
 */
#ifndef XMEM_AIX_SYS_USER_ACCESS_H
#define XMEM_AIX_SYS_USER_ACCESS_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Copies count bytes from user memory at uaddr to kernel memory at kaddr.
 * Returns 0 (also for a count of 0, without a look at the addresses), EFAULT, EIO, ENOMEM, ENOSPC.
 * Follows "copyin Kernel Service", "copyin64 Kernel Service".
 */
int copyin XMEM_AIX_PARAMETERS((void *uaddr, void *kaddr, int count));
int copyin64 XMEM_AIX_PARAMETERS((unsigned long long uaddr64, void *kaddr, int count));

/*
 * Copies count bytes from kernel memory at kaddr to user memory at uaddr.  Mind the order.
 * Returns as copyin().
 * Follows "copyout Kernel Service", "copyout64 Kernel Service".
 */
int copyout XMEM_AIX_PARAMETERS((void *kaddr, void *uaddr, int count));
int copyout64 XMEM_AIX_PARAMETERS((void *kaddr, unsigned long long uaddr64, int count));

/*
 * Fetches one byte.
 * Returns it, 0 to 255, or -1.
 * Follows "fubyte Kernel Service", "fubyte64 Kernel Service".
 */
int fubyte XMEM_AIX_PARAMETERS((void *uaddr));
int fubyte64 XMEM_AIX_PARAMETERS((unsigned long long uaddr64));

/*
 * Fetches a word of 32 bits, at any alignment.
 * Returns it, or -1, which a word can hold too; xmem_last_failure() does not tell them apart
 * either, since successes leave it as it was.  copyin() does.
 * Follows "fuword Kernel Service", "fuword64 Kernel Service".
 */
int fuword XMEM_AIX_PARAMETERS((void *uaddr));
int fuword64 XMEM_AIX_PARAMETERS((unsigned long long uaddr64));

/*
 * Stores one byte.
 * Returns 0 or -1.
 * Follows "subyte Kernel Service", "subyte64 Kernel Service".
 */
int subyte XMEM_AIX_PARAMETERS((void *uaddr, uchar c));
int subyte64 XMEM_AIX_PARAMETERS((unsigned long long uaddr64, char c));

/*
 * Stores a word of 32 bits, at any alignment.
 * Returns 0 or -1.  On -1 nothing was stored, except that a word across two pages may have reached
 * one of them: in an opened process its second page if the first cannot be written, and in others
 * its first page if the second stops being writable during the call.
 * Follows "suword Kernel Service", "suword64 Kernel Service".
 */
int suword XMEM_AIX_PARAMETERS((void *uaddr, int w));
int suword64 XMEM_AIX_PARAMETERS((unsigned long long uaddr64, int w));

#ifdef __cplusplus
}
#endif

#endif
