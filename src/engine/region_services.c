/* SPDX-License-Identifier: MIT */
/*
 * Segments by themselves: creating and deleting them, handles, and attaching them to regions.
 */
#include "engine/failure.h"
#include "engine/holds.h"
#include "engine/process.h"
#include "engine/thread.h"
#include "host/read_section.h"

#include <errno.h>

/* Where attaching looks for a free region.  32-bit: the regions that AIX gives to shared memory.
 * 64-bit: above the first 16, which stay free so that wrong 32-bit addresses are found. */
#define FIRST_REGION_32 3u
#define LAST_REGION_32 0xCu
#define FIRST_REGION_64 UINT64_C(0x10)
#define LAST_REGION_64 ((UINT64_C(1) << 32) - 1)

/* ---- handles ---- */

EXPORT xmem_handle_t xmem_handle(xmem_segment_t segment, int key)
{
    return segment << 1 | (key == XMEM_KEY_USER ? 1 : 0);
}

EXPORT xmem_segment_t xmem_handle_segment(xmem_handle_t handle)
{
    return handle >> 1;
}

EXPORT int xmem_handle_key(xmem_handle_t handle)
{
    return handle & 1 ? XMEM_KEY_USER : XMEM_KEY_ALL;
}

static int fail_handle(const char *operation)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                                           "no segment has this handle; it was deleted, or the "
                                           "handle never was one"));
}

/* ---- segments ---- */

static int make_segment(const char *operation, uint64_t length, xmem_segment_t *segment)
{
    if (!segment || length == 0 || length > XMEM_REGION_SIZE)
        return fail_argument(operation, "length must be 1 to XMEM_REGION_SIZE bytes, and there "
                                        "must be a place for the result");
    struct segment *created;
    int error = segment_create(NULL, &created);
    if (error)
        return fail_no_memory(operation);
    uint32_t pages = page_number(length + XMEM_PAGE_SIZE - 1);
    if (segment_prepare_pages(created, 0, pages)) {
        segment_drop(created);
        return fail_no_memory(operation);
    }
    segment_set_pages(created, 0, pages,
                      PAGE_MAPPED | PAGE_RESIDENT | PAGE_PRIVILEGED_WRITE | PAGE_READ | PAGE_WRITE);
    process_count_pages(pages);
    *segment = segment_identity(created);
    return 0;
}

EXPORT int xmem_segment_create(uint64_t length, xmem_segment_t *segment)
{
    static const char operation[] = "xmem_segment_create";
    int error = making_begin(operation);
    if (error)
        return error;
    error = make_segment(operation, length, segment);
    making_end();
    return error;
}

EXPORT int xmem_segment_delete(xmem_segment_t segment)
{
    static const char operation[] = "xmem_segment_delete";
    int error = thread_process_only(operation);
    if (error)
        return error;
    struct segment *found = segment_find(segment);
    if (!found)
        return fail_handle(operation);
    bool deleted = !found->owner && segment_delete_unless_held(found);
    if (deleted) {
        process_count_pages(-(int64_t)found->pages);
        read_section_wait();
        segment_drop(found); /* the reference of its creation */
    }
    segment_drop(found);
    return deleted ? 0
                   : fail(operation, outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL,
                                                     "it belongs to a process, or is deleted"));
}

/* ---- regions ---- */

static bool region_is_free(const struct xmem_process *process, uint64_t number)
{
    return process_region(process, number << REGION_SHIFT) == 0;
}

/* Mutex held.  False: none is free. */
static bool find_free_region(const struct xmem_process *process, uint64_t *number)
{
    uint64_t last = process->bits == 32 ? LAST_REGION_32 : LAST_REGION_64;
    for (*number = process->bits == 32 ? FIRST_REGION_32 : FIRST_REGION_64; *number <= last;
         ++*number)
        if (region_is_free(process, *number))
            return true;
    return false;
}

/* Mutex held.  What was there is unmapped first; its reference goes after a grace period. */
static void replace_region(struct xmem_process *process, uint64_t number, tagged_segment fresh)
{
    tagged_segment before = process_region(process, number << REGION_SHIFT);
    struct segment *segment = tagged_pointer(before);
    regions_set(process->regions, number, fresh);
    if (!segment)
        return;
    if (!(before & TAG_ATTACHED)) {
        process_count_pages(-(int64_t)segment->pages);
        segment_delete_unless_held(segment);
    }
    read_section_wait();
    segment_drop(segment);
}

static const char *cannot_attach(const struct xmem_process *process, const struct segment *segment)
{
    if (process->kind != PROCESS_EMBEDDED)
        return "segments can be attached to embedded processes only";
    return load_acquire(&segment->life) == SEGMENT_LIVE ? NULL : "the segment was deleted";
}

