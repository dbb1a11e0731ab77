/* SPDX-License-Identifier: MIT */
/*
 * The vectored moves: user ranges on one side, the kernel's iovecs on the other, cut into pieces
 * that are contiguous on both.  Pieces of an opened process are collected, 64 to a system call.
 */
#include "engine/copy.h"
#include "engine/failure.h"

#include <errno.h>

#define BATCH_MOST 64

struct cursor {
    const struct xmem_range *ranges;
    size_t range_count;
    uint64_t range_used; /* bytes of the first range */
    const struct iovec *vectors;
    size_t vector_count;
    size_t vector_used;
};

struct batch {
    struct transfer list[BATCH_MOST];
    size_t count;
};

struct vectored {
    const struct place *place;
    enum direction direction;
    bool batched;
    struct batch batch;
    size_t done;
};

static bool total_fits(const struct xmem_range *ranges, size_t range_count,
                       const struct iovec *vectors, size_t vector_count)
{
    size_t total = 0;
    for (size_t at = 0; at < range_count; at++)
        if (__builtin_add_overflow(total, ranges[at].length, &total))
            return false;
    total = 0;
    for (size_t at = 0; at < vector_count; at++)
        if (__builtin_add_overflow(total, vectors[at].iov_len, &total))
            return false;
    return true;
}

/* The next piece; false: one side is used up. */
static bool next_transfer(struct cursor *cursor, struct transfer *transfer)
{
    while (cursor->range_count && cursor->ranges->length == cursor->range_used) {
        cursor->ranges++;
        cursor->range_count--;
        cursor->range_used = 0;
    }
    while (cursor->vector_count && cursor->vectors->iov_len == cursor->vector_used) {
        cursor->vectors++;
        cursor->vector_count--;
        cursor->vector_used = 0;
    }
    if (!cursor->range_count || !cursor->vector_count)
        return false;
    transfer->address = cursor->ranges->address + cursor->range_used;
    transfer->kernel = (char *)cursor->vectors->iov_base + cursor->vector_used;
    transfer->length = smaller(cursor->ranges->length - cursor->range_used,
                               cursor->vectors->iov_len - cursor->vector_used);
    cursor->range_used += transfer->length;
    cursor->vector_used += transfer->length;
    return true;
}

static struct outcome flush(struct vectored *vectored)
{
    if (vectored->batch.count == 0)
        return OUTCOME_SUCCESS;
    struct outcome outcome = copy_batch(vectored->place, vectored->batch.list,
                                        vectored->batch.count, vectored->direction);
    vectored->batch.count = 0;
    vectored->done += outcome.done;
    return outcome;
}

static struct outcome move_one(struct vectored *vectored, const struct transfer *transfer)
{
    struct outcome outcome = place_check(vectored->place, transfer->address, transfer->length);
    if (outcome.cause) {
        struct outcome before = flush(vectored);
        return before.cause ? before : outcome;
    }
    if (!vectored->batched) {
        outcome = copy_range(vectored->place, transfer->address, transfer->kernel, transfer->length,
                             vectored->direction);
        vectored->done += outcome.done;
        return outcome;
    }
    vectored->batch.list[vectored->batch.count++] = *transfer;
    return vectored->batch.count == BATCH_MOST ? flush(vectored) : OUTCOME_SUCCESS;
}

static struct outcome move_all(struct vectored *vectored, struct cursor *cursor)
{
    struct transfer transfer;
    struct outcome outcome = OUTCOME_SUCCESS;
    while (!outcome.cause && next_transfer(cursor, &transfer))
        outcome = move_one(vectored, &transfer);
    if (!outcome.cause)
        outcome = flush(vectored);
    outcome.done = vectored->done;
    return outcome;
}

static int move_vectors(const char *operation, const struct place *place,
                        const struct xmem_range *ranges, size_t range_count,
                        const struct iovec *vectors, size_t vector_count, size_t *done,
                        enum direction direction)
{
    if (!total_fits(ranges, range_count, vectors, vector_count))
        return fail_argument(operation, "the lengths add up to more than SIZE_MAX");
    struct cursor cursor = {ranges, range_count, 0, vectors, vector_count, 0};
    struct vectored vectored = {
        .place = place, .direction = direction, .batched = copy_can_batch(place)};
    struct outcome outcome = place->descriptor ? place_check(place, 0, 0) : OUTCOME_SUCCESS;
    if (outcome.cause != XMEM_FAILURE_DESCRIPTOR)
        outcome = move_all(&vectored, &cursor);
    if (done)
        *done = outcome.done;
    return outcome.cause ? fail_move(operation, outcome, place_words(place), place_pid(place), 0)
                         : 0;
}

static int copy_vectors(const char *operation, struct xmem_process *process,
                        const struct xmem_range *ranges, size_t range_count,
                        const struct iovec *vectors, size_t vector_count, size_t *done,
                        enum direction direction)
{
    if (done)
        *done = 0;
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    struct place place = {meant, NULL};
    error = move_vectors(operation, &place, ranges, range_count, vectors, vector_count, done,
                         direction);
    process_drop(meant);
    return error;
}

static int descriptor_vectors(const char *operation, const struct xmem_descriptor *descriptor,
                              const struct xmem_range *ranges, size_t range_count,
                              const struct iovec *vectors, size_t vector_count, size_t *done,
                              enum direction direction)
{
    if (done)
        *done = 0;
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor)
        return fail_argument(operation, "there is no descriptor");
    struct place place = {NULL, descriptor};
    return move_vectors(operation, &place, ranges, range_count, vectors, vector_count, done,
                        direction);
}

EXPORT int xmem_copy_inv(struct xmem_process *process, const struct xmem_range *from, size_t ranges,
                         const struct iovec *to, size_t vectors, size_t *done)
{
    return copy_vectors("xmem_copy_inv", process, from, ranges, to, vectors, done, FROM_USER);
}

EXPORT int xmem_copy_outv(struct xmem_process *process, const struct iovec *from, size_t vectors,
                          const struct xmem_range *to, size_t ranges, size_t *done)
{
    return copy_vectors("xmem_copy_outv", process, to, ranges, from, vectors, done, TO_USER);
}

EXPORT int xmem_move_inv(const struct xmem_descriptor *descriptor, const struct xmem_range *from,
                         size_t ranges, const struct iovec *to, size_t vectors, size_t *done)
{
    return descriptor_vectors("xmem_move_inv", descriptor, from, ranges, to, vectors, done,
                              FROM_USER);
}

EXPORT int xmem_move_outv(const struct xmem_descriptor *descriptor, const struct iovec *from,
                          size_t vectors, const struct xmem_range *to, size_t ranges, size_t *done)
{
    return descriptor_vectors("xmem_move_outv", descriptor, to, ranges, from, vectors, done,
                              TO_USER);
}
