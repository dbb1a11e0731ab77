/* SPDX-License-Identifier: MIT */
/*
 * What xmem_start() was asked for, as far as the engine needs it.  Written while nothing runs.
 */
#ifndef XMEM_ENGINE_SETTINGS_H
#define XMEM_ENGINE_SETTINGS_H

#include "host/platform.h"

struct settings {
    bool lock_memory;
    size_t stream_least; /* moves of so many bytes go past the caches */
};

extern struct settings settings;

#endif
