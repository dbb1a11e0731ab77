/* SPDX-License-Identifier: MIT */
/*
 * What xmem_start() was asked for, as far as the engine needs it.  Written by xmem_start() and
 * xmem_stop() while nothing runs; `started` also tells whether anything does.
 */
#ifndef XMEM_ENGINE_SETTINGS_H
#define XMEM_ENGINE_SETTINGS_H

#include "host/platform.h"

struct settings {
    bool started;
    bool lock_memory;
    size_t stream_least; /* moves of so many bytes go past the caches */
};

extern struct settings settings;

#endif
