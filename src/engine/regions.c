/* SPDX-License-Identifier: MIT */
/*
 * Region tables; regions.h has the rules.
 */
#include "engine/regions.h"

#include "host/memory.h"
#include "host/read_section.h"

#include <errno.h>

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)
#define FIRST_SHIFT 61 /* 8 slots */

/* The multiplier 0 sends every number to slot 0, which is empty. */
struct region_table regions_none = {.slots = {{0, 0}}};

static struct region_table *table_create(uint32_t shift, uint64_t multiplier)
{
    uint32_t slots = 1u << (64 - shift);
    struct region_table *table = host_allocate(sizeof(*table) + slots * sizeof(struct region_slot));
    if (!table)
        return NULL;
    table->multiplier = multiplier;
    table->shift = shift;
    table->mask = slots - 1;
    return table;
}

struct region_table *regions_create(unsigned bits)
{
    return bits == 32 ? table_create(59, UINT64_C(1) << 59) : table_create(FIRST_SHIFT, GOLDEN);
}

void regions_set(struct region_table *table, uint64_t number, tagged_segment segment)
{
    uint32_t at = (uint32_t)((number * table->multiplier) >> table->shift);
    while (table->slots[at].key != 0 && table->slots[at].key != number + 1)
        at = (at + 1) & table->mask;
    store_release(&table->slots[at].segment, segment);
    if (table->slots[at].key == 0) {
        table->used++;
        store_release(&table->slots[at].key, number + 1);
    }
}

static uint32_t live_regions(const struct region_table *table)
{
    uint32_t live = 0;
    for (uint32_t at = 0; at <= table->mask; at++)
        live += table->slots[at].segment != 0;
    return live;
}

int regions_reserve(struct region_table **table, uint32_t more)
{
    struct region_table *old = *table;
    if (old->multiplier != GOLDEN || old->used + more <= (old->mask + 1) / 4 * 3)
        return 0;
    uint32_t wanted = live_regions(old) + more;
    uint32_t shift = FIRST_SHIFT;
    while ((UINT64_C(1) << (64 - shift)) / 2 < wanted)
        shift--;
    struct region_table *fresh = table_create(shift, GOLDEN);
    if (!fresh)
        return ENOMEM;
    for (uint32_t at = 0; at <= old->mask; at++)
        if (old->slots[at].segment)
            regions_set(fresh, old->slots[at].key - 1, old->slots[at].segment);
    store_release(table, fresh);
    read_section_wait();
    host_free(old);
    return 0;
}
