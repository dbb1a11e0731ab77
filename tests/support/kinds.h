/* SPDX-License-Identifier: MIT */
/*
 * Kinds of memory: one handle for memory that somebody else owns, whatever stands behind it, so
 * that the same case runs over every kind.
 *
 * A memory is a process of the kind with some pages mapped at a known distance from a region
 * boundary and nothing mapped around them.  The view lets the test see and change the owner's
 * bytes by a way that does not pass the engine's copies: a second mapping of the same file, or for
 * embedded processes a map-in.  Authority does not bind the view.
 *
 * What the owner does (protect, unmap, exit) goes through memory_* functions, which assert that it
 * worked.  memory_close_all() ends everything that a case has opened.
 */
#ifndef XMEM_TEST_KINDS_H
#define XMEM_TEST_KINDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <xmem/xmem.h>

enum kind {
    KIND_EMBEDDED32,
    KIND_EMBEDDED64,
    KIND_OPENED,
    KIND_IMPORTED,
    KIND_KERNEL,
    KIND_COUNT,
    KIND_NONE = KIND_COUNT /* a case that no kind of memory has a part in */
};

#define KIND_BIT(kind) (1u << (kind))
#define EMBEDDED_KINDS (KIND_BIT(KIND_EMBEDDED32) | KIND_BIT(KIND_EMBEDDED64))
#define SEGMENT_KINDS (EMBEDDED_KINDS | KIND_BIT(KIND_IMPORTED)) /* in an embedded process */
#define MAPPED_KINDS (SEGMENT_KINDS | KIND_BIT(KIND_KERNEL))     /* can be mapped in */
#define USER_KINDS (SEGMENT_KINDS | KIND_BIT(KIND_OPENED))       /* have a user process */
#define ALL_KINDS (USER_KINDS | KIND_BIT(KIND_KERNEL))
#define ONCE 0u /* a case without memory */

#define PAGE ((size_t)XMEM_PAGE_SIZE)
#define REGION ((uint64_t)XMEM_REGION_SIZE)
#define MEMORY_PAGES_MAX 4096u

const char *kind_name(enum kind kind);

/* Of the address space of an embedded process of this kind. */
static inline unsigned kind_bits(enum kind kind)
{
    return kind == KIND_EMBEDDED32 ? 32 : 64;
}

struct memory;

/* pages pages, readable and writable, beginning at offset bytes (a multiple of a page, may be
 * negative) from a region boundary.  Every byte is zero. */
struct memory *memory_open_at(enum kind kind, size_t pages, int64_t offset);
/* The same, well inside a region. */
struct memory *memory_open(enum kind kind, size_t pages);
void memory_close(struct memory *memory);
void memory_close_all(void);

enum kind memory_kind(const struct memory *memory);
struct xmem_process *memory_process(const struct memory *memory);
uint64_t memory_base(const struct memory *memory);
size_t memory_size(const struct memory *memory);
pid_t memory_pid(const struct memory *memory); /* opened: the Linux process */
int memory_file(const struct memory *memory);  /* the file behind it; -1: none */

/* The owner's byte at address, and those behind it up to the end of the region. */
volatile unsigned char *memory_view(const struct memory *memory, uint64_t address);
void owner_store(struct memory *memory, uint64_t address, const void *bytes, size_t n);
void owner_load(const struct memory *memory, uint64_t address, void *bytes, size_t n);
void owner_fill(struct memory *memory, uint64_t address, unsigned char byte, size_t n);

/* What the owner does with whole pages. */
void memory_protect(struct memory *memory, uint64_t address, size_t length, int prot);
void memory_unmap(struct memory *memory, uint64_t address, size_t length);
void memory_map(struct memory *memory, uint64_t address, size_t length, int prot);
void memory_truncate(struct memory *memory, size_t pages); /* kinds with a file */
void memory_exit(struct memory *memory);                   /* kinds with a user process */
/* Closes the process on the kernel program's side only. */
void memory_forget_process(struct memory *memory);
void memory_exec(struct memory *memory); /* opened */

/* A pattern that differs from page to page and from seed to seed, never zero. */
void pattern_fill(void *bytes, size_t n, unsigned seed);
unsigned char pattern_byte(size_t index, unsigned seed);

/* Kernel memory of n bytes between guard bytes; guarded_check() asserts that those are intact. */
unsigned char *guarded_new(size_t n);
void guarded_check(const unsigned char *bytes);
void guarded_free(unsigned char *bytes); /* checks too */

#endif
