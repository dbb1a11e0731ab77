/* SPDX-License-Identifier: MIT */
/*
 * Segments: memory objects of at most one region, and the operations vector behind which each
 * kind of memory stands.
 *
 * Concepts
 *   A windowed segment has its pages in this program's address space: page n of it is at
 *   window + n * 4096 (the engine window, for copies) and at direct + n * 4096 (the direct window,
 *   for map-ins); which pages exist and who may touch them is in its page state.  A backing is a
 *   segment without windows that answers for every address of a process: an opened process's
 *   memory, or this program's own.
 *
 *   A tagged segment is a pointer with the access key of the mapping in its low bit and "attached
 *   by a service" in the next; 0 is none.
 *
 * Life of a windowed segment: free -> live -> deleted -> free.
 *   1. references counts its region slots, descriptors, map-ins and holds; the storage goes when
 *      it is 0 (segment_drop), never before.
 *   2. Deletion (segment_delete) is logical and at once: every chunk pointer becomes the empty
 *      chunk, so that no copy finds a page; the caller then waits for a grace period.  The real
 *      chunks are kept until the storage goes.
 *   3. The structure itself is never unmapped.  Its identity is index and generation; generation
 *      grows with each life, so that a stale handle is recognised.
 *   4. A reference may be added by whoever found the segment in a region slot or descriptor inside
 *      a read section, or holds one already.
 *
 * Lingering: an unmapped page whose storage is still there, because somebody may be looking at it
 * through a map-in.
 *   5. `lingering` is set before the first page lingers and cleared when none does; it changes
 *      under the owner's mutex, and map_out only looks at it.
 *   6. Who unmaps pages gives their storage back after the grace period if nothing is mapped in:
 *      a map-in begun later can only be of pages that are mapped then.
 *   7. Else the last map-out has the reaper do it, which takes the owner's mutex, so that the
 *      segment has one writer at a time.  It holds a reference from the push on; `tidying` keeps it
 *      from being pushed twice.
 * Locks: the slot lists have a mutex of their own (arena.c), which nests inside every other.  What
 * runs at interrupt level (reference counts, lookups) takes none; a last reference dropped there
 * goes to the reaper (reaper.h).
 */
#ifndef XMEM_SEGMENTS_SEGMENT_H
#define XMEM_SEGMENTS_SEGMENT_H

#include "host/memory.h"
#include "host/platform.h"
#include "host/threads.h"
#include "segments/address.h"
#include "segments/outcome.h"
#include "segments/page.h"
#include "segments/reaper.h"

struct segment;

/* One entry of a vectored move: a user range and the kernel's bytes for it. */
struct transfer {
    uint64_t address;
    char *kernel;
    size_t length;
};

/* What a kind of memory can do.  Members may be NULL where the kind cannot. */
struct segment_operations {
    const char *name;        /* "embedded", "opened", ... as messages say it */
    bool interrupt_callable; /* move may be called at interrupt level */
    size_t string_piece;     /* bytes worth reading at once when looking for a string's end */
    /* Backings only.  Moves up to n bytes; outside read sections; may wait. */
    struct outcome (*move)(struct segment *, uint64_t address, void *kernel, size_t n,
                           enum direction);
    /* Several ranges at once; done counts over all of them in order. */
    struct outcome (*move_several)(struct segment *, const struct transfer *, size_t count,
                                   enum direction);
    /* Is there memory at every byte?  Asked at attach; NULL: found out at the move. */
    bool (*defined)(struct segment *, uint64_t address, uint64_t n);
    /* Of a process that closes: no move begins any more; waits for those under way. */
    void (*retire)(struct segment *);
    /* The last reference is gone. */
    void (*release)(struct segment *);
};

enum segment_life { SEGMENT_FREE, SEGMENT_LIVE, SEGMENT_DELETED };

struct import;
struct pin_table;
struct arena;

struct segment {
    char *window;                        /* beside the first chunks: one cache line for a copy */
    uint8_t *chunks[CHUNKS_PER_SEGMENT]; /* page state, never NULL */
    char *direct;
    const struct segment_operations *operations;
    uint32_t index;
    uint32_t generation;
    uint64_t references; /* low half: all; high half: those that are map-ins or, of a backing, moves
                            under way */
    uint32_t life;          /* enum segment_life */
    uint32_t holds;         /* that keep it from deletion; under the holds mutex */
    uint32_t pages;         /* pages with MAPPED set; under the owner's mutex */
    host_mutex *owner;      /* of the process whose region it is; NULL: made by itself */
    bool lingering;         /* some of its pages may linger */
    bool tidying;           /* on its way to the reaper for that */
    bool locked;      /* some of its pages are locked in memory */
    bool doomed;            /* to be deleted when the last hold goes; under the holds mutex */
    struct import *imports; /* files mapped over parts of the windows, newest first */
    struct pin_table *pins; /* NULL until the first pin */
    struct arena *arena;
    uint8_t *real_chunks[CHUNKS_PER_SEGMENT]; /* what is allocated, also after deletion */
    struct segment *next;                     /* free list; under the arena mutex */
    struct deferred deferred;                 /* for the reaper */
    bool dirty;           /* free, and its storage could not be given back yet */
    bool foreign_windows; /* free, and an import could not be unmapped from its windows yet */
} __attribute__((aligned(CACHE_LINE)));

/* ---- tagged pointers ---- */
typedef uintptr_t tagged_segment;
#define TAG_KEY ((uintptr_t)1)
#define TAG_ATTACHED ((uintptr_t)2)
#define TAG_MASK ((uintptr_t)(CACHE_LINE - 1))

