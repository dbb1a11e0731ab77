/* SPDX-License-Identifier: MIT */
/*
 * xmem_copy_in, xmem_copy_out, xmem_move_in, xmem_move_out.
 *
 * A move is tried in four ways, from quick to general; each hands on to the next what it does not
 * take, by a tail call:
 *   short    up to 32 bytes in one page that admits them: done in the public function itself, in
 *            one read section and without a call.
 *   page     the same for any length within one page.
 *   pages    up to 1 MiB of pages that are alike, of one region or two: all are looked at, then all
 *            are copied, in one read section.
 *   general  everything else: copy.c.
 * The first three succeed, or find that the memory went away under them, or hand on; a bad address
 * is told at once (refused_outright), and every other failure is the general way's.
 *
 * A page "admits" when its byte says that the access is allowed and noted.  Pages of memory that
 * can vanish are moved by guarded accesses; at interrupt level those are the general way's, which
 * knows how not to wait.
 */
#include "engine/bytes.h"
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/guarded.h"
#include "host/guarded_short.h"
#include "host/read_section.h"
#include "segments/imported.h"

#include <errno.h>

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

/* ---- admission; all inside a read section ---- */

static ALWAYS_INLINE struct admitted admit_page(tagged_segment tagged, uint64_t address,
                                                enum direction direction)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint8_t state = segment_page_state(segment, page_number(offset));
    struct admitted admitted = {segment->window + offset, segment, (state & PAGE_GUARDED) != 0,
                                false};
    if (UNLIKELY(!page_admits(state, tagged_key(tagged), direction)) ||
        (UNLIKELY(admitted.guarded) && thread_state.mode != THREAD_PROCESS))
        admitted.refused = true;
    return admitted;
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
    if (LIKELY(tagged))
        return admit_page(tagged, address, direction);
    return not_admitted;
}

/* ---- memory that went away ---- */

/* Leaves the section with the failure of a guarded access at `user`, `moved` bytes into the move;
 * false: it was the kernel's own pointer that faulted. */
static bool vanished(const struct admitted *admitted, size_t n, size_t moved,
                     const struct guarded_fault *fault, struct outcome *outcome)
{
    uintptr_t offset = fault->address - (uintptr_t)admitted->user;
    if (fault->address && offset >= n)
        return false;
    *outcome = import_fault(admitted->segment,
                            (uint64_t)(admitted->user + moved - admitted->segment->window));
    outcome->done = moved;
    read_section_leave();
    return true;
}

static COLD int move_vanished(const char *operation, const char *kind, struct admitted admitted,
                              uint64_t address, char *kernel, size_t n, size_t moved,
                              struct guarded_fault fault, size_t *done, enum direction direction)
{
    struct outcome outcome;
    if (!vanished(&admitted, n, moved, &fault, &outcome)) {
        /* Let it fault where it can be seen what is wrong. */
        copy_bytes(direction == FROM_USER ? kernel : admitted.user,
                   direction == FROM_USER ? admitted.user : kernel, n);
        read_section_leave();
        set_done(done, n);
        return 0;
    }
    outcome.address = address + moved;
    set_done(done, moved);
    return fail_move(operation, outcome, kind, 0, n);
}

/* Copies admitted bytes of any number; the bytes moved. */
static ALWAYS_INLINE size_t copy_admitted(const struct admitted *admitted, char *kernel, size_t n,
                                          enum direction direction, struct guarded_fault *fault)
{
    char *to = direction == FROM_USER ? kernel : admitted->user;
    const char *from = direction == FROM_USER ? admitted->user : kernel;
    if (UNLIKELY(admitted->guarded))
        return guarded_copy(to, from, n, false, fault);
    copy_bytes(to, from, n);
    fault->signal = 0;
    return n;
}

/* ---- pages ---- */

/* Where the regions are found. */
struct regions_of {
    const struct descriptor_entry *entry; /* or NULL: */
    const struct xmem_process *process;
};

/* A piece within one region whose pages are all alike and admit the access. */
static ALWAYS_INLINE struct admitted admit_piece(struct regions_of regions, uint64_t address,
                                                 size_t n, enum direction direction)
{
    tagged_segment tagged = regions.entry ? descriptor_region(regions.entry, address)
                                          : process_region(regions.process, address);
    if (UNLIKELY(!tagged))
        return not_admitted;
    struct admitted admitted = admit_page(tagged, address, direction);
    if (admitted.refused || in_one_page(address, n))
        return admitted;
    uint64_t offset = region_offset(address);
    uint32_t first = page_number(offset);
    uint32_t more = page_number(offset + n - 1) - first;
    uint8_t wanted = page_wanted(tagged_key(tagged), direction);
    uint8_t value = admitted.guarded ? wanted | PAGE_GUARDED : wanted;
    return same_pages(admitted.segment, first + 1, more, wanted | PAGE_GUARDED, value) == more
               ? admitted
               : not_admitted;
}

