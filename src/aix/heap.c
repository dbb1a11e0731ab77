/* SPDX-License-Identifier: MIT */
/*
 * The heap services: xmalloc, xmfree, init_heap, heap_create.
 *
 * A heap is known by the address of its structure, which says that it is one.  Shared heaps get
 * areas from the kernel as they need them, each at least a quarter of what the heap has already, so
 * that there are never many; an area without an allocated block is given back, but for one.
 * Private heaps have the one area that they were made with.
 *
 * Each heap has a lock of its own, for the process environment, to which these services belong.
 */
#include "aix/heap_blocks.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/xmalloc.h>

#define HEAP_MAGIC UINT64_C(0x786d656d68656170)
#define AREA_LEAST ((size_t)256 * 1024)
#define AREA_MOST ((size_t)1 << 35) /* what blocks of an area can count */

struct service_heap {
    const struct service_heap *self; /* and magic: this is a heap */
    uint64_t magic;
    struct wait_lock lock;
    uint32_t memory_flags;
    bool shared;             /* takes areas from the kernel */
    size_t limit;            /* bytes that may be allocated, headers included; 0: none */
    struct heap_area *spare; /* the area without blocks that is kept */
    struct heap blocks;
};

_Static_assert(sizeof(struct service_heap) <= 1228, "what <sys/xmalloc.h> says");

static struct service_heap kernel = {
    .self = &kernel, .magic = HEAP_MAGIC, .shared = true, .blocks = {.secret = HEAP_MAGIC}};
static struct service_heap pinned = {.self = &pinned,
                                     .magic = HEAP_MAGIC,
                                     .memory_flags = XMEM_MEMORY_PINNED,
                                     .shared = true,
                                     .blocks = {.secret = HEAP_MAGIC}};

EXPORT heapaddr_t kernel_heap = (heapaddr_t)&kernel;
EXPORT heapaddr_t pinned_heap = (heapaddr_t)&pinned;

static struct service_heap *find_heap(void *handle)
{
    struct service_heap *heap = handle;

    if (heap == NULL || (uintptr_t)heap % _Alignof(struct service_heap) != 0)
        return NULL;
    return heap->magic == HEAP_MAGIC && heap->self == heap ? heap : NULL;
}

static void make_heap(struct service_heap *heap)
{
    *heap = (struct service_heap){.self = heap, .magic = HEAP_MAGIC};
    heap_prepare(&heap->blocks, xmem_clock() * HEAP_MAGIC);
}

/* ---------------------------------------------------------------- areas ---------------- */

static size_t greater(size_t one, size_t other)
{
    return one > other ? one : other;
}

static size_t whole_pages(size_t size)
{
    return (size + XMEM_PAGE_SIZE - 1) & ~(size_t)(XMEM_PAGE_SIZE - 1);
}

static bool grow(struct service_heap *heap, size_t n, unsigned alignment)
{
    size_t least = whole_pages(heap_area_size(n, alignment));
    size_t size = greater(least, greater(AREA_LEAST, whole_pages(heap->blocks.size / 4)));
    void *memory;

    size = size < AREA_MOST ? size : AREA_MOST;
    if (xmem_memory_create(size, heap->memory_flags, &memory) != 0) {
        size = least;
        if (xmem_memory_create(size, heap->memory_flags, &memory) != 0)
            return false;
    }
    heap_add_area(&heap->blocks, memory, size);
    return true;
}

/* Keeps one area without blocks, the larger one, and gives the other back. */
static void shrink(struct service_heap *heap, struct heap_area *emptied)
{
    struct heap_area *kept = heap->spare;

    if (kept == emptied)
        return;
    if (kept == NULL || !heap_area_is_empty(kept)) {
        heap->spare = emptied;
        return;
    }
    if (kept->size < emptied->size) {
        heap->spare = emptied;
        emptied = kept;
    }
    heap_remove_area(&heap->blocks, emptied);
    if (xmem_memory_delete(emptied, emptied->size) != 0)
        heap_add_area(&heap->blocks, emptied, emptied->size);
}

/* ---------------------------------------------------------------- allocate and free ---- */

static void *allocate(struct service_heap *heap, size_t n, unsigned alignment)
{
    void *bytes;

    if (heap->limit != 0 && heap->blocks.taken + n > heap->limit)
        return NULL;
    bytes = heap_take(&heap->blocks, n, alignment);
    if (bytes == NULL && heap->shared && grow(heap, n, alignment))
        bytes = heap_take(&heap->blocks, n, alignment);
    return bytes;
}

