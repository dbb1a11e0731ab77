/* SPDX-License-Identifier: MIT */
/*
 * The copy engine; copy.h says how it works.
 */
#include "engine/copy.h"

#include "engine/bytes.h"
#include "engine/failure.h"
#include "engine/settings.h"
#include "host/guarded.h"
#include "host/read_section.h"
#include "segments/imported.h"

#include <errno.h>

/* ---- finding ---- */

static struct found find_by_descriptor(const struct xmem_descriptor *descriptor, uint64_t address)
{
    struct found found = {0};
    struct descriptor_entry *entry = descriptor_entry(descriptor);
    if (UNLIKELY(!entry)) {
        found.cause = XMEM_FAILURE_DESCRIPTOR;
        found.error = EINVAL;
        found.detail = "never attached, detached already, or forged";
        return found;
    }
    if (UNLIKELY(!range_inside(address, 1, entry->base, entry->length))) {
        found.cause = XMEM_FAILURE_NO_MAPPING;
        found.error = EFAULT;
        found.detail = "the address is outside the bytes that were attached";
        return found;
    }
    found.entry = entry;
    found.tagged = descriptor_region(entry, address);
    found.backing = entry->backing;
    return found;
}

static struct found find_by_process(struct xmem_process *process, uint64_t address)
{
    struct found found = {0};
    found.tagged = process_region(process, address);
    found.backing = process->backing;
    if (UNLIKELY(load_acquire(&process->state) != PROCESS_OPEN)) {
        found.cause = XMEM_FAILURE_PEER_GONE;
        found.error = ESRCH;
        found.detail = "the process was closed";
    }
    return found;
}

struct found place_find(const struct place *place, uint64_t address)
{
    return place->descriptor ? find_by_descriptor(place->descriptor, address)
                             : find_by_process(place->process, address);
}

static struct outcome check_descriptor(const struct xmem_descriptor *descriptor, uint64_t address,
                                       uint64_t n)
{
    read_section_enter();
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    bool inside = entry && (n == 0 || range_inside(address, n, entry->base, entry->length));
    read_section_leave();
    if (!entry)
        return outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                               "never attached, detached already, or forged");
    if (!inside)
        return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                          "the range is not inside the bytes that were attached");
    return OUTCOME_SUCCESS;
}

struct outcome place_check(const struct place *place, uint64_t address, uint64_t n)
{
    if (place->descriptor)
        return check_descriptor(place->descriptor, address, n);
    if (!range_within(address, n, place->process->limit))
        return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                          "the range wraps or leaves the address space");
    return OUTCOME_SUCCESS;
}

const char *place_words(const struct place *place)
{
    if (place->process)
        return process_kind_words(place->process);
    return place->descriptor->kind == XMEM_DESCRIPTOR_KERNEL ? "kernel" : "attached";
}

pid_t place_pid(const struct place *place)
{
    return place->process ? place->process->pid : 0;
}

/* ---- windowed segments ---- */

static COLD struct outcome refused(struct segment *segment, uint64_t address, uint8_t state,
                                   enum direction direction)
{
    if (state & PAGE_MAPPED)
        return outcome_at(XMEM_FAILURE_NO_AUTHORITY, EFAULT, address,
                          direction == FROM_USER
                              ? "the page is mapped, but its user may not read it"
                              : "the page is mapped, but its user may not write "
                                "it");
    if (load_acquire(&segment->life) != SEGMENT_LIVE)
        return outcome_at(XMEM_FAILURE_DELETED, EFAULT, address,
                          "the memory was unmapped, or its process closed, after it was attached");
    return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address, "nothing is mapped there");
}

struct outcome page_admit(tagged_segment tagged, uint64_t address, enum direction direction,
                          uint8_t *state)
{
    struct segment *segment = tagged_pointer(tagged);
    uint8_t *page = segment_page(segment, page_number(region_offset(address)));
    uint8_t wanted = page_wanted(tagged_key(tagged), direction);
    uint8_t noted = direction == FROM_USER ? PAGE_REFERENCED : PAGE_REFERENCED | PAGE_MODIFIED;
    *state = load_relaxed(page);
    if ((*state & wanted) == wanted)
        return OUTCOME_SUCCESS;
    if ((*state & wanted & ~noted) == (wanted & ~noted)) {
        *state = or_fetch(page, noted);
        if ((*state & wanted) == wanted)
            return OUTCOME_SUCCESS;
    }
    return refused(segment, address, *state, direction);
}

