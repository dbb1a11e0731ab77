/* SPDX-License-Identifier: MIT */
/* The clock for measurements. */
#ifndef EXCHANGE_CLOCK_H
#define EXCHANGE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

#endif
