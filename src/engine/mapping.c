/* SPDX-License-Identifier: MIT */
/*
 * Mapping, protecting and unmapping pages of a process.
 *
 * Each service works in two passes under the process's mutex: the first checks every page and gets
 * everything that can run out, the second cannot fail.  So all of a range changes or none of it.
 * Protect and unmap end with a grace period: when they return, no copy that began under the old
 * state is running.
 */
#include "engine/failure.h"
#include "engine/holds.h"
#include "engine/pieces.h"
#include "engine/process.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "host/read_section.h"
#include "segments/imported.h"

#include <errno.h>

/* The numbers of <sys/mman.h>, which is not for this layer. */
#define PROTECTION_READ 1
#define PROTECTION_WRITE 2
#define PROTECTION_EXECUTE 4

static bool valid_protection(int prot)
{
    return (prot & ~(PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE)) == 0;
}

/* Write authority includes reading, as on the page tables of every processor we know. */
static uint8_t authority_of(int prot)
{
    if (prot & PROTECTION_WRITE)
        return PAGE_READ | PAGE_WRITE;
    return prot & (PROTECTION_READ | PROTECTION_EXECUTE) ? PAGE_READ : 0;
}

static const char *bad_range(const struct xmem_process *process, uint64_t address, uint64_t length,
                             int prot)
{
    if (!page_aligned(address) || !page_aligned(length) || length == 0)
        return "address and length must be multiples of the page size, and length not 0";
    if (!range_within(address, length, process->limit))
        return "the range leaves the address space";
    if (!valid_protection(prot))
        return "prot must be made of PROT_READ, PROT_WRITE and PROT_EXEC";
    return NULL;
}

/* ---- map ---- */

struct mapping {
    const char *operation;
    struct xmem_process *process;
    uint64_t address;
    uint64_t length;
    uint8_t state; /* of the new pages */
    /* Segments that this call created and that no region shows yet, by region in order. */
    struct segment **fresh;
    uint64_t first_number;
    uint32_t regions;
    struct import_share *share; /* NULL: working storage */
    uint64_t offset;
};

static struct segment *segment_for(const struct mapping *mapping, const struct piece *piece)
{
    struct segment *fresh = mapping->fresh[piece->number - mapping->first_number];
    return fresh ? fresh : tagged_pointer(process_region(mapping->process, piece->address));
}

static struct outcome check_free(const struct mapping *mapping)
{
    struct page_range range = {mapping->address, mapping->length};
    struct piece piece;
    while (next_piece(&range, &piece)) {
        tagged_segment tagged = process_region(mapping->process, piece.address);
        if (!tagged)
            continue;
        if ((tagged & TAG_ATTACHED) ||
            !segment_pages_none(tagged_pointer(tagged), piece.first, piece.count, PAGE_MAPPED))
            return outcome_at(XMEM_FAILURE_BUSY, EEXIST, piece.address,
                              "a page of this range is mapped, or a segment is attached over it; "
                              "unmap or detach it first");
    }
    return OUTCOME_SUCCESS;
}

static int lock_piece(const struct mapping *mapping, struct segment *segment,
                      const struct piece *piece)
{
    if (!settings.lock_memory || mapping->share)
        return 0;
    return segment_lock_pages(segment, piece->first, piece->count);
}

static int import_piece(const struct mapping *mapping, struct segment *segment,
                        const struct piece *piece)
{
    if (!mapping->share)
        return 0;
    return import_map(segment, piece->first, piece->count, mapping->share,
                      mapping->offset + (piece->address - mapping->address));
}

/* Everything that can fail for one piece. */
static int prepare_piece(struct mapping *mapping, const struct piece *piece)
{
    if (!process_region(mapping->process, piece->address)) {
        int error = segment_create(&mapping->process->mutex,
                                   &mapping->fresh[piece->number - mapping->first_number]);
        if (error)
            return error;
    }
    struct segment *segment = segment_for(mapping, piece);
    int error = segment_prepare_pages(segment, piece->first, piece->count);
    if (!error)
        error = segment_clear_lingering(segment, piece->first, piece->count);
    if (!error)
        error = lock_piece(mapping, segment, piece);
    return error ? error : import_piece(mapping, segment, piece);
}

