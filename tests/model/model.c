/* SPDX-License-Identifier: MIT */
/*
 * The reference model of address spaces, segments and descriptors; model.h says what it is.
 */
#include "model_parts.h"

#include <stdlib.h>

void *allocate(size_t count, size_t size)
{
    void *pointer = calloc(count, size);
    if (!pointer)
        abort();
    return pointer;
}

struct model *model_new(void)
{
    return allocate(1, sizeof(struct model));
}

static void pages_free(struct model_page *pages, size_t count)
{
    for (size_t at = 0; at < count; at++)
        free(pages[at].bytes);
    free(pages);
}

size_t model_next_page(const struct model_segment *segment, size_t page)
{
    while (page < PAGES_PER_REGION && !segment->touched[page / CHUNK_OF_PAGES])
        page = (page / CHUNK_OF_PAGES + 1) * CHUNK_OF_PAGES;
    return page;
}

static void segments_free(struct model_segment *segment)
{
    while (segment) {
        struct model_segment *next = segment->next;
        for (size_t page = model_next_page(segment, 0); page < PAGES_PER_REGION;
             page = model_next_page(segment, page + 1))
            free(segment->pages[page].bytes);
        free(segment->pages);
        free(segment);
        segment = next;
    }
}

static void processes_free(struct model_process *process)
{
    while (process) {
        struct model_process *next = process->next;
        if (process->kernel_memory)
            pages_free(process->kernel_memory, process->kernel_pages);
        free(process);
        process = next;
    }
}

void model_free(struct model *model)
{
    segments_free(model->segments);
    processes_free(model->all_processes);
    while (model->attaches) {
        struct model_attach *next = model->attaches->next;
        free(model->attaches);
        model->attaches = next;
    }
    free(model);
}

struct model_process *model_current(const struct model *model)
{
    return model->nested ? model->nesting[model->nested - 1] : NULL;
}

/* ---- looking ---- */

uint64_t model_space_size(const struct model_process *process)
{
    if (process->is_kernel)
        return UINT64_C(1) << 47;
    return process->bits == 32 ? UINT64_C(1) << 32 : SIZE_OF_64_BIT_SPACE;
}

bool in_space(const struct model_process *process, uint64_t address, uint64_t length)
{
    uint64_t limit = model_space_size(process);
    return address <= limit && length <= limit - address;
}

bool model_page_present(const struct model_page *page)
{
    return !page->file || page->file_page < page->file->pages;
}

unsigned char *model_page_bytes(struct model_page *page)
{
    if (page->file)
        return page->file->bytes + (size_t)page->file_page * PAGE;
    if (!page->bytes)
        page->bytes = allocate(1, PAGE);
    return page->bytes;
}

struct model_page *model_segment_page(struct model_segment *segment, uint64_t offset)
{
    return &segment->pages[offset / PAGE];
}

struct model_region *model_region_of(struct model_process *process, uint64_t address)
{
    for (unsigned at = 0; at < REGIONS_MOST; at++)
        if (process->regions[at].segment && process->regions[at].number == address / REGION)
            return &process->regions[at];
    return NULL;
}

static struct place nowhere(enum xmem_failure_class failure_class)
{
    return (struct place){.failure_class = failure_class};
}

static struct place in_segment(struct model_segment *segment, int key, uint64_t address)
{
    if (segment->deleted)
        return nowhere(XMEM_FAILURE_DELETED);
    struct model_page *page = model_segment_page(segment, address % REGION);
    if (!page->mapped)
        return nowhere(XMEM_FAILURE_NO_MAPPING);
    return (struct place){page, key, XMEM_FAILURE_NONE};
}

static struct place in_kernel(struct model_process *kernel, uint64_t address)
{
    uint64_t page = (address - kernel->kernel_base) / PAGE;
    if (page >= kernel->kernel_pages || !kernel->kernel_memory[page].mapped)
        return nowhere(XMEM_FAILURE_NO_MAPPING);
    return (struct place){&kernel->kernel_memory[page], XMEM_KEY_USER, XMEM_FAILURE_NONE};
}

struct place in_process(struct model_process *process, uint64_t address)
{
    if (process->is_kernel)
        return in_kernel(process, address);
    struct model_region *region = model_region_of(process, address);
    if (!region)
        return nowhere(XMEM_FAILURE_NO_MAPPING);
    return in_segment(region->segment, region->key, address);
}

static struct place in_attach(const struct model_attach *attach, uint64_t address)
{
    if (attach->process->is_kernel)
        return in_kernel(attach->process, address);
    uint64_t region = address / REGION - attach->base / REGION;
    return in_segment(attach->regions[region].segment, attach->regions[region].key, address);
}

