/* SPDX-License-Identifier: MIT */
/*
 * Memory from Linux: reservations of address space, arenas (memfds), mappings of files, and small
 * allocations.  Functions return 0 or a positive errno value.  None is called at interrupt level
 * except where it says so.
 */
#ifndef XMEM_HOST_MEMORY_H
#define XMEM_HOST_MEMORY_H

#include "host/platform.h"

/* Zero-filled, aligned to a cache line; NULL when there is no memory. */
void *host_allocate(size_t size);
void host_free(void *pointer);

/* Address space without access, aligned to `alignment` (a power of two). */
int host_reserve(size_t size, size_t alignment, char **base);
void host_unreserve(char *base, size_t size);

/* A zero-filled table that costs memory only where it is touched; lives as long as the program. */
int host_table_create(size_t size, void **table);

/* An arena: a memfd of `size` bytes that can neither grow nor shrink. */
int host_arena_create(uint64_t size, int *descriptor);
int host_arena_map(int descriptor, uint64_t offset, size_t size, char *at);
int host_arena_punch(int descriptor, uint64_t offset, uint64_t size);
void host_close(int descriptor);

/* Gives a range back to the reservation: no access, nothing mapped. */
int host_unmap(char *at, size_t size);
int host_lock_memory(char *at, size_t size);
void host_unlock_memory(char *at, size_t size);

struct host_file {
    int descriptor; /* a duplicate that the holder closes */
    bool can_write;
    bool can_vanish; /* its pages can go away under a mapping */
    bool can_wait;   /* touching a page may have to wait for a disk */
};
/* 0; EACCES: not open for that; ENODEV: not mappable; ENOTSUP: its file system is served by a
 * program, which could keep whoever touches a page waiting for ever; EBADF; EMFILE. */
int host_file_hold(int descriptor, bool write, uint64_t end, struct host_file *file);
int host_file_map(const struct host_file *file, uint64_t offset, size_t size, char *at);

enum host_file_fault { HOST_FILE_TRUNCATED, HOST_FILE_FULL, HOST_FILE_FAILED };
/* Why an access at `offset` of a mapped file raised SIGBUS.  Async-signal-safe. */
enum host_file_fault host_file_fault_cause(int descriptor, uint64_t offset);

/* Whether every page of a mapped range is in memory, as far as Linux tells.  Async-signal-safe. */
bool host_pages_resident(const char *at, size_t size);

/* Whether every page of the range of this program's own memory is mapped. */
bool host_own_memory_mapped(uint64_t address, uint64_t size);

/* Bytes of the largest cache; 0: unknown. */
size_t host_cache_size(void);

/* Unpredictable bits. */
int host_random(void *to, size_t size);

#endif
