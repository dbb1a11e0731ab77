/* SPDX-License-Identifier: MIT */
/*
 * Heaps: blocks inside areas of memory.
 *
 * An area is a piece of memory that was given to the heap.  Blocks tile it; each begins with a
 * header of 16 bytes, behind which the caller's bytes begin.
 *
 *   1. The blocks of an area tile it from its structure to its sentinel, a header without bytes
 *      that counts as allocated.  Each header says how long its block is, and the one before.
 *   2. No two blocks side by side are free.
 *   3. A free block is in the list of the bin for its length, and in no other; a bit says whether a
 *      bin has any.
 *   4. Every header has a check word, made of its contents, its address and the heap's secret.  A
 *      header that is left inside a block, after two were joined, says free: nobody takes it for
 *      one that can be freed.
 *   5. The bytes from the end of what was asked for to the end of an allocated block, at least one,
 *      hold GUARD.
 *   6. `taken` is the sum of the lengths of all allocated blocks, `size` that of all areas.
 *
 * What is found otherwise is a panic that says what and where; what is not a block, or a block that
 * is free already, is told to the caller.  Whoever calls has locked the heap.
 */
#ifndef XMEM_AIX_HEAP_BLOCKS_H
#define XMEM_AIX_HEAP_BLOCKS_H

#include "host/platform.h"

#define HEAP_BINS 128
#define HEAP_ALIGNMENT_MOST 28 /* log2 */

struct heap_block {
    uint32_t units;  /* of 16 bytes, the header included; 0: the sentinel */
    uint32_t before; /* units of the block before; 0: the area begins here */
    uint32_t state;  /* 0: free; else ALLOCATED and the bytes behind what was asked for */
    uint32_t check;
};

struct heap_free_block {
    struct heap_block block;
    struct heap_free_block *next, *previous;
};

struct heap_area {
    struct heap_area *next;
    size_t size; /* bytes, this structure and the sentinel included */
    struct heap_block first[];
};

struct heap {
    uint64_t secret;
    size_t taken;
    size_t size;
    struct heap_area *areas;
    uint64_t filled[HEAP_BINS / 64];
    struct heap_free_block *bins[HEAP_BINS];
};

/* Makes a heap without areas.  A zero-filled structure is one, too. */
void heap_prepare(struct heap *heap, uint64_t secret);

/* Gives it an area: memory aligned to 16 bytes, of more than heap_area_size(0, 0) bytes and less
 * than 2^32 units. */
void heap_add_area(struct heap *heap, void *memory, size_t size);

bool heap_area_is_empty(struct heap_area *area);

/* Takes an area off that has nothing allocated in it. */
void heap_remove_area(struct heap *heap, struct heap_area *area);

/* Bytes of an area that certainly has room for n bytes of that alignment. */
size_t heap_area_size(size_t n, unsigned alignment);

/* Allocates n bytes (1 to 2^31) at a multiple of 2^alignment.  NULL: no area has room. */
void *heap_take(struct heap *heap, size_t n, unsigned alignment);

/* Frees.  False: nothing is allocated at that address.  *emptied becomes the area if it has nothing
 * allocated any more, else NULL. */
bool heap_give(struct heap *heap, void *address, struct heap_area **emptied);

/* Looks at every block; what is wrong is a panic. */
void heap_verify(const struct heap *heap);

/* Ends the program: "heap: <what>: <address>".  Where it is depends on who links this file. */
void heap_panic(const char *what, const void *address)
    __attribute__((noreturn, cold, visibility("hidden")));

#endif
