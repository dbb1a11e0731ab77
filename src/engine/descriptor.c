/* SPDX-License-Identifier: MIT */
/*
 * Attaching and detaching; descriptor.h has the rules.
 */
#include "engine/descriptor.h"

#include "engine/failure.h"
#include "engine/process.h"
#include "host/memory.h"
#include "host/read_section.h"
#include "host/threads.h"
#include "segments/foreign.h"

#include <errno.h>

_Static_assert(sizeof(struct xmem_descriptor) == 32, "no padding: every bit is checked");

struct descriptor_entry *descriptor_table;

static host_mutex table_mutex = HOST_MUTEX_INITIALIZER;
static uint32_t table_used = 1; /* entry 0 is nobody's */
static uint32_t free_head;      /* 0: none */
static uint32_t free_count;
static uint64_t secrets[3]; /* two for digests; the generation of what is detached */

int descriptors_start(void)
{
    if (descriptor_table)
        return 0;
    int error = host_random(secrets, sizeof(secrets));
    if (error)
        return error;
    void *table;
    error = host_table_create(DESCRIPTORS_MOST * sizeof(*descriptor_table), &table);
    if (error)
        return error;
    descriptor_table = table;
    descriptor_table[0].name = UINT64_MAX; /* else a descriptor of zeros would match */
    return 0;
}

/* ---- spare entries ---- */

static void push_free(uint32_t index)
{
    descriptor_table[index].next_free = free_head;
    free_head = index;
    free_count++;
}

static void refill(struct thread_record *record)
{
    host_lock(&table_mutex);
    while (record->indexes_used < INDEX_CACHE / 2) {
        uint32_t index = free_head;
        if (index) {
            free_head = descriptor_table[index].next_free;
            free_count--;
        } else if (table_used < DESCRIPTORS_MOST) {
            index = table_used++;
            descriptor_table[index].index = index;
        } else {
            break;
        }
        record->indexes[record->indexes_used] = index;
        store_relaxed(&record->indexes_used, record->indexes_used + 1);
    }
    host_unlock(&table_mutex);
}

static struct descriptor_entry *take_entry(void)
{
    struct thread_record *record = thread_state.record;
    if (UNLIKELY(record->indexes_used == 0))
        refill(record);
    if (UNLIKELY(record->indexes_used == 0))
        return NULL;
    store_relaxed(&record->indexes_used, record->indexes_used - 1);
    return &descriptor_table[record->indexes[record->indexes_used]];
}

static void give_entry(struct descriptor_entry *entry)
{
    struct thread_record *record = thread_state.mode == THREAD_PROCESS ? thread_state.record : NULL;
    if (LIKELY(record && record->indexes_used < INDEX_CACHE)) {
        record->indexes[record->indexes_used] = entry->index;
        store_relaxed(&record->indexes_used, record->indexes_used + 1);
        return;
    }
    host_lock(&table_mutex);
    push_free(entry->index);
    host_unlock(&table_mutex);
}

void descriptor_give_back_indexes(struct thread_record *record)
{
    host_lock(&table_mutex);
    while (record->indexes_used) {
        store_relaxed(&record->indexes_used, record->indexes_used - 1);
        push_free(record->indexes[record->indexes_used]);
    }
    host_unlock(&table_mutex);
}

static void count_spare(const struct thread_record *record, void *argument)
{
    *(uint64_t *)argument += load_relaxed(&record->indexes_used);
}

/* Exact when nobody attaches or detaches meanwhile; never below 0. */
uint64_t descriptors_count(void)
{
    host_lock(&table_mutex);
    uint64_t count = table_used - 1 - free_count;
    host_unlock(&table_mutex);
    uint64_t spare = 0;
    threads_each(count_spare, &spare);
    return count > spare ? count - spare : 0;
}

/* ---- attach ---- */

/* Not reversible without the secrets, and every input bit changes about half of the result. */
static uint64_t digest(uint64_t name, uint64_t handle, uint64_t generation)
{
    unsigned __int128 first = (unsigned __int128)(name ^ secrets[0]) * (generation ^ secrets[1]);
    uint64_t folded = (uint64_t)first ^ (uint64_t)(first >> 64);
    unsigned __int128 second = (unsigned __int128)(folded ^ handle ^ secrets[1]) * (secrets[0] | 1);
    return (uint64_t)second ^ (uint64_t)(second >> 64);
}

/* The segment behind an address, with a reference; 0: none.  Inside a read section. */
static tagged_segment hold_region(const struct xmem_process *process, uint64_t address)
{
    if (LIKELY(process->kind != PROCESS_KERNEL)) {
        tagged_segment tagged = process_region(process, address);
        if (tagged)
            segment_hold(tagged_pointer(tagged));
        return tagged;
    }
    /* An address that a map-in returned stands for the segment that it shows. */
    struct segment *segment = segment_of_direct_address((const void *)(uintptr_t)address);
    if (!segment || !segment_hold_unless_gone(segment))
        return 0;
    return tag(segment, XMEM_KEY_ALL, false);
}

