/* SPDX-License-Identifier: MIT */
/*
 * xmem_copy_in, xmem_copy_out, xmem_move_in, xmem_move_out.
 *
 * Three ways, from quick to general:
 *   short    up to 32 bytes in one page that admits them: done in the public function itself, in
 *            one read section and without a call.
 *   medium   up to 1 MiB of pages that all admit it plainly, of one region or several: checked
 *            first, then copied, in one read section.
 *   general  everything else, and everything that fails: copy.c.
 * Each way falls back to the next and none but the last reports a failure.
 */
#include "engine/bytes.h"
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/read_section.h"

#include <errno.h>

#define SHORT_MOST 32

static ALWAYS_INLINE void set_done(size_t *done, size_t value)
{
    if (done)
        *done = value;
}

static NOINLINE int wake_and_succeed(void)
{
    read_section_wake();
    return 0;
}

/* Leaves the section; the result of a move that went well. */
static ALWAYS_INLINE int leave_and_succeed(void)
{
    return UNLIKELY(read_section_leave_quietly()) ? wake_and_succeed() : 0;
}

static ALWAYS_INLINE void copy_piece(struct segment *segment, uint64_t offset, char *kernel,
                                     size_t n, enum direction direction)
{
    char *user = segment->window + offset;
    if (direction == FROM_USER)
        copy_bytes(kernel, user, n);
    else
        copy_bytes(user, kernel, n);
}

/* A short move within one page that admits it plainly?  Inside a read section. */
static ALWAYS_INLINE bool move_short(tagged_segment tagged, uint64_t address, char *kernel,
                                     size_t n, enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint32_t page = page_number(offset);
    if (UNLIKELY(page != (offset + n - 1) >> PAGE_SHIFT) ||
        UNLIKELY(!page_admits_plainly(segment_page_state(segment, page), tagged_key(tagged),
                                      direction)))
        return false;
    copy_piece(segment, offset, kernel, n, direction);
    return true;
}

/* ---- medium ---- */

/* Where a medium move finds its regions. */
struct regions_of {
    const struct descriptor_entry *entry; /* or NULL: */
    const struct xmem_process *process;
};

static tagged_segment region_of(struct regions_of regions, uint64_t address)
{
    return regions.entry ? descriptor_region(regions.entry, address)
                         : process_region(regions.process, address);
}

static bool pages_admit_plainly(tagged_segment tagged, uint64_t offset, size_t n,
                                enum direction direction)
{
    uint8_t wanted = page_wanted(tagged_key(tagged), direction);
    uint32_t first = page_number(offset);
    uint32_t count = page_number(offset + n - 1) - first + 1;
    return same_pages(tagged_pointer(tagged), first, count, wanted | PAGE_GUARDED, wanted) == count;
}

/* Several pages, in one region or more: all are looked at before a byte is copied.  Inside a read
 * section. */
static NOINLINE bool move_pages(struct regions_of regions, uint64_t address, char *kernel, size_t n,
                                enum direction direction)
{
    for (size_t at = 0; at < n;) {
        size_t piece = smaller(n - at, bytes_to_region_end(address + at));
        tagged_segment tagged = region_of(regions, address + at);
        if (!tagged ||
            !pages_admit_plainly(tagged, region_offset(address + at), piece, direction))
            return false;
        at += piece;
    }
    for (size_t at = 0; at < n;) {
        size_t piece = smaller(n - at, bytes_to_region_end(address + at));
        tagged_segment tagged = region_of(regions, address + at);
        copy_piece(tagged_pointer(tagged), region_offset(address + at), kernel + at, piece,
                   direction);
        at += piece;
    }
    return true;
}

static ALWAYS_INLINE bool in_one_page(uint64_t address, size_t n)
{
    return n <= XMEM_PAGE_SIZE - (address & (XMEM_PAGE_SIZE - 1));
}

/* One page.  Inside a read section. */
static ALWAYS_INLINE bool move_page(tagged_segment tagged, uint64_t address, char *kernel, size_t n,
                                    enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint8_t state = segment_page_state(segment, page_number(offset));
    if (UNLIKELY(!page_admits_plainly(state, tagged_key(tagged), direction)))
        return false;
    copy_piece(segment, offset, kernel, n, direction);
    return true;
}

static ALWAYS_INLINE bool medium_length(size_t n)
{
    return n - 1 < RUN_MOST;
}

/* ---- through a descriptor ---- */

static COLD int move_general(const char *operation, const struct xmem_descriptor *descriptor,
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

static ALWAYS_INLINE bool move_described(const struct xmem_descriptor *descriptor,
                                         uint64_t address, char *kernel, size_t n,
                                         enum direction direction)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !medium_length(n))
        return false;
    bool moved = false;
    read_section_enter();
    const struct descriptor_entry *entry = descriptor_place(descriptor);
    if (LIKELY(descriptor_matches(entry, descriptor)) &&
        LIKELY(range_inside(address, n, entry->base, entry->length))) {
        if (LIKELY(entry->single) && in_one_page(address, n))
            moved = move_page(entry->single, address, kernel, n, direction);
        else
            moved = move_pages((struct regions_of){entry, NULL}, address, kernel, n, direction);
    }
    read_section_leave();
    return moved;
}

