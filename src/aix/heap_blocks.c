/* SPDX-License-Identifier: MIT */
/*
 * Blocks of heaps; heap_blocks.h has the rules.
 *
 * Bins: one for each length below 16 units, then four for each power of two.  A request is rounded
 * up to where a bin begins, so that any block from there on will do; only if none is there, the
 * bins below are searched for one that is just long enough.
 */
#include "aix/heap_blocks.h"

#define UNIT ((size_t)16)
#define UNITS_LEAST 2u /* a free block has its links inside */
#define ALLOCATED 0x80000000u
#define GUARD 0xA5

_Static_assert(sizeof(struct heap_block) == UNIT, "a header is a unit");
_Static_assert(sizeof(struct heap_free_block) == UNITS_LEAST * UNIT, "links fit the least block");
_Static_assert(sizeof(struct heap_area) == UNIT, "blocks begin at a unit");

/* ---------------------------------------------------------------- headers -------------- */

static uint32_t check_word(const struct heap *heap, const struct heap_block *block)
{
    uint64_t mixed = heap->secret ^ (uintptr_t)block;

    mixed = (mixed ^ ((uint64_t)block->units << 32 | block->before)) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29;
    mixed = (mixed ^ block->state) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(mixed >> 32);
}

static bool is_header(const struct heap *heap, const struct heap_block *block)
{
    return block->check == check_word(heap, block);
}

static void write_header(const struct heap *heap, struct heap_block *block, uint32_t units,
                         uint32_t before, uint32_t state)
{
    block->units = units;
    block->before = before;
    block->state = state;
    block->check = check_word(heap, block);
}

static struct heap_block *block_at(const struct heap *heap, struct heap_block *block)
{
    if (UNLIKELY(!is_header(heap, block)))
        heap_panic("the header of a block was overwritten", block);
    return block;
}

static struct heap_block *block_behind(const struct heap *heap, struct heap_block *block)
{
    return block_at(heap, block + block->units);
}

static void set_before(const struct heap *heap, struct heap_block *block, uint32_t before)
{
    write_header(heap, block, block->units, before, block->state);
}

static bool is_free(const struct heap_block *block)
{
    return !(block->state & ALLOCATED);
}

static struct heap_free_block *as_free(struct heap_block *block)
{
    return (struct heap_free_block *)(void *)block;
}

/* ---------------------------------------------------------------- bins ----------------- */

static unsigned bin_of(uint32_t units)
{
    unsigned log2;

    if (units < 16)
        return units;
    log2 = 31u - (unsigned)__builtin_clz(units);
    return 16 + (log2 - 4) * 4 + (units >> (log2 - 2) & 3);
}

/* The first bin in which every block has so many units; HEAP_BINS: there is none. */
static unsigned bin_from(uint64_t units)
{
    unsigned bin;

    if (units > UINT32_MAX)
        return HEAP_BINS;
    bin = bin_of((uint32_t)units);
    if (units >= 16 && units & ((UINT64_C(1) << (29 - __builtin_clz((uint32_t)units))) - 1))
        bin++;
    return bin;
}

/* The first bin from there on that has a block. */
static unsigned filled_bin(const struct heap *heap, unsigned bin)
{
    for (; bin < HEAP_BINS; bin = (bin / 64 + 1) * 64) {
        uint64_t filled = heap->filled[bin / 64] >> bin % 64;

        if (filled != 0)
            return bin + (unsigned)__builtin_ctzll(filled);
    }
    return HEAP_BINS;
}

static void bin_insert(struct heap *heap, struct heap_block *block)
{
    unsigned bin = bin_of(block->units);
    struct heap_free_block *entry = as_free(block);

    entry->previous = NULL;
    entry->next = heap->bins[bin];
    if (entry->next != NULL)
        entry->next->previous = entry;
    heap->bins[bin] = entry;
    heap->filled[bin / 64] |= UINT64_C(1) << bin % 64;
}

static bool inside(const struct heap *heap, const struct heap_free_block *entry)
{
    for (const struct heap_area *area = heap->areas; area != NULL; area = area->next)
        if ((uintptr_t)entry - (uintptr_t)area <= area->size - sizeof *entry)
            return true;
    return false;
}

/* Whether a link of a free block leads to one that leads back. */
static void check_links(const struct heap *heap, const struct heap_free_block *entry)
{
    unsigned bin = bin_of(entry->block.units);

    if (entry->next != NULL && (!inside(heap, entry->next) || entry->next->previous != entry))
        heap_panic("a freed block was stored into", &entry->next);
    if (entry->previous == NULL ? heap->bins[bin] != entry
                                : !inside(heap, entry->previous) || entry->previous->next != entry)
        heap_panic("a freed block was stored into", &entry->previous);
}