static ALWAYS_INLINE struct segment *tagged_pointer(tagged_segment tagged)
{
    return (struct segment *)(tagged & ~TAG_MASK);
}

static ALWAYS_INLINE unsigned tagged_key(tagged_segment tagged)
{
    return (unsigned)(tagged & TAG_KEY);
}

static inline tagged_segment tag(struct segment *segment, unsigned key, bool attached)
{
    return (uintptr_t)segment | key | (attached ? TAG_ATTACHED : 0);
}

/* ---- page state ---- */
extern uint8_t segment_empty_chunk[CHUNK_PAGES];

static ALWAYS_INLINE uint8_t *segment_page(struct segment *segment, uint32_t page)
{
    return &load_relaxed(&segment->chunks[page >> CHUNK_SHIFT])[page & (CHUNK_PAGES - 1)];
}

static ALWAYS_INLINE uint8_t segment_page_state(struct segment *segment, uint32_t page)
{
    return load_relaxed(segment_page(segment, page));
}

/* ---- life ---- */
#define REFERENCE UINT64_C(1)
#define REFERENCE_MAPPED_IN (REFERENCE | UINT64_C(1) << 32)
#define REFERENCE_MOVING REFERENCE_MAPPED_IN
#define REFERENCES_ALL UINT32_MAX

int segments_start(void);
int segments_stop(void);

/* A live segment with no page mapped and one reference, the caller's.  Prepares a slot of storage.
 * owner: the mutex of the one process that will map and unmap pages of it; NULL: nobody will.
 * 0; ENOMEM; EMFILE. */
int segment_create(host_mutex *owner, struct segment **segment);

static inline void segment_hold(struct segment *segment)
{
    add_fetch(&segment->references, REFERENCE);
}

/* The same for a segment that nothing keeps from going; false: it has gone. */
bool segment_hold_unless_gone(struct segment *segment);

/* Drops a reference; the last one releases the storage, which segment_drop() does at once (process
 * environment, outside read sections) and segment_drop_later() by the reaper (anywhere). */
void segment_drop(struct segment *segment);
void segment_drop_later(struct segment *segment);

/* A reference by a map-in, for whoever may add a reference; and its end, which leaves the plain
 * reference to be dropped.  False: nothing is mapped in. */
static inline void segment_map_in(struct segment *segment)
{
    add_fetch(&segment->references, REFERENCE_MAPPED_IN);
}
bool segment_map_out(struct segment *segment);
uint64_t segments_mapped_in(void);

/* A move through a backing begins and ends; the end may release it, by the reaper. */
static inline void segment_begin_move(struct segment *backing)
{
    __atomic_add_fetch(&backing->references, REFERENCE_MOVING, __ATOMIC_SEQ_CST);
}
void segment_end_move(struct segment *backing);

/* Logical deletion; the caller waits for a grace period afterwards.  False: it was deleted. */
bool segment_delete(struct segment *segment);

/* ---- identity ---- */
xmem_segment_t segment_identity(const struct segment *segment);
/* The live or deleted segment of this identity, with a reference added; NULL.
 * Interrupt-callable. */
struct segment *segment_find(xmem_segment_t identity);
/* The segment whose direct window holds this address of ours, without a reference; NULL.
 * Interrupt-callable. */
struct segment *segment_of_direct_address(const void *address);
/* How many there can be at all. */
uint64_t segments_most(void);
/* The number of segments that are not free. */
uint64_t segments_count(void);
bool segments_reserved(const void *address);

/* ---- pages; the caller is the segment's one writer ---- */
/* Makes sure that page state exists for the pages.  0; ENOMEM. */
int segment_prepare_pages(struct segment *segment, uint32_t first, uint32_t count);
/* Whether every page has all of `bits` / none has any of them. */
bool segment_pages_all(struct segment *segment, uint32_t first, uint32_t count, uint8_t bits);
bool segment_pages_none(struct segment *segment, uint32_t first, uint32_t count, uint8_t bits);
/* Locks pages in memory (mlock); 0 or errno.  What is locked is unlocked at the latest with the
 * segment. */
int segment_lock_pages(struct segment *segment, uint32_t first, uint32_t count);
void segment_unlock_pages(struct segment *segment, uint32_t first, uint32_t count);
/* Gives lingering storage back, so that the pages can be mapped anew. */
int segment_clear_lingering(struct segment *segment, uint32_t first, uint32_t count);
/* The same for all pages, if nothing is mapped in; after the grace period of an unmap. */
void segment_tidy(struct segment *segment);
/* Unmapped pages whose storage is not what an unmapped page's should be. */
void segment_mark_lingering(struct segment *segment, uint32_t first, uint32_t count);
/* Sets the pages' state; counts mapped pages. */
void segment_set_pages(struct segment *segment, uint32_t first, uint32_t count, uint8_t state);
/* Changes authority, keeping the other bits. */
void segment_set_authority(struct segment *segment, uint32_t first, uint32_t count,
                           uint8_t authority);
/* Takes the pages away logically; their storage lingers. */
void segment_unmap_pages(struct segment *segment, uint32_t first, uint32_t count);

/* Frees page state and everything else that hangs on it (arena.c calls it as the slot goes). */
void segment_forget_pages(struct segment *segment);

/* ---- kinds ---- */
extern const struct segment_operations working_operations; /* every windowed segment */

#endif
