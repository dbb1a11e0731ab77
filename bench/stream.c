/* SPDX-License-Identifier: MIT */
/* Bare loops for large copies; see stream.h. */
#include "stream.h"

#include <string.h>

#if defined(__x86_64__)

#include <emmintrin.h>

void stream_bare(void *to, const void *from, size_t size)
{
    __m128i *out = to;
    const __m128i *in = from;
    for (size_t block = 0; block < size / 64; block++, in += 4, out += 4) {
        __m128i a = _mm_loadu_si128(in);
        __m128i b = _mm_loadu_si128(in + 1);
        __m128i c = _mm_loadu_si128(in + 2);
        __m128i d = _mm_loadu_si128(in + 3);
        _mm_prefetch((const char *)(in + 32), _MM_HINT_NTA);
        _mm_stream_si128(out, a);
        _mm_stream_si128(out + 1, b);
        _mm_stream_si128(out + 2, c);
        _mm_stream_si128(out + 3, d);
    }
    _mm_sfence();
}

void string_move_bare(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

#else

void stream_bare(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

void string_move_bare(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

#endif