struct place locate(const struct view *view, uint64_t address)
{
    return view->process ? in_process(view->process, address) : in_attach(view->attach, address);
}

enum xmem_failure_class refused(const struct place *place, enum access access)
{
    if (!place->page)
        return place->failure_class;
    const struct model_page *page = place->page;
    bool all = place->key == XMEM_KEY_ALL;
    bool read = all || (page->authority & PROT_READ);
    bool write = all ? page->privileged_write : (page->authority & PROT_WRITE) != 0;
    if ((access != ACCESS_WRITE && !read) || (access != ACCESS_READ && !write))
        return XMEM_FAILURE_NO_AUTHORITY;
    return model_page_present(page) ? XMEM_FAILURE_NONE : XMEM_FAILURE_IO;
}

int error_of(enum xmem_failure_class failure_class)
{
    return failure_class == XMEM_FAILURE_NONE ? 0 : failure_class == XMEM_FAILURE_IO ? EIO : EFAULT;
}

bool in_bounds(const struct view *view, uint64_t address, uint64_t n)
{
    if (view->process)
        return in_space(view->process, address, n);
    uint64_t offset = address - view->attach->base;
    return offset <= view->attach->length && n <= view->attach->length - offset;
}

bool is_kernel(const struct view *view)
{
    return (view->process ? view->process : view->attach->process)->is_kernel;
}

/* ---- processes ---- */

struct model_process *model_process_new(struct model *model, unsigned bits)
{
    struct model_process *process = allocate(1, sizeof(*process));
    process->bits = bits;
    process->next = model->all_processes;
    model->all_processes = process;
    return process;
}

struct model_process *model_kernel_new(struct model *model, uint64_t base, size_t pages)
{
    struct model_process *kernel = model_process_new(model, 64);
    kernel->is_kernel = true;
    kernel->kernel_base = base;
    kernel->kernel_pages = pages;
    kernel->kernel_memory = allocate(pages, sizeof(struct model_page));
    model->kernel = kernel;
    return kernel;
}

struct model_segment *model_segment_new(struct model *model, bool is_private)
{
    struct model_segment *segment = allocate(1, sizeof(*segment));
    segment->pages = allocate(PAGES_PER_REGION, sizeof(struct model_page));
    segment->is_private = is_private;
    segment->next = model->segments;
    model->segments = segment;
    return segment;
}

static void delete_unless_held(struct model_segment *segment)
{
    if (segment->holds)
        segment->doomed = true;
    else
        segment->deleted = true;
}

void model_release(struct model_segment *segment)
{
    if (--segment->holds == 0 && segment->doomed)
        segment->deleted = true;
}

static void region_free(struct model_region *region)
{
    if (!region->attached)
        delete_unless_held(region->segment);
    region->segment = NULL;
}

void model_process_close(struct model_process *process)
{
    for (unsigned at = 0; at < REGIONS_MOST; at++)
        if (process->regions[at].segment)
            region_free(&process->regions[at]);
    process->closed = true;
}

static bool valid_pages(const struct model_process *process, uint64_t address, uint64_t length)
{
    return address % PAGE == 0 && length % PAGE == 0 && length != 0 &&
           in_space(process, address, length);
}

static bool valid_prot(int prot)
{
    return (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) == 0;
}

static uint8_t authority_of(int prot)
{
    if (prot & PROT_WRITE)
        return PROT_READ | PROT_WRITE;
    return prot & (PROT_READ | PROT_EXEC) ? PROT_READ : 0;
}

static bool range_has_attached(struct model_process *process, uint64_t address, uint64_t length)
{
    for (unsigned at = 0; at < REGIONS_MOST; at++) {
        const struct model_region *region = &process->regions[at];
        if (region->segment && region->attached && region->number >= address / REGION &&
            region->number <= (address + length - 1) / REGION)
            return true;
    }
    return false;
}

/* Regions that exist are few, ranges may be long: pages are counted region by region. */
static uint64_t count_mapped(struct model_process *process, uint64_t address, uint64_t length)
{
    uint64_t mapped = 0;
    for (unsigned at = 0; at < REGIONS_MOST; at++) {
        const struct model_region *region = &process->regions[at];
        for (size_t page = region->segment ? model_next_page(region->segment, 0) : PAGES_PER_REGION;
             page < PAGES_PER_REGION; page = model_next_page(region->segment, page + 1)) {
            uint64_t user = region->number * REGION + page * PAGE;
            if (user >= address && user - address < length)
                mapped += region->segment->pages[page].mapped;
        }
    }
    return mapped;
}

