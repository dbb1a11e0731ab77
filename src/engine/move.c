/* SPDX-License-Identifier: MIT */
/*
 * xmem_copy_in, xmem_copy_out, xmem_move_in, xmem_move_out.
 *
 * A move is tried in four ways, from quick to general; each hands on to the next what it does not
 * take, by a tail call, and only the last reports failures (but for the plainest, see
 * refused_outright):
 *   short    up to 32 bytes in one page that admits them plainly: done in the public function
 *            itself, in one read section and without a call.
 *   page     the same for any length within one page.
 *   pages    up to 1 MiB of such pages, of one region or several: all are looked at, then all are
 *            copied, in one read section.
 *   general  everything else: copy.c.
 * "Plainly": the page's byte says that the access is allowed and noted, and that the page cannot
 * vanish.
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

static ALWAYS_INLINE bool in_one_page(uint64_t address, size_t n)
{
    return n <= XMEM_PAGE_SIZE - (address & (XMEM_PAGE_SIZE - 1));
}

static ALWAYS_INLINE bool medium_length(size_t n)
{
    return n - 1 < RUN_MOST;
}

/* The byte at `address` in the engine window, when its page admits the access plainly; NULL.
 * Inside a read section. */
static ALWAYS_INLINE char *plain_byte(tagged_segment tagged, uint64_t address,
                                      enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint8_t state = segment_page_state(segment, page_number(offset));
    return LIKELY(page_admits_plainly(state, tagged_key(tagged), direction))
               ? segment->window + offset
               : NULL;
}

/* The same through a descriptor of one segment, for a range inside its bounds. */
static ALWAYS_INLINE char *described_byte(const struct xmem_descriptor *descriptor,
                                          uint64_t address, size_t n, enum direction direction)
{
    const struct descriptor_entry *entry = descriptor_place(descriptor);
    return LIKELY(descriptor_matches(entry, descriptor)) && LIKELY(entry->single) &&
                   LIKELY(range_inside(address, n, entry->base, entry->length))
               ? plain_byte(entry->single, address, direction)
               : NULL;
}

/* The same of a process. */
static ALWAYS_INLINE char *process_byte(const struct xmem_process *process, uint64_t address,
                                        enum direction direction)
{
    tagged_segment tagged = process_region(process, address);
    return LIKELY(tagged) ? plain_byte(tagged, address, direction) : NULL;
}

/* ---- pages ---- */

/* Where the regions are found. */
struct regions_of {
    const struct descriptor_entry *entry; /* or NULL: */
    const struct xmem_process *process;
};

static ALWAYS_INLINE tagged_segment region_of(struct regions_of regions, uint64_t address)
{
    return regions.entry ? descriptor_region(regions.entry, address)
                         : process_region(regions.process, address);
}

/* The first byte of a piece within one region, when all its pages admit the access plainly; NULL.
 * Inside a read section. */
static ALWAYS_INLINE char *plain_piece(struct regions_of regions, uint64_t address, size_t n,
                                       enum direction direction)
{
    tagged_segment tagged = region_of(regions, address);
    if (UNLIKELY(!tagged))
        return NULL;
    if (in_one_page(address, n))
        return plain_byte(tagged, address, direction);
    uint8_t wanted = page_wanted(tagged_key(tagged), direction);
    uint64_t offset = region_offset(address);
    uint32_t first = page_number(offset);
    uint32_t count = page_number(offset + n - 1) - first + 1;
    struct segment *segment = tagged_pointer(tagged);
    return same_pages(segment, first, count, wanted | PAGE_GUARDED, wanted) == count
               ? segment->window + offset
               : NULL;
}

static ALWAYS_INLINE void copy_piece(char *user, char *kernel, size_t n, enum direction direction)
{
    if (direction == FROM_USER)
        copy_bytes(kernel, user, n);
    else
        copy_bytes(user, kernel, n);
}

/* At most 1 MiB: it touches one region, or two.  Inside a read section. */
static ALWAYS_INLINE bool move_pages(struct regions_of regions, uint64_t address, char *kernel,
                                     size_t n, enum direction direction)
{
    size_t first = smaller(n, bytes_to_region_end(address));
    char *low = plain_piece(regions, address, first, direction);
    if (UNLIKELY(!low))
        return false;
    char *high = NULL;
    if (first < n) {
        high = plain_piece(regions, address + first, n - first, direction);
        if (UNLIKELY(!high))
            return false;
    }
    copy_piece(low, kernel, first, direction);
    if (high)
        copy_piece(high, kernel + first, n - first, direction);
    return true;
}

