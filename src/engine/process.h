/* SPDX-License-Identifier: MIT */
/*
 * Address spaces.
 *
 *   1. A process structure lives in a table that is never unmapped; a closed one is reused when
 *      its last reference is gone.  Its mutex is good from the start (a zero-filled one is
 *      unlocked) and for ever: the reaper may lock it after the process has gone.
 *   2. `regions` is read inside read sections and changed under `mutex`.  Closing replaces it by
 *      the table that finds nothing, so that copies need no look at `state`.
 *   3. Who takes something away from a user (unmap, protect, close) unpublishes it under the
 *      mutex, waits for a grace period, and only then drops references.
 *   4. `backing` answers for addresses that no region covers: an opened process's own memory, or
 *      this program's.  It is set at creation and dropped with the last reference.
 * Locks: process mutex, then holds mutex, then arena mutex.  The table mutex nests inside nothing.
 */
#ifndef XMEM_ENGINE_PROCESS_H
#define XMEM_ENGINE_PROCESS_H

#include "engine/regions.h"
#include "host/threads.h"
#include "segments/segment.h"
#include "xmem/xmem.h"

enum process_kind { PROCESS_EMBEDDED, PROCESS_OPENED, PROCESS_KERNEL };
enum process_state { PROCESS_FREE, PROCESS_OPEN, PROCESS_CLOSED };

struct xmem_process {
    struct region_table *regions;
    struct segment *backing; /* NULL: none */
    uint64_t limit;          /* addresses are below it */
    uint32_t state;          /* enum process_state */
    uint32_t references;
    uint8_t kind; /* enum process_kind */
    uint8_t bits;
    pid_t pid;
    host_mutex mutex;
    struct xmem_process *next_free;
} __attribute__((aligned(CACHE_LINE)));

int processes_start(void);
uint64_t processes_count(void);
uint64_t processes_mapped_bytes(void);

/* Stands for a process that was closed before somebody entered it: every service refuses it. */
extern struct xmem_process process_gone;

/* Adds a reference to an open process; false: it is closed. */
bool process_hold(struct xmem_process *process);
/* Process environment, outside read sections. */
void process_drop(struct xmem_process *process);

/* How a service of the process environment begins that acts on a process: 0 and the process meant,
 * which is the current one for NULL, with a reference added; or an error that is recorded. */
int process_service(const char *operation, struct xmem_process *process,
                    struct xmem_process **meant);

/* "embedded", "opened", "kernel" */
const char *process_kind_words(const struct xmem_process *process);

/* What is mapped in the region of this address: inside a read section. */
static ALWAYS_INLINE tagged_segment process_region(const struct xmem_process *process,
                                                   uint64_t address)
{
    return region_find(load_acquire(&process->regions), region_number(address));
}

/* Counts pages mapped and unmapped, for statistics. */
void process_count_pages(int64_t pages);

#endif
