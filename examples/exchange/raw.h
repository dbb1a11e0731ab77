/* SPDX-License-Identifier: MIT */
/* The same moves by what Linux offers without xmem, for comparison: process_vm_readv and
 * process_vm_writev. */
#ifndef EXCHANGE_RAW_H
#define EXCHANGE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct raw_place {
    pid_t pid;
    uint64_t address;
};

/* count moves of n bytes from offset on, into the process or out of it; the time per call, or 0 if
 * Linux refused. */
uint64_t raw_run(const struct raw_place *place, bool into, size_t offset, void *kernel, size_t n,
                 unsigned count);

#endif