/* Takes over the segment's reference on success. */
static int attach_segment(const char *operation, struct xmem_process *process,
                          struct segment *segment, unsigned key, bool anywhere, uint64_t *address)
{
    const char *wrong = cannot_attach(process, segment);
    if (wrong && process->kind != PROCESS_EMBEDDED)
        return fail(operation, outcome_failure(XMEM_FAILURE_KIND, ENOTSUP, wrong));
    if (wrong)
        return fail(operation, outcome_failure(XMEM_FAILURE_DESCRIPTOR, EINVAL, wrong));
    uint64_t number = region_number(*address);
    host_lock(&process->mutex);
    int error = load_relaxed(&process->state) == PROCESS_OPEN ? 0 : ESRCH;
    if (!error && anywhere && !find_free_region(process, &number))
        error = ENOMEM;
    if (!error)
        error = regions_reserve(&process->regions, 1);
    if (!error)
        replace_region(process, number, tag(segment, key, true));
    host_unlock(&process->mutex);
    if (error == ESRCH)
        return fail(operation,
                    outcome_failure(XMEM_FAILURE_PEER_GONE, ESRCH, "the process was closed"));
    if (error)
        return fail(operation, outcome_failure(XMEM_FAILURE_NO_MEMORY, ENOMEM,
                                               "no region of the process is free, or no memory"));
    *address = number << REGION_SHIFT;
    return 0;
}

static int attach_handle(const char *operation, struct xmem_process *process, xmem_handle_t handle,
                         bool anywhere, uint64_t *address)
{
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    struct segment *segment = segment_find(xmem_handle_segment(handle));
    if (!segment) {
        error = fail_handle(operation);
    } else if (!anywhere && *address >= meant->limit) {
        error = fail_argument(operation, "the address is not in the address space");
    } else {
        error = attach_segment(operation, meant, segment, (unsigned)xmem_handle_key(handle),
                               anywhere, address);
    }
    if (error && segment)
        segment_drop(segment);
    process_drop(meant);
    return error;
}

EXPORT int xmem_region_attach(struct xmem_process *process, xmem_handle_t handle, uint64_t *address)
{
    static const char operation[] = "xmem_region_attach";
    if (!address)
        return fail_argument(operation, "there must be a place for the result");
    uint64_t chosen = 0;
    int error = attach_handle(operation, process, handle, true, &chosen);
    if (!error)
        *address = chosen;
    return error;
}

EXPORT int xmem_region_attach_at(struct xmem_process *process, xmem_handle_t handle,
                                 uint64_t address)
{
    return attach_handle("xmem_region_attach_at", process, handle, false, &address);
}

EXPORT int xmem_region_detach(struct xmem_process *process, uint64_t address)
{
    static const char operation[] = "xmem_region_detach";
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    host_lock(&meant->mutex);
    bool attached = address < meant->limit && (process_region(meant, address) & TAG_ATTACHED) != 0;
    if (attached)
        replace_region(meant, region_number(address), 0);
    host_unlock(&meant->mutex);
    process_drop(meant);
    return attached ? 0 : fail_argument(operation, "no segment is attached over that address");
}

/* The handle of what is mapped at the address, with a reference of the segment when `hold`. */
static struct segment *look_up(const struct xmem_process *process, uint64_t address, bool hold,
                               xmem_handle_t *handle)
{
    read_section_enter();
    tagged_segment tagged = process_region(process, address);
    struct segment *segment = tagged_pointer(tagged);
    if (segment) {
        *handle = xmem_handle(segment_identity(segment), (int)tagged_key(tagged));
        if (hold)
            segment_hold(segment);
    }
    read_section_leave();
    return segment;
}

static int hold_handle(const char *operation, struct segment *segment, uint64_t address,
                       xmem_handle_t handle)
{
    int error = hold_add(segment, address, handle);
    if (!error)
        return 0;
    segment_drop(segment);
    return error == ENOMEM ? fail_no_memory(operation) : fail_handle(operation);
}

EXPORT int xmem_region_handle(struct xmem_process *process, uint64_t address, int hold,
                              xmem_handle_t *handle)
{
    static const char operation[] = "xmem_region_handle";
    int error = hold ? thread_process_only(operation) : thread_any(operation);
    if (error)
        return error;
    struct xmem_process *meant = process ? process : thread_state.current;
    if (!meant || !handle || address >= meant->limit)
        return fail_argument(operation, "no process, no place for the result, or an address "
                                        "outside the address space");
    xmem_handle_t found = 0;
    struct segment *segment = look_up(meant, address, hold != 0, &found);
    if (!segment)
        return fail(operation, outcome_at(XMEM_FAILURE_NO_MAPPING, EINVAL, address,
                                          "nothing is mapped in that region"));
    error = hold ? hold_handle(operation, segment, address, found) : 0;
    if (!error)
        *handle = found;
    return error;
}

EXPORT int xmem_region_release(uint64_t address, xmem_handle_t handle)
{
    static const char operation[] = "xmem_region_release";
    int error = thread_process_only(operation);
    if (error)
        return error;
    return hold_remove(address, handle)
               ? 0
               : fail_argument(operation, "no handle was held with this address and value");
}
