/* SPDX-License-Identifier: MIT */
/*
 * Holds: handles that keep a segment from being deleted (AIX: as_geth64 until as_puth64).
 *
 *   1. A segment with holds is not deleted; whoever wants it deleted dooms it, and the release of
 *      the last hold deletes it.
 *   2. Each hold has a reference of its segment.
 *   3. A hold is found again by the very address and handle that it was taken with; they nest.
 * The holds mutex covers the list and the segments' holds and doomed; it nests inside a process's
 * mutex, and only allocation happens under it.
 */
#ifndef XMEM_ENGINE_HOLDS_H
#define XMEM_ENGINE_HOLDS_H

#include "segments/segment.h"
#include "xmem/xmem.h"

/* Takes over a reference of the segment on success.  0; ENOMEM; EINVAL: it is deleted. */
int hold_add(struct segment *segment, uint64_t address, xmem_handle_t handle);
/* True: there was such a hold, and it is gone. */
bool hold_remove(uint64_t address, xmem_handle_t handle);
uint64_t holds_count(void);

/* Deletes the segment, or dooms it.  The caller waits for a grace period afterwards.  False: it was
 * deleted or doomed already. */
bool segment_delete_unless_held(struct segment *segment);

#endif