static struct model_region *region_make(struct model *model, struct model_process *process,
                                        uint64_t address)
{
    struct model_region *region = model_region_of(process, address);
    for (unsigned at = 0; !region && at < REGIONS_MOST; at++)
        if (!process->regions[at].segment)
            region = &process->regions[at];
    if (!region)
        abort(); /* the generator knows few addresses */
    if (!region->segment)
        *region = (struct model_region){.number = address / REGION,
                                        .segment = model_segment_new(model, true),
                                        .key = XMEM_KEY_USER};
    return region;
}

/* A page that is mapped anew: zero-filled. */
static struct model_page *page_renew(struct model_segment *segment, uint64_t offset)
{
    struct model_page *page = model_segment_page(segment, offset);
    segment->touched[offset / PAGE / CHUNK_OF_PAGES] = true;
    segment->mapped++;
    free(page->bytes);
    uint32_t pins = page->pins;
    bool pins_open = page->pins_open;
    *page = (struct model_page){.mapped = true, .pins = pins, .pins_open = pins_open};
    return page;
}

static void note(struct model_process *process, uint64_t address, uint64_t length)
{
    unsigned at = process->noted++ % NOTES_MOST;
    process->notes[at].address = address;
    process->notes[at].length = length;
}

static struct expected check_map(struct model_process *process, uint64_t address, uint64_t length,
                                 int prot)
{
    if (process->closed)
        return some_failure();
    if (process->is_kernel)
        return failure(ENOTSUP, XMEM_FAILURE_KIND);
    if (!valid_pages(process, address, length) || !valid_prot(prot))
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    if (range_has_attached(process, address, length))
        return some_failure();
    if (count_mapped(process, address, length) != 0)
        return failure(EEXIST, XMEM_FAILURE_NONE);
    return SUCCESS;
}

struct expected model_map(struct model *model, struct model_process *process, uint64_t address,
                          uint64_t length, int prot)
{
    struct expected expected = check_map(process, address, length, prot);
    if (expected.error)
        return expected;
    for (uint64_t at = address; at != address + length; at += PAGE) {
        struct model_segment *segment = region_make(model, process, at)->segment;
        struct model_page *page = page_renew(segment, at % REGION);
        page->authority = authority_of(prot);
        page->privileged_write = true;
    }
    note(process, address, length);
    return SUCCESS;
}

struct expected model_map_fd(struct model *model, struct model_process *process, uint64_t address,
                             uint64_t length, int prot, struct model_file *file, uint64_t offset)
{
    struct expected expected = check_map(process, address, length, prot);
    bool bad_file = offset % PAGE != 0 || ((prot & PROT_WRITE) && !file->can_write);
    if (expected.error == 0 && offset % PAGE != 0)
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    if (expected.error == 0 && bad_file)
        return failure(EACCES, XMEM_FAILURE_NONE);
    if (expected.error)
        return bad_file ? some_failure() : expected;
    for (uint64_t at = address; at != address + length; at += PAGE) {
        struct model_segment *segment = region_make(model, process, at)->segment;
        struct model_page *page = page_renew(segment, at % REGION);
        page->authority = authority_of(prot);
        page->privileged_write = file->can_write;
        page->file = file;
        page->file_page = (uint32_t)((offset + (at - address)) / PAGE);
    }
    note(process, address, length);
    return SUCCESS;
}

static struct expected check_change(struct model_process *process, uint64_t address,
                                    uint64_t length)
{
    if (process->closed)
        return some_failure();
    if (process->is_kernel)
        return failure(ENOTSUP, XMEM_FAILURE_KIND);
    if (!valid_pages(process, address, length))
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    if (range_has_attached(process, address, length))
        return some_failure();
    if (count_mapped(process, address, length) != length / PAGE)
        return failure(EFAULT, XMEM_FAILURE_NONE);
    return SUCCESS;
}

struct expected model_protect(struct model_process *process, uint64_t address, uint64_t length,
                              int prot)
{
    struct expected expected = check_change(process, address, length);
    if (expected.error == EFAULT && !valid_prot(prot))
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    /* A hole, and perhaps a page of a read-only file too: either may be found first. */
    expected.any_error |= expected.error == EFAULT && (prot & PROT_WRITE);
    if (expected.error)
        return expected;
    if (!valid_prot(prot))
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    for (uint64_t at = address; at != address + length && (prot & PROT_WRITE); at += PAGE)
        if (!in_process(process, at).page->privileged_write)
            return failure(EACCES, XMEM_FAILURE_NONE);
    for (uint64_t at = address; at != address + length; at += PAGE)
        in_process(process, at).page->authority = authority_of(prot);
    return SUCCESS;
}

