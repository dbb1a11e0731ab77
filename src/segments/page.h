/* SPDX-License-Identifier: MIT */
/*
 * Page state: one byte a page, read by every copy inside a read section.
 *
 *   1. A byte with MAPPED clear admits nobody, whatever else is set.
 *   2. READ and WRITE are the user's authority (key XMEM_KEY_USER); PRIVILEGED_WRITE is what key
 *      XMEM_KEY_ALL needs for a store; reading with that key needs MAPPED only.
 *   3. Bits other than REFERENCED and MODIFIED change only under the owning segment's writer (the
 *      process's mutex, or whoever created a segment nobody else knows yet); whoever takes
 *      something away waits for a grace period before relying on it.
 *   4. REFERENCED and MODIFIED are set by copies, atomically, and only while MAPPED is set.
 *   5. MAPPED clear and RESIDENT set: the page is unmapped but its storage lingers, for holders
 *      of the segment; it is cleared away before the page is mapped again, or with the segment.
 *   6. GUARDED: the page's storage can vanish while it is touched (imported memory).
 */
#ifndef XMEM_SEGMENTS_PAGE_H
#define XMEM_SEGMENTS_PAGE_H

#include "host/platform.h"
#include "xmem/xmem.h"

enum page_state {
    PAGE_READ = 1 << 0,
    PAGE_WRITE = 1 << 1,
    PAGE_PRIVILEGED_WRITE = 1 << 2,
    PAGE_RESIDENT = 1 << 3,
    PAGE_REFERENCED = 1 << 4,
    PAGE_MODIFIED = 1 << 5,
    PAGE_MAPPED = 1 << 6,
    PAGE_GUARDED = 1 << 7
};

enum direction { FROM_USER = 0, TO_USER = 1 };

/* What a page's byte must have, by key and direction. */
#define PAGE_NOTED_IN (PAGE_RESIDENT | PAGE_REFERENCED)
#define PAGE_NOTED_OUT (PAGE_RESIDENT | PAGE_REFERENCED | PAGE_MODIFIED)

static const uint8_t page_wants[2][2] = {
    [XMEM_KEY_ALL] = {[FROM_USER] = PAGE_MAPPED | PAGE_NOTED_IN,
                      [TO_USER] = PAGE_MAPPED | PAGE_NOTED_OUT | PAGE_PRIVILEGED_WRITE},
    [XMEM_KEY_USER] = {[FROM_USER] = PAGE_MAPPED | PAGE_NOTED_IN | PAGE_READ,
                       [TO_USER] = PAGE_MAPPED | PAGE_NOTED_OUT | PAGE_WRITE},
};

static ALWAYS_INLINE uint8_t page_wanted(unsigned key, enum direction direction)
{
    return page_wants[key][direction];
}

/* Whether a page's byte admits the access, and it is noted already.  The key is a branch on
 * purpose: it is the same nearly always, and then what is wanted is a constant. */
static ALWAYS_INLINE bool page_admits(uint8_t state, unsigned key, enum direction direction)
{
    uint8_t wanted = LIKELY(key == XMEM_KEY_USER) ? page_wanted(XMEM_KEY_USER, direction)
                                                  : page_wanted(XMEM_KEY_ALL, direction);
    return (state & wanted) == wanted;
}

/* Chunks: page state is allocated for 1,024 pages at a time; a small segment costs little. */
#define CHUNK_SHIFT 10
#define CHUNK_PAGES (1u << CHUNK_SHIFT)
#define CHUNKS_PER_SEGMENT 64

#endif
