/* SPDX-License-Identifier: MIT */
/*
 * Guarded access for short copies, inlined: up to 32 bytes by one or two loads and stores, so that
 * an aligned word is moved by one access.
 *
 * Each access to the guarded side has a row in the section xmem_fixups: the instruction, and where
 * to go on when it faults.  It costs nothing while nothing faults, so memory that can vanish is
 * moved as fast as any other.  After a fault guarded_last_fault says what it was.
 *
 * Where the compiler or processor does not offer this, GUARDED_SHORT is 0: the functions then
 * fault as plain copies do and are for memory that cannot vanish.
 *
 * Both return false when the guarded side faulted; some bytes may have been moved.
 */
#ifndef XMEM_HOST_GUARDED_SHORT_H
#define XMEM_HOST_GUARDED_SHORT_H

#include "host/guarded.h"
#include "host/platform.h"

#if defined(__x86_64__) && !THREAD_SANITIZER
#define GUARDED_SHORT 1
#else
#define GUARDED_SHORT 0
#endif

extern THREAD_LOCAL struct guarded_fault guarded_last_fault;

#if THREAD_SANITIZER

__attribute__((unused)) static TOUCHES_USER_MEMORY NOINLINE bool
copy_short_raced(char *to, const char *from, size_t n)
{
    for (size_t at = 0; at < n; at++)
        ((volatile char *)to)[at] = ((const volatile char *)from)[at];
    return true;
}

#define copy_short_from copy_short_raced
#define copy_short_to copy_short_raced

#else

typedef uint64_t unaligned64 __attribute__((aligned(1), may_alias));
typedef uint32_t unaligned32 __attribute__((aligned(1), may_alias));
typedef uint16_t unaligned16 __attribute__((aligned(1), may_alias));
typedef uint8_t unaligned8 __attribute__((aligned(1), may_alias));
typedef char vector16 __attribute__((vector_size(16), aligned(1), may_alias));

#if GUARDED_SHORT

#define FIXUP                                                                                      \
    "\n\t.pushsection xmem_fixups, \"a\"\n\t"                                                      \
    ".long 771b - .\n\t"                                                                           \
    ".long %l[faulted] - .\n\t"                                                                    \
    ".popsection"
#define GUARDED_LOAD(instruction, constraint, value, pointer)                                      \
    __asm__ goto("771: " instruction " (%1), %0" FIXUP                                             \
                 : "=" constraint(value)                                                           \
                 : "r"(pointer)                                                                    \
                 : "memory"                                                                        \
                 : faulted)
#define GUARDED_STORE(instruction, constraint, value, pointer)                                     \
    __asm__ goto("771: " instruction " %0, (%1)" FIXUP                                             \
                 :                                                                                 \
                 : constraint(value), "r"(pointer)                                                 \
                 : "memory"                                                                        \
                 : faulted)

#else

#define GUARDED_LOAD(instruction, constraint, value, pointer)                                      \
    ((value) = *(const __typeof__(value) *)(pointer))
#define GUARDED_STORE(instruction, constraint, value, pointer)                                     \
    (*(__typeof__(value) *)(pointer) = (value))

#endif

#define LOAD_TWO(type, instruction, constraint)                                                    \
    do {                                                                                           \
        type first;                                                                                \
        type last;                                                                                 \
        GUARDED_LOAD(instruction, constraint, first, from);                                        \
        GUARDED_LOAD(instruction, constraint, last, from + n - sizeof(type));                      \
        *(type *)to = first;                                                                       \
        *(type *)(to + n - sizeof(type)) = last;                                                   \
    } while (0)
#define STORE_TWO(type, instruction, constraint)                                                   \
    do {                                                                                           \
        type first = *(const type *)from;                                                          \
        type last = *(const type *)(from + n - sizeof(type));                                      \
        GUARDED_STORE(instruction, constraint, first, to);                                         \
        GUARDED_STORE(instruction, constraint, last, to + n - sizeof(type));                       \
    } while (0)

/* The guarded side is `from`. */
static ALWAYS_INLINE bool copy_short_from(char *to, const char *from, size_t n)
{
    if (n == 8) {
        unaligned64 word;
        GUARDED_LOAD("movq", "r", word, from);
        *(unaligned64 *)to = word;
    } else if (n >= 16) {
        LOAD_TWO(vector16, "movups", "x");
    } else if (n > 8) {
        LOAD_TWO(unaligned64, "movq", "r");
    } else if (n >= 4) {
        LOAD_TWO(unaligned32, "movl", "r");
    } else if (n >= 2) {
        LOAD_TWO(unaligned16, "movw", "r");
    } else if (n) {
        unaligned8 byte;
        GUARDED_LOAD("movb", "q", byte, from);
        *(unaligned8 *)to = byte;
    }
    return true;
#if GUARDED_SHORT
faulted:
    return false;
#endif
}

/* The guarded side is `to`. */
static ALWAYS_INLINE bool copy_short_to(char *to, const char *from, size_t n)
{
    if (n == 8) {
        unaligned64 word = *(const unaligned64 *)from;
        GUARDED_STORE("movq", "r", word, to);
    } else if (n >= 16) {
        STORE_TWO(vector16, "movups", "x");
    } else if (n > 8) {
        STORE_TWO(unaligned64, "movq", "r");
    } else if (n >= 4) {
        STORE_TWO(unaligned32, "movl", "r");
    } else if (n >= 2) {
        STORE_TWO(unaligned16, "movw", "r");
    } else if (n) {
        unaligned8 byte = *(const unaligned8 *)from;
        GUARDED_STORE("movb", "q", byte, to);
    }
    return true;
#if GUARDED_SHORT
faulted:
    return false;
#endif
}

#endif

#endif
