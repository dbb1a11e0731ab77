/* SPDX-License-Identifier: MIT */
/* Shows every statement about xmemout, for each kind of memory. */
#include "cross_moves.h"

static int move(uint64_t address, void *kernel, int count, struct xmem *descriptor)
{
    return xmemout((caddr_t *)kernel, (caddr_t *)ADDRESS(address), count, descriptor);
}

int main(void)
{
    static const struct mover mover = {"xmemout", 1, move};
    return run_mover(&mover);
}