EXPORT caddr_t xmem_aix_xmalloc(int size, int align, void *heap)
{
    struct service_heap *found;
    void *bytes;

    if (!wait_locks_usable() || size <= 0 || align < 0 || align > HEAP_ALIGNMENT_MOST)
        return NULL;
    found = find_heap(heap);
    if (found == NULL)
        return NULL;
    wait_lock_take(&found->lock);
    bytes = allocate(found, (size_t)size, (unsigned)align);
    wait_lock_give(&found->lock);
    return bytes;
}

EXPORT int xmem_aix_xmfree(void *ptr, void *heap)
{
    struct heap_area *emptied;
    struct service_heap *found;
    bool freed;

    if (!wait_locks_usable())
        return -1;
    found = find_heap(heap);
    if (found == NULL)
        return -1;
    wait_lock_take(&found->lock);
    freed = heap_give(&found->blocks, ptr, &emptied);
    if (emptied != NULL && found->shared)
        shrink(found, emptied);
    wait_lock_give(&found->lock);
    return freed ? 0 : -1;
}

/* ---------------------------------------------------------------- heaps of their own --- */

/* Makes a heap of the pages at area, inside them. */
static struct service_heap *heap_inside(void *area, size_t size)
{
    struct service_heap *heap = area;
    size_t own = (sizeof *heap + 15) & ~(size_t)15;

    make_heap(heap);
    heap_add_area(&heap->blocks, (char *)area + own, size - own);
    return heap;
}

EXPORT heapaddr_t init_heap(caddr_t area, int size, heapaddr_t *heapp)
{
    if (refused_at_interrupt_level() || area == NULL || (heapp != NULL && *heapp != NULL))
        return NULL;
    if (address_of(area) % XMEM_PAGE_SIZE != 0 || size <= 0 || size % (int)XMEM_PAGE_SIZE != 0)
        return NULL;
    return (heapaddr_t)heap_inside(area, (size_t)size);
}

static bool attributes_are_valid(const heapattr_t *attributes)
{
    if (attributes == NULL || attributes->hpa_eyec != EYEC_HEAPATTR ||
        attributes->hpa_version != HPA_VERSION || attributes->hpa_heapaddr != NULL)
        return false;
    switch (attributes->hpa_flags) {
    case HPA_PAGED | HPA_PRIVATE:
    case HPA_PINNED | HPA_PRIVATE:
        return attributes->hpa_heapsize > 0 && attributes->hpa_heapsize <= AREA_MOST;
    case HPA_PAGED | HPA_SHARED:
    case HPA_PINNED | HPA_SHARED:
        return true;
    default:
        return false;
    }
}

/* A heap that gets its areas as it needs them. */
static struct service_heap *make_shared(const heapattr_t *attributes, uint32_t memory_flags)
{
    struct service_heap *heap = (void *)xmem_aix_xmalloc(sizeof *heap, 4, kernel_heap);

    if (heap == NULL)
        return NULL;
    make_heap(heap);
    heap->shared = true;
    heap->memory_flags = memory_flags;
    heap->limit = attributes->hpa_limit;
    return heap;
}

static struct service_heap *make_private(const heapattr_t *attributes, uint32_t memory_flags)
{
    size_t size = whole_pages(attributes->hpa_heapsize);
    void *memory;

    if (xmem_memory_create(size, memory_flags, &memory) != 0)
        return NULL;
    return heap_inside(memory, size);
}

EXPORT kerrno_t heap_create(heapattr_t *attributes, heapaddr_t *heapptr)
{
    uint32_t memory_flags;
    struct service_heap *heap;

    if (refused_at_interrupt_level() || heapptr == NULL || *heapptr != HPA_INVALID_HEAP ||
        !attributes_are_valid(attributes))
        return EINVAL_HEAP_CREATE;
    memory_flags = attributes->hpa_flags & HPA_PINNED ? XMEM_MEMORY_PINNED : 0;
    heap = attributes->hpa_flags & HPA_SHARED ? make_shared(attributes, memory_flags)
                                              : make_private(attributes, memory_flags);
    if (heap == NULL)
        return ENOMEM_HEAP_CREATE;
    *heapptr = (heapaddr_t)heap;
    return 0;
}
