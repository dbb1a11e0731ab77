/* SPDX-License-Identifier: MIT */
/* A list of measured times; see samples.h. */
#include "samples.h"

#include <stdlib.h>

void samples_add(struct samples *samples, uint64_t time)
{
    if (samples->count == samples->room) {
        size_t room = samples->room ? 2 * samples->room : 256;
        uint64_t *times = realloc(samples->times, room * sizeof *times);
        if (!times)
            return;
        samples->times = times;
        samples->room = room;
    }
    samples->times[samples->count++] = time;
}

void samples_take(struct samples *samples, struct samples *other)
{
    for (size_t at = 0; at < other->count; at++)
        samples_add(samples, other->times[at]);
    samples_free(other);
}

static int by_time(const void *left, const void *right)
{
    const uint64_t *first = left, *second = right;
    return (*first > *second) - (*first < *second);
}

uint64_t samples_median(struct samples *samples)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->times, samples->count, sizeof samples->times[0], by_time);
    return samples->times[samples->count / 2];
}

void samples_free(struct samples *samples)
{
    free(samples->times);
    *samples = (struct samples){0};
}