/* Gives back what prepare_piece() got for the pieces up to `last` and for that one. */
static void undo_pieces(struct mapping *mapping, const struct piece *last)
{
    struct page_range range = {mapping->address, mapping->length};
    struct piece piece;
    while (next_piece(&range, &piece)) {
        struct segment *segment = segment_for(mapping, &piece);
        if (segment) {
            segment_unlock_pages(segment, piece.first, piece.count);
            (void)segment_clear_lingering(segment, piece.first, piece.count);
        }
        if (piece.number == last->number)
            break;
    }
    for (uint32_t at = 0; at < mapping->regions; at++)
        if (mapping->fresh[at])
            segment_drop(mapping->fresh[at]);
}

static int prepare_pieces(struct mapping *mapping)
{
    int error = regions_reserve(&mapping->process->regions, mapping->regions);
    if (error)
        return error;
    struct page_range range = {mapping->address, mapping->length};
    struct piece piece;
    while (next_piece(&range, &piece)) {
        error = prepare_piece(mapping, &piece);
        if (error) {
            undo_pieces(mapping, &piece);
            return error;
        }
    }
    return 0;
}

static void publish_pieces(struct mapping *mapping)
{
    struct page_range range = {mapping->address, mapping->length};
    struct piece piece;
    while (next_piece(&range, &piece)) {
        segment_set_pages(segment_for(mapping, &piece), piece.first, piece.count, mapping->state);
        struct segment *fresh = mapping->fresh[piece.number - mapping->first_number];
        if (fresh)
            regions_set(mapping->process->regions, piece.number, tag(fresh, XMEM_KEY_USER, false));
    }
    process_count_pages((int64_t)(mapping->length >> PAGE_SHIFT));
}

static struct outcome map_locked(struct mapping *mapping)
{
    if (load_relaxed(&mapping->process->state) != PROCESS_OPEN)
        return outcome_failure(XMEM_FAILURE_PEER_GONE, ESRCH, "the process was closed");
    struct outcome outcome = check_free(mapping);
    if (outcome.cause)
        return outcome;
    int error = prepare_pieces(mapping);
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return outcome_at(XMEM_FAILURE_NO_MEMORY, error, mapping->address,
                          "no memory, mapping or descriptor is left for it");
    if (error && mapping->share)
        return outcome_at(error == ENODEV ? XMEM_FAILURE_KIND : XMEM_FAILURE_PERMISSION, error,
                          mapping->address, "the Linux kernel refused to map the file there");
    if (error)
        return outcome_at(XMEM_FAILURE_PERMISSION, error, mapping->address,
                          "the Linux kernel refused to lock it, as lock_memory asks; raise "
                          "RLIMIT_MEMLOCK");
    publish_pieces(mapping);
    return OUTCOME_SUCCESS;
}

static int map_pages(struct mapping *mapping)
{
    uint64_t last = mapping->address + (mapping->length - 1);
    mapping->first_number = region_number(mapping->address);
    uint64_t regions = region_number(last) - mapping->first_number + 1;
    if (regions > segments_most())
        return fail_no_memory(mapping->operation);
    mapping->regions = (uint32_t)regions;
    mapping->fresh = host_allocate(mapping->regions * sizeof(*mapping->fresh));
    if (!mapping->fresh)
        return fail_no_memory(mapping->operation);
    host_lock(&mapping->process->mutex);
    struct outcome outcome = map_locked(mapping);
    host_unlock(&mapping->process->mutex);
    host_free(mapping->fresh);
    if (!outcome.cause)
        return 0;
    return fail_move(mapping->operation, outcome, process_kind_words(mapping->process),
                     mapping->process->pid, mapping->length);
}

static int map_working(const char *operation, struct xmem_process *process, uint64_t address,
                       uint64_t length, int prot)
{
    if (process->kind != PROCESS_EMBEDDED)
        return fail(operation, outcome_failure(XMEM_FAILURE_KIND, ENOTSUP,
                                               "working storage can be mapped into embedded "
                                               "processes only"));
    const char *wrong = bad_range(process, address, length, prot);
    if (wrong)
        return fail_argument(operation, wrong);
    struct mapping mapping = {
        .operation = operation,
        .process = process,
        .address = address,
        .length = length,
        .state = PAGE_MAPPED | PAGE_RESIDENT | PAGE_PRIVILEGED_WRITE | authority_of(prot),
    };
    return map_pages(&mapping);
}

EXPORT int xmem_process_map(struct xmem_process *process, uint64_t address, uint64_t length,
                            int prot)
{
    static const char operation[] = "xmem_process_map";
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    error = map_working(operation, meant, address, length, prot);
    process_drop(meant);
    return error;
}

