/* SPDX-License-Identifier: MIT */
/*
 * What xmem_start() was asked for, as far as the engine needs it.  Written by xmem_start() and
 * xmem_stop() while nothing runs; `started` also tells whether anything does.
 *
 * Services that make something out of nothing count themselves in `making`, then look at
 * `started`; the last stop clears `started`, then waits for `making` to be 0.  So whatever is made
 * is made before the stop counts what is left, or refused.
 */
#ifndef XMEM_ENGINE_SETTINGS_H
#define XMEM_ENGINE_SETTINGS_H

#include "host/platform.h"

struct settings {
    bool started;
    uint32_t making;
    bool lock_memory;
    size_t stream_least; /* moves of so many bytes go past the caches */
};

extern struct settings settings;

#endif
