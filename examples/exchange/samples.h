/* SPDX-License-Identifier: MIT */
/* A list of measured times. */
#ifndef EXCHANGE_SAMPLES_H
#define EXCHANGE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples { /* zero-filled: an empty one */
    uint64_t *times;
    size_t count;
    size_t room;
};

/* A sample that finds no memory is dropped. */
void samples_add(struct samples *samples, uint64_t time);
/* Adds those of other, which is then empty. */
void samples_take(struct samples *samples, struct samples *other);
/* 0 when there are none.  Sorts them. */
uint64_t samples_median(struct samples *samples);
void samples_free(struct samples *samples);

#endif
