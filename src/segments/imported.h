/* SPDX-License-Identifier: MIT */
/*
 * Imported pages: pages of a file mapped over a part of a windowed segment's windows.
 *
 * The list of a segment's imports is read inside read sections (after a fault, to say why) and
 * changed by the segment's writer only; an entry that left the list is freed after a grace period.
 */
#ifndef XMEM_SEGMENTS_IMPORTED_H
#define XMEM_SEGMENTS_IMPORTED_H

#include "host/memory.h"
#include "segments/segment.h"

struct import {
    struct import *next;
    uint32_t first; /* pages of the segment */
    uint32_t count;
    uint64_t offset; /* of the first page in the file */
    struct host_file file;
    struct import_share *share;
};

/* Maps the file's pages over both windows.  The pages must be unmapped and cleared.  The segment
 * owns a share of the file from here on, on failure too: its pages then linger, and import_clear()
 * undoes what was done. */
struct import_share;
int import_share_create(const struct host_file *file, struct import_share **share);
void import_share_drop(struct import_share *share);
int import_map(struct segment *segment, uint32_t first, uint32_t count, struct import_share *share,
               uint64_t offset);

/* Gives the windows of lingering imports in the range back to the arena. */
int import_clear(struct segment *segment, uint32_t first, uint32_t count);
/* The segment's storage goes: everything it imported with it. */
void import_forget(struct segment *segment);

/* How many of the bytes may be touched by somebody who must not wait.  Inside a read section. */
size_t import_resident(struct segment *segment, uint64_t segment_offset, size_t n);

/* Why the access to this byte of the segment faulted.  Inside a read section. */
struct outcome import_fault(struct segment *segment, uint64_t segment_offset);

#endif