/* The last page takes the segment with it.  One that is held stays as it was until the release. */
static void unmap_page(struct model_process *process, uint64_t address)
{
    struct model_region *region = model_region_of(process, address);
    struct model_page *page = model_segment_page(region->segment, address % REGION);
    page->mapped = false;
    page->pins_open |= page->pins != 0;
    region->segment->mapped--;
}

static uint64_t region_pages_in(struct model_process *process, uint64_t number, uint64_t address,
                                uint64_t length)
{
    uint64_t pages = 0;
    for (uint64_t at = address; at != address + length; at += PAGE)
        pages += at / REGION == number && in_process(process, at).page != NULL;
    return pages;
}

struct expected model_unmap(struct model_process *process, uint64_t address, uint64_t length)
{
    struct expected expected = check_change(process, address, length);
    if (expected.error)
        return expected;
    for (uint64_t number = address / REGION; number <= (address + length - 1) / REGION; number++) {
        struct model_region *region = model_region_of(process, number * REGION);
        if (region_pages_in(process, number, address, length) == region->segment->mapped) {
            region_free(region);
            continue;
        }
        for (uint64_t at = address; at != address + length; at += PAGE)
            if (at / REGION == number)
                unmap_page(process, at);
    }
    return SUCCESS;
}

void model_file_resize(struct model_file *file, size_t pages)
{
    for (size_t byte = pages * PAGE; byte < file->pages * PAGE; byte++)
        file->bytes[byte] = 0;
    file->pages = pages;
}

/* ---- segments ---- */

struct expected model_segment_create(struct model *model, uint64_t length,
                                     struct model_segment **made)
{
    *made = NULL;
    if (length == 0 || length > REGION)
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    struct model_segment *segment = model_segment_new(model, false);
    for (uint64_t at = 0; at < length; at += PAGE) {
        struct model_page *page = page_renew(segment, at);
        page->authority = PROT_READ | PROT_WRITE;
        page->privileged_write = true;
    }
    *made = segment;
    return SUCCESS;
}

struct expected model_segment_delete(struct model_segment *segment)
{
    if (segment->is_private || segment->deleted || segment->doomed)
        return failure(EINVAL, XMEM_FAILURE_NONE);
    delete_unless_held(segment);
    return SUCCESS;
}

bool model_region_free(const struct model_process *process, uint64_t address)
{
    if (address % REGION != 0 || !in_space(process, address, REGION))
        return false;
    for (unsigned at = 0; at < REGIONS_MOST; at++)
        if (process->regions[at].segment && process->regions[at].number == address / REGION)
            return false;
    return true;
}

bool model_regions_left(const struct model_process *process)
{
    for (uint64_t number = 3; number < 13; number++)
        if (model_region_free(process, number * REGION))
            return true;
    return process->bits != 32;
}

/* Notes where the segment has pages. */
static void note_segment(struct model_process *process, uint64_t base,
                         const struct model_segment *segment)
{
    size_t first = model_next_page(segment, 0);
    while (first < PAGES_PER_REGION && !segment->pages[first].mapped)
        first = model_next_page(segment, first + 1);
    size_t end = first;
    while (end < PAGES_PER_REGION && segment->pages[end].mapped)
        end++;
    if (end > first)
        note(process, base + first * PAGE, (end - first) * PAGE);
}

void model_region_attach(struct model_process *process, struct model_segment *segment, int key,
                         uint64_t address)
{
    struct model_region *region = model_region_of(process, address);
    if (region)
        region_free(region);
    for (unsigned at = 0; at < REGIONS_MOST; at++) {
        if (process->regions[at].segment)
            continue;
        process->regions[at] = (struct model_region){address / REGION, segment, key, true};
        note_segment(process, address / REGION * REGION, segment);
        return;
    }
    abort(); /* the runner keeps the number of regions small */
}

struct expected model_region_detach(struct model_process *process, uint64_t address)
{
    if (process->closed)
        return some_failure();
    if (process->is_kernel)
        return some_failure();
    if (!in_space(process, address, 1))
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    struct model_region *region = model_region_of(process, address);
    if (!region || !region->attached)
        return failure(EINVAL, XMEM_FAILURE_NONE);
    region->segment = NULL;
    return SUCCESS;
}
