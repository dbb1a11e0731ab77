/* SPDX-License-Identifier: MIT */
/*
 * Mapping in: handing out addresses in the direct windows.
 *
 * The windows exist as long as their segments, so a map-in is a reference and a count, with no
 * system call; the address is the same each time.  What is mapped in keeps its storage until it is
 * mapped out, also when the segment is deleted meanwhile.  This program's own memory is its own
 * mapping: those map-ins are only counted.
 */
#include "engine/copy.h"
#include "engine/failure.h"
#include "engine/map_in.h"
#include "host/read_section.h"

#include <errno.h>

static uint64_t own_mapped_in;

uint64_t mapped_in_count(void)
{
    return segments_mapped_in() + load_relaxed(&own_mapped_in);
}

static struct outcome invalid_descriptor(void)
{
    return outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                           "never attached, detached already, or forged");
}

static struct outcome outside(uint64_t address)
{
    return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                      "the range is not inside the bytes that were attached");
}

static bool crosses_region(uint64_t address, size_t n)
{
    return n > bytes_to_region_end(address);
}

/* Inside a read section; the segment is held by the descriptor that showed it. */
static struct outcome map_in_segment(struct segment *segment, uint64_t address, size_t n,
                                     void **mapped)
{
    uint32_t first = page_number(region_offset(address));
    uint32_t last = page_number(region_offset(address) + n - 1);
    if (!segment_pages_all(segment, first, last - first + 1, PAGE_MAPPED))
        return load_acquire(&segment->life) == SEGMENT_LIVE
                   ? outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                                "a page of the range is not mapped")
                   : outcome_at(XMEM_FAILURE_DELETED, EFAULT, address, "the segment was deleted");
    segment_map_in(segment);
    *mapped = segment->direct + region_offset(address);
    return OUTCOME_SUCCESS;
}

/* Inside a read section. */
static struct outcome map_in(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                             void **mapped)
{
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    if (!entry)
        return invalid_descriptor();
    if (!range_inside(address, 1, entry->base, entry->length))
        return outside(address);
    if (crosses_region(address, n))
        return outcome_at(XMEM_FAILURE_ARGUMENT, EAGAIN, address,
                          "the range crosses a region boundary; map it in piece by piece, "
                          "xmem_map_limit() says how much");
    if (!range_inside(address, n, entry->base, entry->length))
        return outside(address);
    tagged_segment tagged = descriptor_region(entry, address);
    if (!belongs_to_backing(tagged, entry->backing, address))
        return map_in_segment(tagged_pointer(tagged), address, n, mapped);
    if (!entry->backing->operations->defined)
        return outcome_at(XMEM_FAILURE_KIND, ENOTSUP, address,
                          "the memory of an opened process cannot be mapped in; copy it, or let "
                          "the process hand over a memfd for xmem_process_map_fd()");
    __atomic_fetch_add(&own_mapped_in, 1, __ATOMIC_RELAXED);
    *mapped = (void *)(uintptr_t)address;
    return OUTCOME_SUCCESS;
}

EXPORT int xmem_map_in(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                       void **mapped)
{
    static const char operation[] = "xmem_map_in";
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor || !mapped || n == 0)
        return fail_argument(operation, "no descriptor, no place for the result, or no bytes");
    read_section_enter();
    struct outcome outcome = map_in(descriptor, address, n, mapped);
    read_section_leave();
    return outcome.cause ? fail_move(operation, outcome, "attached", 0, n) : 0;
}

EXPORT int xmem_map_limit(const struct xmem_descriptor *descriptor, uint64_t address, size_t *n)
{
    static const char operation[] = "xmem_map_limit";
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor || !n)
        return fail_argument(operation, "no descriptor, or no place for the result");
    read_section_enter();
    struct outcome outcome = OUTCOME_SUCCESS;
    const struct descriptor_entry *entry = descriptor_entry(descriptor);
    if (!entry)
        outcome = invalid_descriptor();
    else if (!range_inside(address, 1, entry->base, entry->length))
        outcome = outside(address);
    else
        *n = smaller(bytes_to_region_end(address), entry->length - (address - entry->base));
    read_section_leave();
    return outcome.cause ? fail(operation, outcome) : 0;
}

/* One map-in of this program's own memory ends; false: there is none. */
static bool own_map_out(void)
{
    uint64_t count = load_relaxed(&own_mapped_in);
    while (count != 0) {
        if (compare_exchange(&own_mapped_in, &count, count - 1))
            return true;
    }
    return false;
}

static bool map_out(const void *mapped)
{
    if (!segments_reserved(mapped))
        return own_map_out();
    struct segment *segment = segment_of_direct_address(mapped);
    if (!segment || !segment_map_out(segment))
        return false;
    if (thread_state.mode == THREAD_PROCESS)
        segment_drop(segment);
    else
        segment_drop_later(segment);
    return true;
}

EXPORT int xmem_map_out(void *mapped)
{
    static const char operation[] = "xmem_map_out";
    int error = thread_any(operation);
    if (error)
        return error;
    return map_out(mapped)
               ? 0
               : fail(operation, outcome_at(XMEM_FAILURE_NO_MAPPING, EINVAL, (uintptr_t)mapped,
                                            "nothing is mapped in at this address"));
}

EXPORT int xmem_handle_map(xmem_handle_t handle, void **mapped)
{
    static const char operation[] = "xmem_handle_map";
    int error = thread_any(operation);
    if (error)
        return error;
    struct segment *segment = mapped ? segment_find(xmem_handle_segment(handle)) : NULL;
    bool live = segment && load_acquire(&segment->life) == SEGMENT_LIVE;
    if (live) {
        segment_map_in(segment);
        *mapped = segment->direct;
    }
    if (segment)
        segment_drop_later(segment);
    return live ? 0
                : fail(operation, outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                                                  "no live segment has this handle"));
}

EXPORT int xmem_page_size(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                          size_t *size)
{
    static const char operation[] = "xmem_page_size";
    int error = thread_any(operation);
    if (error)
        return error;
    if (!descriptor || !size || n == 0)
        return fail_argument(operation, "no descriptor, no place for the result, or no bytes");
    struct place place = {NULL, descriptor};
    struct outcome outcome = place_check(&place, address, n);
    if (outcome.cause)
        return fail(operation, outcome);
    *size = XMEM_PAGE_SIZE;
    return 0;
}
