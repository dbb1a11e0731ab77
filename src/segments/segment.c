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

int segment_create(host_mutex *owner, struct segment **created)
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
    segment->owner = owner;
    segment->lingering = false;
    segment->tidying = false;
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

static struct segment *segment_of_deferred(struct deferred *deferred)
{
    return (struct segment *)((char *)deferred - offsetof(struct segment, deferred));
}

static void release_deferred(struct deferred *deferred)
{
    struct segment *segment = segment_of_deferred(deferred);
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

static bool mapped_in(const struct segment *segment)
{
    return load_strong(&segment->references) > REFERENCES_ALL;
}

static void tidy_deferred(struct deferred *deferred)
{
    struct segment *segment = segment_of_deferred(deferred);
    store_strong(&segment->tidying, false);
    host_lock(segment->owner);
    segment_tidy(segment);
    host_unlock(segment->owner);
    segment_drop(segment);
}

/* The caller's reference keeps the segment until the reaper has one. */
static void tidy_later(struct segment *segment)
{
    if (exchange(&segment->tidying, true))
        return;
    segment_hold(segment);
    segment->deferred.run = tidy_deferred;
    reaper_push(&segment->deferred);
}

bool segment_map_out(struct segment *segment)
{
    uint64_t count = load_relaxed(&segment->references);
    while (count > REFERENCES_ALL) {
        uint64_t left = count - (REFERENCE_MAPPED_IN - REFERENCE);
        if (!compare_exchange(&segment->references, &count, left))
            continue;
        if (left <= REFERENCES_ALL && UNLIKELY(load_relaxed(&segment->lingering)))
            tidy_later(segment);
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

/* Files mapped over the run go, and what the arena has there. */
static int give_back(struct segment *segment, uint32_t first, uint32_t end)
{
    int error = import_clear(segment, first, end - first);
    if (!error)
        error = slot_punch(segment, first, end - first);
    if (error)
        return error;
    for (uint32_t page = first; page < end; page++)
        store_relaxed(segment_page(segment, page), 0);
    return 0;
}

int segment_clear_lingering(struct segment *segment, uint32_t first, uint32_t count)
{
    if (!segment->lingering)
        return 0;
    uint32_t end = first;
    for (uint32_t page = first; page < first + count; page = end + 1) {
        end = page;
        while (end < first + count && lingers(segment_page_state(segment, end)))
            end++;
        int error = end == page ? 0 : give_back(segment, page, end);
        if (error)
            return error;
    }
    return 0;
}

void segment_tidy(struct segment *segment)
{
    if (!segment->lingering || mapped_in(segment))
        return;
    if (segment_clear_lingering(segment, 0, PAGES_PER_SEGMENT) == 0)
        store_relaxed(&segment->lingering, false);
}