static int refuse_file(const char *operation, int error)
{
    const char *detail = error == EBADF ? "the descriptor is not open"
                                        : "the Linux kernel does not map such a descriptor";
    if (error == EACCES)
        detail = "the descriptor does not allow what prot asks for; open the file for that, or "
                 "map it read-only";
    else if (error == ENOTSUP)
        detail =
            "the file is served by a program (FUSE), which could keep us waiting for ever, or "
            "consists of huge pages, of which no part can be mapped; copy it into a memfd first";
    else if (error == EMFILE || error == ENFILE)
        detail = "no file descriptor is free; raise RLIMIT_NOFILE";
    enum xmem_failure_class cause =
        error == ENOTSUP || error == ENODEV ? XMEM_FAILURE_KIND : XMEM_FAILURE_PERMISSION;
    return fail(operation, outcome_failure(cause, error, detail));
}

static int map_file(const char *operation, struct xmem_process *process, uint64_t address,
                    uint64_t length, int prot, int fd, uint64_t offset)
{
    if (process->kind == PROCESS_KERNEL)
        return fail(operation, outcome_failure(XMEM_FAILURE_KIND, ENOTSUP,
                                               "this program's own memory takes no imports; use "
                                               "mmap"));
    const char *wrong = bad_range(process, address, length, prot);
    if (!wrong && (!page_aligned(offset) || !range_within(offset, length, INT64_MAX)))
        wrong = "offset must be a multiple of the page size, and the range must end below 2^63";
    if (wrong)
        return fail_argument(operation, wrong);
    struct host_file file;
    int error = host_file_hold(fd, prot & PROTECTION_WRITE, offset + length, &file);
    if (error)
        return refuse_file(operation, error);
    struct mapping mapping = {
        .operation = operation,
        .process = process,
        .address = address,
        .length = length,
        .offset = offset,
        .state = (uint8_t)(PAGE_MAPPED | PAGE_RESIDENT | authority_of(prot) |
                           (file.can_write ? PAGE_PRIVILEGED_WRITE : 0) |
                           (file.can_vanish ? PAGE_GUARDED : 0)),
    };
    error = import_share_create(&file, &mapping.share);
    if (error) {
        host_close(file.descriptor);
        return fail_no_memory(operation);
    }
    error = map_pages(&mapping);
    import_share_drop(mapping.share);
    return error;
}

EXPORT int xmem_process_map_fd(struct xmem_process *process, uint64_t address, uint64_t length,
                               int prot, int fd, uint64_t offset)
{
    static const char operation[] = "xmem_process_map_fd";
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    error = map_file(operation, meant, address, length, prot, fd, offset);
    process_drop(meant);
    return error;
}

/* ---- protect and unmap ---- */

/* Every page is mapped, and none belongs to an attached segment; for write authority, none to a
 * read-only file. */
static struct outcome check_mapped(struct xmem_process *process, uint64_t address, uint64_t length,
                                   uint8_t authority)
{
    struct page_range range = {address, length};
    struct piece piece;
    while (next_piece(&range, &piece)) {
        tagged_segment tagged = process_region(process, piece.address);
        struct segment *segment = tagged_pointer(tagged);
        if (tagged & TAG_ATTACHED)
            return outcome_at(XMEM_FAILURE_ARGUMENT, EINVAL, piece.address,
                              "a segment is attached there; it is detached as a whole, by "
                              "xmem_region_detach()");
        if (!segment || !segment_pages_all(segment, piece.first, piece.count, PAGE_MAPPED))
            return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, piece.address,
                              "a page of the range is not mapped");
        if ((authority & PAGE_WRITE) &&
            !segment_pages_all(segment, piece.first, piece.count, PAGE_PRIVILEGED_WRITE))
            return outcome_at(XMEM_FAILURE_NO_AUTHORITY, EACCES, piece.address,
                              "the file of an imported page was opened read-only");
    }
    return OUTCOME_SUCCESS;
}

static struct outcome protect_locked(struct xmem_process *process, uint64_t address,
                                     uint64_t length, uint8_t authority)
{
    struct outcome outcome = check_mapped(process, address, length, authority);
    if (outcome.cause)
        return outcome;
    struct page_range range = {address, length};
    struct piece piece;
    while (next_piece(&range, &piece))
        segment_set_authority(tagged_pointer(process_region(process, piece.address)), piece.first,
                              piece.count, authority);
    read_section_wait();
    return outcome;
}

