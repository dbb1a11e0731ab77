/* SPDX-License-Identifier: MIT */
/* Shows every statement about copyout, for each kind of memory. */
#include "user_copies.h"

static int copy(uint64_t address, void *kernel, int count)
{
    return copyout(kernel, ADDRESS(address), count);
}

int main(void)
{
    static const struct copier copier = {"copyout", 1, copy};
    return run_copier(&copier);
}