/* One piece, or two in neighbouring regions. */
struct pieces {
    struct admitted low;
    struct admitted high; /* refused: there is one piece */
    size_t low_bytes;
};

static ALWAYS_INLINE bool admit_pieces(struct regions_of regions, uint64_t address, size_t n,
                                       enum direction direction, struct pieces *pieces)
{
    pieces->low_bytes = smaller(n, bytes_to_region_end(address));
    pieces->high = not_admitted;
    pieces->low = admit_piece(regions, address, pieces->low_bytes, direction);
    if (UNLIKELY(pieces->low.refused))
        return false;
    if (LIKELY(pieces->low_bytes == n))
        return true;
    pieces->high =
        admit_piece(regions, address + pieces->low_bytes, n - pieces->low_bytes, direction);
    return !pieces->high.refused;
}

/* False: a piece's memory went away; the general way meets that again and tells it. */
static ALWAYS_INLINE bool copy_pieces(const struct pieces *pieces, char *kernel, size_t n,
                                      enum direction direction)
{
    struct guarded_fault fault;
    copy_admitted(&pieces->low, kernel, pieces->low_bytes, direction, &fault);
    if (UNLIKELY(fault.signal) || pieces->high.refused)
        return !fault.signal;
    copy_admitted(&pieces->high, kernel + pieces->low_bytes, n - pieces->low_bytes, direction,
                  &fault);
    return !fault.signal;
}

static ALWAYS_INLINE bool pages_length(size_t n)
{
    return n - 1 < RUN_MOST;
}

static bool move_described_pages(const struct xmem_descriptor *descriptor, uint64_t address,
                                 char *kernel, size_t n, enum direction direction)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !pages_length(n))
        return false;
    struct pieces pieces;
    read_section_enter();
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    bool moved = entry && !entry->backing && range_inside(address, n, entry->base, entry->length) &&
                 admit_pieces((struct regions_of){entry, NULL}, address, n, direction, &pieces) &&
                 copy_pieces(&pieces, kernel, n, direction);
    read_section_leave();
    return moved;
}

static bool move_process_pages(struct xmem_process *process, uint64_t address, char *kernel,
                               size_t n, enum direction direction)
{
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS) || UNLIKELY(!meant) || !pages_length(n) ||
        meant->kind != PROCESS_EMBEDDED || !range_within(address, n, meant->limit))
        return false;
    struct pieces pieces;
    read_section_enter();
    bool moved = admit_pieces((struct regions_of){NULL, meant}, address, n, direction, &pieces) &&
                 copy_pieces(&pieces, kernel, n, direction);
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
    struct outcome outcome;
    if (!n || !copy_backed_range(&place, address, kernel, n, direction, &outcome)) {
        outcome = place_check(&place, address, n);
        if (!outcome.cause)
            outcome = copy_range(&place, address, kernel, n, direction);
    }
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
    struct outcome outcome = OUTCOME_SUCCESS;
    if (n && !copy_backed_range(&place, address, kernel, n, direction, &outcome)) {
        outcome = place_check(&place, address, n);
        if (!outcome.cause)
            outcome = copy_range(&place, address, kernel, n, direction);
    }
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

/* The same for an address outside the attached bytes. */
static ALWAYS_INLINE bool outside_outright(const struct xmem_descriptor *descriptor,
                                           uint64_t address, size_t n, struct outcome *outcome)
{
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    bool outside = entry && n && !range_inside(address, n, entry->base, entry->length);
    read_section_leave();
    if (outside)
        *outcome = outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                              "the range is not inside the bytes that were attached");
    return outside;
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
    return move_general("xmem_move_out", descriptor, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

/* "refused" functions are entered inside the read section that found it out. */
static NOINLINE int move_in_refused(const struct xmem_descriptor *descriptor, uint64_t from,
                                    void *to, size_t n, size_t *done)
{
    struct outcome outcome;
    if (!outside_outright(descriptor, from, n, &outcome))
        return move_in_general(descriptor, from, to, n, done);
    set_done(done, 0);
    return fail_move("xmem_move_in", outcome, "attached", 0, n);
}

static NOINLINE int move_out_refused(const struct xmem_descriptor *descriptor, const void *from,
                                     uint64_t to, size_t n, size_t *done)
{
    struct outcome outcome;
    if (!outside_outright(descriptor, to, n, &outcome))
        return move_out_general(descriptor, from, to, n, done);
    set_done(done, 0);
    return fail_move("xmem_move_out", outcome, "attached", 0, n);
}

static NOINLINE int move_in_page(const struct xmem_descriptor *descriptor, uint64_t from, void *to,
                                 size_t n, size_t *done)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !in_one_page(from, n))
        return move_in_general(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return move_in_refused(descriptor, from, to, n, done);
    struct guarded_fault fault;
    size_t moved = copy_admitted(&admitted, to, n, FROM_USER, &fault);
    if (UNLIKELY(fault.signal))
        return move_vanished("xmem_move_in", "imported", admitted, from, to, n, moved, fault, done,
                             FROM_USER);
    set_done(done, n);
    return leave_and_succeed();
}

