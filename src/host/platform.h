/* SPDX-License-Identifier: MIT */
/*
 * The platform header: what the engine needs from the compiler and the C language, and nothing
 * of Linux.  Everything above src/host includes this and freestanding headers only.
 *
 * Atomics are the compiler's own; the names say the ordering, so that each use states what it
 * relies on.
 */
#ifndef XMEM_HOST_PLATFORM_H
#define XMEM_HOST_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define EXPORT __attribute__((visibility("default")))
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((cold, noinline))
#define HOT __attribute__((hot)) /* stands with others of its kind, on few pages */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define CACHE_LINE 64
/* initial-exec: two shared objects with the default model cost 10 ns more a call. */
#define THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))

#define load_relaxed(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)
#define load_acquire(pointer) __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define store_relaxed(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
#define store_release(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELEASE)
#define store_strong(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_SEQ_CST)
#define load_strong(pointer) __atomic_load_n((pointer), __ATOMIC_SEQ_CST)
#define add_fetch(pointer, value) __atomic_add_fetch((pointer), (value), __ATOMIC_ACQ_REL)
#define sub_fetch(pointer, value) __atomic_sub_fetch((pointer), (value), __ATOMIC_ACQ_REL)
#define exchange(pointer, value) __atomic_exchange_n((pointer), (value), __ATOMIC_SEQ_CST)
#define or_fetch(pointer, value) __atomic_or_fetch((pointer), (value), __ATOMIC_ACQ_REL)
#define and_fetch(pointer, value) __atomic_and_fetch((pointer), (value), __ATOMIC_ACQ_REL)
#define compare_exchange(pointer, expected, value)                                                 \
    __atomic_compare_exchange_n((pointer), (expected), (value), false, __ATOMIC_SEQ_CST,           \
                                __ATOMIC_SEQ_CST)
/* Keeps the compiler, not the processor, from moving accesses across: enough against a handler
 * that interrupts this thread. */
#define compiler_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

/* The thread sanitizer does not know fences; a read-modify-write that changes nothing is one. */
#if THREAD_SANITIZER
static inline void full_fence(void)
{
    static uint32_t word;
    __atomic_fetch_add(&word, 0, __ATOMIC_SEQ_CST);
}
#else
static ALWAYS_INLINE void full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#endif

/* User memory is raced on purpose: its owner stores whenever it likes.  Code that touches it is
 * kept out of the thread sanitizer's sight. */
#if THREAD_SANITIZER
#define TOUCHES_USER_MEMORY __attribute__((no_sanitize("thread")))
#else
#define TOUCHES_USER_MEMORY
#endif

#endif
