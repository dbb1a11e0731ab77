/* SPDX-License-Identifier: MIT */
/*
 * Address arithmetic.  Every sum of an address and a length goes through here, so that a range
 * that wraps is found in one place.
 */
#ifndef XMEM_SEGMENTS_ADDRESS_H
#define XMEM_SEGMENTS_ADDRESS_H

#include "host/platform.h"
#include "xmem/xmem.h"

#define PAGE_SHIFT 12
#define REGION_SHIFT 28
#define REGION_MASK (XMEM_REGION_SIZE - 1)
#define PAGES_PER_SEGMENT (1u << (REGION_SHIFT - PAGE_SHIFT))

static inline uint64_t region_number(uint64_t address)
{
    return address >> REGION_SHIFT;
}

static inline uint64_t region_offset(uint64_t address)
{
    return address & REGION_MASK;
}

static inline uint32_t page_number(uint64_t segment_offset)
{
    return (uint32_t)(segment_offset >> PAGE_SHIFT);
}

static inline uint64_t bytes_to_region_end(uint64_t address)
{
    return XMEM_REGION_SIZE - region_offset(address);
}

static inline uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

/* Whether [address, address + length) lies in [0, limit); limit is at most 2^63. */
static inline bool range_within(uint64_t address, uint64_t length, uint64_t limit)
{
    return address <= limit && length <= limit - address;
}

/* Whether [address, address + length) lies in [base, base + size), given that the latter does not
 * wrap. */
static inline bool range_inside(uint64_t address, uint64_t length, uint64_t base, uint64_t size)
{
    uint64_t offset = address - base;
    return offset <= size && length <= size - offset;
}

static inline bool page_aligned(uint64_t value)
{
    return (value & (XMEM_PAGE_SIZE - 1)) == 0;
}

#endif
