/* SPDX-License-Identifier: MIT */
/*
 * Copying between the kernel's memory and a window that cannot vanish.  A user may store into the
 * window meanwhile; each byte is then the old or the new one.
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

#else

static ALWAYS_INLINE void copy_bytes(char *to, const char *from, size_t n)
{
    __builtin_memcpy(to, from, n);
}

#endif

#endif
