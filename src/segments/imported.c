/* SPDX-License-Identifier: MIT */
/*
 * Imported pages; imported.h says what they are.
 *
 * A share is one duplicate of the file's descriptor, counted by the imports that use it: one map
 * call may span regions, and a part of an import may be replaced.
 */
#include "segments/imported.h"

#include "host/read_section.h"
#include "segments/arena.h"

#include <errno.h>

struct import_share {
    uint32_t references;
    struct host_file file;
};

int import_share_create(const struct host_file *file, struct import_share **created)
{
    struct import_share *share = host_allocate(sizeof(*share));
    if (!share)
        return ENOMEM;
    share->references = 1;
    share->file = *file;
    *created = share;
    return 0;
}

void import_share_drop(struct import_share *share)
{
    if (sub_fetch(&share->references, 1) != 0)
        return;
    host_close(share->file.descriptor);
    host_free(share);
}

static struct import *import_create(uint32_t first, uint32_t count, struct import_share *share,
                                    uint64_t offset)
{
    struct import *import = host_allocate(sizeof(*import));
    if (!import)
        return NULL;
    add_fetch(&share->references, 1);
    import->first = first;
    import->count = count;
    import->offset = offset;
    import->share = share;
    import->file = share->file;
    return import;
}

static void import_destroy(struct import *import)
{
    if (!import)
        return;
    import_share_drop(import->share);
    host_free(import);
}

static void publish(struct segment *segment, struct import *import)
{
    import->next = segment->imports;
    store_release(&segment->imports, import);
}

int import_map(struct segment *segment, uint32_t first, uint32_t count, struct import_share *share,
               uint64_t offset)
{
    struct import *import = import_create(first, count, share, offset);
    if (!import)
        return ENOMEM;
    /* Listed, and its pages lingering, before the windows change: should they have to be given
     * back and that fail, it is tried again before the pages are used for anything else. */
    segment_mark_lingering(segment, first, count);
    publish(segment, import);
    uint64_t at = (uint64_t)first << PAGE_SHIFT;
    uint64_t size = (uint64_t)count << PAGE_SHIFT;
    int error = host_file_map(&import->file, offset, size, segment->window + at);
    return error ? error : host_file_map(&import->file, offset, size, segment->direct + at);
}

/* What is left of an import on one side of the cleared pages. */
static int remainder_of(const struct import *import, uint32_t first, uint32_t end,
                        struct import **rest)
{
    *rest = NULL;
    if (first >= end)
        return 0;
    uint64_t offset = import->offset + ((uint64_t)(first - import->first) << PAGE_SHIFT);
    *rest = import_create(first, end - first, import->share, offset);
    return *rest ? 0 : ENOMEM;
}

static int clear_one(struct segment *segment, struct import **link, uint32_t first, uint32_t end)
{
    struct import *import = *link;
    uint32_t import_end = import->first + import->count;
    uint32_t from = first > import->first ? first : import->first;
    uint32_t to = end < import_end ? end : import_end;
    struct import *before;
    struct import *after;
    int error = remainder_of(import, import->first, from, &before);
    if (error)
        return error;
    error = remainder_of(import, to, import_end, &after);
    if (!error)
        error = slot_remap(segment, from, to - from);
    if (error) {
        import_destroy(before);
        import_destroy(after);
        return error;
    }
    store_release(link, import->next);
    if (before)
        publish(segment, before);
    if (after)
        publish(segment, after);
    read_section_wait();
    import_destroy(import);
    return 0;
}

static struct import **find_overlap(struct segment *segment, uint32_t first, uint32_t end)
{
    for (struct import **link = &segment->imports; *link; link = &(*link)->next)
        if ((*link)->first < end && first < (*link)->first + (*link)->count)
            return link;
    return NULL;
}

int import_clear(struct segment *segment, uint32_t first, uint32_t count)
{
    struct import **link;
    while ((link = find_overlap(segment, first, first + count))) {
        int error = clear_one(segment, link, first, first + count);
        if (error)
            return error;
    }
    return 0;
}

void import_forget(struct segment *segment)
{
    while (segment->imports) {
        struct import *import = segment->imports;
        if (slot_remap(segment, import->first, import->count) != 0)
            segment->foreign_windows = true;
        segment->imports = import->next;
        import_destroy(import);
    }
}

static struct outcome cause_of(const struct import *import, uint64_t segment_offset)
{
    uint64_t offset = import->offset + (segment_offset - ((uint64_t)import->first << PAGE_SHIFT));
    switch (host_file_fault_cause(import->file.descriptor, offset)) {
    case HOST_FILE_TRUNCATED:
        return outcome_failure(XMEM_FAILURE_IO, EIO,
                               "the imported file ends before this page; it was truncated, or was "
                               "never that long");
    case HOST_FILE_FULL:
        return outcome_failure(XMEM_FAILURE_NO_SPACE, ENOSPC,
                               "the imported file's file system is full; free some space on it");
    case HOST_FILE_FAILED:
        break;
    }
    return outcome_failure(XMEM_FAILURE_IO, EIO,
                           "the storage behind the imported file failed; see the system log");
}

static const struct import *import_of(struct segment *segment, uint32_t page)
{
    for (struct import *import = load_acquire(&segment->imports); import;
         import = load_acquire(&import->next))
        if (page - import->first < import->count)
            return import;
    return NULL;
}

size_t import_resident(struct segment *segment, uint64_t segment_offset, size_t n)
{
    uint32_t first = page_number(segment_offset);
    uint32_t last = page_number(segment_offset + n - 1);
    for (uint32_t page = first; page <= last; page++) {
        const struct import *import = import_of(segment, page);
        uint64_t at = (uint64_t)page << PAGE_SHIFT;
        if (import && import->file.can_wait &&
            !host_pages_resident(segment->window + at, XMEM_PAGE_SIZE))
            return page == first ? 0 : (size_t)(at - segment_offset);
    }
    return n;
}

struct outcome import_fault(struct segment *segment, uint64_t segment_offset)
{
    const struct import *import = import_of(segment, page_number(segment_offset));
    if (import)
        return cause_of(import, segment_offset);
    return outcome_failure(XMEM_FAILURE_IO, EIO, "the storage behind the page failed");
}
