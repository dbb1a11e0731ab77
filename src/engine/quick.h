/* SPDX-License-Identifier: MIT */
/*
 * The quick ways of moving bytes, shared by move.c (through descriptors) and user_copy.c (of
 * processes).
 *
 * A move is tried in four ways, from quick to general; each hands on to the next what it does not
 * take, by a tail call with the same arguments:
 *   short    up to 32 bytes in one page that admits them: done in the public function itself, in
 *            one read section and without a call.
 *   page     the same for any length within one page.
 *   pages    up to 1 MiB of pages that are alike, of one region or two: all are looked at, then all
 *            are copied, in one read section.
 *   general  everything else: copy.c.
 * The first three succeed or hand on.  Besides, what fails most often is told at once: a bad
 * address ("refused"), and memory that went away under a copy ("faulted").
 *
 * A page "admits" when its byte says that the access is allowed and noted.  Pages of memory that
 * can vanish are moved by guarded accesses; at interrupt level those are the general way's, which
 * knows how not to wait.
 */
#ifndef XMEM_ENGINE_QUICK_H
#define XMEM_ENGINE_QUICK_H

#include "engine/bytes.h"
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/guarded.h"
#include "host/guarded_short.h"
#include "host/read_section.h"

#define SHORT_MOST 32

/* User bytes that may be moved now. */
struct admitted {
    char *user; /* in the engine window */
    struct segment *segment;
    bool guarded;
    bool refused; /* the others do not count */
};

static const struct admitted not_admitted = {.refused = true};

static ALWAYS_INLINE void set_done(size_t *done, size_t value)
{
    if (done)
        *done = value;
}

int quick_wake_and_succeed(void);

/* Leaves the section; the result of a move that went well. */
static ALWAYS_INLINE int leave_and_succeed(size_t n, size_t *done)
{
    set_done(done, n);
    return UNLIKELY(read_section_leave_quietly()) ? quick_wake_and_succeed() : 0;
}

static ALWAYS_INLINE bool in_one_page(uint64_t address, size_t n)
{
    return n <= XMEM_PAGE_SIZE - (address & (XMEM_PAGE_SIZE - 1));
}

/* ---- admission; all inside a read section ---- */

static ALWAYS_INLINE struct admitted admit_page(tagged_segment tagged, uint64_t address,
                                                enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint8_t state = segment_page_state(segment, page_number(offset));
    bool guarded = (state & PAGE_GUARDED) != 0;
    bool refused = UNLIKELY(!page_admits(state, tagged_key(tagged), direction)) ||
                   (UNLIKELY(guarded) && thread_state.mode != THREAD_PROCESS);
    return (struct admitted){segment->window + offset, segment, guarded, refused};
}

/* Through a descriptor of one segment. */
static ALWAYS_INLINE struct admitted admit_described(const struct xmem_descriptor *descriptor,
                                                     uint64_t address, size_t n,
                                                     enum direction direction)
{
    const struct descriptor_entry *entry = descriptor_place(descriptor);
    if (LIKELY(descriptor_matches(entry, descriptor)) && LIKELY(entry->single) &&
        LIKELY(range_inside(address, n, entry->base, entry->length)))
        return admit_page(entry->single, address, direction);
    return not_admitted;
}

static ALWAYS_INLINE struct admitted admit_process(const struct xmem_process *process,
                                                   uint64_t address, enum direction direction)
{
    tagged_segment tagged = process_region(process, address);
    return LIKELY(tagged) ? admit_page(tagged, address, direction) : not_admitted;
}

/* ---- pages ---- */

/* Where the regions are found. */
struct regions_of {
    const struct descriptor_entry *entry; /* or NULL: */
    const struct xmem_process *process;
};

/* Moves 1 byte to 1 MiB when every page admits it.  False: not so, or the memory went away; the
 * general way will tell.  Inside a read section. */
bool quick_pages_in(struct regions_of regions, uint64_t address, char *kernel, size_t n);
bool quick_pages_out(struct regions_of regions, uint64_t address, char *kernel, size_t n);

/* ---- failures ---- */

/* What a guarded page's copy came to; entered inside the read section, which it leaves. */
int quick_guarded(const char *operation, struct admitted admitted, uint64_t address, char *kernel,
                  size_t n, size_t *done, enum direction direction);
/* The same after a short copy has faulted. */
int quick_faulted(const char *operation, struct admitted admitted, uint64_t address, char *kernel,
                  size_t n, size_t *done, enum direction direction);

#endif
