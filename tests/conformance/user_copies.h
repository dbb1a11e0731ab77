/* SPDX-License-Identifier: MIT */
/* The cases that copyin, copyin64, copyout and copyout64 share. */
#ifndef XMEM_TEST_USER_COPIES_H
#define XMEM_TEST_USER_COPIES_H

#include "services.h"

struct copier {
    const char *service;
    int out;
    int (*copy)(uint64_t address, void *kernel, int count);
};

int run_copier(const struct copier *copier);

#endif
