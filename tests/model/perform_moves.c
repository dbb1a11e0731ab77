/* SPDX-License-Identifier: MIT */
/*
 * Copies, moves, strings, vectors, words and atomics.
 */
#include "attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- copies ---- */

static enum access access_of(enum operation operation)
{
    switch (operation) {
    case OP_COPY_OUT:
    case OP_COPY_OUTV:
    case OP_MOVE_OUT:
    case OP_MOVE_OUTV:
    case OP_MOVE_ZERO:
        return ACCESS_WRITE;
    default:
        return ACCESS_READ;
    }
}

/* The most bytes that can move: never more than the buffer has.  Counts of AIX names are ints. */
static size_t limit_count(struct attempt *attempt, bool *negative)
{
    uint64_t n = attempt->step->length;
    *negative = false;
    if (attempt->call.aix && attempt->step->operation != OP_MOVE_ZERO) {
        int count = (int)(uint32_t)n;
        *negative = count < 0;
        n = (uint64_t)(int64_t)count;
    } else if (attempt->call.aix) {
        *negative = (int64_t)n < 0;
    }
    if (n <= BUFFER_USABLE || *negative || nowhere_to_move(attempt, n))
        return n;
    struct view view = view_of(attempt);
    struct expected dry =
        model_move(&view, attempt->step->address, NULL, n, access_of(attempt->step->operation), 0);
    return dry.error && dry.done <= BUFFER_USABLE ? n : BUFFER_USABLE;
}

static void model_the_move(struct attempt *attempt, size_t n)
{
    const struct step *step = attempt->step;
    struct view view = view_of(attempt);
    size_t did = attempt->call.has_done ? attempt->call.done : 0;
    if (attempt->refused)
        return;
    if (nowhere_to_move(attempt, n))
        return;
    if (step->operation == OP_MOVE_ZERO)
        attempt->expected = model_zero(&view, step->address, n, did);
    else
        attempt->expected =
            model_move(&view, step->address, attempt->modelled, n, access_of(step->operation), did);
}

bool perform_move(struct attempt *attempt)
{
    bool negative;
    size_t n = limit_count(attempt, &negative);
    attempt->call.n = n;
    prepare_bytes(attempt, n < BUFFER_USABLE ? n : BUFFER_USABLE);
    if (!make_call(attempt))
        return false;
    if (negative)
        attempt->expected = (struct expected){.error = EFAULT, .any_error = true};
    else
        model_the_move(attempt, n);
    return same_result(attempt) && same_bytes(attempt);
}

bool perform_string(struct attempt *attempt)
{
    size_t most = attempt->step->length < BUFFER_USABLE ? attempt->step->length : BUFFER_USABLE;
    if (attempt->call.aix && !attempt->process)
        return true; /* a kernel process: another meaning */
    attempt->call.n = most;
    prepare_bytes(attempt, most);
    if (!make_call(attempt))
        return false;
    struct view view = view_of(attempt);
    if (!attempt->refused && !nowhere_to_move(attempt, most))
        attempt->expected = model_string(&view, attempt->step->address, attempt->modelled, most);
    if (!attempt->refused && most == 0)
        attempt->expected.open = true;
    return same_result(attempt) && same_bytes(attempt);
}

/* ---- vectors ---- */

/* Cuts the step's range into pieces, or spreads them, and the kernel's bytes too. */
static size_t cut(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    struct call *call = &attempt->call;
    unsigned pieces = 1 + step->seed % 4;
    bool spread = step->seed & 16;
    uint64_t length = step->length < (1u << 20) ? step->length : step->length % (1u << 20);
    uint64_t address = step->address;
    for (unsigned piece = 0; piece < pieces; piece++) {
        uint64_t part =
            piece + 1 == pieces ? length - length / pieces * (pieces - 1) : length / pieces;
        call->ranges[call->range_count++] = (struct xmem_range){address, part};
        if ((step->seed & 32) && piece == 0)
            call->ranges[call->range_count++] = (struct xmem_range){UINT64_MAX - 3, 0};
        address += spread ? 2 * PAGE : part;
    }
    unsigned vectors = call->aix ? 1 : 1 + (step->seed >> 6) % 4; /* uiomove: one kernel buffer */
    size_t total = step->seed & 256 ? length / 2 + 1 : length;
    unsigned char *at = call->kernel;
    for (unsigned vector = 0; vector < vectors; vector++) {
        size_t part =
            vector + 1 == vectors ? total - total / vectors * (vectors - 1) : total / vectors;
        call->vectors[call->vector_count++] = (struct iovec){at, part};
        at += part + (step->seed >> 9) % 4;
    }
    return total < length ? total : length;
}

