/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: attaching, detaching, copying and forging them, map-ins and pins.
 */
#include "attempt.h"

#include <errno.h>
#include <string.h>

static bool slot_is_live(const struct model_descriptor *descriptor)
{
    return model_descriptor_valid(descriptor);
}

bool perform_attach(struct attempt *attempt)
{
    struct model_descriptor *slot = &attempt->model->descriptors[attempt->step->slot];
    struct xmem_descriptor before = slot->library;
    struct call *call = &attempt->call;
    if (slot_is_live(slot) && !call->aix)
        return true; /* a descriptor that nobody could detach any more */
    call->descriptor = &slot->library;
    call->n = call->aix ? (size_t)(int)(uint32_t)attempt->step->length : attempt->step->length;
    bool in_use = call->aix && slot->library.kind != XMEM_DESCRIPTOR_INVALID;
    bool negative = call->aix && (int)call->n <= 0;
    if (!make_call(attempt))
        return false;
    struct model_attach *made = NULL;
    if (in_use || negative)
        attempt->expected = (struct expected){.error = EINVAL};
    else if (!attempt->refused && !attempt->process)
        attempt->expected = no_process();
    else if (!attempt->refused)
        attempt->expected =
            model_attach(attempt->model, attempt->process, attempt->step->address, call->n, &made);
    if (!same_result(attempt))
        return false;
    if (made) {
        slot->attach = made;
        slot->forged = slot->invalid = false;
        int32_t kind = made->process->is_kernel ? XMEM_DESCRIPTOR_KERNEL : XMEM_DESCRIPTOR_PROCESS;
        return slot->library.kind == kind ||
               complain(attempt, "descriptor->kind", slot->library.kind, kind);
    }
    if (call->aix)
        return memcmp(&before, &slot->library, sizeof(before)) == 0 ||
               complain(attempt, "the descriptor, after a failure,", 1, 0);
    slot->attach = NULL;
    return slot->library.kind == XMEM_DESCRIPTOR_INVALID ||
           complain(attempt, "descriptor->kind", slot->library.kind, XMEM_DESCRIPTOR_INVALID);
}

bool perform_detach(struct attempt *attempt)
{
    struct model_descriptor *slot = attempt->descriptor;
    bool valid = model_descriptor_valid(slot);
    if (!make_call(attempt))
        return false;
    if (!valid)
        attempt->expected = no_descriptor();
    if (!same_result(attempt))
        return false;
    if (!valid)
        return true;
    slot->attach->detached = true;
    slot->invalid = true;
    return slot->library.kind == XMEM_DESCRIPTOR_INVALID ||
           complain(attempt, "descriptor->kind", slot->library.kind, XMEM_DESCRIPTOR_INVALID);
}

bool perform_double(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    struct model_descriptor *from = &attempt->model->descriptors[step->slot];
    struct model_descriptor *to = &attempt->model->descriptors[step->other];
    if (step->slot == step->other || slot_is_live(to) ||
        (step->operation == OP_FORGE && from->forged))
        return true;
    *to = *from;
    if (step->operation == OP_DOUBLE)
        return true;
    to->forged = true;
    unsigned char *bytes = (unsigned char *)&to->library;
    bytes[step->operand / 8] ^= (unsigned char)(1u << step->operand % 8);
    return true;
}

bool perform_map_limit(struct attempt *attempt)
{
    size_t limit = 0;
    if (!make_call(attempt))
        return false;
    if (!model_descriptor_valid(attempt->descriptor))
        attempt->expected = no_descriptor();
    else
        attempt->expected =
            model_map_limit(attempt->descriptor->attach, attempt->step->address, &limit);
    return same_result(attempt) && (attempt->expected.open || same_value(attempt, limit));
}

bool perform_page_size(struct attempt *attempt)
{
    if (!make_call(attempt))
        return false;
    if (!model_descriptor_valid(attempt->descriptor))
        attempt->expected = (struct expected){.error = EINVAL, .any_error = true};
    else
        attempt->expected = model_page_size(attempt->descriptor->attach, attempt->step->address,
                                            attempt->step->length);
    return same_result(attempt) && same_value(attempt, PAGE);
}

