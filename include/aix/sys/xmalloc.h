/* SPDX-License-Identifier: MIT */
/*
 * <sys/xmalloc.h>: private heaps, in memory that the caller has already.
 */
#ifndef XMEM_AIX_SYS_XMALLOC_H
#define XMEM_AIX_SYS_XMALLOC_H

#pragma GCC system_header
#include <sys/malloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a heap inside size bytes at area: memory of the kernel, from another heap or anywhere else.
 * Its own structures, 1.2 KB of them, lie there too.  It ends with the area: whoever owns that just
 * stops using the heap.
 * area: begins at a page; size: whole pages; heapp: NULL, or points to a null value, which stays.
 * Returns the heap; NULL: one of these is not so; also at interrupt level (counted as a usage
 * error).
 * Context: process; never blocks or allocates.
 * Follows "init_heap Kernel Service".
 */
heapaddr_t init_heap XMEM_AIX_PARAMETERS((caddr_t area, int size, heapaddr_t *heapp));

#ifdef __cplusplus
}
#endif

#endif
