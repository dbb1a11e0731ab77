/* SPDX-License-Identifier: MIT */
/*
 * The model: moving bytes.
 */
#include "model_parts.h"

#include <stdlib.h>

static size_t piece_of(uint64_t address, size_t n)
{
    size_t rest = PAGE - address % PAGE;
    return n < rest ? n : rest;
}

static void copy_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
    for (size_t at = 0; at < n; at++)
        to[at] = from[at];
}

static void move_piece(struct model_page *page, uint64_t address, unsigned char *kernel, size_t n,
                       enum access access)
{
    if (access == ACCESS_READ && !page->file && !page->bytes) {
        for (size_t at = 0; at < n; at++)
            kernel[at] = 0;
        return;
    }
    unsigned char *user = model_page_bytes(page) + address % PAGE;
    if (access == ACCESS_READ)
        copy_bytes(kernel, user, n);
    else
        copy_bytes(user, kernel, n);
}

static bool gone(const struct view *view)
{
    return view->process && view->process->closed;
}

/* Walks pages until one refuses. */
static struct expected walk(const struct view *view, uint64_t address, unsigned char *kernel,
                            size_t n, enum access access)
{
    struct expected expected = {0};
    while (expected.done < n) {
        uint64_t at = address + expected.done;
        if (!in_bounds(view, at, 1)) {
            expected.error = EFAULT;
            expected.failure_class = XMEM_FAILURE_NO_MAPPING;
            return expected;
        }
        struct place place = locate(view, at);
        expected.failure_class = refused(&place, access);
        expected.error = error_of(expected.failure_class);
        expected.address = at;
        if (expected.error && is_kernel(view))
            expected.failure_class = XMEM_FAILURE_NONE;
        if (expected.error)
            return expected;
        size_t piece = piece_of(at, n - expected.done);
        if (kernel)
            move_piece(place.page, at, kernel + expected.done, piece, access);
        expected.done += piece;
    }
    expected.address = 0;
    return expected;
}

struct expected model_move(const struct view *view, uint64_t address, unsigned char *kernel,
                           size_t n, enum access access, size_t did)
{
    if (n == 0) /* of a closed process: the contract has both rules */
        return (struct expected){.open = gone(view)};
    if (gone(view))
        return failure(ESRCH, XMEM_FAILURE_PEER_GONE);
    if (in_bounds(view, address, n))
        return walk(view, address, kernel, n, access);
    /* Never right: nothing is moved, or what comes before the end of the space is. */
    struct expected expected = walk(view, address, NULL, n, access);
    if (did != 0 && did == expected.done)
        walk(view, address, kernel, did, access);
    if (did == 0 || did != expected.done)
        expected.done = 0;
    expected.error = EFAULT;
    expected.any_error = expected.failure_class == XMEM_FAILURE_IO;
    expected.failure_class = XMEM_FAILURE_NONE;
    expected.address = 0;
    return expected;
}

struct expected model_zero(const struct view *view, uint64_t address, size_t n, size_t did)
{
    size_t most = n < 16 * REGION ? n : 16 * REGION;
    struct expected whole = model_move(view, address, NULL, n, ACCESS_WRITE, did);
    static unsigned char zeros[PAGE];
    for (size_t at = 0; at < whole.done && at < most;) {
        size_t piece = piece_of(address + at, whole.done - at);
        walk(view, address + at, zeros, piece, ACCESS_WRITE);
        at += piece;
    }
    return whole;
}

struct expected model_string(const struct view *view, uint64_t address, unsigned char *to,
                             size_t most)
{
    if (gone(view))
        return failure(ESRCH, XMEM_FAILURE_PEER_GONE);
    struct expected expected = {0};
    while (expected.done < most) {
        struct expected one =
            walk(view, address + expected.done, to + expected.done, 1, ACCESS_READ);
        if (one.error) {
            one.done = expected.done;
            return one;
        }
        if (to[expected.done++] == 0)
            return expected;
    }
    expected.error = E2BIG;
    return expected;
}

static uint64_t combine(enum xmem_atomic operation, uint64_t word, uint64_t operand,
                        uint64_t compare)
{
    switch (operation) {
    case XMEM_ATOMIC_LOAD:
        return word;
    case XMEM_ATOMIC_EXCHANGE:
        return operand;
    case XMEM_ATOMIC_ADD:
        return word + operand;
    case XMEM_ATOMIC_AND:
        return word & operand;
    case XMEM_ATOMIC_OR:
        return word | operand;
    case XMEM_ATOMIC_XOR:
        return word ^ operand;
    case XMEM_ATOMIC_COMPARE_EXCHANGE:
        return word == compare ? operand : word;
    }
    return word;
}

struct expected model_atomic(const struct view *view, uint64_t address, size_t width,
                             enum xmem_atomic operation, uint64_t operand, uint64_t compare,
                             uint64_t *before)
{
    if (gone(view))
        return some_failure();
    bool valid = (unsigned)operation <= XMEM_ATOMIC_COMPARE_EXCHANGE && address % width == 0;
    if (!valid)
        return in_bounds(view, address, width) ? failure(EINVAL, XMEM_FAILURE_ARGUMENT)
                                               : some_failure();
    if (!in_bounds(view, address, width))
        return failure(EFAULT, XMEM_FAILURE_NONE);
    struct place place = locate(view, address);
    enum xmem_failure_class failure_class =
        refused(&place, operation == XMEM_ATOMIC_LOAD ? ACCESS_READ : ACCESS_BOTH);
    if (failure_class != XMEM_FAILURE_NONE)
        return failure(error_of(failure_class),
                       is_kernel(view) ? XMEM_FAILURE_NONE : failure_class);
    unsigned char *bytes = model_page_bytes(place.page) + address % PAGE;
    uint64_t word = 0;
    for (size_t at = 0; at < width; at++)
        word |= (uint64_t)bytes[at] << (8 * at);
    *before = word;
    word = combine(operation, word, operand, compare);
    for (size_t at = 0; at < width; at++)
        bytes[at] = (unsigned char)(word >> (8 * at));
    return SUCCESS;
}
