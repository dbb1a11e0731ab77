/* SPDX-License-Identifier: MIT */
/*
 * Places to copy between, and loops over the four copy services and memcpy between them.
 *
 * A set holds up to 8 places, used in rotation: user memory, attached and (embedded processes)
 * mapped in too, so that memcpy moves the very bytes that the services move; and kernel memory.
 * Both are aligned to 64 bytes, and never to the same offset in a page, which slows stores down.
 */
#ifndef BENCH_PLACES_H
#define BENCH_PLACES_H

#include "rows.h"

#include <sys/xmem.h>
#include <xmem/xmem.h>

#define PLACES_MOST 8u

struct place {
    uint64_t user;
    char *mapped; /* the user memory in our own address space */
    char *kernel;
    struct xmem *descriptor;
};

struct places {
    struct place place[PLACES_MOST];
    unsigned mask; /* places in use - 1 */
    size_t size;
    int expected; /* what a call is to return, if not 0: EFAULT ... */
    int wrong;    /* nonzero: a call returned something else */
    struct xmem_process *process;
    char *buffer;
    size_t buffer_size;
    struct xmem descriptors[PLACES_MOST];
};

enum service_number { XMEMIN, XMEMOUT, COPYIN64, COPYOUT64, SERVICES };

struct service {
    const char *name;
    void (*run)(void *places, unsigned long count);
    void (*copy)(void *places, unsigned long count); /* memcpy in the same direction */
    bool into_user;
    bool by_descriptor;
};

extern const struct service services[SERVICES];

/* A row for each of the four services. */
#define FOUR_SERVICES(words, size, baseline, kind, value, hint, measure, detail)                   \
    {"xmemin" words, size, baseline, {kind, value}, hint, measure, XMEMIN, detail},                \
        {"xmemout" words, size, baseline, {kind, value}, hint, measure, XMEMOUT, detail},          \
        {"copyin64" words, size, baseline, {kind, value}, hint, measure, COPYIN64, detail},        \
    {                                                                                              \
        "copyout64" words, size, baseline, {kind, value}, hint, measure, COPYOUT64, detail         \
    }

/* An embedded 64-bit process with `count` (1 or 8) segments, `size` bytes to be moved in each at
 * `offset` from its start, resident; this thread runs under it until places_close(). */
bool places_create(struct places *places, unsigned count, size_t size, uint64_t offset);

/* The same over a process that is there already, which places_close() leaves open.  Only the
 * attached user memory and the kernel memory are made. */
bool places_over(struct places *places, struct xmem_process *process, uint64_t user, size_t size);

void places_close(struct places *places);

/* The problem for a result: a call did not return what it was to return; NULL: all did. */
const char *places_verdict(const struct places *places);

/* The first address of the at-th region that is used. */
uint64_t region_address(unsigned at);

/* Kernel memory of this size, touched; aligned as said above. */
char *kernel_memory(size_t size);
void kernel_memory_free(char *memory, size_t size);

#endif
