/* SPDX-License-Identifier: MIT */
/* Shows every statement about copyout64, for each kind of memory. */
#include "user_copies.h"

static int copy(uint64_t address, void *kernel, int count)
{
    return copyout64(kernel, address, count);
}

int main(void)
{
    static const struct copier copier = {"copyout64", 1, copy};
    return run_copier(&copier);
}
