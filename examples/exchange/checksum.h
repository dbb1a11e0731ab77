/* SPDX-License-Identifier: MIT */
/* A checksum in the manner of FNV-1a, by words of 8 bytes and with a rotation, so that no two
 * changed bits cancel out by their place alone.  It finds errors, not forgeries. */
#ifndef EXCHANGE_CHECKSUM_H
#define EXCHANGE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t checksum(const void *bytes, size_t length)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ length;
    for (size_t at = 0; at < length; at += sizeof sum) {
        uint64_t word = 0;
        size_t rest = length - at;
        memcpy(&word, (const char *)bytes + at, rest < sizeof word ? rest : sizeof word);
        sum ^= word;
        sum = (sum << 27 | sum >> 37) * UINT64_C(0x100000001b3);
    }
    return sum;
}

#endif