static bool pages_mapped(tagged_segment tagged, uint64_t address, uint64_t bytes)
{
    uint32_t first = page_number(region_offset(address));
    uint32_t last = page_number(region_offset(address) + bytes - 1);
    return segment_pages_all(tagged_pointer(tagged), first, last - first + 1, PAGE_MAPPED);
}

static void drop_entry_regions(struct descriptor_entry *entry)
{
    for (uint32_t at = 0; at < entry->region_count; at++)
        if (entry->regions[at])
            segment_drop(tagged_pointer(entry->regions[at]));
    if (entry->regions != entry->own_regions)
        host_free(entry->regions);
    if (entry->backing)
        segment_drop(entry->backing);
}

/* Takes references of all that the range touches.  The first byte that is not there in *hole. */
static enum xmem_failure_class hold_regions(struct descriptor_entry *entry,
                                            struct xmem_process *process, uint64_t *hole)
{
    enum xmem_failure_class cause = XMEM_FAILURE_NONE;
    uint64_t address = entry->base;
    uint64_t left = entry->length;
    read_section_enter();
    if (UNLIKELY(load_acquire(&process->state) != PROCESS_OPEN)) {
        read_section_leave();
        entry->region_count = 0;
        entry->backing = NULL;
        return XMEM_FAILURE_PEER_GONE;
    }
    struct segment *backing = process->backing;
    if (backing)
        segment_hold(backing);
    for (uint32_t at = 0; at < entry->region_count; at++) {
        uint64_t bytes = smaller(left, bytes_to_region_end(address));
        tagged_segment tagged = hold_region(process, address);
        entry->regions[at] = tagged;
        bool there = tagged && pages_mapped(tagged, address, bytes);
        if (!there && !backing && !cause) {
            cause = tagged && load_acquire(&tagged_pointer(tagged)->life) == SEGMENT_DELETED
                        ? XMEM_FAILURE_DELETED
                        : XMEM_FAILURE_NO_MAPPING;
            *hole = address;
        }
        address += bytes;
        left -= bytes;
    }
    read_section_leave();
    entry->backing = backing;
    return cause;
}

/* The parts of this program's own memory that no segment shows must be mapped. */
static bool backing_defined(struct descriptor_entry *entry, uint64_t *hole)
{
    struct segment *backing = entry->backing;
    if (!backing || !backing->operations->defined)
        return true;
    uint64_t address = entry->base;
    uint64_t left = entry->length;
    for (uint32_t at = 0; at < entry->region_count; at++) {
        uint64_t bytes = smaller(left, bytes_to_region_end(address));
        bool there = entry->regions[at] ? pages_mapped(entry->regions[at], address, bytes)
                                        : !segments_reserved((const void *)(uintptr_t)address) &&
                                              backing->operations->defined(backing, address, bytes);
        if (!there) {
            *hole = address;
            return false;
        }
        address += bytes;
        left -= bytes;
    }
    return true;
}

/* The first region of the range in which nothing is mapped at all: looked for before anything is
 * allocated for a range that may be a user's lie. */
static bool find_hole(struct xmem_process *process, uint64_t first, uint64_t last, uint64_t *hole)
{
    bool found = false;
    if (process->backing)
        return false;
    read_section_enter();
    for (uint64_t number = region_number(first); !found && number <= region_number(last);
         number++) {
        uint64_t start = number << REGION_SHIFT;
        found = process_region(process, start) == 0;
        *hole = start > first ? start : first;
    }
    read_section_leave();
    return found;
}

static struct outcome fill_regions(struct descriptor_entry *entry, struct xmem_process *process)
{
    uint64_t last = entry->base + (entry->length - 1);
    uint64_t regions = region_number(last) - region_number(entry->base) + 1;
    uint64_t hole = 0;
    entry->regions = entry->own_regions;
    if (regions > REGIONS_INLINE) {
        if (find_hole(process, entry->base, last, &hole))
            return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, hole,
                              "the range has a page where nothing is mapped");
        entry->regions = host_allocate(regions * sizeof(tagged_segment));
        if (!entry->regions)
            return outcome_failure(XMEM_FAILURE_NO_MEMORY, ENOMEM, "the program is out of memory");
    }
    entry->region_count = (uint32_t)regions;
    enum xmem_failure_class cause = hold_regions(entry, process, &hole);
    if (!cause && !backing_defined(entry, &hole))
        cause = XMEM_FAILURE_NO_MAPPING;
    if (!cause)
        return OUTCOME_SUCCESS;
    drop_entry_regions(entry);
    if (cause == XMEM_FAILURE_PEER_GONE)
        return outcome_failure(cause, ESRCH, "the process was closed");
    return outcome_at(cause, EFAULT, hole, "the range has a page where nothing is mapped");
}

static uint64_t first_handle(const struct descriptor_entry *entry,
                             const struct xmem_process *process)
{
    tagged_segment first = entry->regions[0];
    if (first)
        return xmem_handle(segment_identity(tagged_pointer(first)), (int)tagged_key(first));
    /* Names the opened process (or this program) by itself; never a segment's handle. */
    return UINT64_C(1) << 63 | (uint64_t)(uintptr_t)entry->backing >> 6 | (uint64_t)process->kind;
}

