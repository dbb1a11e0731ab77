/* SPDX-License-Identifier: MIT */
/*
 * The life of windowed segments, and their storage as pages come and go; segment.h has the rules.
 */
#include "segments/segment.h"

#include "segments/arena.h"
#include "segments/imported.h"
#include "segments/pins.h"

#include <errno.h>

#define INDEX_BITS 24

int segments_start(void)
{
    int error = arenas_start();
    return error ? error : reaper_start();
}

int segments_stop(void)
{
    reaper_stop();
    arenas_stop();
    return 0;
}

static void release_windowed(struct segment *segment)
{
    segment_unlock_pages(segment, 0, PAGES_PER_SEGMENT);
    import_forget(segment);
    pins_forget(segment);
    store_release(&segment->life, SEGMENT_FREE);
    slot_give(segment);
}

const struct segment_operations working_operations = {
    .name = "embedded",
    .interrupt_callable = true,
    .string_piece = 128,
    .release = release_windowed,
};

int segment_create(bool is_private, struct segment **created)
{
    struct segment *segment;
    int error = slot_take(&segment);
    if (error)
        return error;
    for (unsigned chunk = 0; chunk < CHUNKS_PER_SEGMENT; chunk++) {
        segment->real_chunks[chunk] = NULL;
        store_relaxed(&segment->chunks[chunk], segment_empty_chunk);
    }
    segment->operations = &working_operations;
    segment->holds = 0;
    segment->pages = 0;
    segment->is_private = is_private;
    segment->doomed = false;
    segment->locked = false;
    segment->imports = NULL;
    segment->pins = NULL;
    store_relaxed(&segment->generation, segment->generation + 1);
    store_relaxed(&segment->life, SEGMENT_LIVE);
    store_release(&segment->references, 1);
    *created = segment;
    return 0;
}

void segment_drop(struct segment *segment)
{
    if (sub_fetch(&segment->references, REFERENCE) == 0)
        segment->operations->release(segment);
}

static void release_deferred(struct deferred *deferred)
{
    struct segment *segment =
        (struct segment *)((char *)deferred - offsetof(struct segment, deferred));
    segment->operations->release(segment);
}

static void release_later(struct segment *segment)
{
    segment->deferred.run = release_deferred;
    reaper_push(&segment->deferred);
}

void segment_drop_later(struct segment *segment)
{
    if (sub_fetch(&segment->references, REFERENCE) == 0)
        release_later(segment);
}

void segment_end_move(struct segment *backing)
{
    if (sub_fetch(&backing->references, REFERENCE_MOVING) == 0)
        release_later(backing);
}

bool segment_delete(struct segment *segment)
{
    uint32_t live = SEGMENT_LIVE;
    if (!compare_exchange(&segment->life, &live, SEGMENT_DELETED))
        return false;
    for (unsigned chunk = 0; chunk < CHUNKS_PER_SEGMENT; chunk++)
        store_release(&segment->chunks[chunk], segment_empty_chunk);
    return true;
}

xmem_segment_t segment_identity(const struct segment *segment)
{
    return ((uint64_t)load_relaxed(&segment->generation) << INDEX_BITS) | segment->index;
}

bool segment_hold_unless_gone(struct segment *segment)
{
    uint64_t count = load_relaxed(&segment->references);
    while (count != 0) {
        if (compare_exchange(&segment->references, &count, count + REFERENCE))
            return true;
    }
    return false;
}

bool segment_map_out(struct segment *segment)
{
    uint64_t count = load_relaxed(&segment->references);
    while (count > REFERENCES_ALL) {
        if (compare_exchange(&segment->references, &count,
                             count - (REFERENCE_MAPPED_IN - REFERENCE)))
            return true;
    }
    return false;
}

uint64_t segments_mapped_in(void)
{
    uint64_t count = 0;
    struct segment *segment;
    for (uint64_t index = 0; (segment = slot_by_index(index)) && segment->arena; index++)
        count += load_relaxed(&segment->references) >> 32;
    return count;
}

struct segment *segment_find(xmem_segment_t identity)
{
    struct segment *segment = slot_by_index(identity & ((1u << INDEX_BITS) - 1));
    if (!segment || (identity >> INDEX_BITS) == 0 || !segment_hold_unless_gone(segment))
        return NULL;
    if (segment_identity(segment) == identity)
        return segment;
    segment_drop_later(segment);
    return NULL;
}

struct segment *segment_of_direct_address(const void *address)
{
    return slot_by_direct_address(address);
}

bool segments_reserved(const void *address)
{
    return slot_reserved_address(address);
}

uint64_t segments_most(void)
{
    return slots_most();
}

uint64_t segments_count(void)
{
    return slots_used();
}

/* ---- pages ---- */

static bool lingers(uint8_t state)
{
    return !(state & PAGE_MAPPED) && (state & PAGE_RESIDENT);
}

static bool any_lingers(struct segment *segment, uint32_t first, uint32_t count)
{
    for (uint32_t page = first; page < first + count; page++)
        if (lingers(segment_page_state(segment, page)))
            return true;
    return false;
}

int segment_clear_lingering(struct segment *segment, uint32_t first, uint32_t count)
{
    if (!any_lingers(segment, first, count))
        return 0;
    int error = import_clear(segment, first, count);
    if (error)
        return error;
    for (uint32_t page = first; page < first + count;) {
        uint32_t end = page;
        while (end < first + count && lingers(segment_page_state(segment, end)))
            end++;
        if (end == page) {
            page++;
            continue;
        }
        error = slot_punch(segment, page, end - page);
        if (error)
            return error;
        for (; page < end; page++)
            store_relaxed(segment_page(segment, page), 0);
    }
    return 0;
}
