/* SPDX-License-Identifier: MIT */
/*
 * Processes, what is mapped in them, and which one is current.
 */
#include "attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool perform_create(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    if (attempt->model->processes[step->slot])
        return true;
    bool valid = step->other == 32 || step->other == 64;
    attempt->call.created = (struct xmem_process *)attempt->world;
    if (!make_call(attempt))
        return false;
    if (!attempt->refused && !valid)
        attempt->expected = (struct expected){.error = EINVAL};
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return !attempt->call.created || complain(attempt, "*process, after a failure,", 1, 0);
    struct model_process *process = model_process_new(attempt->model, (unsigned)step->other);
    process->library = attempt->call.created;
    attempt->model->processes[step->slot] = process;
    unsigned bits = xmem_process_bits(process->library);
    return bits == process->bits || complain(attempt, "xmem_process_bits", bits, process->bits);
}

bool perform_close(struct attempt *attempt)
{
    if (attempt->step->process < 0)
        attempt->process = NULL;
    if (!make_call(attempt))
        return false;
    if (!attempt->refused && !attempt->process)
        attempt->expected = (struct expected){.error = EINVAL};
    if (!same_result(attempt))
        return false;
    if (attempt->call.error)
        return true;
    model_process_close(attempt->process);
    attempt->model->processes[attempt->step->process] = NULL;
    return true;
}

bool has_room_for_regions(const struct model_process *process)
{
    unsigned used = 0;
    for (unsigned at = 0; process && at < REGIONS_MOST; at++)
        used += process->regions[at].segment != NULL;
    return used < REGIONS_MOST - 18;
}

bool perform_mapping(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    struct model_file *file = &attempt->model->files[step->operation == OP_MAP_FD ? step->slot : 0];
    if (!has_room_for_regions(attempt->process))
        return true;
    attempt->call.descriptor_of_file = file->descriptor;
    if (!make_call(attempt))
        return false;
    if (attempt->refused)
        return same_result(attempt);
    if (!attempt->process)
        attempt->expected = no_process();
    else if (step->operation == OP_MAP)
        attempt->expected =
            model_map(attempt->model, attempt->process, step->address, step->length, step->prot);
    else if (step->operation == OP_MAP_FD)
        attempt->expected = model_map_fd(attempt->model, attempt->process, step->address,
                                         step->length, step->prot, file, step->operand);
    else if (step->operation == OP_PROTECT)
        attempt->expected =
            model_protect(attempt->process, step->address, step->length, step->prot);
    else
        attempt->expected = model_unmap(attempt->process, step->address, step->length);
    return same_result(attempt);
}

/* A page in each of the first 16 regions, which in a 32-bit space are all. */
bool perform_map_every(struct attempt *attempt)
{
    const struct step *own = attempt->step;
    struct step step = *own;
    bool good = true;
    step.operation = OP_MAP;
    step.length = PAGE;
    step.prot = PROT_READ | PROT_WRITE;
    attempt->step = attempt->call.step = &step;
    for (uint64_t number = 0; good && number < 16; number++) {
        step.address = number * REGION + 16 * PAGE;
        good = perform_mapping(attempt);
    }
    attempt->step = attempt->call.step = own;
    return good;
}

bool perform_truncate(struct attempt *attempt)
{
    struct model_file *file = &attempt->model->files[attempt->step->slot];
    size_t pages = attempt->step->length;
    if (file->sealed && pages < file->pages)
        return true;
    if (ftruncate(file->truncator, (off_t)(pages * PAGE)) != 0)
        abort();
    model_file_resize(file, pages);
    return true;
}

static bool same_current(struct attempt *attempt)
{
    struct model_process *current = model_current(attempt->model);
    if (current && current->closed)
        return true;
    struct xmem_process *wanted = current ? current->library : NULL;
    return xmem_current() == wanted || complain(attempt, "xmem_current, another,", 1, 0);
}

bool perform_enter(struct attempt *attempt)
{
    struct model *model = attempt->model;
    if (attempt->step->process == PROCESS_KERNEL || (attempt->process && attempt->process->closed))
        return true;
    bool enter = attempt->step->operation == OP_ENTER;
    if (enter ? model->nested == NESTING_MOST : model->nested == 0)
        return true;
    if (attempt->step->process == PROCESS_CURRENT)
        attempt->process = NULL; /* under none */
    if (!make_call(attempt))
        return false;
    if (attempt->refused)
        return same_current(attempt); /* ignored */
    if (enter)
        model->nesting[model->nested++] = attempt->process;
    else
        model->nested--;
    return same_current(attempt);
}
