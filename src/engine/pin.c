/* SPDX-License-Identifier: MIT */
/*
 * Pinning through a descriptor.  Nothing is paged out yet, so a pin is its count; the counts nest
 * and fail as they will have to.
 */
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/read_section.h"
#include "segments/pins.h"

#include <errno.h>

struct pages {
    struct segment *segment; /* with a reference */
    uint32_t first;
    uint32_t count;
};

/* The pages behind the first part of a range, up to the end of its region. */
static struct outcome find_pages(const struct place *place, uint64_t address, uint64_t bytes,
                                 bool need_mapped, struct pages *pages)
{
    struct outcome outcome = OUTCOME_SUCCESS;
    read_section_enter();
    struct found found = place_find(place, address);
    if (found.cause) {
        outcome = outcome_at(found.cause, found.error, address, found.detail);
    } else if (!found.tagged || belongs_to_backing(found.tagged, found.backing, address)) {
        outcome = outcome_at(XMEM_FAILURE_KIND, ENOTSUP, address,
                             "only the pages of embedded processes can be pinned");
    } else {
        pages->segment = tagged_pointer(found.tagged);
        pages->first = page_number(region_offset(address));
        pages->count = page_number(region_offset(address) + bytes - 1) - pages->first + 1;
        if (need_mapped &&
            !segment_pages_all(pages->segment, pages->first, pages->count, PAGE_MAPPED))
            outcome =
                load_acquire(&pages->segment->life) == SEGMENT_LIVE
                    ? outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                                 "a page of the range is not mapped")
                    : outcome_at(XMEM_FAILURE_DELETED, EFAULT, address, "the segment was deleted");
        else
            segment_hold(pages->segment);
    }
    read_section_leave();
    return outcome;
}

static struct outcome change_piece(const struct place *place, uint64_t address, uint64_t bytes,
                                   bool pin)
{
    struct pages pages = {0};
    struct outcome outcome = find_pages(place, address, bytes, pin, &pages);
    if (outcome.cause)
        return outcome;
    int error = pin ? pins_add(pages.segment, pages.first, pages.count)
                    : pins_remove(pages.segment, pages.first, pages.count);
    segment_drop(pages.segment);
    if (error == ENOMEM)
        return outcome_at(XMEM_FAILURE_NO_MEMORY, ENOMEM, address, "no memory for pin counts");
    if (error)
        return outcome_at(XMEM_FAILURE_ARGUMENT, error, address, "a page of it is not pinned");
    return OUTCOME_SUCCESS;
}

/* *done: bytes whose pages were changed. */
static struct outcome change_range(const struct place *place, uint64_t address, uint64_t n,
                                   bool pin, uint64_t *done)
{
    struct outcome outcome = OUTCOME_SUCCESS;
    *done = 0;
    while (!outcome.cause && *done < n) {
        uint64_t bytes = smaller(n - *done, bytes_to_region_end(address + *done));
        outcome = change_piece(place, address + *done, bytes, pin);
        if (!outcome.cause)
            *done += bytes;
    }
    return outcome;
}

static int change_pins(const char *operation, const struct xmem_descriptor *descriptor,
                       uint64_t address, size_t n, bool pin)
{
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!descriptor || n == 0)
        return fail_argument(operation, "no descriptor, or no bytes");
    struct place place = {NULL, descriptor};
    struct outcome outcome = place_check(&place, address, n);
    uint64_t done = 0;
    if (!outcome.cause)
        outcome = change_range(&place, address, n, pin, &done);
    if (!outcome.cause)
        return 0;
    uint64_t undone;
    if (pin && done)
        change_range(&place, address, done, false, &undone);
    return fail_move(operation, outcome, place_words(&place), 0, n);
}

EXPORT int xmem_pin(const struct xmem_descriptor *descriptor, uint64_t address, size_t n)
{
    return change_pins("xmem_pin", descriptor, address, n, true);
}

EXPORT int xmem_unpin(const struct xmem_descriptor *descriptor, uint64_t address, size_t n)
{
    return change_pins("xmem_unpin", descriptor, address, n, false);
}
