/* SPDX-License-Identifier: MIT */
/* Shows every statement about copyin64, for each kind of memory. */
#include "user_copies.h"

static int copy(uint64_t address, void *kernel, int count)
{
    return copyin64(address, kernel, count);
}

int main(void)
{
    static const struct copier copier = {"copyin64", 0, copy};
    return run_copier(&copier);
}