/* The kernel's bytes of the model in one piece, in the order of the vectors; and back. */
static void gather(struct attempt *attempt, unsigned char *linear, size_t n, bool back)
{
    for (size_t vector = 0; vector < attempt->call.vector_count && n; vector++) {
        const struct iovec *piece = &attempt->call.vectors[vector];
        unsigned char *at =
            attempt->modelled + ((unsigned char *)piece->iov_base - attempt->call.kernel);
        size_t part = piece->iov_len < n ? piece->iov_len : n;
        memcpy(back ? at : linear, back ? linear : at, part);
        linear += part;
        n -= part;
    }
}

/* Walks the ranges; kernel NULL: only looks.  *leaves: one of them can never be right. */
static struct expected walk_ranges(struct attempt *attempt, unsigned char *kernel, size_t n,
                                   bool *leaves)
{
    struct view view = view_of(attempt);
    struct expected whole = {0};
    *leaves = false;
    for (size_t range = 0; range < attempt->call.range_count; range++) {
        uint64_t address = attempt->call.ranges[range].address;
        size_t part = attempt->call.ranges[range].length;
        if (part > n - whole.done)
            part = n - whole.done;
        struct expected one = model_move(&view, address, kernel ? kernel + whole.done : NULL, part,
                                         access_of(attempt->step->operation), 0);
        struct expected full = model_move(&view, address, NULL, attempt->call.ranges[range].length,
                                          access_of(attempt->step->operation), 0);
        *leaves |= (full.error && !full.address) || (one.error && !one.address);
        if (whole.error)
            continue;
        size_t before = whole.done;
        whole = one;
        whole.done += before;
        if (one.error)
            kernel = NULL; /* go on looking, move no more */
    }
    return whole;
}

static struct expected model_ranges(struct attempt *attempt, size_t n)
{
    unsigned char *linear = malloc(n + 1);
    bool leaves;
    gather(attempt, linear, n, false);
    struct expected expected = walk_ranges(attempt, NULL, n, &leaves);
    /* A range that leaves the space or the bounds may be found out before or after a part of it is
     * moved; what counts is that `done` and the bytes agree. */
    size_t did = attempt->call.done;
    if (leaves && did < n && attempt->call.error) {
        bool beyond;
        expected = walk_ranges(attempt, NULL, did, &beyond);
        n = expected.done;
        expected.error = EFAULT;
        expected.any_error = true;
        expected.address = 0;
    }
    walk_ranges(attempt, linear, n, &leaves);
    if (access_of(attempt->step->operation) == ACCESS_READ)
        gather(attempt, linear, expected.done, true);
    free(linear);
    return expected;
}

bool perform_vector(struct attempt *attempt)
{
    prepare_bytes(attempt, (1u << 20) + 4 * GUARD);
    size_t n = cut(attempt);
    attempt->call.n = n;
    if (!make_call(attempt))
        return false;
    if (!attempt->refused && !nowhere_to_move(attempt, n))
        attempt->expected = model_ranges(attempt, n);
    if (!attempt->refused && n == 0)
        attempt->expected.open = true;
    return same_result(attempt) && same_bytes(attempt);
}

/* ---- words ---- */

bool perform_word(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    bool fetch = step->operation == OP_FETCH_BYTE || step->operation == OP_FETCH_WORD;
    size_t width = step->operation == OP_FETCH_BYTE || step->operation == OP_STORE_BYTE ? 1 : 4;
    int32_t word =
        step->operation == OP_STORE_WORD ? (int)(step->seed * 65537u) : (int)(step->seed & 0xff);
    if (!make_call(attempt))
        return false;
    unsigned char bytes[4];
    memcpy(bytes, &word, sizeof(bytes));
    struct view view = view_of(attempt);
    if (!attempt->refused && !nowhere_to_move(attempt, width)) {
        enum access access = fetch ? ACCESS_READ : ACCESS_WRITE;
        attempt->expected = model_move(&view, step->address, NULL, width, access, 0);
        if (!attempt->expected.error)
            model_move(&view, step->address, bytes, width, access, 0);
    }
    memcpy(&word, bytes, sizeof(word));
    if (fetch && !attempt->expected.error)
        return same_value(attempt, (uint64_t)(int64_t)(width == 1 ? bytes[0] : word));
    return same_result(attempt);
}

bool perform_atomic(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    size_t width = step->operation == OP_ATOMIC32 || step->operation == OP_MOVE_ATOMIC32 ? 4 : 8;
    uint64_t mask = width == 4 ? UINT32_MAX : UINT64_MAX;
    uint64_t before = 0;
    if (!make_call(attempt))
        return false;
    struct view view = view_of(attempt);
    if (attempt->refused)
        return same_result(attempt);
    if (nowhere_to_move(attempt, width))
        attempt->expected.any_error = true; /* more than one thing may be wrong */
    else
        attempt->expected = model_atomic(&view, step->address, width, (enum xmem_atomic)step->prot,
                                         step->operand & mask, step->compare & mask, &before);
    return same_result(attempt) && (attempt->expected.open || same_value(attempt, before));
}
