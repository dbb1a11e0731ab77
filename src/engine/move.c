/* SPDX-License-Identifier: MIT */
/*
 * xmem_copy_in, xmem_copy_out, xmem_move_in, xmem_move_out.
 *
 * Most moves are short and touch one resident page that admits them: those are done right here, in
 * one read section and without a call.  Whatever else is the case, the slow form finds out.
 */
#include "engine/bytes.h"
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/read_section.h"

#include <errno.h>

static ALWAYS_INLINE void set_done(size_t *done, size_t value)
{
    if (done)
        *done = value;
}

/* Within one page that admits the access plainly?  Copies and returns true.  Inside a read
 * section. */
static ALWAYS_INLINE bool copy_in_one_page(tagged_segment tagged, uint64_t address, char *kernel,
                                           size_t n, enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint32_t page = page_number(offset);
    uint8_t wanted = page_wanted(tagged_key(tagged), direction);
    if (UNLIKELY(page != (offset + n - 1) >> PAGE_SHIFT) ||
        UNLIKELY((segment_page_state(segment, page) & (wanted | PAGE_GUARDED)) != wanted))
        return false;
    char *user = segment->window + offset;
    if (direction == FROM_USER)
        copy_bytes(kernel, user, n);
    else
        copy_bytes(user, kernel, n);
    return true;
}

/* ---- through a descriptor ---- */

static NOINLINE int move_slow(const char *operation, const struct xmem_descriptor *descriptor,
                              uint64_t address, char *kernel, size_t n, size_t *done,
                              enum direction direction)
{
    set_done(done, 0);
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor)
        return fail_argument(operation, "there is no descriptor");
    struct place place = {NULL, descriptor};
    struct outcome outcome = place_check(&place, address, n);
    if (!outcome.cause)
        outcome = copy_range(&place, address, kernel, n, direction);
    set_done(done, outcome.done);
    if (LIKELY(!outcome.cause))
        return 0;
    return fail_move(operation, outcome, place_words(&place), 0, n);
}

static ALWAYS_INLINE bool move_fast(const struct xmem_descriptor *descriptor, uint64_t address,
                                    char *kernel, size_t n, enum direction direction)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor))
        return false;
    bool moved = false;
    read_section_enter();
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    if (LIKELY(entry) && LIKELY(entry->single) &&
        LIKELY(range_inside(address, n, entry->base, entry->length)))
        moved = copy_in_one_page(entry->single, address, kernel, n, direction);
    read_section_leave();
    return moved;
}

EXPORT int xmem_move_in(const struct xmem_descriptor *descriptor, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (UNLIKELY(!move_fast(descriptor, from, to, n, FROM_USER)))
        return move_slow("xmem_move_in", descriptor, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

EXPORT int xmem_move_out(const struct xmem_descriptor *descriptor, const void *from, uint64_t to,
                         size_t n, size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!move_fast(descriptor, to, kernel, n, TO_USER)))
        return move_slow("xmem_move_out", descriptor, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}

/* ---- of a process ---- */

static NOINLINE int copy_slow(const char *operation, struct xmem_process *process, uint64_t address,
                              char *kernel, size_t n, size_t *done, enum direction direction)
{
    set_done(done, 0);
    int error = thread_process_only(operation);
    if (error)
        return error;
    struct xmem_process *meant = process_argument(operation, process);
    if (!meant)
        return xmem_last_failure()->error;
    struct place place = {meant, NULL};
    struct outcome outcome = n ? place_check(&place, address, n) : OUTCOME_SUCCESS;
    if (!outcome.cause)
        outcome = copy_range(&place, address, kernel, n, direction);
    set_done(done, outcome.done);
    if (outcome.cause)
        error = fail_move(operation, outcome, place_words(&place), place_pid(&place), n);
    process_drop(meant);
    return error;
}

static ALWAYS_INLINE bool copy_fast(struct xmem_process *process, uint64_t address, char *kernel,
                                    size_t n, enum direction direction)
{
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS))
        return false;
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(!meant))
        return false;
    bool moved = false;
    read_section_enter();
    tagged_segment tagged = process_region(meant, address);
    if (LIKELY(tagged))
        moved = copy_in_one_page(tagged, address, kernel, n, direction);
    read_section_leave();
    return moved;
}

EXPORT int xmem_copy_in(struct xmem_process *process, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (UNLIKELY(!copy_fast(process, from, to, n, FROM_USER)))
        return copy_slow("xmem_copy_in", process, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

EXPORT int xmem_copy_out(struct xmem_process *process, const void *from, uint64_t to, size_t n,
                         size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!copy_fast(process, to, kernel, n, TO_USER)))
        return copy_slow("xmem_copy_out", process, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}
