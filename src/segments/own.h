/* SPDX-License-Identifier: MIT */
/*
 * The kernel program's own memory as a backing (SYS_ADSPACE): an address is the pointer itself.
 * Other threads may unmap it at any time, so moves are guarded.
 */
#ifndef XMEM_SEGMENTS_OWN_H
#define XMEM_SEGMENTS_OWN_H

#include "segments/segment.h"

/* The one such segment; it is never released. */
struct segment *own_memory(void);

#endif
