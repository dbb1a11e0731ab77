/* SPDX-License-Identifier: MIT */
/*
 * Guarded access, the part in C; guarded.h says what it is for.
 *
 * Faults come in whole pages, so the first byte that cannot be reached is the start of the
 * faulting page, or the first byte asked for when the fault is on its page.  Everything before it
 * is copied before guarded_copy() returns, whatever block size the fault interrupted.
 */
#include "host/guarded.h"
#include "host/guarded_short.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE_MASK ((uintptr_t)4095)
#define STREAM_BLOCK ((size_t)64)
#define WIDE_LEAST ((size_t)256)

THREAD_LOCAL struct guarded_fault guarded_last_fault;

#if defined(__x86_64__)

struct run {
    size_t copied;
    uint64_t fault;
};
struct word {
    uint64_t value;
    uint64_t fault;
};

struct run guarded_run(void *to, const void *from, size_t n);
struct run guarded_run_wide(void *to, const void *from, size_t n);
struct run guarded_run_stream(void *to, const void *from, size_t n);
struct word guarded_word_load32(const uint32_t *word);
struct word guarded_word_load64(const uint64_t *word);
struct word guarded_word_exchange32(uint32_t *word, uint64_t expected, uint64_t desired);
struct word guarded_word_exchange64(uint64_t *word, uint64_t expected, uint64_t desired);
extern const int32_t guarded_table[][3];

/* A fault word: the address in the low bits, the signal's number above it. */
#define FAULT_SIGNAL_SHIFT 56
#define FAULT_ADDRESS ((UINT64_C(1) << FAULT_SIGNAL_SHIFT) - 1)

static void set_fault(struct guarded_fault *fault, uint64_t word)
{
    fault->address = (uintptr_t)(word & FAULT_ADDRESS);
    fault->signal = (int)(word >> FAULT_SIGNAL_SHIFT);
}

#if GUARDED_SHORT

/* The rows of guarded_short.h: the instruction and where it goes on, each relative to itself. */
extern const int32_t __start_xmem_fixups[][2] __attribute__((visibility("hidden")));
extern const int32_t __stop_xmem_fixups[][2] __attribute__((visibility("hidden")));

static uintptr_t fixup_of(uintptr_t instruction)
{
    for (const int32_t(*row)[2] = __start_xmem_fixups; row < __stop_xmem_fixups; row++)
        if ((uintptr_t) & (*row)[0] + (uintptr_t)(intptr_t)(*row)[0] == instruction)
            return (uintptr_t) & (*row)[1] + (uintptr_t)(intptr_t)(*row)[1];
    return 0;
}

#else

static uintptr_t fixup_of(uintptr_t instruction)
{
    (void)instruction;
    return 0;
}

#endif

bool guarded_recover(int signal, uintptr_t address, void *context)
{
    ucontext_t *machine = context;
    greg_t *registers = machine->uc_mcontext.gregs;
    uintptr_t fixup = fixup_of((uintptr_t)registers[REG_RIP]);
    if (fixup) {
        guarded_last_fault.signal = signal;
        guarded_last_fault.address = address;
        registers[REG_RIP] = (greg_t)fixup;
        return true;
    }
    intptr_t at = (intptr_t)registers[REG_RIP] - (intptr_t)guarded_table;
    for (size_t row = 0; guarded_table[row][0]; row++) {
        if (at < guarded_table[row][0] || at >= guarded_table[row][1])
            continue;
        registers[REG_RIP] = (greg_t)((intptr_t)guarded_table + guarded_table[row][2]);
        registers[REG_RDX] =
            (greg_t)((address & FAULT_ADDRESS) | ((uint64_t)signal << FAULT_SIGNAL_SHIFT));
        return true;
    }
    return false;
}

static struct run copy_run(char *to, const char *from, size_t n)
{
    size_t wide = 0;
    if (n >= WIDE_LEAST && __builtin_cpu_supports("avx")) {
        wide = n & ~(size_t)127;
        struct run run = guarded_run_wide(to, from, wide);
        if (run.fault || wide == n)
            return run;
    }
    struct run rest = guarded_run(to + wide, from + wide, n - wide);
    rest.copied += wide;
    return rest;
}

static struct run stream_run(char *to, const char *from, size_t n)
{
    size_t head = (size_t)(-(uintptr_t)to & 15);
    if (n < head + STREAM_BLOCK)
        return guarded_run(to, from, n);
    struct run run = guarded_run(to, from, head);
    if (run.fault)
        return run;
    size_t body = (n - head) & ~(STREAM_BLOCK - 1);
    run = guarded_run_stream(to + head, from + head, body);
    run.copied += head;
    if (run.fault)
        return run;
    struct run tail = guarded_run(to + head + body, from + head + body, n - head - body);
    tail.copied += head + body;
    return tail;
}

