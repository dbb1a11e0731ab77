/* SPDX-License-Identifier: MIT */
/* process_vm_readv and process_vm_writev, timed; see raw.h. */
#include "raw.h"
#include "clock.h"

#include <sys/uio.h>

uint64_t raw_run(const struct raw_place *place, bool into, size_t offset, void *kernel, size_t n,
                 unsigned count)
{
    ssize_t moved = (ssize_t)n;
    uint64_t start = nanoseconds_now();
    for (unsigned at = 0; at < count && moved == (ssize_t)n; at++) {
        struct iovec own = {(char *)kernel + at * n, n};
        struct iovec other = {(void *)(uintptr_t)(place->address + offset + at * n), n};
        moved = into ? process_vm_writev(place->pid, &own, 1, &other, 1, 0)
                     : process_vm_readv(place->pid, &own, 1, &other, 1, 0);
    }
    return count && moved == (ssize_t)n ? (nanoseconds_now() - start) / count : 0;
}