static bool move_described_pages(const struct xmem_descriptor *descriptor, uint64_t address,
                                 char *kernel, size_t n, enum direction direction)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !medium_length(n))
        return false;
    read_section_enter();
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    bool moved = entry && range_inside(address, n, entry->base, entry->length) &&
                 move_pages((struct regions_of){entry, NULL}, address, kernel, n, direction);
    read_section_leave();
    return moved;
}

static bool move_process_pages(struct xmem_process *process, uint64_t address, char *kernel,
                               size_t n, enum direction direction)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || !medium_length(n) ||
        !range_within(address, n, meant->limit))
        return false;
    read_section_enter();
    bool moved = move_pages((struct regions_of){NULL, meant}, address, kernel, n, direction);
    read_section_leave();
    return moved;
}

/* ---- general ---- */

static int move_general(const char *operation, const struct xmem_descriptor *descriptor,
                        uint64_t address, char *kernel, size_t n, size_t *done,
                        enum direction direction)
{
    if (LIKELY(move_described_pages(descriptor, address, kernel, n, direction))) {
        set_done(done, n);
        return 0;
    }
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

static int copy_general(const char *operation, struct xmem_process *process, uint64_t address,
                        char *kernel, size_t n, size_t *done, enum direction direction)
{
    if (LIKELY(move_process_pages(process, address, kernel, n, direction))) {
        set_done(done, n);
        return 0;
    }
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

/* Most failures are plain: the first byte is not there, or not for this user.  Those are told at
 * once, without a reference.  Entered inside a read section, which is left. */
static ALWAYS_INLINE bool refused_outright(struct xmem_process *process, uint64_t address, size_t n,
                                           enum direction direction, struct outcome *outcome)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    uint8_t state;
    *outcome = OUTCOME_SUCCESS;
    if (n && !meant->backing && load_acquire(&meant->state) == PROCESS_OPEN) {
        tagged_segment tagged = process_region(meant, address);
        *outcome = tagged ? page_admit(tagged, address, direction, &state)
                          : outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                                       "nothing is mapped there");
    }
    read_section_leave();
    return outcome->cause != XMEM_FAILURE_NONE;
}

/* ---- xmem_move_in, xmem_move_out ---- */

static NOINLINE int move_in_general(const struct xmem_descriptor *descriptor, uint64_t from,
                                    void *to, size_t n, size_t *done)
{
    return move_general("xmem_move_in", descriptor, from, to, n, done, FROM_USER);
}

static NOINLINE int move_out_general(const struct xmem_descriptor *descriptor, const void *from,
                                     uint64_t to, size_t n, size_t *done)
{
    return move_general("xmem_move_out", descriptor, to, (char *)(uintptr_t)from, n, done,
                        TO_USER);
}

/* "not_plain" functions are entered inside the read section that found it out. */
static NOINLINE int move_in_not_plain(const struct xmem_descriptor *descriptor, uint64_t from,
                                      void *to, size_t n, size_t *done)
{
    read_section_leave();
    return move_in_general(descriptor, from, to, n, done);
}

static NOINLINE int move_out_not_plain(const struct xmem_descriptor *descriptor, const void *from,
                                       uint64_t to, size_t n, size_t *done)
{
    read_section_leave();
    return move_out_general(descriptor, from, to, n, done);
}

static NOINLINE int move_in_page(const struct xmem_descriptor *descriptor, uint64_t from, void *to,
                                 size_t n, size_t *done)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !in_one_page(from, n))
        return move_in_general(descriptor, from, to, n, done);
    read_section_enter();
    const char *user = described_byte(descriptor, from, n, FROM_USER);
    if (UNLIKELY(!user))
        return move_in_not_plain(descriptor, from, to, n, done);
    copy_long(to, user, n);
    set_done(done, n);
    return leave_and_succeed();
}

