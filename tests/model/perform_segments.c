/* SPDX-License-Identifier: MIT */
/*
 * Segments, regions and handles.
 */
#include "attempt.h"

#include <errno.h>

bool perform_segment_create(struct attempt *attempt)
{
    struct model_shared *slot = &attempt->model->shared[attempt->step->slot];
    if (slot->segment && !slot->segment->deleted)
        return true;
    if (!make_call(attempt))
        return false;
    if (attempt->refused)
        return same_result(attempt);
    struct model_segment *made;
    attempt->expected = model_segment_create(attempt->model, attempt->step->length, &made);
    if (!same_result(attempt))
        return false;
    if (made) {
        slot->segment = made;
        made->library = attempt->call.segment;
    }
    return true;
}

static xmem_handle_t handle_that_never_was(unsigned seed)
{
    static const xmem_handle_t handles[] = {0,        XMEM_NO_HANDLE,     1,
                                            12345678, XMEM_NO_HANDLE - 1, UINT64_C(1) << 63};
    return handles[seed % (sizeof(handles) / sizeof(*handles))];
}

/* The handle that the step means, and the model's segment behind it (NULL: none).  False: the step
 * is none. */
static bool find_handle(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    attempt->call.handle = handle_that_never_was(step->seed);
    attempt->segment = NULL;
    attempt->key = step->key;
    if (step->other == HANDLE_OF_SEGMENT) {
        attempt->segment = attempt->model->shared[step->slot].segment;
        if (attempt->segment)
            attempt->call.handle = xmem_handle(attempt->segment->library, step->key);
    } else if (step->other == HANDLE_OF_REGION) {
        struct model_process *process = attempt->model->processes[step->slot];
        struct model_region *region = process ? model_region_of(process, step->compare) : NULL;
        if (!region || region->segment->deleted)
            return false;
        int error = xmem_region_handle(process->library, step->compare, 0, &attempt->call.handle);
        if (error)
            return complain(attempt, "xmem_region_handle's return value", error, 0);
        attempt->segment = region->segment;
        attempt->key = region->key;
        if (step->seed & 1) {
            attempt->key = step->key;
            attempt->call.handle =
                xmem_handle(xmem_handle_segment(attempt->call.handle), step->key);
        }
    }
    if (xmem_handle_key(attempt->call.handle) != attempt->key && attempt->segment)
        return complain(attempt, "the handle's key", xmem_handle_key(attempt->call.handle),
                        attempt->key);
    attempt->call.segment = xmem_handle_segment(attempt->call.handle);
    return true;
}

static struct expected bad_handle(void)
{
    return (struct expected){.error = EINVAL, .failure_class = XMEM_FAILURE_DESCRIPTOR};
}

bool perform_segment_delete(struct attempt *attempt)
{
    if (!find_handle(attempt))
        return attempt->world->words[0] == 0;
    if (!make_call(attempt))
        return false;
    if (!attempt->refused)
        attempt->expected =
            attempt->segment ? model_segment_delete(attempt->segment) : bad_handle();
    return same_result(attempt);
}

static struct expected check_region_attach(struct attempt *attempt)
{
    struct expected some = {.error = EINVAL, .any_error = true};
    struct model_process *process = attempt->process;
    if (!process)
        return no_process();
    if (process->closed || process->is_kernel)
        return some;
    bool outside = attempt->step->operation == OP_REGION_ATTACH_AT &&
                   attempt->step->address >= model_space_size(process);
    if (!attempt->segment || attempt->segment->deleted) {
        struct expected bad = bad_handle();
        if (outside) /* either may be found first */
            bad.failure_class = XMEM_FAILURE_NONE;
        return bad;
    }
    if (outside)
        return (struct expected){.error = EINVAL};
    return (struct expected){0};
}

bool perform_region_attach(struct attempt *attempt)
{
    struct model_process *process = attempt->process;
    if (!has_room_for_regions(process))
        return true;
    if (!find_handle(attempt))
        return attempt->world->words[0] == 0;
    if (!make_call(attempt))
        return false;
    bool anywhere = attempt->step->operation == OP_REGION_ATTACH;
    if (!attempt->refused)
        attempt->expected = check_region_attach(attempt);
    if (!attempt->expected.error && anywhere && !model_regions_left(process)) {
        if (attempt->call.error)
            attempt->expected = (struct expected){.error = ENOMEM};
    }
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return true;
    uint64_t address = anywhere ? attempt->call.value : attempt->step->address;
    if (anywhere && !model_region_free(process, address))
        return complain(attempt, "the region chosen, which is not free,", (long long)address, 0);
    model_region_attach(process, attempt->segment, attempt->key, address);
    return true;
}

