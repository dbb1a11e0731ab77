/* SPDX-License-Identifier: MIT */
/*
 * Arenas; arena.h says what they are.
 *
 * Locks: `mutex` covers the free list, the list of arenas and the counts; it nests inside every
 * other lock of the library and nothing is called under it but the host layer.
 *   1. A slot on the free list has no page mapped, no chunk allocated, no storage unless `dirty`,
 *      and both windows on its arena unless `foreign_windows`.
 *   2. Slots [0, slots_ready) are backed by an arena; the others have no access.
 *   3. The table of slots and the reservation live as long as the program: a stale handle meets a
 *      slot of another generation, never unmapped memory.
 */
#include "segments/arena.h"

#include <errno.h>

/* Address space: 128 Ki slots need 2 x 32 TiB of the 128 TiB that x86-64 gives.  Smaller powers of
 * two are tried where that much is not to be had (valgrind, the thread sanitizer). */
#if THREAD_SANITIZER
#define SLOTS_MOST 512u
#else
#define SLOTS_MOST (128u * 1024)
#endif
#define SLOTS_LEAST 16u
#define ARENA_SLOTS_FIRST 16u
#define ARENA_SLOTS_MOST 1024u

struct arena {
    struct arena *next;
    int descriptor;
    uint32_t first;
    uint32_t count;
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct segment *slots; /* the table */
static char *engine_base;
static char *direct_base;
static uint32_t slot_limit;
static uint32_t slots_ready;
static uint32_t slots_taken;
static struct segment *free_list;
static struct arena *arenas;

static char *engine_window(uint32_t index)
{
    return engine_base + (uint64_t)index * XMEM_REGION_SIZE;
}

static char *direct_window(uint32_t index)
{
    return direct_base + (uint64_t)index * XMEM_REGION_SIZE;
}

static int reserve(void)
{
    for (uint32_t count = SLOTS_MOST; count >= SLOTS_LEAST; count /= 2) {
        char *base;
        uint64_t window = (uint64_t)count * XMEM_REGION_SIZE;
        if (host_reserve(2 * window, XMEM_REGION_SIZE, &base) != 0)
            continue;
        void *table;
        int error = host_table_create((uint64_t)count * sizeof(struct segment), &table);
        if (error) {
            host_unreserve(base, 2 * window);
            return error;
        }
        engine_base = base;
        direct_base = base + window;
        slots = table;
        slot_limit = count;
        return 0;
    }
    return ENOMEM;
}

int arenas_start(void)
{
    return slots ? 0 : reserve();
}

static void arena_unmap(struct arena *arena)
{
    uint64_t size = (uint64_t)arena->count * XMEM_REGION_SIZE;
    host_unmap(engine_window(arena->first), size);
    host_unmap(direct_window(arena->first), size);
    host_close(arena->descriptor);
    host_free(arena);
}

void arenas_stop(void)
{
    host_lock(&mutex);
    while (arenas) {
        struct arena *arena = arenas;
        arenas = arena->next;
        arena_unmap(arena);
    }
    free_list = NULL;
    slots_ready = 0;
    host_unlock(&mutex);
}

static uint32_t next_arena_slots(void)
{
    uint32_t count = slots_ready ? slots_ready : ARENA_SLOTS_FIRST;
    if (count > ARENA_SLOTS_MOST)
        count = ARENA_SLOTS_MOST;
    return count < slot_limit - slots_ready ? count : slot_limit - slots_ready;
}

static int arena_map(struct arena *arena)
{
    uint64_t size = (uint64_t)arena->count * XMEM_REGION_SIZE;
    int error = host_arena_map(arena->descriptor, 0, size, engine_window(arena->first));
    if (error)
        return error;
    return host_arena_map(arena->descriptor, 0, size, direct_window(arena->first));
}

/* Mutex held. */
static int arena_add(void)
{
    uint32_t count = next_arena_slots();
    if (count == 0)
        return ENOMEM;
    struct arena *arena = host_allocate(sizeof(*arena));
    if (!arena)
        return ENOMEM;
    arena->first = slots_ready;
    arena->count = count;
    int error = host_arena_create((uint64_t)count * XMEM_REGION_SIZE, &arena->descriptor);
    if (error) {
        host_free(arena);
        return error;
    }
    error = arena_map(arena);
    if (error) {
        arena_unmap(arena);
        return error;
    }
    for (uint32_t index = arena->first + count; index-- > arena->first;) {
        struct segment *slot = &slots[index];
        slot->index = index;
        slot->window = engine_window(index);
        slot->direct = direct_window(index);
        slot->arena = arena;
        slot->dirty = false;
        slot->foreign_windows = false;
        slot->next = free_list;
        free_list = slot;
    }
    arena->next = arenas;
    arenas = arena;
    slots_ready += count;
    return 0;
}

static int punch_whole(struct segment *segment)
{
    return slot_punch(segment, 0, PAGES_PER_SEGMENT);
}

/* What could not be done as the slot was given back.  Mutex held. */
static int clean(struct segment *slot)
{
    int error = slot->foreign_windows ? slot_remap(slot, 0, PAGES_PER_SEGMENT) : 0;
    if (error)
        return error;
    slot->foreign_windows = false;
    error = slot->dirty ? punch_whole(slot) : 0;
    slot->dirty = error != 0;
    return error;
}

int slot_take(struct segment **segment)
{
    host_lock(&mutex);
    int error = free_list ? 0 : arena_add();
    struct segment *slot = free_list;
    if (!error)
        error = clean(slot);
    if (!error) {
        free_list = slot->next;
        slots_taken++;
        *segment = slot;
    }
    host_unlock(&mutex);
    return error;
}

void slot_give(struct segment *segment)
{
    bool touched = false;
    for (unsigned chunk = 0; chunk < CHUNKS_PER_SEGMENT; chunk++)
        touched |= segment->real_chunks[chunk] != NULL;
    segment_forget_pages(segment);
    bool dirty = touched && punch_whole(segment) != 0;
    host_lock(&mutex);
    segment->dirty = segment->dirty || dirty;
    segment->next = free_list;
    free_list = segment;
    slots_taken--;
    host_unlock(&mutex);
}

struct segment *slot_by_index(uint64_t index)
{
    return index < load_relaxed(&slot_limit) ? &slots[index] : NULL;
}

struct segment *slot_by_direct_address(const void *address)
{
    uint64_t offset = (uintptr_t)address - (uintptr_t)direct_base;
    return slot_by_index(offset >> REGION_SHIFT);
}

bool slot_reserved_address(const void *address)
{
    uint64_t offset = (uintptr_t)address - (uintptr_t)engine_base;
    return slot_limit && (offset >> REGION_SHIFT) < 2 * (uint64_t)slot_limit;
}

uint64_t slots_most(void)
{
    return slot_limit;
}

uint64_t slots_used(void)
{
    host_lock(&mutex);
    uint64_t count = slots_taken;
    host_unlock(&mutex);
    return count;
}

static uint64_t arena_offset(const struct segment *segment, uint32_t first)
{
    uint64_t slot = segment->index - segment->arena->first;
    return slot * XMEM_REGION_SIZE + ((uint64_t)first << PAGE_SHIFT);
}

int slot_punch(struct segment *segment, uint32_t first, uint32_t count)
{
    return host_arena_punch(segment->arena->descriptor, arena_offset(segment, first),
                            (uint64_t)count << PAGE_SHIFT);
}

int slot_remap(struct segment *segment, uint32_t first, uint32_t count)
{
    uint64_t at = (uint64_t)first << PAGE_SHIFT;
    uint64_t size = (uint64_t)count << PAGE_SHIFT;
    uint64_t offset = arena_offset(segment, first);
    int descriptor = segment->arena->descriptor;
    int error = host_arena_map(descriptor, offset, size, segment->window + at);
    if (error)
        return error;
    return host_arena_map(descriptor, offset, size, segment->direct + at);
}
