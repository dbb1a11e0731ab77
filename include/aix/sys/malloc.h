/* SPDX-License-Identifier: MIT */
/*
 * <sys/malloc.h>: memory of the kernel from heaps.
 *
 * Kernel memory is the program's own memory; nothing is freed by itself.  Heaps notice bytes that
 * were stored behind the end of a block, and what that or stores into freed memory did to their own
 * structures: as on AIX, a corrupt heap is a panic, whose words say what was found and where.
 */
#ifndef XMEM_AIX_SYS_MALLOC_H
#define XMEM_AIX_SYS_MALLOC_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/kerrno.h>
#include <sys/skeys.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef caddr_t heapaddr_t; /* a heap */

/* The heaps of the kernel.  pinned_heap's memory is locked into real memory as far as Linux allows
 * (see xmem_memory_create() in <xmem/kernel.h>); that of both can be used at interrupt level. */
extern heapaddr_t kernel_heap;
extern heapaddr_t pinned_heap;

/* The same by size of page: all pages have XMEM_PAGE_SIZE here. */
#define kernel_heap_4K_64K kernel_heap
#define kernel_heap_16M kernel_heap
#define pinned_heap_4K_64K pinned_heap
#define pinned_heap_16M pinned_heap

/*
 * Allocates size bytes whose address is a multiple of 2^align, or of 16 if that is more.
 * Returns it; NULL: no memory; size <= 0; align is not 0 to 28; heap is not a heap; before
 * xmem_start() and in a forked child.
 * Context: process; blocks, allocates.  At interrupt level: NULL, counted as a usage error.
 * Ownership: the caller's until xmfree() with the same heap.
 * Follows "xmalloc Kernel Service".
 */
caddr_t xmem_aix_xmalloc(int size, int align, void *heap);

/*
 * Frees what xmem_aix_xmalloc() returned, to the heap that it came from.
 * Returns 0; -1: ptr is not allocated there, or heap is not a heap; also at interrupt level
 * (counted as a usage error), before xmem_start() and in a forked child.
 * Context: process; blocks.
 * Follows "xmfree Kernel Service".
 */
int xmem_aix_xmfree(void *ptr, void *heap);

/* Attributes of a heap for heap_create(). */
typedef struct heapattr {
    unsigned long hpa_eyec; /* EYEC_HEAPATTR */
    short hpa_version;      /* HPA_VERSION */
    long hpa_flags;         /* HPA_PAGED or HPA_PINNED, with HPA_SHARED or HPA_PRIVATE */
    void *hpa_heapaddr;     /* NULL */
    size_t hpa_heapsize;    /* HPA_PRIVATE: bytes that it has, rounded up to pages */
    size_t hpa_limit;       /* HPA_SHARED: bytes that can be allocated from it; 0: no limit */
    long hpa_debug_level;   /* not looked at: what can be checked always is */
    kkey_t hpa_kkey;        /* not looked at */
} heapattr_t;

#define EYEC_HEAPATTR 0x6865617061747472ul /* "heapattr" */
#define HPA_VERSION 1
#define HPA_PAGED 1
#define HPA_PINNED 2
#define HPA_SHARED 4
#define HPA_PRIVATE 8
#define HPA_INVALID_HEAP ((heapaddr_t)0)

/*
 * Makes a heap.  A shared one takes memory from the kernel as it needs it, a private one has a size
 * of its own from the beginning.  There is no service that ends one.
 * *heapptr is HPA_INVALID_HEAP at first, and becomes the heap.
 * Returns 0; EINVAL_HEAP_CREATE: an attribute, or *heapptr is not HPA_INVALID_HEAP; also at
 * interrupt level (counted as a usage error); ENOMEM_HEAP_CREATE.
 * Context: process; blocks, allocates.
 * Follows "heap_create Kernel Service".
 */
kerrno_t heap_create XMEM_AIX_PARAMETERS((heapattr_t * attributes, heapaddr_t *heapptr));

#ifdef __cplusplus
}
#endif

#endif

/*
 * AIX's names.  malloc and free are the kernel's then, in this file and in what it includes from
 * here on: what the C library's malloc has given must not be freed by this free.
 */
#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_MALLOC
#define XMEM_AIX_COMMON_NAMES_MALLOC
#pragma GCC system_header
#include <stdlib.h>
#define xmalloc xmem_aix_xmalloc
#define xmfree xmem_aix_xmfree
#define malloc(size) xmem_aix_xmalloc((size), 0, kernel_heap)
#define palloc(size, align) xmem_aix_xmalloc((size), (align), kernel_heap)
#define free(pointer) ((void)xmem_aix_xmfree((pointer), kernel_heap))
#endif
