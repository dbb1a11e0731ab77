/* SPDX-License-Identifier: MIT */
/*
 * A page range of an address space, cut at region boundaries: what map, unmap and protect work on.
 */
#ifndef XMEM_ENGINE_PIECES_H
#define XMEM_ENGINE_PIECES_H

#include "segments/address.h"

struct piece {
    uint64_t number;  /* of the region */
    uint64_t address; /* of the first byte */
    uint32_t first;   /* pages of the region's segment */
    uint32_t count;
};

struct page_range {
    uint64_t address;
    uint64_t length; /* what is left of it */
};

/* Takes the next piece off the range; false: nothing is left. */
static inline bool next_piece(struct page_range *range, struct piece *piece)
{
    if (range->length == 0)
        return false;
    uint64_t bytes = smaller(range->length, bytes_to_region_end(range->address));
    piece->number = region_number(range->address);
    piece->address = range->address;
    piece->first = page_number(region_offset(range->address));
    piece->count = page_number(bytes);
    range->address += bytes;
    range->length -= bytes;
    return true;
}

#endif
