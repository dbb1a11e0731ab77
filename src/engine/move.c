/* SPDX-License-Identifier: MIT */
/*
 * xmem_move_in and xmem_move_out: moves through a descriptor, in the ways of quick.h.
 */
#include "engine/quick.h"

#include <errno.h>

static const char operation_in[] = "xmem_move_in";
static const char operation_out[] = "xmem_move_out";

static ALWAYS_INLINE bool usable(const struct xmem_descriptor *descriptor)
{
    return LIKELY(thread_state.record) && LIKELY(descriptor);
}

/* ---- general ---- */

static bool move_pages(const struct xmem_descriptor *descriptor, uint64_t address, char *kernel,
                       size_t n, enum direction direction)
{
    if (!usable(descriptor) || n - 1 >= RUN_MOST)
        return false;
    read_section_enter();
    struct regions_of regions = {descriptor_entry(descriptor), NULL};
    bool moved = regions.entry && !regions.entry->backing &&
                 range_inside(address, n, regions.entry->base, regions.entry->length) &&
                 (direction == FROM_USER ? quick_pages_in(regions, address, kernel, n)
                                         : quick_pages_out(regions, address, kernel, n));
    read_section_leave();
    return moved;
}

static int move_general(const char *operation, const struct xmem_descriptor *descriptor,
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

static NOINLINE int move_in_pages(const struct xmem_descriptor *descriptor, uint64_t from, void *to,
                                  size_t n, size_t *done)
{
    if (UNLIKELY(!move_pages(descriptor, from, to, n, FROM_USER)))
        return move_general(operation_in, descriptor, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

static NOINLINE int move_out_pages(const struct xmem_descriptor *descriptor, const void *from,
                                   uint64_t to, size_t n, size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!move_pages(descriptor, to, kernel, n, TO_USER)))
        return move_general(operation_out, descriptor, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}

/* ---- what the short and page ways do not take: entered inside the read section ---- */

/* A range that is not inside the attached bytes is told at once; a backing's goes where it belongs
 * without a further look. */
static ALWAYS_INLINE int move_refused(const char *operation,
                                      const struct xmem_descriptor *descriptor, uint64_t address,
                                      char *kernel, size_t n, size_t *done,
                                      enum direction direction)
{
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    bool outside = entry && n && !range_inside(address, n, entry->base, entry->length);
    bool backed = entry && entry->backing;
    read_section_leave();
    if (outside) {
        set_done(done, 0);
        return fail_at(operation, XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                       "the range is not inside the bytes that were attached", "attached", n);
    }
    if (!backed && move_pages(descriptor, address, kernel, n, direction)) {
        set_done(done, n);
        return 0;
    }
    return move_general(operation, descriptor, address, kernel, n, done, direction);
}

static NOINLINE int move_in_refused(const struct xmem_descriptor *descriptor, uint64_t from,
                                    void *to, size_t n, size_t *done)
{
    return move_refused(operation_in, descriptor, from, to, n, done, FROM_USER);
}

static NOINLINE int move_out_refused(const struct xmem_descriptor *descriptor, const void *from,
                                     uint64_t to, size_t n, size_t *done)
{
    return move_refused(operation_out, descriptor, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

static NOINLINE int move_in_guarded(const struct xmem_descriptor *descriptor, uint64_t from,
                                    void *to, size_t n, size_t *done)
{
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return move_in_refused(descriptor, from, to, n, done);
    return quick_guarded(operation_in, admitted, from, to, n, done, FROM_USER);
}

static NOINLINE int move_out_guarded(const struct xmem_descriptor *descriptor, const void *from,
                                     uint64_t to, size_t n, size_t *done)
{
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused))
        return move_out_refused(descriptor, from, to, n, done);
    return quick_guarded(operation_out, admitted, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

static COLD int move_in_faulted(const struct xmem_descriptor *descriptor, uint64_t from, void *to,
                                size_t n, size_t *done)
{
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return move_in_refused(descriptor, from, to, n, done);
    return quick_faulted(operation_in, admitted, from, to, n, done, FROM_USER);
}

static COLD int move_out_faulted(const struct xmem_descriptor *descriptor, const void *from,
                                 uint64_t to, size_t n, size_t *done)
{
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused))
        return move_out_refused(descriptor, from, to, n, done);
    return quick_faulted(operation_out, admitted, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

/* ---- one page ---- */

static NOINLINE int move_in_page(const struct xmem_descriptor *descriptor, uint64_t from, void *to,
                                 size_t n, size_t *done)
{
    if (!usable(descriptor) || !in_one_page(from, n))
        return move_in_pages(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return move_in_refused(descriptor, from, to, n, done);
    if (UNLIKELY(admitted.guarded))
        return move_in_guarded(descriptor, from, to, n, done);
    copy_bytes(to, admitted.user, n);
    return leave_and_succeed(n, done);
}

static NOINLINE int move_out_page(const struct xmem_descriptor *descriptor, const void *from,
                                  uint64_t to, size_t n, size_t *done)
{
    if (!usable(descriptor) || !in_one_page(to, n))
        return move_out_pages(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused))
        return move_out_refused(descriptor, from, to, n, done);
    if (UNLIKELY(admitted.guarded))
        return move_out_guarded(descriptor, from, to, n, done);
    copy_bytes(admitted.user, from, n);
    return leave_and_succeed(n, done);
}

EXPORT int xmem_move_in(const struct xmem_descriptor *descriptor, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    if (n > SHORT_MOST || !usable(descriptor) || UNLIKELY(!in_one_page(from, n)))
        return move_in_page(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, from, n, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return move_in_refused(descriptor, from, to, n, done);
    if (!GUARDED_SHORT && admitted.guarded)
        return move_in_guarded(descriptor, from, to, n, done);
    if (UNLIKELY(!copy_short_from(to, admitted.user, n)))
        return move_in_faulted(descriptor, from, to, n, done);
    return leave_and_succeed(n, done);
}

EXPORT int xmem_move_out(const struct xmem_descriptor *descriptor, const void *from, uint64_t to,
                         size_t n, size_t *done)
{
    if (n > SHORT_MOST || !usable(descriptor) || UNLIKELY(!in_one_page(to, n)))
        return move_out_page(descriptor, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_described(descriptor, to, n, TO_USER);
    if (UNLIKELY(admitted.refused))
        return move_out_refused(descriptor, from, to, n, done);
    if (!GUARDED_SHORT && admitted.guarded)
        return move_out_guarded(descriptor, from, to, n, done);
    if (UNLIKELY(!copy_short_to(admitted.user, from, n)))
        return move_out_faulted(descriptor, from, to, n, done);
    return leave_and_succeed(n, done);
}
