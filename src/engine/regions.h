/* SPDX-License-Identifier: MIT */
/*
 * Region tables: which segment is mapped in which 256 MiB region of an address space.
 *
 *   1. Readers look up inside a read section, without a lock: open addressing, region numbers that
 *      once were stored are never removed from a table, only their segment is.
 *   2. One writer at a time (the process's mutex).  A table that becomes too small is replaced
 *      whole; the old one is freed after a grace period.
 *   3. A 32-bit space has one table of 32 for its life, in which a region's place is its number.
 *   4. Every table has empty slots, so that looking for what is not there ends: a quarter of them
 *      at least, and the upper 16 of a 32-bit space's.
 */
#ifndef XMEM_ENGINE_REGIONS_H
#define XMEM_ENGINE_REGIONS_H

#include "segments/segment.h"

struct region_slot {
    uint64_t key; /* region number + 1; 0: never used */
    tagged_segment segment;
};

struct region_table {
    uint64_t multiplier;
    uint32_t shift;
    uint32_t mask;
    uint32_t used; /* slots with a key */
    struct region_slot slots[];
};

extern struct region_table regions_none; /* of a closed process: finds nothing */

static ALWAYS_INLINE tagged_segment region_find(const struct region_table *table, uint64_t number)
{
    uint32_t at = (uint32_t)((number * table->multiplier) >> table->shift);
    for (;;) {
        const struct region_slot *slot = &table->slots[at];
        uint64_t key = load_acquire(&slot->key);
        if (LIKELY(key == number + 1))
            return load_acquire(&slot->segment);
        if (key == 0)
            return 0;
        at = (at + 1) & table->mask;
    }
}

struct region_table *regions_create(unsigned bits); /* NULL: no memory */
/* Makes room for `more` new regions.  0; ENOMEM. */
int regions_reserve(struct region_table **table, uint32_t more);
/* There is room: regions_reserve() said so. */
void regions_set(struct region_table *table, uint64_t number, tagged_segment segment);

#endif
