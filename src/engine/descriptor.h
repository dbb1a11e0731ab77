/* SPDX-License-Identifier: MIT */
/*
 * Cross-memory descriptors: the table behind the values that callers hold.
 *
 *   1. A descriptor is valid when its entry's four identity words equal its own.  generation is
 *      written last at an attach and first at a detach, where it becomes a secret no descriptor
 *      has, and never repeats; check is a secret's digest of the others.  An entry that never was
 *      attached has the name 0, which is no descriptor's (entry 0 is not used, and has another).
 *   2. Entries live in a table that is never unmapped.  Their other words change only while
 *      they are not attached.
 *   3. Each attached entry has a reference of every segment in `regions` and of `backing`.
 *   4. A move looks at the entry inside a read section.  A thread other than the owner first sets
 *      `shared`, fences, and only then trusts what it reads; a detach clears generation and then
 *      looks at `shared`, both sequentially consistent.  So a detach that finds `shared` clear
 *      knows that nobody but its own thread can be inside, and needs no grace period.
 *   5. `moves` counts moves that have left the read section for a backing; a detach waits for them
 *      (one second at most), and the entry is not reused while there are any.
 * Free entries: each thread keeps a few in its record; the rest are a stack under the table mutex,
 * which nests inside nothing.
 */
#ifndef XMEM_ENGINE_DESCRIPTOR_H
#define XMEM_ENGINE_DESCRIPTOR_H

#include "engine/thread.h"
#include "segments/reaper.h"
#include "segments/segment.h"
#include "xmem/xmem.h"

#define REGIONS_INLINE 2

struct descriptor_entry {
    uint64_t name; /* kind and index, as they stand side by side in the descriptor */
    uint64_t handle;
    uint64_t generation;
    uint64_t check;
    uint64_t base;
    uint64_t length;
    tagged_segment single; /* the segment of all of it; 0: more than one, or a backing */
    uint32_t owner;        /* number of the thread that attached */
    uint8_t shared;        /* another thread has used it */

    struct segment *backing __attribute__((aligned(CACHE_LINE)));
    tagged_segment *regions; /* one for each region that the range touches */
    tagged_segment own_regions[REGIONS_INLINE];
    uint32_t region_count;
    uint32_t index;
    uint32_t next_free;
    uint64_t moves;
    uint64_t last_generation;
    struct deferred deferred;
} __attribute__((aligned(CACHE_LINE)));

#define DESCRIPTORS_MOST (1u << 22)

extern struct descriptor_entry *descriptor_table;

int descriptors_start(void);
uint64_t descriptors_count(void);
/* A thread ends: its spare entries go back. */
void descriptor_give_back_indexes(struct thread_record *record);

static ALWAYS_INLINE bool descriptor_matches(const struct descriptor_entry *entry,
                                             const struct xmem_descriptor *descriptor)
{
    uint64_t name = (uint64_t)(uint32_t)descriptor->kind | (uint64_t)descriptor->index << 32;
    return ((load_acquire(&entry->generation) ^ descriptor->generation) |
            (load_relaxed(&entry->name) ^ name) |
            (load_relaxed(&entry->handle) ^ descriptor->handle) |
            (load_relaxed(&entry->check) ^ descriptor->check)) == 0;
}

/* The entry that a descriptor would have, announced as used by this thread; whether it matches is
 * to be asked next.  Inside a read section. */
static ALWAYS_INLINE struct descriptor_entry *
descriptor_place(const struct xmem_descriptor *descriptor)
{
    struct descriptor_entry *entry = &descriptor_table[descriptor->index & (DESCRIPTORS_MOST - 1)];
    if (UNLIKELY(load_relaxed(&entry->owner) != thread_state.number) &&
        !load_acquire(&entry->shared)) {
        store_relaxed(&entry->shared, 1);
        full_fence();
    }
    return entry;
}

/* The entry of a valid descriptor, NULL for any other.  Inside a read section. */
static inline struct descriptor_entry *descriptor_entry(const struct xmem_descriptor *descriptor)
{
    struct descriptor_entry *entry = descriptor_place(descriptor);
    return LIKELY(descriptor_matches(entry, descriptor)) ? entry : NULL;
}

/* What is behind an address inside the entry's bounds: inside a read section. */
static inline tagged_segment descriptor_region(const struct descriptor_entry *entry,
                                               uint64_t address)
{
    return entry->regions[region_number(address) - region_number(entry->base)];
}

#endif
