/* SPDX-License-Identifier: MIT */
/*
 * The parts of the quick ways that are not inlined; quick.h says what they are.
 */
#include "engine/quick.h"

#include "segments/imported.h"

#include <errno.h>

int quick_wake_and_succeed(void)
{
    read_section_wake();
    return 0;
}

/* ---- pages ---- */

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

static ALWAYS_INLINE bool copy_piece(const struct admitted *admitted, char *kernel, size_t n,
                                     enum direction direction)
{
    char *to = direction == FROM_USER ? kernel : admitted->user;
    const char *from = direction == FROM_USER ? admitted->user : kernel;
    struct guarded_fault fault;
    if (UNLIKELY(admitted->guarded))
        return guarded_copy(to, from, n, false, &fault) == n;
    copy_bytes(to, from, n);
    return true;
}

/* At most 1 MiB: one piece, or two in neighbouring regions. */
static ALWAYS_INLINE bool move_pages(struct regions_of regions, uint64_t address, char *kernel,
                                     size_t n, enum direction direction)
{
    size_t low_bytes = smaller(n, bytes_to_region_end(address));
    struct admitted low = admit_piece(regions, address, low_bytes, direction);
    if (UNLIKELY(low.refused))
        return false;
    if (LIKELY(low_bytes == n))
        return copy_piece(&low, kernel, n, direction);
    struct admitted high = admit_piece(regions, address + low_bytes, n - low_bytes, direction);
    return !high.refused && copy_piece(&low, kernel, low_bytes, direction) &&
           copy_piece(&high, kernel + low_bytes, n - low_bytes, direction);
}

bool quick_pages_in(struct regions_of regions, uint64_t address, char *kernel, size_t n)
{
    return move_pages(regions, address, kernel, n, FROM_USER);
}

bool quick_pages_out(struct regions_of regions, uint64_t address, char *kernel, size_t n)
{
    return move_pages(regions, address, kernel, n, TO_USER);
}

/* ---- memory that went away ---- */

/* `moved` bytes into the move, the fault came. */
static int tell_fault(const char *operation, struct admitted admitted, uint64_t address,
                      char *kernel, size_t n, size_t moved, const struct guarded_fault *fault,
                      size_t *done, enum direction direction)
{
    if (fault->address && fault->address - (uintptr_t)admitted.user >= n) {
        /* The kernel's own pointer is bad: let it fault where that is seen. */
        copy_bytes(direction == FROM_USER ? kernel : admitted.user,
                   direction == FROM_USER ? admitted.user : kernel, n);
        return leave_and_succeed(n, done);
    }
    uint64_t offset = (uint64_t)(admitted.user - admitted.segment->window) + moved;
    struct outcome outcome = import_fault(admitted.segment, offset);
    read_section_leave();
    outcome.done = moved;
    outcome.address = address + moved;
    set_done(done, moved);
    return fail_move(operation, outcome, "imported", 0, n);
}

int quick_guarded(const char *operation, struct admitted admitted, uint64_t address, char *kernel,
                  size_t n, size_t *done, enum direction direction)
{
    struct guarded_fault fault;
    size_t moved = direction == FROM_USER ? guarded_copy(kernel, admitted.user, n, false, &fault)
                                          : guarded_copy(admitted.user, kernel, n, false, &fault);
    if (LIKELY(!fault.signal))
        return leave_and_succeed(n, done);
    return tell_fault(operation, admitted, address, kernel, n, moved, &fault, done, direction);
}

int quick_faulted(const char *operation, struct admitted admitted, uint64_t address, char *kernel,
                  size_t n, size_t *done, enum direction direction)
{
    struct guarded_fault fault = guarded_last_fault;
    return tell_fault(operation, admitted, address, kernel, n, 0, &fault, done, direction);
}
