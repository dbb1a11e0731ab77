/* SPDX-License-Identifier: MIT */
/* Shows every statement about copyin, for each kind of memory. */
#include "user_copies.h"

static int copy(uint64_t address, void *kernel, int count)
{
    return copyin(ADDRESS(address), kernel, count);
}

int main(void)
{
    static const struct copier copier = {"copyin", 0, copy};
    return run_copier(&copier);
}
