/* SPDX-License-Identifier: MIT */
/*
 * Panic: the end of the program when going on would be wrong, in the way it asked for.
 */
#include "host/threads.h"
#include "system/system.h"

static void (*panic_hook)(const char *);

void messages_set(void (*panic)(const char *))
{
    panic_hook = panic;
}

EXPORT void xmem_panic(const char *words)
{
    if (panic_hook)
        panic_hook(words);
    host_write_error(words);
    host_abort();
}
