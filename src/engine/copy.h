/* SPDX-License-Identifier: MIT */
/*
 * The copy engine: moves bytes between the kernel and whatever is behind a process or descriptor.
 *
 * A move is cut into runs.  A run ends at the end of its region, after 1 MiB, or where pages differ
 * in what they admit, and takes place inside one read section: authority is checked and the bytes
 * are copied in the same section, so that whoever revokes authority and waits for a grace period
 * knows that nothing is copied under the old one.  Memory without a window (opened processes) is
 * moved outside sections, under a reference.
 *
 * Between two runs the source is looked up anew.  A descriptor detached or a process closed in mid
 * move ends it there.
 */
#ifndef XMEM_ENGINE_COPY_H
#define XMEM_ENGINE_COPY_H

#include "engine/descriptor.h"
#include "engine/process.h"
#include "segments/outcome.h"

#define RUN_MOST (UINT64_C(1) << 20)

/* Where user bytes are: a process, or a descriptor. */
struct place {
    struct xmem_process *process;             /* with a reference of the caller's; or NULL */
    const struct xmem_descriptor *descriptor; /* or NULL */
};

/* The region behind an address, as found inside a read section. */
struct found {
    tagged_segment tagged; /* 0: no windowed segment */
    struct segment *backing;
    struct descriptor_entry *entry;
    enum xmem_failure_class cause; /* set: nothing can be there at all */
    int error;
    const char *detail;
};

/* Nothing of ours is mapped at the address, so that a backing has the say. */
static inline bool belongs_to_backing(tagged_segment tagged, const struct segment *backing,
                                      uint64_t address)
{
    return backing && (!tagged || !(segment_page_state(tagged_pointer(tagged),
                                                       page_number(region_offset(address))) &
                                    PAGE_MAPPED));
}

/* Inside a read section. */
struct found place_find(const struct place *place, uint64_t address);

/* Whether the address is valid in the place at all, before anything is moved. */
struct outcome place_check(const struct place *place, uint64_t address, uint64_t n);

struct outcome copy_range(const struct place *place, uint64_t address, char *kernel, size_t n,
                          enum direction direction);

/* Moves a range that a backing alone answers for, checked and all, at once; false: it is not such a
 * range, and nothing was done. */
bool copy_backed_range(const struct place *place, uint64_t address, char *kernel, size_t n,
                       enum direction direction, struct outcome *outcome);

/* Whether a backing answers for every byte of the place, so that ranges can be batched. */
bool copy_can_batch(const struct place *place);
/* Up to 64 ranges, each checked by place_check(), at once. */
struct outcome copy_batch(const struct place *place, const struct transfer *list, size_t count,
                          enum direction direction);

/* Longest run at the address that a windowed segment admits; moves it.  Inside a read section. */
struct outcome copy_windowed(tagged_segment tagged, uint64_t address, char *kernel, size_t n,
                             enum direction direction, bool stream);

/* Whether one page admits the access (noting it); else why not.  Inside a read section. */
struct outcome page_admit(tagged_segment tagged, uint64_t address, enum direction direction,
                          uint8_t *state);

/* Pages from `page` on, `most` at most, whose state agrees with `value` under `mask`. */
uint32_t same_pages(struct segment *segment, uint32_t page, uint32_t most, uint8_t mask,
                    uint8_t value);

/* What to tell about the memory behind a place in a failure's words. */
const char *place_words(const struct place *place);
pid_t place_pid(const struct place *place);

#endif
