/* SPDX-License-Identifier: MIT */
/*
 * The model: cross-memory descriptors, map-ins and pins.
 */
#include "model_parts.h"

#include <stdlib.h>

static bool remember_regions(struct model_attach *attach)
{
    if (attach->process->is_kernel)
        return true;
    uint64_t first = attach->base / REGION;
    uint64_t last = (attach->base + attach->length - 1) / REGION;
    if (last - first >= ATTACH_REGIONS_MOST)
        abort(); /* the generator maps no more than this */
    for (uint64_t number = first; number <= last; number++) {
        struct model_region *region = model_region_of(attach->process, number * REGION);
        attach->regions[number - first].segment = region->segment;
        attach->regions[number - first].key = region->key;
    }
    return true;
}

struct expected model_attach(struct model *model, struct model_process *process, uint64_t address,
                             uint64_t n, struct model_attach **made)
{
    *made = NULL;
    if (process->closed)
        return some_failure();
    if (n == 0)
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    if (!in_space(process, address, n))
        return failure(EFAULT, XMEM_FAILURE_NONE);
    uint64_t first = address / PAGE;
    uint64_t last = (address + n - 1) / PAGE;
    for (uint64_t page = first; page <= last; page++) {
        struct place place = in_process(process, page * PAGE);
        if (!place.page)
            return failure(EFAULT, XMEM_FAILURE_NONE);
    }
    struct model_attach *attach = allocate(1, sizeof(*attach));
    attach->process = process;
    attach->base = address;
    attach->length = n;
    remember_regions(attach);
    attach->next = model->attaches;
    model->attaches = attach;
    *made = attach;
    return SUCCESS;
}

bool model_descriptor_valid(const struct model_descriptor *descriptor)
{
    return descriptor->attach && !descriptor->forged && !descriptor->invalid &&
           !descriptor->attach->detached;
}

static struct view view_of(const struct model_attach *attach)
{
    return (struct view){.attach = (struct model_attach *)(uintptr_t)attach};
}

/* Whether the descriptor's process is gone, and the segments may be reachable all the same. */
static bool attach_closed(const struct model_attach *attach)
{
    return attach->process->closed;
}

struct expected model_map_limit(const struct model_attach *attach, uint64_t address, size_t *n)
{
    uint64_t offset = address - attach->base;
    if (offset >= attach->length)
        return failure(EFAULT, XMEM_FAILURE_NONE);
    uint64_t rest = attach->length - offset;
    uint64_t region = REGION - address % REGION;
    *n = rest < region ? rest : region;
    struct view view = view_of(attach);
    struct place place = locate(&view, address);
    return (struct expected){.open = attach_closed(attach) || !place.page};
}

/* 0, or why the range cannot be used as a whole.  Authority is not asked for. */
static struct expected all_mapped(const struct model_attach *attach, uint64_t address, uint64_t n)
{
    struct view view = view_of(attach);
    if (!in_bounds(&view, address, n))
        return failure(EFAULT, XMEM_FAILURE_NONE);
    for (uint64_t page = address / PAGE; page <= (address + n - 1) / PAGE; page++) {
        struct place place = locate(&view, page * PAGE < address ? address : page * PAGE);
        if (!place.page)
            return failure(EFAULT, place.failure_class == XMEM_FAILURE_DELETED
                                       ? XMEM_FAILURE_DELETED
                                       : XMEM_FAILURE_NONE);
    }
    return SUCCESS;
}

struct expected model_map_in(const struct model_attach *attach, uint64_t address, uint64_t n,
                             struct model_map_in *map_in)
{
    if (n == 0)
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    struct expected expected = all_mapped(attach, address, n);
    bool wraps = address + n < address;
    if (wraps || address / REGION != (address + n - 1) / REGION)
        return expected.error ? some_failure() : failure(EAGAIN, XMEM_FAILURE_NONE);
    if (expected.error)
        return expected;
    struct model_segment *segment = NULL;
    if (!attach->process->is_kernel)
        segment = attach->regions[address / REGION - attach->base / REGION].segment;
    *map_in = (struct model_map_in){.segment = segment,
                                    .process = attach->process,
                                    .offset = segment ? address % REGION : address,
                                    .length = n};
    return SUCCESS;
}

struct expected model_page_size(const struct model_attach *attach, uint64_t address, uint64_t n)
{
    if (n == 0)
        return some_failure();
    struct view view = view_of(attach);
    if (!in_bounds(&view, address, n))
        return failure(EFAULT, XMEM_FAILURE_NONE);
    return (struct expected){.open = all_mapped(attach, address, n).error != 0};
}

struct expected model_pin(struct model_attach *attach, uint64_t address, uint64_t n, bool commit)
{
    struct view bounds = view_of(attach);
    if (attach->process->is_kernel)
        return in_bounds(&bounds, address, n) && n ? failure(ENOTSUP, XMEM_FAILURE_KIND)
                                                   : some_failure();
    if (n == 0)
        return failure(EINVAL, XMEM_FAILURE_ARGUMENT);
    struct expected expected = all_mapped(attach, address, n);
    if (expected.error || !commit)
        return expected;
    struct view view = view_of(attach);
    for (uint64_t page = address / PAGE; page <= (address + n - 1) / PAGE; page++) {
        struct place place = locate(&view, page * PAGE < address ? address : page * PAGE);
        place.page->pins++;
    }
    return SUCCESS;
}

struct expected model_unpin(struct model_attach *attach, uint64_t address, uint64_t n)
{
    struct view view = view_of(attach);
    if (attach->process->is_kernel)
        return some_failure();
    if (n == 0 || !in_bounds(&view, address, n))
        return some_failure();
    if (all_mapped(attach, address, n).error)
        return (struct expected){.open = true};
    for (uint64_t page = address / PAGE; page <= (address + n - 1) / PAGE; page++) {
        struct place place = locate(&view, page * PAGE < address ? address : page * PAGE);
        if (place.page->pins_open)
            return (struct expected){.open = true};
        if (place.page->pins == 0)
            return failure(EINVAL, XMEM_FAILURE_NONE);
        place.page->pins--;
    }
    return SUCCESS;
}