/* The region's last page goes: the segment with it, unless somebody holds it. */
static void unmap_whole(struct xmem_process *process, struct segment *segment, uint64_t number)
{
    regions_set(process->regions, number, 0);
    segment_delete_unless_held(segment);
}

static void unmap_piece(struct xmem_process *process, const struct piece *piece)
{
    struct segment *segment = tagged_pointer(process_region(process, piece->address));
    if (segment->pages == piece->count)
        unmap_whole(process, segment, piece->number);
    else
        segment_unmap_pages(segment, piece->first, piece->count);
}

static void free_piece(struct segment *segment, const struct piece *piece)
{
    segment_unlock_pages(segment, piece->first, piece->count);
    segment_tidy(segment);
}

/* The segments that a range touches, so that they can be found after they left their regions. */
struct touched {
    struct segment **segments;
    uint32_t count;
};

static bool touch(struct touched *touched, struct xmem_process *process, uint64_t address,
                  uint64_t length)
{
    uint64_t regions = region_number(address + (length - 1)) - region_number(address) + 1;
    touched->count = 0;
    touched->segments = host_allocate(regions * sizeof(*touched->segments));
    if (!touched->segments)
        return false;
    struct page_range range = {address, length};
    struct piece piece;
    while (next_piece(&range, &piece))
        touched->segments[touched->count++] =
            tagged_pointer(process_region(process, piece.address));
    return true;
}

static void finish_unmap(struct xmem_process *process, const struct touched *touched,
                         uint64_t address, uint64_t length)
{
    struct page_range range = {address, length};
    struct piece piece;
    for (uint32_t at = 0; next_piece(&range, &piece); at++) {
        struct segment *segment = touched->segments[at];
        if (tagged_pointer(process_region(process, piece.address)) == segment)
            free_piece(segment, &piece);
        else
            segment_drop(segment); /* the region's reference */
    }
}

static struct outcome unmap_locked(struct xmem_process *process, uint64_t address, uint64_t length)
{
    struct outcome outcome = check_mapped(process, address, length, 0);
    if (outcome.cause)
        return outcome;
    struct touched touched;
    if (!touch(&touched, process, address, length))
        return outcome_failure(XMEM_FAILURE_NO_MEMORY, ENOMEM, "the program is out of memory");
    struct page_range range = {address, length};
    struct piece piece;
    while (next_piece(&range, &piece))
        unmap_piece(process, &piece);
    process_count_pages(-(int64_t)(length >> PAGE_SHIFT));
    read_section_wait();
    finish_unmap(process, &touched, address, length);
    host_free(touched.segments);
    return outcome;
}

static int change(const char *operation, struct xmem_process *process, uint64_t address,
                  uint64_t length, int prot, bool unmap)
{
    if (process->kind == PROCESS_KERNEL)
        return fail(operation, outcome_failure(XMEM_FAILURE_KIND, ENOTSUP,
                                               "this program's own memory is not mapped by xmem"));
    const char *wrong = bad_range(process, address, length, prot);
    if (wrong)
        return fail_argument(operation, wrong);
    host_lock(&process->mutex);
    struct outcome outcome = unmap ? unmap_locked(process, address, length)
                                   : protect_locked(process, address, length, authority_of(prot));
    host_unlock(&process->mutex);
    if (!outcome.cause)
        return 0;
    return fail_move(operation, outcome, process_kind_words(process), process->pid, length);
}

static int change_argument(const char *operation, struct xmem_process *process, uint64_t address,
                           uint64_t length, int prot, bool unmap)
{
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    error = change(operation, meant, address, length, prot, unmap);
    process_drop(meant);
    return error;
}

EXPORT int xmem_process_protect(struct xmem_process *process, uint64_t address, uint64_t length,
                                int prot)
{
    return change_argument("xmem_process_protect", process, address, length, prot, false);
}

EXPORT int xmem_process_unmap(struct xmem_process *process, uint64_t address, uint64_t length)
{
    return change_argument("xmem_process_unmap", process, address, length, 0, true);
}

EXPORT int xmem_page_out(struct xmem_process *process, uint64_t address, uint64_t length)
{
    static const char operation[] = "xmem_page_out";
    (void)process;
    (void)address;
    (void)length;
    int error = thread_process_only(operation);
    if (error)
        return error;
    return fail(operation,
                outcome_failure(XMEM_FAILURE_KIND, ENOTSUP, "this version does not page"));
}
