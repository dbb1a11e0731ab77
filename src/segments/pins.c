/* SPDX-License-Identifier: MIT */
/*
 * Pin counts; pins.h says what is guaranteed.
 */
#include "segments/pins.h"

#include <errno.h>

#define PIN_MOST UINT16_MAX

struct pin_table {
    uint16_t *chunks[CHUNKS_PER_SEGMENT]; /* CHUNK_PAGES counts each; NULL: all 0 */
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;

static uint16_t *pin_count(struct segment *segment, uint32_t page)
{
    uint16_t *chunk = segment->pins ? segment->pins->chunks[page >> CHUNK_SHIFT] : NULL;
    return chunk ? &chunk[page & (CHUNK_PAGES - 1)] : NULL;
}

/* Mutex held.  Makes sure that every page has a count that can still grow. */
static int prepare(struct segment *segment, uint32_t first, uint32_t count)
{
    if (!segment->pins)
        segment->pins = host_allocate(sizeof(*segment->pins));
    if (!segment->pins)
        return ENOMEM;
    unsigned last = (first + count - 1) >> CHUNK_SHIFT;
    for (unsigned chunk = first >> CHUNK_SHIFT; chunk <= last; chunk++) {
        uint16_t **counts = &segment->pins->chunks[chunk];
        if (!*counts)
            *counts = host_allocate(CHUNK_PAGES * sizeof(**counts));
        if (!*counts)
            return ENOMEM;
    }
    for (uint32_t page = first; page < first + count; page++)
        if (*pin_count(segment, page) == PIN_MOST)
            return ENOMEM;
    return 0;
}

int pins_add(struct segment *segment, uint32_t first, uint32_t count)
{
    host_lock(&mutex);
    int error = prepare(segment, first, count);
    for (uint32_t page = first; !error && page < first + count; page++)
        ++*pin_count(segment, page);
    host_unlock(&mutex);
    return error;
}

int pins_remove(struct segment *segment, uint32_t first, uint32_t count)
{
    int error = 0;
    host_lock(&mutex);
    for (uint32_t page = first; !error && page < first + count; page++) {
        uint16_t *pins = pin_count(segment, page);
        if (pins && *pins)
            --*pins;
        else
            error = EINVAL;
    }
    host_unlock(&mutex);
    return error;
}

void pins_forget(struct segment *segment)
{
    if (!segment->pins)
        return;
    for (unsigned chunk = 0; chunk < CHUNKS_PER_SEGMENT; chunk++)
        host_free(segment->pins->chunks[chunk]);
    host_free(segment->pins);
    segment->pins = NULL;
}
