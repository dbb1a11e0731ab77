/* SPDX-License-Identifier: MIT */
/*
 * The kernel program's own memory; own.h says what it is.
 */
#include "segments/own.h"

#include "host/guarded.h"

#include <errno.h>

static struct outcome own_move(struct segment *segment, uint64_t address, void *kernel, size_t n,
                               enum direction direction)
{
    (void)segment;
    struct guarded_fault fault;
    void *user = (void *)(uintptr_t)address;
    size_t done = direction == FROM_USER ? guarded_copy(kernel, user, n, false, &fault)
                                         : guarded_copy(user, kernel, n, false, &fault);
    if (!fault.signal)
        return outcome_done(done);
    if (fault.address && fault.address - address >= n) {
        /* The other side is a plain pointer of the caller's: let it fault where it is seen. */
        __builtin_memcpy(direction == FROM_USER ? kernel : user,
                         direction == FROM_USER ? user : kernel, n);
        return outcome_done(n); /* somebody's handler repaired it meanwhile */
    }
    struct outcome outcome =
        outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address + done,
                   "this program has nothing mapped there, or its protection does not allow this");
    outcome.done = done;
    return outcome;
}

static bool own_defined(struct segment *segment, uint64_t address, uint64_t n)
{
    (void)segment;
    return host_own_memory_mapped(address, n);
}

static void own_nothing(struct segment *segment)
{
    (void)segment;
}

static const struct segment_operations own_operations = {
    .name = "kernel",
    .interrupt_callable = true,
    .string_piece = 128,
    .move = own_move,
    .defined = own_defined,
    .retire = own_nothing,
    .release = own_nothing,
};

static struct segment own = {.operations = &own_operations, .references = 1, .life = SEGMENT_LIVE};

struct segment *own_memory(void)
{
    return &own;
}