/* Bytes before the fault that can be reached. */
static size_t reachable(uintptr_t fault, const char *to, const char *from, size_t n)
{
    uintptr_t page = fault & ~PAGE_MASK;
    uintptr_t start = (uintptr_t)from;
    if (fault - start >= n)
        start = (uintptr_t)to;
    return page > start ? (size_t)(page - start) : 0;
}

size_t guarded_copy(void *to, const void *from, size_t n, bool stream, struct guarded_fault *fault)
{
    char *target = to;
    const char *source = from;
    struct run run = stream ? stream_run(target, source, n) : copy_run(target, source, n);
    size_t copied = run.copied;
    set_fault(fault, 0);
    while (UNLIKELY(run.fault != 0)) {
        set_fault(fault, run.fault);
        size_t limit = reachable(fault->address, target, source, n);
        if (limit <= copied)
            break;
        n = limit;
        run = guarded_run(target + copied, source + copied, n - copied);
        copied += run.copied;
    }
    return copied;
}

void stream_copy(void *to, const void *from, size_t n)
{
    stream_run(to, from, n);
}

#define DEFINE_WORD(bits)                                                                          \
    bool guarded_load##bits(const uint##bits##_t *word, uint##bits##_t *value,                     \
                            struct guarded_fault *fault)                                           \
    {                                                                                              \
        struct word result = guarded_word_load##bits(word);                                        \
        set_fault(fault, result.fault);                                                            \
        *value = (uint##bits##_t)result.value;                                                     \
        return result.fault == 0;                                                                  \
    }                                                                                              \
    bool guarded_compare_exchange##bits(uint##bits##_t *word, uint##bits##_t expected,             \
                                        uint##bits##_t desired, uint##bits##_t *before,            \
                                        struct guarded_fault *fault)                               \
    {                                                                                              \
        struct word result = guarded_word_exchange##bits(word, expected, desired);                 \
        set_fault(fault, result.fault);                                                            \
        *before = (uint##bits##_t)result.value;                                                    \
        return result.fault == 0;                                                                  \
    }
DEFINE_WORD(32)
DEFINE_WORD(64)

#else

bool guarded_recover(int signal, uintptr_t address, void *context)
{
    (void)signal;
    (void)address;
    (void)context;
    return false;
}

static size_t copy_by_kernel(void *to, const void *from, size_t n)
{
    struct iovec target = {.iov_base = to, .iov_len = n};
    struct iovec source = {.iov_base = (void *)(uintptr_t)from, .iov_len = n};
    ssize_t moved = process_vm_readv(getpid(), &target, 1, &source, 1, 0);
    return moved < 0 ? 0 : (size_t)moved;
}

size_t guarded_copy(void *to, const void *from, size_t n, bool stream, struct guarded_fault *fault)
{
    (void)stream;
    int saved = errno;
    size_t copied = 0;
    fault->address = 0;
    fault->signal = 0;
    while (copied < n) {
        size_t moved = copy_by_kernel((char *)to + copied, (const char *)from + copied, n - copied);
        if (moved == 0) {
            /* The kernel does not say which side it was: the one that can be read is not it. */
            char probe;
            bool readable = copy_by_kernel(&probe, (const char *)from + copied, 1) == 1;
            fault->address = (readable ? (uintptr_t)to : (uintptr_t)from) + copied;
            fault->signal = SIGBUS;
            break;
        }
        copied += moved;
    }
    errno = saved;
    return copied;
}

void stream_copy(void *to, const void *from, size_t n)
{
    memcpy(to, from, n);
}

#define DEFINE_WORD(bits)                                                                          \
    bool guarded_load##bits(const uint##bits##_t *word, uint##bits##_t *value,                     \
                            struct guarded_fault *fault)                                           \
    {                                                                                              \
        return guarded_copy(value, word, sizeof(*value), false, fault) == sizeof(*value);          \
    }                                                                                              \
    bool guarded_compare_exchange##bits(uint##bits##_t *word, uint##bits##_t expected,             \
                                        uint##bits##_t desired, uint##bits##_t *before,            \
                                        struct guarded_fault *fault)                               \
    {                                                                                              \
        (void)word;                                                                                \
        (void)expected;                                                                            \
        (void)desired;                                                                             \
        (void)before;                                                                              \
        fault->signal = 0;                                                                         \
        return false;                                                                              \
    }
DEFINE_WORD(32)
DEFINE_WORD(64)

#endif