static void publish(struct descriptor_entry *entry, const struct xmem_process *process,
                    struct xmem_descriptor *descriptor)
{
    descriptor->kind =
        process->kind == PROCESS_KERNEL ? XMEM_DESCRIPTOR_KERNEL : XMEM_DESCRIPTOR_PROCESS;
    descriptor->index = entry->index;
    descriptor->handle = first_handle(entry, process);
    descriptor->generation = ++entry->last_generation;
    uint64_t name = (uint64_t)(uint32_t)descriptor->kind | (uint64_t)descriptor->index << 32;
    descriptor->check = digest(name, descriptor->handle, descriptor->generation);
    entry->single = entry->region_count == 1 && !entry->backing ? entry->regions[0] : 0;
    entry->moves = 0;
    store_relaxed(&entry->owner, thread_state.number);
    store_relaxed(&entry->shared, 0);
    store_relaxed(&entry->name, name);
    store_relaxed(&entry->handle, descriptor->handle);
    store_relaxed(&entry->check, descriptor->check);
    store_release(&entry->generation, descriptor->generation);
}

static int attach(const char *operation, struct xmem_process *process, uint64_t address, size_t n,
                  struct xmem_descriptor *descriptor)
{
    if (n == 0)
        return fail_argument(operation, "no bytes to attach");
    if (!range_within(address, n, process->limit))
        return fail_move(operation,
                         outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                                    "the range wraps or leaves the address space"),
                         process_kind_words(process), process->pid, n);
    struct descriptor_entry *entry = take_entry();
    if (!entry)
        return fail_no_memory(operation);
    entry->base = address;
    entry->length = n;
    struct outcome outcome = fill_regions(entry, process);
    if (UNLIKELY(outcome.cause)) {
        give_entry(entry);
        return fail_move(operation, outcome, process_kind_words(process), process->pid, n);
    }
    publish(entry, process, descriptor);
    return 0;
}

EXPORT int xmem_attach(struct xmem_process *process, uint64_t address, size_t n,
                       struct xmem_descriptor *descriptor)
{
    static const char operation[] = "xmem_attach";
    if (UNLIKELY(!descriptor))
        return fail_argument(operation, "there must be a place for the descriptor");
    descriptor->kind = XMEM_DESCRIPTOR_INVALID;
    int error = thread_process_only(operation);
    if (error)
        return error;
    struct xmem_process *meant = process ? process : thread_state.current;
    if (UNLIKELY(!meant))
        return fail_argument(operation, "no process was given and this thread runs under none; "
                                        "call xmem_enter() first");
    if (LIKELY(meant->kind != PROCESS_KERNEL))
        return attach(operation, meant, address, n, descriptor);
    error = making_begin(operation); /* no open process keeps xmem from stopping */
    if (error)
        return error;
    error = attach(operation, meant, address, n, descriptor);
    making_end();
    return error;
}

/* ---- detach ---- */

static void finish_detach(struct descriptor_entry *entry)
{
    drop_entry_regions(entry);
    give_entry(entry);
}

static void finish_later(struct deferred *deferred)
{
    struct descriptor_entry *entry =
        (struct descriptor_entry *)((char *)deferred - offsetof(struct descriptor_entry, deferred));
    if (load_strong(&entry->moves) != 0) {
        host_sleep_microseconds(1000);
        reaper_push(deferred);
        return;
    }
    finish_detach(entry);
}

static void hand_to_reaper(struct descriptor_entry *entry)
{
    entry->deferred.run = finish_later;
    reaper_push(&entry->deferred);
}

/* Makes the descriptor invalid; NULL: it was.  Exactly one of several callers succeeds. */
static struct descriptor_entry *invalidate(const struct xmem_descriptor *descriptor)
{
    struct descriptor_entry *entry = &descriptor_table[descriptor->index & (DESCRIPTORS_MOST - 1)];
    uint64_t generation = descriptor->generation;
    bool valid = descriptor_matches(entry, descriptor) &&
                 compare_exchange(&entry->generation, &generation, secrets[2]);
    return valid ? entry : NULL;
}

EXPORT int xmem_detach(struct xmem_descriptor *descriptor)
{
    static const char operation[] = "xmem_detach";
    int error = thread_any(operation);
    if (error)
        return error;
    struct descriptor_entry *entry = descriptor ? invalidate(descriptor) : NULL;
    if (UNLIKELY(!entry))
        return fail(operation, outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                                               "never attached, detached already, or forged"));
    descriptor->kind = XMEM_DESCRIPTOR_INVALID;
    if (UNLIKELY(thread_state.mode == THREAD_INTERRUPT)) {
        hand_to_reaper(entry);
        return 0;
    }
    if (load_relaxed(&entry->owner) != thread_state.number || load_strong(&entry->shared)) {
        read_section_wait();
        if (entry->backing && !foreign_wait(&entry->moves, 0)) {
            hand_to_reaper(entry);
            return 0;
        }
    }
    finish_detach(entry);
    return 0;
}
