/* SPDX-License-Identifier: MIT */
/*
 * xmem_move_zero: stores zeros, a page of them at a time.
 */
#include "engine/copy.h"
#include "engine/failure.h"

#define ZEROS 65536u

static const char zeros[ZEROS];

EXPORT int xmem_move_zero(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                          size_t *done)
{
    static const char operation[] = "xmem_move_zero";
    if (done)
        *done = 0;
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor)
        return fail_argument(operation, "there is no descriptor");
    struct place place = {NULL, descriptor};
    struct outcome outcome = place_check(&place, address, n);
    size_t stored = 0;
    while (!outcome.cause && stored < n) {
        size_t piece = smaller(n - stored, ZEROS);
        outcome = copy_range(&place, address + stored, (char *)(uintptr_t)zeros, piece, TO_USER);
        stored += outcome.done;
    }
    if (done)
        *done = stored;
    outcome.done = stored;
    return outcome.cause ? fail_move(operation, outcome, place_words(&place), 0, n) : 0;
}
