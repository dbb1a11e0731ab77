/* SPDX-License-Identifier: MIT */
/*
 * What the program is told: messages for whoever runs it, and panic, the end of the program when
 * going on would be wrong, both in the way it asked for.
 */
#include "host/threads.h"
#include "system/system.h"

static void (*panic_hook)(const char *);
static void (*message_hook)(const char *);

void messages_set(void (*on_panic)(const char *), void (*on_message)(const char *))
{
    panic_hook = on_panic;
    message_hook = on_message;
}

void message(const char *words)
{
    if (message_hook)
        message_hook(words);
    else
        host_write_error(words);
}

EXPORT void xmem_panic(const char *words)
{
    if (panic_hook)
        panic_hook(words);
    host_write_error(words);
    host_abort();
}
