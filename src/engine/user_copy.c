/* SPDX-License-Identifier: MIT */
/*
 * xmem_copy_in and xmem_copy_out: copies of a process, in the ways of quick.h.
 */
#include "engine/quick.h"

#include <errno.h>

static const char operation_in[] = "xmem_copy_in";
static const char operation_out[] = "xmem_copy_out";

/* The process meant, or NULL when this thread may not copy or there is none. */
static ALWAYS_INLINE struct xmem_process *usable(struct xmem_process *process)
{
    if (UNLIKELY(thread_state.mode != THREAD_PROCESS))
        return NULL;
    return process ? process : thread_state.current;
}

/* ---- general ---- */

static bool copy_pages(struct xmem_process *process, uint64_t address, char *kernel, size_t n,
                       enum direction direction)
{
    struct xmem_process *meant = usable(process);
    if (!meant || n - 1 >= RUN_MOST || meant->kind != PROCESS_EMBEDDED ||
        !range_within(address, n, meant->limit))
        return false;
    struct regions_of regions = {NULL, meant};
    read_section_enter();
    bool moved = direction == FROM_USER ? quick_pages_in(regions, address, kernel, n)
                                        : quick_pages_out(regions, address, kernel, n);
    read_section_leave();
    return moved;
}

static int copy_general(const char *operation, struct xmem_process *process, uint64_t address,
                        char *kernel, size_t n, size_t *done, enum direction direction)
{
    set_done(done, 0);
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
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

static NOINLINE int copy_in_pages(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                  size_t *done)
{
    if (UNLIKELY(!copy_pages(process, from, to, n, FROM_USER)))
        return copy_general(operation_in, process, from, to, n, done, FROM_USER);
    set_done(done, n);
    return 0;
}

static NOINLINE int copy_out_pages(struct xmem_process *process, const void *from, uint64_t to,
                                   size_t n, size_t *done)
{
    char *kernel = (char *)(uintptr_t)from;
    if (UNLIKELY(!copy_pages(process, to, kernel, n, TO_USER)))
        return copy_general(operation_out, process, to, kernel, n, done, TO_USER);
    set_done(done, n);
    return 0;
}

/* ---- what the short and page ways do not take: entered inside the read section ---- */

/* Most failures are plain: nothing is at the address.  They are told at once, without taking a
 * reference. */
static ALWAYS_INLINE int copy_refused(const char *operation, struct xmem_process *process,
                                      uint64_t address, char *kernel, size_t n, size_t *done,
                                      enum direction direction)
{
    const struct xmem_process *meant = process ? process : thread_state.current;
    bool ours = !meant->backing && load_acquire(&meant->state) == PROCESS_OPEN;
    tagged_segment tagged = process_region(meant, address);
    bool nothing =
        !tagged ||
        (load_acquire(&tagged_pointer(tagged)->life) == SEGMENT_LIVE &&
         !(segment_page_state(tagged_pointer(tagged), page_number(region_offset(address))) &
           PAGE_MAPPED));
    read_section_leave();
    if (n && ours && nothing) {
        set_done(done, 0);
        return fail_at(operation, XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                       "nothing is mapped there", "embedded", n);
    }
    if (ours && copy_pages(process, address, kernel, n, direction)) {
        set_done(done, n);
        return 0;
    }
    return copy_general(operation, process, address, kernel, n, done, direction);
}

static NOINLINE int copy_in_refused(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                    size_t *done)
{
    return copy_refused(operation_in, process, from, to, n, done, FROM_USER);
}

static NOINLINE int copy_out_refused(struct xmem_process *process, const void *from, uint64_t to,
                                     size_t n, size_t *done)
{
    return copy_refused(operation_out, process, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

static NOINLINE int copy_in_guarded(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                    size_t *done)
{
    struct admitted admitted = admit_process(usable(process), from, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return copy_in_refused(process, from, to, n, done);
    return quick_guarded(operation_in, admitted, from, to, n, done, FROM_USER);
}

static NOINLINE int copy_out_guarded(struct xmem_process *process, const void *from, uint64_t to,
                                     size_t n, size_t *done)
{
    struct admitted admitted = admit_process(usable(process), to, TO_USER);
    if (UNLIKELY(admitted.refused))
        return copy_out_refused(process, from, to, n, done);
    return quick_guarded(operation_out, admitted, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

static COLD int copy_in_faulted(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                size_t *done)
{
    struct admitted admitted = admit_process(usable(process), from, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return copy_in_refused(process, from, to, n, done);
    return quick_faulted(operation_in, admitted, from, to, n, done, FROM_USER);
}

static COLD int copy_out_faulted(struct xmem_process *process, const void *from, uint64_t to,
                                 size_t n, size_t *done)
{
    struct admitted admitted = admit_process(usable(process), to, TO_USER);
    if (UNLIKELY(admitted.refused))
        return copy_out_refused(process, from, to, n, done);
    return quick_faulted(operation_out, admitted, to, (char *)(uintptr_t)from, n, done, TO_USER);
}

/* ---- one page ---- */

static NOINLINE int copy_in_page(struct xmem_process *process, uint64_t from, void *to, size_t n,
                                 size_t *done)
{
    struct xmem_process *meant = usable(process);
    if (UNLIKELY(!meant) || !in_one_page(from, n))
        return copy_in_pages(process, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_process(meant, from, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return copy_in_refused(process, from, to, n, done);
    if (UNLIKELY(admitted.guarded))
        return copy_in_guarded(process, from, to, n, done);
    copy_bytes(to, admitted.user, n);
    return leave_and_succeed(n, done);
}

static NOINLINE int copy_out_page(struct xmem_process *process, const void *from, uint64_t to,
                                  size_t n, size_t *done)
{
    struct xmem_process *meant = usable(process);
    if (UNLIKELY(!meant) || !in_one_page(to, n))
        return copy_out_pages(process, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_process(meant, to, TO_USER);
    if (UNLIKELY(admitted.refused))
        return copy_out_refused(process, from, to, n, done);
    if (UNLIKELY(admitted.guarded))
        return copy_out_guarded(process, from, to, n, done);
    copy_bytes(admitted.user, from, n);
    return leave_and_succeed(n, done);
}

EXPORT int xmem_copy_in(struct xmem_process *process, uint64_t from, void *to, size_t n,
                        size_t *done)
{
    struct xmem_process *meant = usable(process);
    if (n > SHORT_MOST || UNLIKELY(!meant) || UNLIKELY(!in_one_page(from, n)))
        return copy_in_page(process, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_process(meant, from, FROM_USER);
    if (UNLIKELY(admitted.refused))
        return copy_in_refused(process, from, to, n, done);
    if (!GUARDED_SHORT && admitted.guarded)
        return copy_in_guarded(process, from, to, n, done);
    if (UNLIKELY(!copy_short_from(to, admitted.user, n)))
        return copy_in_faulted(process, from, to, n, done);
    return leave_and_succeed(n, done);
}

EXPORT int xmem_copy_out(struct xmem_process *process, const void *from, uint64_t to, size_t n,
                         size_t *done)
{
    struct xmem_process *meant = usable(process);
    if (n > SHORT_MOST || UNLIKELY(!meant) || UNLIKELY(!in_one_page(to, n)))
        return copy_out_page(process, from, to, n, done);
    read_section_enter();
    struct admitted admitted = admit_process(meant, to, TO_USER);
    if (UNLIKELY(admitted.refused))
        return copy_out_refused(process, from, to, n, done);
    if (!GUARDED_SHORT && admitted.guarded)
        return copy_out_guarded(process, from, to, n, done);
    if (UNLIKELY(!copy_short_to(admitted.user, from, n)))
        return copy_out_faulted(process, from, to, n, done);
    return leave_and_succeed(n, done);
}
