/* SPDX-License-Identifier: MIT */
/*
 * Page state: the bytes themselves.  page.h has their invariants; everything here is called by the
 * segment's one writer, beside readers that look at the bytes inside read sections.
 */
#include "segments/segment.h"

#include <errno.h>

/* Never written: every page of it is unmapped. */
uint8_t segment_empty_chunk[CHUNK_PAGES] __attribute__((aligned(CACHE_LINE)));

int segment_prepare_pages(struct segment *segment, uint32_t first, uint32_t count)
{
    unsigned last = (first + count - 1) >> CHUNK_SHIFT;
    for (unsigned chunk = first >> CHUNK_SHIFT; chunk <= last; chunk++) {
        if (segment->real_chunks[chunk])
            continue;
        uint8_t *fresh = host_allocate(CHUNK_PAGES);
        if (!fresh)
            return ENOMEM;
        segment->real_chunks[chunk] = fresh;
        store_release(&segment->chunks[chunk], fresh);
    }
    return 0;
}

bool segment_pages_all(struct segment *segment, uint32_t first, uint32_t count, uint8_t bits)
{
    for (uint32_t page = first; page < first + count; page++)
        if ((segment_page_state(segment, page) & bits) != bits)
            return false;
    return true;
}

bool segment_pages_none(struct segment *segment, uint32_t first, uint32_t count, uint8_t bits)
{
    for (uint32_t page = first; page < first + count; page++)
        if (segment_page_state(segment, page) & bits)
            return false;
    return true;
}

void segment_mark_lingering(struct segment *segment, uint32_t first, uint32_t count)
{
    store_strong(&segment->lingering, true);
    for (uint32_t page = first; page < first + count; page++)
        store_relaxed(segment_page(segment, page), PAGE_RESIDENT);
}

int segment_lock_pages(struct segment *segment, uint32_t first, uint32_t count)
{
    segment->locked = true;
    return host_lock_memory(segment->window + ((uint64_t)first << PAGE_SHIFT),
                            (size_t)count << PAGE_SHIFT);
}

void segment_unlock_pages(struct segment *segment, uint32_t first, uint32_t count)
{
    if (segment->locked)
        host_unlock_memory(segment->window + ((uint64_t)first << PAGE_SHIFT),
                           (size_t)count << PAGE_SHIFT);
}

void segment_set_pages(struct segment *segment, uint32_t first, uint32_t count, uint8_t state)
{
    for (uint32_t page = first; page < first + count; page++)
        store_release(segment_page(segment, page), state);
    segment->pages += count;
}

void segment_set_authority(struct segment *segment, uint32_t first, uint32_t count,
                           uint8_t authority)
{
    for (uint32_t page = first; page < first + count; page++) {
        uint8_t *state = segment_page(segment, page);
        /* Taking away and giving are two steps; in between the page admits less, never more. */
        and_fetch(state, (uint8_t) ~(PAGE_READ | PAGE_WRITE));
        or_fetch(state, authority);
    }
}

void segment_unmap_pages(struct segment *segment, uint32_t first, uint32_t count)
{
    store_strong(&segment->lingering, true);
    for (uint32_t page = first; page < first + count; page++)
        and_fetch(segment_page(segment, page), (uint8_t)~PAGE_MAPPED);
    segment->pages -= count;
}

void segment_forget_pages(struct segment *segment)
{
    for (unsigned chunk = 0; chunk < CHUNKS_PER_SEGMENT; chunk++) {
        store_relaxed(&segment->chunks[chunk], segment_empty_chunk);
        host_free(segment->real_chunks[chunk]);
        segment->real_chunks[chunk] = NULL;
    }
}
