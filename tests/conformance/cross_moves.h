/* SPDX-License-Identifier: MIT */
/* The cases that xmemin and xmemout share: one service, its direction, and every statement about
 * it by number, for each kind of memory. */
#ifndef XMEM_TEST_CROSS_MOVES_H
#define XMEM_TEST_CROSS_MOVES_H

#include "services.h"

struct mover {
    const char *service;
    int out; /* nonzero: from the kernel's bytes to the owner's */
    int (*move)(uint64_t address, void *kernel, int count, struct xmem *descriptor);
};

int run_mover(const struct mover *mover);

#endif
