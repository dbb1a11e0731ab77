/* SPDX-License-Identifier: MIT */
/* Shows every statement about xmemin, for each kind of memory. */
#include "cross_moves.h"

static int move(uint64_t address, void *kernel, int count, struct xmem *descriptor)
{
    return xmemin((caddr_t *)ADDRESS(address), (caddr_t *)kernel, count, descriptor);
}

int main(void)
{
    static const struct mover mover = {"xmemin", 0, move};
    return run_mover(&mover);
}