bool perform_map_in(struct attempt *attempt)
{
    struct model_map_in *map_in = &attempt->model->map_ins[attempt->step->other];
    if (map_in->live)
        return true;
    struct model_map_in made = {0};
    void *untouched = &made;
    attempt->call.pointer = untouched;
    if (!make_call(attempt))
        return false;
    if (!model_descriptor_valid(attempt->descriptor))
        attempt->expected = (struct expected){.error = EINVAL, .any_error = true};
    else
        attempt->expected = model_map_in(attempt->descriptor->attach, attempt->step->address,
                                         attempt->step->length, &made);
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return attempt->call.pointer == untouched || complain(attempt, "*mapped, changed,", 1, 0);
    made.live = true;
    made.library = attempt->call.pointer;
    *map_in = made;
    return true;
}

static bool kernel_mapped_in(const struct model *model)
{
    for (unsigned slot = 0; slot < MAP_IN_SLOTS; slot++)
        if (model->map_ins[slot].live && !model->map_ins[slot].segment)
            return true;
    return false;
}

bool perform_map_out(struct attempt *attempt)
{
    struct model_map_in *map_in = &attempt->model->map_ins[attempt->step->slot];
    struct call *call = &attempt->call;
    call->pointer = attempt->world->buffer;
    call->aix &= map_in->live;
    /* Map-ins of the kernel's own memory are counted, not listed: any address ends one. */
    if (!map_in->live && kernel_mapped_in(attempt->model))
        return true;
    if (map_in->live)
        call->pointer = map_in->library + (call->aix ? 0 : attempt->step->operand % map_in->length);
    /* vm_det() for what xmem_handle_map() made, xm_det() for the others: one is as the other. */
    call->descriptor =
        map_in->live && map_in->length < REGION ? &attempt->model->descriptors[0].library : NULL;
    if (!make_call(attempt))
        return false;
    if (!map_in->live)
        attempt->expected = (struct expected){.error = EINVAL};
    map_in->live = false;
    return same_result(attempt);
}

/* Whether the kernel program may store at this page of a map-in. */
static bool may_store(const struct model_map_in *map_in, const struct model_page *page)
{
    if (!page->mapped || !model_page_present(page))
        return false;
    if (!map_in->segment)
        return page->authority & PROT_WRITE;
    return !page->file || page->file->can_write;
}

static struct model_page *mapped_in_page(const struct model_map_in *map_in, uint64_t offset)
{
    if (map_in->segment)
        return model_segment_page(map_in->segment, offset);
    struct model_process *kernel = map_in->process;
    return &kernel->kernel_memory[(offset - kernel->kernel_base) / PAGE];
}

/* The kernel program stores through a map-in; copies see it, and this sees what copies stored. */
bool perform_direct_store(struct attempt *attempt)
{
    struct model_map_in *map_in = &attempt->model->map_ins[attempt->step->slot];
    if (!map_in->live)
        return true;
    attempt->world->called[OP_DIRECT_STORE]++;
    uint64_t start = attempt->step->operand % map_in->length;
    for (uint64_t at = start; at < map_in->length && at < start + attempt->step->length; at++) {
        uint64_t offset = map_in->offset + at;
        struct model_page *page = mapped_in_page(map_in, offset);
        if (!may_store(map_in, page))
            continue;
        unsigned char *modelled = model_page_bytes(page) + offset % PAGE;
        if (map_in->library[at] != *modelled)
            return complain(attempt, "a byte of mapped-in memory", map_in->library[at], *modelled);
        *modelled = map_in->library[at] = (unsigned char)(at * 3 + attempt->step->seed);
        attempt->world->succeeded[OP_DIRECT_STORE]++; /* bytes */
    }
    return true;
}

bool perform_pin(struct attempt *attempt)
{
    if (!make_call(attempt))
        return false;
    const struct step *step = attempt->step;
    if (attempt->refused)
        return same_result(attempt);
    struct model_attach *attach = attempt->descriptor->attach;
    if (!model_descriptor_valid(attempt->descriptor))
        attempt->expected = (struct expected){.error = EINVAL, .any_error = true};
    else if (step->operation == OP_PIN)
        attempt->expected = model_pin(attach, step->address, step->length, true);
    else
        attempt->expected = model_unpin(attach, step->address, step->length);
    if (step->operation == OP_PIN && !attempt->call.error) {
        attempt->model->last_pin.slot = step->slot;
        attempt->model->last_pin.address = step->address;
        attempt->model->last_pin.length = step->length;
    }
    return same_result(attempt);
}
