/* SPDX-License-Identifier: MIT */
/*
 * Map-ins, for whoever counts them.
 */
#ifndef XMEM_ENGINE_MAP_IN_H
#define XMEM_ENGINE_MAP_IN_H

#include "host/platform.h"

uint64_t mapped_in_count(void);

#endif