uint32_t same_pages(struct segment *segment, uint32_t page, uint32_t most, uint8_t mask,
                    uint8_t value)
{
    const uint64_t every_byte = UINT64_C(0x0101010101010101);
    uint32_t count = 0;
    while (count < most) {
        const uint8_t *at = segment_page(segment, page + count);
        if (((page + count) & 7) == 0 && most - count >= 8) {
            uint64_t eight = load_relaxed((const uint64_t *)(const void *)at);
            if ((eight & (every_byte * mask)) == every_byte * value) {
                count += 8;
                continue;
            }
        }
        if ((load_relaxed(at) & mask) != value)
            break;
        count++;
    }
    return count;
}

static COLD struct outcome fault_outcome(struct segment *segment, uint64_t address, size_t done)
{
    struct outcome outcome = import_fault(segment, region_offset(address + done));
    outcome.done = done;
    outcome.address = address + done;
    return outcome;
}

static struct outcome copy_guarded(struct segment *segment, uint64_t address, char *kernel,
                                   size_t n, enum direction direction, bool stream)
{
    struct guarded_fault fault;
    if (thread_state.mode == THREAD_INTERRUPT)
        n = import_resident(segment, region_offset(address), n);
    if (n == 0)
        return outcome_at(XMEM_FAILURE_NOT_RESIDENT, EFAULT, address,
                          "a page of the imported file is not in memory, and an interrupt handler "
                          "may not wait for it");
    char *user = segment->window + region_offset(address);
    char *to = direction == FROM_USER ? kernel : user;
    const char *from = direction == FROM_USER ? user : kernel;
    size_t done = guarded_copy(to, from, n, stream, &fault);
    if (LIKELY(!fault.signal))
        return outcome_done(done);
    if (fault.address && fault.address - (uintptr_t)user >= n)
        /* The kernel's own pointer is bad: let it fault where that is seen. */
        __builtin_memcpy(to, from, n);
    return fault_outcome(segment, address, done);
}

static struct outcome copy_run(struct segment *segment, uint64_t address, char *kernel, size_t n,
                               enum direction direction, bool stream)
{
    char *user = segment->window + region_offset(address);
    char *to = direction == FROM_USER ? kernel : user;
    const char *from = direction == FROM_USER ? user : kernel;
    if (stream)
        stream_copy(to, from, n);
    else
        copy_bytes(to, from, n);
    return outcome_done(n);
}

struct outcome copy_windowed(tagged_segment tagged, uint64_t address, char *kernel, size_t n,
                             enum direction direction, bool stream)
{
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint32_t page = page_number(offset);
    uint8_t state;
    struct outcome outcome = page_admit(tagged, address, direction, &state);
    if (UNLIKELY(outcome.cause))
        return outcome;
    n = smaller(smaller(n, bytes_to_region_end(address)), RUN_MOST);
    uint8_t mask = page_wanted(tagged_key(tagged), direction) | PAGE_GUARDED;
    uint32_t most = page_number(offset + n - 1) - page + 1;
    uint32_t pages =
        1 + (most > 1 ? same_pages(segment, page + 1, most - 1, mask, state & mask) : 0);
    n = smaller(n, ((uint64_t)(page + pages) << PAGE_SHIFT) - offset);
    return state & PAGE_GUARDED ? copy_guarded(segment, address, kernel, n, direction, stream)
                                : copy_run(segment, address, kernel, n, direction, stream);
}

/* ---- backings ---- */

/* Bytes from address on that no windowed segment covers: up to the next mapped page, or the end of
 * the region. */
static size_t uncovered(tagged_segment tagged, uint64_t address, size_t n)
{
    n = smaller(n, bytes_to_region_end(address));
    if (!tagged)
        return n;
    struct segment *segment = tagged_pointer(tagged);
    uint64_t offset = region_offset(address);
    uint32_t last = page_number(offset + n - 1);
    for (uint32_t page = page_number(offset); page <= last; page++)
        if (segment_page_state(segment, page) & PAGE_MAPPED)
            return ((uint64_t)page << PAGE_SHIFT) - offset;
    return n;
}

