/* SPDX-License-Identifier: MIT */
/*
 * Copying bytes between the kernel's memory and a window.
 *
 * Up to 32 bytes are one or two loads and stores, so that an aligned word is moved by one access;
 * longer runs are the C library's.  A user may store into the window meanwhile; each byte is then
 * the old or the new one.
 */
#ifndef XMEM_ENGINE_BYTES_H
#define XMEM_ENGINE_BYTES_H

#include "host/platform.h"

#if THREAD_SANITIZER

static TOUCHES_USER_MEMORY NOINLINE void copy_bytes(char *to, const char *from, size_t n)
{
    for (size_t at = 0; at < n; at++)
        ((volatile char *)to)[at] = ((const volatile char *)from)[at];
}

#define copy_short copy_bytes
#define copy_long copy_bytes

#else

typedef uint64_t unaligned64 __attribute__((aligned(1), may_alias));
typedef uint32_t unaligned32 __attribute__((aligned(1), may_alias));
typedef uint16_t unaligned16 __attribute__((aligned(1), may_alias));
typedef char vector16 __attribute__((vector_size(16), aligned(1), may_alias));

#define COPY_TWO(type)                                                                             \
    do {                                                                                           \
        type first = *(const type *)from;                                                          \
        type last = *(const type *)(from + n - sizeof(type));                                      \
        *(type *)to = first;                                                                       \
        *(type *)(to + n - sizeof(type)) = last;                                                   \
    } while (0)

static ALWAYS_INLINE void copy_long(char *to, const char *from, size_t n)
{
    __builtin_memcpy(to, from, n);
}

/* Up to 32 bytes. */
static ALWAYS_INLINE void copy_short(char *to, const char *from, size_t n)
{
    if (n == 8) {
        *(unaligned64 *)to = *(const unaligned64 *)from;
    } else if (n >= 16) {
        COPY_TWO(vector16);
    } else if (n >= 8) {
        COPY_TWO(unaligned64);
    } else if (n >= 4) {
        COPY_TWO(unaligned32);
    } else if (n >= 2) {
        COPY_TWO(unaligned16);
    } else if (n) {
        *to = *from;
    }
}

static inline void copy_bytes(char *to, const char *from, size_t n)
{
    if (n <= 32)
        copy_short(to, from, n);
    else
        copy_long(to, from, n);
}

#endif

#endif