static NOINLINE int move_out_page(const struct xmem_descriptor *descriptor, const void *from,
                                  uint64_t to, size_t n, size_t *done)
{
    if (UNLIKELY(!thread_state.record) || UNLIKELY(!descriptor) || !in_one_page(to, n))
        return move_out_general(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused))
        return move_out_refused(descriptor, from, to, n, done);
    struct guarded_fault fault;
    char *kernel = (char *)(uintptr_t)from;
    size_t moved = copy_admitted(&admitted, kernel, n, TO_USER, &fault);
    if (UNLIKELY(fault.signal))
        return move_vanished("xmem_move_out", "imported", admitted, to, kernel, n, moved, fault,
                             done, TO_USER);
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
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused) || UNLIKELY(!GUARDED_SHORT && admitted.guarded))
        return move_in_refused(descriptor, from, to, n, done);
    if (UNLIKELY(!copy_short_from(to, admitted.user, n)))
        return move_vanished("xmem_move_in", "imported", admitted, from, to, n, 0,
                             guarded_last_fault, done, FROM_USER);
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
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused) || UNLIKELY(!GUARDED_SHORT && admitted.guarded))
        return move_out_refused(descriptor, from, to, n, done);
    if (UNLIKELY(!copy_short_to(admitted.user, from, n)))
        return move_vanished("xmem_move_out", "imported", admitted, to, (char *)(uintptr_t)from, n,
                             0, guarded_last_fault, done, TO_USER);
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

static NOINLINE int copy_in_refused(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                    size_t *done)
{
    struct outcome outcome;
    if (!refused_outright(process, from, n, FROM_USER, &outcome))
        return copy_in_general(process, from, to, n, done);
    set_done(done, 0);
    return fail_move("xmem_copy_in", outcome, "embedded", 0, n);
}

static NOINLINE int copy_out_refused(struct xmem_process *process, const void *from, uint64_t to,
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
    struct admitted admitted = admit_process(meant, from, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return copy_in_refused(process, from, to, n, done);
    struct guarded_fault fault;
    size_t moved = copy_admitted(&admitted, to, n, FROM_USER, &fault);
    if (UNLIKELY(fault.signal))
        return move_vanished("xmem_copy_in", "imported", admitted, from, to, n, moved, fault, done,
                             FROM_USER);
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
    struct admitted admitted = admit_process(meant, to, TO_USER);
    if (UNLIKELY(admitted.refused))
        return copy_out_refused(process, from, to, n, done);
    struct guarded_fault fault;
    char *kernel = (char *)(uintptr_t)from;
    size_t moved = copy_admitted(&admitted, kernel, n, TO_USER, &fault);
    if (UNLIKELY(fault.signal))
        return move_vanished("xmem_copy_out", "imported", admitted, to, kernel, n, moved, fault,
                             done, TO_USER);
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
    struct admitted admitted = admit_process(meant, from, FROM_USER);
    if (UNLIKELY(admitted.refused) || UNLIKELY(!GUARDED_SHORT && admitted.guarded))
        return copy_in_refused(process, from, to, n, done);
    if (UNLIKELY(!copy_short_from(to, admitted.user, n)))
        return move_vanished("xmem_copy_in", "imported", admitted, from, to, n, 0,
                             guarded_last_fault, done, FROM_USER);
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
    struct admitted admitted = admit_process(meant, to, TO_USER);
    if (UNLIKELY(admitted.refused) || UNLIKELY(!GUARDED_SHORT && admitted.guarded))
        return copy_out_refused(process, from, to, n, done);
    if (UNLIKELY(!copy_short_to(admitted.user, from, n)))
        return move_vanished("xmem_copy_out", "imported", admitted, to, (char *)(uintptr_t)from, n,
                             0, guarded_last_fault, done, TO_USER);
    set_done(done, n);
    return leave_and_succeed();
}