/* Inside a read section: keeps the backing, and the descriptor's entry, until end_backed(). */
static bool begin_backed(const struct found *found)
{
    if (thread_state.mode == THREAD_INTERRUPT && !found->backing->operations->interrupt_callable)
        return false;
    segment_begin_move(found->backing);
    if (found->entry)
        __atomic_add_fetch(&found->entry->moves, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void end_backed(const struct found *found)
{
    if (found->entry)
        __atomic_sub_fetch(&found->entry->moves, 1, __ATOMIC_SEQ_CST);
    segment_end_move(found->backing);
}

static struct outcome not_at_interrupt_level(uint64_t address)
{
    return outcome_at(XMEM_FAILURE_ENVIRONMENT, EPERM, address,
                      "an opened process cannot be reached from an interrupt handler; move from "
                      "the process environment");
}

/* Entered inside a read section, which it leaves. */
static struct outcome copy_backed(const struct found *found, uint64_t address, char *kernel,
                                  size_t n, enum direction direction)
{
    struct segment *backing = found->backing;
    n = uncovered(found->tagged, address, n);
    bool begun = begin_backed(found);
    read_section_leave();
    if (!begun)
        return not_at_interrupt_level(address);
    struct outcome outcome = backing->operations->move(backing, address, kernel, n, direction);
    end_backed(found);
    return outcome;
}

static bool no_regions(const struct region_table *table)
{
    for (uint32_t at = 0; at <= table->mask; at++)
        if (load_relaxed(&table->slots[at].segment))
            return false;
    return true;
}

static bool entry_no_regions(const struct descriptor_entry *entry)
{
    for (uint32_t at = 0; at < entry->region_count; at++)
        if (entry->regions[at])
            return false;
    return true;
}

/* The backing that alone answers for the place, as opened processes have; NULL.  Inside a read
 * section. */
static struct segment *only_backing(const struct place *place, struct descriptor_entry *entry)
{
    struct segment *backing = entry ? entry->backing : NULL;
    if (!entry && place->process)
        backing = place->process->backing;
    if (!backing || !backing->operations->move_several)
        return NULL;
    bool only =
        entry ? entry_no_regions(entry) : no_regions(load_acquire(&place->process->regions));
    return only ? backing : NULL;
}

bool copy_can_batch(const struct place *place)
{
    read_section_enter();
    bool can = only_backing(place, place->descriptor ? descriptor_entry(place->descriptor) : NULL);
    read_section_leave();
    return can;
}

bool copy_backed_range(const struct place *place, uint64_t address, char *kernel, size_t n,
                       enum direction direction, struct outcome *outcome)
{
    struct found found = {0};
    read_section_enter();
    found.entry = place->descriptor ? descriptor_entry(place->descriptor) : NULL;
    found.backing = only_backing(place, found.entry);
    bool inside = found.entry ? range_inside(address, n, found.entry->base, found.entry->length)
                              : place->process && range_within(address, n, place->process->limit);
    bool begun = found.backing && inside && begin_backed(&found);
    read_section_leave();
    if (!begun)
        return false;
    *outcome = found.backing->operations->move(found.backing, address, kernel, n, direction);
    end_backed(&found);
    return true;
}

struct outcome copy_batch(const struct place *place, const struct transfer *list, size_t count,
                          enum direction direction)
{
    read_section_enter();
    struct found found = place_find(place, list[0].address);
    bool begun = !found.cause && begin_backed(&found);
    read_section_leave();
    if (found.cause)
        return outcome_at(found.cause, found.error, list[0].address, found.detail);
    if (!begun)
        return not_at_interrupt_level(list[0].address);
    struct outcome outcome =
        found.backing->operations->move_several(found.backing, list, count, direction);
    end_backed(&found);
    return outcome;
}

/* One run. */
static struct outcome copy_piece(const struct place *place, uint64_t address, char *kernel,
                                 size_t n, enum direction direction, bool stream)
{
    read_section_enter();
    struct found found = place_find(place, address);
    if (LIKELY(!found.cause) && belongs_to_backing(found.tagged, found.backing, address))
        return copy_backed(&found, address, kernel, n, direction);
    struct outcome outcome;
    if (found.cause)
        outcome = outcome_at(found.cause, found.error, address, found.detail);
    else if (!found.tagged)
        outcome = outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address, "nothing is mapped there");
    else
        outcome = copy_windowed(found.tagged, address, kernel, n, direction, stream);
    read_section_leave();
    return outcome;
}

struct outcome copy_range(const struct place *place, uint64_t address, char *kernel, size_t n,
                          enum direction direction)
{
    bool stream = n >= settings.stream_least;
    size_t done = 0;
    while (done < n) {
        struct outcome outcome =
            copy_piece(place, address + done, kernel + done, n - done, direction, stream);
        done += outcome.done;
        if (UNLIKELY(outcome.cause)) {
            outcome.done = done;
            return outcome;
        }
    }
    return outcome_done(done);
}