static void bin_remove(struct heap *heap, struct heap_block *block)
{
    unsigned bin = bin_of(block->units);
    struct heap_free_block *entry = as_free(block);

    check_links(heap, entry);
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        heap->bins[bin] = entry->next;
    if (heap->bins[bin] == NULL)
        heap->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

/* ---------------------------------------------------------------- areas ---------------- */

static struct heap_block *sentinel_of(struct heap_area *area)
{
    return area->first + (area->size - sizeof *area) / UNIT - 1;
}

void heap_prepare(struct heap *heap, uint64_t secret)
{
    *heap = (struct heap){.secret = secret};
}

void heap_add_area(struct heap *heap, void *memory, size_t size)
{
    struct heap_area *area = memory;
    uint32_t units;

    area->size = size & ~(UNIT - 1);
    area->next = heap->areas;
    heap->areas = area;
    heap->size += area->size;
    units = (uint32_t)(sentinel_of(area) - area->first);
    write_header(heap, area->first, units, 0, 0);
    write_header(heap, sentinel_of(area), 0, units, ALLOCATED);
    bin_insert(heap, area->first);
}

bool heap_area_is_empty(struct heap_area *area)
{
    return is_free(area->first) && area->first + area->first->units == sentinel_of(area);
}

void heap_remove_area(struct heap *heap, struct heap_area *area)
{
    struct heap_area **link = &heap->areas;

    while (*link != area)
        link = &(*link)->next;
    bin_remove(heap, area->first);
    *link = area->next;
    heap->size -= area->size;
}

static uint64_t units_for(size_t n)
{
    return 1 + n / UNIT + 1; /* at least one byte of the last unit is left for the guard */
}

/* Units that may have to stay in front of an aligned block: a gap is none, or a block. */
static uint64_t slack_for(unsigned alignment)
{
    return alignment <= 4 ? 0 : (UINT64_C(1) << (alignment - 4)) + 1;
}

size_t heap_area_size(size_t n, unsigned alignment)
{
    uint64_t units = units_for(n) + slack_for(alignment);
    unsigned log2 = 63u - (unsigned)__builtin_clzll(units);

    if (log2 > 2)
        units += UINT64_C(1) << (log2 - 2); /* so that a bin begins at or above it */
    return sizeof(struct heap_area) + (units + 1) * UNIT;
}

/* ---------------------------------------------------------------- allocate ------------- */

/* Units in front of the first place in the block where aligned bytes can follow a header. */
static uint32_t gap_in(const struct heap_block *block, unsigned alignment)
{
    uintptr_t step = (uintptr_t)1 << alignment;
    uintptr_t bytes = (uintptr_t)(block + 1);
    uintptr_t gap;

    if (alignment <= 4)
        return 0;
    gap = (-bytes & (step - 1)) / UNIT;
    while (gap > 0 && gap < UNITS_LEAST)
        gap += step / UNIT;
    return (uint32_t)gap;
}

static bool fits(const struct heap_block *block, uint64_t units, unsigned alignment)
{
    return gap_in(block, alignment) + units <= block->units;
}

static struct heap_block *find(struct heap *heap, uint64_t units, unsigned alignment)
{
    unsigned ample = bin_from(units + slack_for(alignment));
    unsigned bin = filled_bin(heap, ample);

    if (LIKELY(bin < HEAP_BINS))
        return block_at(heap, &heap->bins[bin]->block);
    if (units > UINT32_MAX)
        return NULL;
    for (bin = filled_bin(heap, bin_of((uint32_t)units)); bin < HEAP_BINS;
         bin = filled_bin(heap, bin + 1))
        for (struct heap_free_block *entry = heap->bins[bin]; entry != NULL; entry = entry->next) {
            struct heap_block *block = block_at(heap, &entry->block);

            check_links(heap, entry);
            if (fits(block, units, alignment))
                return block;
        }
    return NULL;
}

/* Cuts a free block that is in no bin: what is behind `units` becomes a free block of its own. */
static void split(struct heap *heap, struct heap_block *block, uint32_t units)
{
    struct heap_block *behind = block_behind(heap, block);
    struct heap_block *rest = block + units;

    write_header(heap, rest, block->units - units, units, 0);
    set_before(heap, behind, rest->units);
    write_header(heap, block, units, block->before, 0);
}

static size_t bytes_in(const struct heap_block *block)
{
    return (block->units - 1) * UNIT;
}

void *heap_take(struct heap *heap, size_t n, unsigned alignment)
{
    uint64_t units = units_for(n);
    struct heap_block *block = find(heap, units, alignment);
    uint32_t gap;
    size_t spare;

    if (block == NULL)
        return NULL;
    bin_remove(heap, block);
    gap = gap_in(block, alignment);
    if (gap > 0) {
        split(heap, block, gap);
        bin_insert(heap, block);
        block += gap;
    }
    if (block->units - units >= UNITS_LEAST) {
        split(heap, block, (uint32_t)units);
        bin_insert(heap, block + units);
    }
    heap->taken += block->units * UNIT;
    spare = bytes_in(block) - n;
    write_header(heap, block, block->units, block->before, ALLOCATED | (uint32_t)spare);
    __builtin_memset((char *)(block + 1) + n, GUARD, spare);
    return block + 1;
}

/* ---------------------------------------------------------------- free ----------------- */

static void check_guard(const struct heap_block *block)
{
    const unsigned char *end = (const unsigned char *)(block + block->units);

    for (size_t spare = block->state & ~ALLOCATED; spare > 0; spare--)
        if (UNLIKELY(end[-(ptrdiff_t)spare] != GUARD))
            heap_panic("bytes behind the end of a block were stored into", block + 1);
}

static struct heap_area *area_of(const struct heap *heap, const struct heap_block *block)
{
    struct heap_area *area = heap->areas;

    while (area != NULL && (uintptr_t)block - (uintptr_t)area->first >=
                               (uintptr_t)sentinel_of(area) - (uintptr_t)area->first)
        area = area->next;
    return area;
}

/* The allocated block whose bytes begin at that address; NULL: there is none. */
static struct heap_block *block_of(const struct heap *heap, void *address, struct heap_area **area)
{
    /* By numbers: the address may be any, 0 too. */
    struct heap_block *block = (struct heap_block *)((uintptr_t)address - sizeof(*block));

    if ((uintptr_t)address % UNIT != 0)
        return NULL;
    *area = area_of(heap, block);
    if (*area == NULL)
        return NULL;
    if (LIKELY(is_header(heap, block)))
        return is_free(block) ? NULL : block;
    heap_verify(heap); /* a wrong address, or a header that somebody overwrote? */
    return NULL;
}

/* Joins two free blocks side by side that are in no bin. */
static void join(struct heap *heap, struct heap_block *block, struct heap_block *behind)
{
    uint32_t units = block->units + behind->units;

    set_before(heap, block_behind(heap, behind), units);
    write_header(heap, block, units, block->before, 0);
}

static struct heap_block *join_neighbours(struct heap *heap, struct heap_block *block)
{
    struct heap_block *behind = block_behind(heap, block);
    struct heap_block *front;

    if (is_free(behind)) {
        bin_remove(heap, behind);
        join(heap, block, behind);
    }
    if (block->before == 0)
        return block;
    front = block_at(heap, block - block->before);
    if (!is_free(front))
        return block;
    bin_remove(heap, front);
    join(heap, front, block);
    return front;
}

bool heap_give(struct heap *heap, void *address, struct heap_area **emptied)
{
    struct heap_area *area;
    struct heap_block *block = block_of(heap, address, &area);

    *emptied = NULL;
    if (block == NULL)
        return false;
    check_guard(block);
    heap->taken -= block->units * UNIT;
    write_header(heap, block, block->units, block->before, 0);
    block = join_neighbours(heap, block);
    bin_insert(heap, block);
    if (heap_area_is_empty(area))
        *emptied = area;
    return true;
}

/* ---------------------------------------------------------------- verify --------------- */

static void verify_area(const struct heap *heap, struct heap_area *area, size_t *taken)
{
    struct heap_block *sentinel = sentinel_of(area);
    struct heap_block *block = block_at(heap, area->first);
    bool free_before = false;
    uint32_t before = 0;

    for (; block < sentinel; block = block_behind(heap, block)) {
        if (block->units < UNITS_LEAST || block->units > (size_t)(sentinel - block) ||
            block->before != before || (free_before && is_free(block)))
            heap_panic("the blocks of an area do not tile it", block);
        if (is_free(block))
            check_links(heap, as_free(block));
        else
            check_guard(block);
        *taken += is_free(block) ? 0 : block->units * UNIT;
        free_before = is_free(block);
        before = block->units;
    }
    if (block != sentinel || block->units != 0 || block->before != before || is_free(block))
        heap_panic("the end of an area was overwritten", block);
}

void heap_verify(const struct heap *heap)
{
    size_t taken = 0, size = 0;

    for (struct heap_area *area = heap->areas; area != NULL; area = area->next) {
        verify_area(heap, area, &taken);
        size += area->size;
    }
    if (taken != heap->taken || size != heap->size)
        heap_panic("its counts are wrong", heap);
}
