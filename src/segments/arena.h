/* SPDX-License-Identifier: MIT */
/*
 * Arenas: where windowed segments live.
 *
 * One reservation of address space holds two windows for every slot of 256 MiB: the engine window
 * and, at a fixed distance, the direct window.  Slots are backed by a few large memfds ("arenas"),
 * each mapped contiguously in both windows: one descriptor and two mappings for up to 1,024
 * segments.  A slot's number is its segment's index, so handles, windows and structures follow from
 * each other by arithmetic.
 */
#ifndef XMEM_SEGMENTS_ARENA_H
#define XMEM_SEGMENTS_ARENA_H

#include "segments/segment.h"

int arenas_start(void);
/* Every slot must be free. */
void arenas_stop(void);

/* Takes a free slot, whose storage reads as zero.  0; ENOMEM; EMFILE. */
int slot_take(struct segment **segment);
/* Gives back the slot with all its storage. */
void slot_give(struct segment *segment);

struct segment *slot_by_index(uint64_t index);
/* The slot whose direct window holds the address; NULL. */
struct segment *slot_by_direct_address(const void *address);
bool slot_reserved_address(const void *address);
uint64_t slots_used(void);
uint64_t slots_most(void);

/* Storage of a part of a slot. */
int slot_punch(struct segment *segment, uint32_t first, uint32_t count);
/* Maps the arena over the pages again, where something else was mapped. */
int slot_remap(struct segment *segment, uint32_t first, uint32_t count);

#endif