static NOINLINE int move_in_longer(const struct xmem_descriptor *descriptor, uint64_t from,
                                   void *to, size_t n, size_t *done)
{
    if (UNLIKELY(!move_described(descriptor, from, to, n, FROM_USER)))
        return move_general("xmem_move_in", descriptor, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

static NOINLINE int move_out_longer(const struct xmem_descriptor *descriptor, const void *from,
                                    uint64_t to, size_t n, size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!move_described(descriptor, to, kernel, n, TO_USER)))
        return move_general("xmem_move_out", descriptor, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}

/* The entry of a short move through a descriptor of one segment; NULL: not short, or not plain.
 * Inside a read section. */
static ALWAYS_INLINE bool described_short(const struct xmem_descriptor *descriptor,
                                          uint64_t address, char *kernel, size_t n,
                                          enum direction direction)
{
    const struct descriptor_entry *entry = descriptor_place(descriptor);
    return LIKELY(descriptor_matches(entry, descriptor)) && LIKELY(entry->single) &&
           LIKELY(range_inside(address, n, entry->base, entry->length)) &&
           move_short(entry->single, address, kernel, n, direction);
}

static NOINLINE int move_in_after_section(const struct xmem_descriptor *descriptor, uint64_t from,
                                          void *to, size_t n, size_t *done)
{
    read_section_leave();
    return move_in_longer(descriptor, from, to, n, done);
}

static NOINLINE int move_out_after_section(const struct xmem_descriptor *descriptor,
                                           const void *from, uint64_t to, size_t n, size_t *done)
{
    read_section_leave();
    return move_out_longer(descriptor, from, to, n, done);
}

EXPORT int xmem_move_in(const struct xmem_descriptor *descriptor, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (n > SHORT_MOST || UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor))
        return move_in_longer(descriptor, from, to, n, done);
    read_section_enter();
    if (UNLIKELY(!described_short(descriptor, from, to, n, FROM_USER)))
        return move_in_after_section(descriptor, from, to, n, done);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_move_out(const struct xmem_descriptor *descriptor, const void *from, uint64_t to,
                         size_t n, size_t *done)
{
    if (n > SHORT_MOST || UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor))
        return move_out_longer(descriptor, from, to, n, done);
    read_section_enter();
    if (UNLIKELY(!described_short(descriptor, to, (char *)(uintptr_t)from, n, TO_USER)))
        return move_out_after_section(descriptor, from, to, n, done);
    set_done(done, n);
    return leave_and_succeed();
}

/* ---- of a process ---- */

/* Most failures are plain: the first byte is not there, or not for this user.  Those are told
 * without taking a reference.  Inside a read section. */
static struct outcome plain_refusal(const struct xmem_process *process, uint64_t address,
                                    enum direction direction)
{
    if (process->backing || load_acquire(&process->state) != PROCESS_OPEN)
        return OUTCOME_SUCCESS;
    tagged_segment tagged = process_region(process, address);
    uint8_t state;
    if (tagged)
        return page_admit(tagged, address, direction, &state);
    return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address, "nothing is mapped there");
}

static COLD int copy_general(const char *operation, struct xmem_process *process, uint64_t address,
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

static NOINLINE int copy_refused(const char *operation, struct xmem_process *process,
                                 uint64_t address, char *kernel, size_t n, size_t *done,
                                 enum direction direction)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || n == 0)
        return copy_general(operation, process, address, kernel, n, done, direction);
    read_section_enter();
    struct outcome outcome = plain_refusal(meant, address, direction);
    read_section_leave();
    if (!outcome.cause)
        return copy_general(operation, process, address, kernel, n, done, direction);
    set_done(done, 0);
    return fail_move(operation, outcome, "embedded", 0, n);
}

static ALWAYS_INLINE bool copy_process(struct xmem_process *process, uint64_t address,
                                       char *kernel, size_t n, enum direction direction)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || !medium_length(n))
        return false;
    bool moved = false;
    read_section_enter();
    if (LIKELY(in_one_page(address, n))) {
        tagged_segment tagged = process_region(meant, address);
        moved = LIKELY(tagged) && move_page(tagged, address, kernel, n, direction);
    } else if (range_within(address, n, meant->limit)) {
        moved = move_pages((struct regions_of){NULL, meant}, address, kernel, n, direction);
    }
    read_section_leave();
    return moved;
}

static NOINLINE int copy_in_longer(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                   size_t *done)
{
    if (UNLIKELY(!copy_process(process, from, to, n, FROM_USER)))
        return copy_refused("xmem_copy_in", process, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

static NOINLINE int copy_out_longer(struct xmem_process *process, const void *from, uint64_t to,
                                    size_t n, size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!copy_process(process, to, kernel, n, TO_USER)))
        return copy_refused("xmem_copy_out", process, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}

static NOINLINE int copy_in_after_section(struct xmem_process *process, uint64_t from, void *to,
                                          size_t n, size_t *done)
{
    read_section_leave();
    return copy_in_longer(process, from, to, n, done);
}

static NOINLINE int copy_out_after_section(struct xmem_process *process, const void *from,
                                           uint64_t to, size_t n, size_t *done)
{
    read_section_leave();
    return copy_out_longer(process, from, to, n, done);
}

/* Inside a read section. */
static ALWAYS_INLINE bool process_short(const struct xmem_process *process, uint64_t address,
                                        char *kernel, size_t n, enum direction direction)
{
    tagged_segment tagged = process_region(process, address);
    return LIKELY(tagged) && move_short(tagged, address, kernel, n, direction);
}

EXPORT int xmem_copy_in(struct xmem_process *process, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (n > SHORT_MOST || UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant))
        return copy_in_longer(process, from, to, n, done);
    read_section_enter();
    if (UNLIKELY(!process_short(meant, from, to, n, FROM_USER)))
        return copy_in_after_section(process, from, to, n, done);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_copy_out(struct xmem_process *process, const void *from, uint64_t to, size_t n,
                         size_t *done)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (n > SHORT_MOST || UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant))
        return copy_out_longer(process, from, to, n, done);
    read_section_enter();
    if (UNLIKELY(!process_short(meant, to, (char *)(uintptr_t)from, n, TO_USER)))
        return copy_out_after_section(process, from, to, n, done);
    set_done(done, n);
    return leave_and_succeed();
}