bool perform_region_detach(struct attempt *attempt)
{
    if (!make_call(attempt))
        return false;
    uint64_t region = attempt->step->address / REGION;
    if (attempt->refused)
        return same_result(attempt);
    if (!attempt->process)
        attempt->expected = no_process();
    else if (attempt->call.aix && attempt->process->bits == 32 && (region <= 2 || region == 14))
        attempt->expected = (struct expected){.error = EINVAL}; /* AIX: these must stay */
    else
        attempt->expected = model_region_detach(attempt->process, attempt->step->address);
    return same_result(attempt);
}

static struct expected check_region_handle(struct attempt *attempt)
{
    struct model_process *process = attempt->process;
    uint64_t address = attempt->step->address;
    if (!process)
        return (struct expected){.error = EINVAL, .any_error = true};
    if (process->closed || process->is_kernel || address >= model_space_size(process))
        return (struct expected){.error = EINVAL, .any_error = true};
    struct model_region *region = model_region_of(process, address);
    if (!region)
        return (struct expected){.error = EINVAL};
    struct model_page *page = model_segment_page(region->segment, address % REGION);
    return (struct expected){.open = region->segment->deleted || !page->mapped};
}

bool perform_region_handle(struct attempt *attempt)
{
    struct model_hold *hold = &attempt->model->holds[attempt->step->slot];
    if (attempt->step->other && hold->live)
        return true;
    if (!make_call(attempt))
        return false;
    if (!attempt->refused)
        attempt->expected = check_region_handle(attempt);
    if (attempt->call.aix && attempt->step->priority >= 0 && attempt->process &&
        attempt->process->bits == 64)
        attempt->expected = environment_refusal(); /* AIX: under 32-bit processes only */
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return true;
    struct model_region *region = model_region_of(attempt->process, attempt->step->address);
    xmem_segment_t segment = xmem_handle_segment(attempt->call.value);
    if (!region->segment->library)
        region->segment->library = segment;
    if (region->segment->library != segment)
        return complain(attempt, "the segment", (long long)segment,
                        (long long)region->segment->library);
    if (xmem_handle_key(attempt->call.value) != region->key)
        return complain(attempt, "the key", xmem_handle_key(attempt->call.value), region->key);
    if (!attempt->step->other)
        return true;
    *hold = (struct model_hold){true, region->segment, attempt->step->address, attempt->call.value};
    region->segment->holds++;
    return true;
}

bool perform_region_release(struct attempt *attempt)
{
    struct model_hold *hold = &attempt->model->holds[attempt->step->slot];
    struct step step = *attempt->step;
    step.address = hold->live ? hold->address : 0x123000;
    attempt->call.step = &step;
    attempt->call.handle = hold->live ? hold->library : handle_that_never_was(step.seed);
    if (!make_call(attempt))
        return false;
    attempt->call.step = attempt->step;
    if (!attempt->refused && !hold->live)
        attempt->expected = (struct expected){.error = EINVAL};
    if (!same_result(attempt))
        return false;
    if (!attempt->call.error) {
        model_release(hold->segment);
        hold->live = false;
    }
    return true;
}

bool perform_handle_map(struct attempt *attempt)
{
    struct model_map_in *map_in = &attempt->model->map_ins[attempt->step->prot];
    if (map_in->live)
        return true;
    if (!find_handle(attempt))
        return attempt->world->words[0] == 0;
    bool exists = attempt->segment && !attempt->segment->deleted;
    attempt->call.aix &= exists; /* vm_att() panics */
    if (!make_call(attempt))
        return false;
    if (!exists)
        attempt->expected = bad_handle();
    /* A deleted segment that somebody still refers to: left open. */
    attempt->expected.open = attempt->segment && attempt->segment->deleted;
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return true;
    *map_in = (struct model_map_in){.live = true,
                                    .segment = attempt->segment,
                                    .length = REGION,
                                    .library = attempt->call.pointer};
    return true;
}
