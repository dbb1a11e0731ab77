/* SPDX-License-Identifier: MIT */
/*
 * xmem_string_in.
 *
 * The string is read in pieces that never cross a page, into a buffer of our own, and looked
 * through there: the user may change it meanwhile, and what was looked through must be what is
 * handed on.
 */
#include "engine/copy.h"
#include "engine/failure.h"

#include <errno.h>

#define PIECE_MOST 1024

static size_t piece_size(const struct xmem_process *process)
{
    return process->backing ? process->backing->operations->string_piece
                            : working_operations.string_piece;
}

static size_t to_page_end(uint64_t address)
{
    return XMEM_PAGE_SIZE - (address & (XMEM_PAGE_SIZE - 1));
}

/* Copies up to the zero, which it includes.  True: the zero was there. */
static bool copy_to_zero(char *to, const char *from, size_t n, size_t *copied)
{
    for (*copied = 0; *copied < n;) {
        char character = from[*copied];
        to[(*copied)++] = character;
        if (!character)
            return true;
    }
    return false;
}

static struct outcome string_in(struct xmem_process *process, uint64_t from, char *to, size_t max)
{
    struct place place = {process, NULL};
    char piece[PIECE_MOST];
    size_t done = 0;
    while (done < max) {
        uint64_t address = from + done;
        size_t n = smaller(smaller(piece_size(process), max - done), to_page_end(address));
        struct outcome outcome = place_check(&place, address, 1);
        if (outcome.cause) {
            outcome.done = done;
            return outcome;
        }
        outcome = copy_range(&place, address, piece, n, FROM_USER);
        size_t copied;
        bool ended = copy_to_zero(to + done, piece, outcome.done, &copied);
        done += copied;
        outcome.done = done;
        if (ended)
            return outcome_done(done);
        if (outcome.cause)
            return outcome;
    }
    struct outcome full =
        outcome_failure(XMEM_FAILURE_ARGUMENT, E2BIG, "no zero among the bytes that were allowed");
    full.done = done;
    return full;
}

EXPORT int xmem_string_in(struct xmem_process *process, uint64_t from, char *to, size_t max,
                          size_t *done)
{
    static const char operation[] = "xmem_string_in";
    if (done)
        *done = 0;
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    struct outcome outcome = string_in(meant, from, to, max);
    if (done)
        *done = outcome.done;
    if (outcome.cause)
        error = fail_move(operation, outcome, process_kind_words(meant), meant->pid, max);
    process_drop(meant);
    return error;
}