static NOINLINE int move_out_page(const struct xmem_descriptor *descriptor, const void *from,
                                  uint64_t to, size_t n, size_t *done)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !in_one_page(to, n))
        return move_out_general(descriptor, from, to, n, done);
    read_section_enter();
    char *user = described_byte(descriptor, to, n, TO_USER);
    if (UNLIKELY(!user))
        return move_out_not_plain(descriptor, from, to, n, done);
    copy_long(user, from, n);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_move_in(const struct xmem_descriptor *descriptor, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (n > SHORT_MOST)
        return move_in_page(descriptor, from, to, n, done);
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || UNLIKELY(!in_one_page(from, n)))
        return move_in_general(descriptor, from, to, n, done);
    read_section_enter();
    const char *user = described_byte(descriptor, from, n, FROM_USER);
    if (UNLIKELY(!user))
        return move_in_not_plain(descriptor, from, to, n, done);
    copy_short(to, user, n);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_move_out(const struct xmem_descriptor *descriptor, const void *from, uint64_t to,
                         size_t n, size_t *done)
{
    if (n > SHORT_MOST)
        return move_out_page(descriptor, from, to, n, done);
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || UNLIKELY(!in_one_page(to, n)))
        return move_out_general(descriptor, from, to, n, done);
    read_section_enter();
    char *user = described_byte(descriptor, to, n, TO_USER);
    if (UNLIKELY(!user))
        return move_out_not_plain(descriptor, from, to, n, done);
    copy_short(user, from, n);
    set_done(done, n);
    return leave_and_succeed();
}

/* ---- xmem_copy_in, xmem_copy_out ---- */

static NOINLINE int copy_in_general(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                    size_t *done)
{
    return copy_general("xmem_copy_in", process, from, to, n, done, FROM_USER);
}

static NOINLINE int copy_out_general(struct xmem_process *process, const void *from, uint64_t to,
                                     size_t n, size_t *done)
{
    return copy_general("xmem_copy_out", process, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

static NOINLINE int copy_in_not_plain(struct xmem_process *process, uint64_t from, void *to,
                                      size_t n, size_t *done)
{
    struct outcome outcome;
    if (!refused_outright(process, from, n, FROM_USER, &outcome))
        return copy_in_general(process, from, to, n, done);
    set_done(done, 0);
    return fail_move("xmem_copy_in", outcome, "embedded", 0, n);
}

static NOINLINE int copy_out_not_plain(struct xmem_process *process, const void *from, uint64_t to,
                                       size_t n, size_t *done)
{
    struct outcome outcome;
    if (!refused_outright(process, to, n, TO_USER, &outcome))
        return copy_out_general(process, from, to, n, done);
    set_done(done, 0);
    return fail_move("xmem_copy_out", outcome, "embedded", 0, n);
}

static NOINLINE int copy_in_page(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                 size_t *done)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || !in_one_page(from, n))
        return copy_in_general(process, from, to, n, done);
    read_section_enter();
    const char *user = process_byte(meant, from, FROM_USER);
    if (UNLIKELY(!user))
        return copy_in_not_plain(process, from, to, n, done);
    copy_long(to, user, n);
    set_done(done, n);
    return leave_and_succeed();
}

static NOINLINE int copy_out_page(struct xmem_process *process, const void *from, uint64_t to,
                                  size_t n, size_t *done)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || !in_one_page(to, n))
        return copy_out_general(process, from, to, n, done);
    read_section_enter();
    char *user = process_byte(meant, to, TO_USER);
    if (UNLIKELY(!user))
        return copy_out_not_plain(process, from, to, n, done);
    copy_long(user, from, n);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_copy_in(struct xmem_process *process, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (n > SHORT_MOST)
        return copy_in_page(process, from, to, n, done);
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) ||
        UNLIKELY(!in_one_page(from, n)))
        return copy_in_general(process, from, to, n, done);
    read_section_enter();
    const char *user = process_byte(meant, from, FROM_USER);
    if (UNLIKELY(!user))
        return copy_in_not_plain(process, from, to, n, done);
    copy_short(to, user, n);
    set_done(done, n);
    return leave_and_succeed();
}

EXPORT int xmem_copy_out(struct xmem_process *process, const void *from, uint64_t to, size_t n,
                         size_t *done)
{
    if (n > SHORT_MOST)
        return copy_out_page(process, from, to, n, done);
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) ||
        UNLIKELY(!in_one_page(to, n)))
        return copy_out_general(process, from, to, n, done);
    read_section_enter();
    char *user = process_byte(meant, to, TO_USER);
    if (UNLIKELY(!user))
        return copy_out_not_plain(process, from, to, n, done);
    copy_short(user, from, n);
    set_done(done, n);
    return leave_and_succeed();
}
