/* SPDX-License-Identifier: MIT */
/*
 * The clock that people set.
 */
#include "host/threads.h"
#include "xmem/kernel.h"

EXPORT uint64_t xmem_time_of_day(void)
{
    return host_time_of_day();
}
