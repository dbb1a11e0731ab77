/* SPDX-License-Identifier: MIT */
/*
 * Pin counts of a segment's pages.  Counts nest, a pin is all or nothing, an unpin stops at the
 * first page that is not pinned.  One mutex covers all pin tables; it nests inside nothing and
 * only allocation happens under it.
 */
#ifndef XMEM_SEGMENTS_PINS_H
#define XMEM_SEGMENTS_PINS_H

#include "segments/segment.h"

int pins_add(struct segment *segment, uint32_t first, uint32_t count);    /* 0; ENOMEM */
int pins_remove(struct segment *segment, uint32_t first, uint32_t count); /* 0; EINVAL */
void pins_forget(struct segment *segment);

#endif
