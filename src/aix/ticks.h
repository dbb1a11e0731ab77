/* SPDX-License-Identifier: MIT */
/*
 * Times: nanoseconds of the native clock, and the ticks and seconds that the services count in.
 * What does not fit becomes the furthest time there is.
 */
#ifndef XMEM_AIX_TICKS_H
#define XMEM_AIX_TICKS_H

#include "host/platform.h"

#include <sys/m_param.h>

#define NANOSECONDS INT64_C(1000000000)
#define TICK (NANOSECONDS / HZ)

static inline int64_t nanoseconds_of(int64_t seconds, int64_t nanoseconds)
{
    int64_t sum;

    if (__builtin_mul_overflow(seconds, NANOSECONDS, &sum) ||
        __builtin_add_overflow(sum, nanoseconds, &sum))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static inline int64_t nanoseconds_less(int64_t value, uint64_t less)
{
    int64_t difference;

    return __builtin_sub_overflow(value, (int64_t)less, &difference) ? INT64_MIN : difference;
}

/* now and `value` more; now, if that is less. */
static inline uint64_t clock_after(uint64_t now, int64_t value)
{
    return value <= 0 ? now : now + (uint64_t)value;
}

static inline uint64_t clock_after_ticks(uint64_t now, int ticks)
{
    return clock_after(now, ticks * TICK);
}

static inline uint64_t next_tick(uint64_t when)
{
    return (when + (uint64_t)TICK - 1) / (uint64_t)TICK * (uint64_t)TICK;
}

#endif
