/* SPDX-License-Identifier: MIT */
/*
 * Performing a step: which operation it is, through which name, in which environment.
 */
#include "attempt.h"

static bool perform(struct attempt *attempt)
{
    switch (attempt->step->operation) {
    case OP_CREATE:
        return perform_create(attempt);
    case OP_CLOSE:
        return perform_close(attempt);
    case OP_MAP:
    case OP_MAP_FD:
    case OP_PROTECT:
    case OP_UNMAP:
        return perform_mapping(attempt);
    case OP_MAP_EVERY:
        return perform_map_every(attempt);
    case OP_TRUNCATE:
        return perform_truncate(attempt);
    case OP_COPY_IN:
    case OP_COPY_OUT:
    case OP_MOVE_IN:
    case OP_MOVE_OUT:
    case OP_MOVE_ZERO:
        return perform_move(attempt);
    case OP_COPY_INV:
    case OP_COPY_OUTV:
    case OP_MOVE_INV:
    case OP_MOVE_OUTV:
        return perform_vector(attempt);
    case OP_STRING_IN:
        return perform_string(attempt);
    case OP_FETCH_BYTE:
    case OP_FETCH_WORD:
    case OP_STORE_BYTE:
    case OP_STORE_WORD:
        return perform_word(attempt);
    case OP_ATOMIC32:
    case OP_ATOMIC64:
    case OP_MOVE_ATOMIC32:
    case OP_MOVE_ATOMIC64:
        return perform_atomic(attempt);
    case OP_ATTACH:
        return perform_attach(attempt);
    case OP_DETACH:
        return perform_detach(attempt);
    case OP_DOUBLE:
    case OP_FORGE:
        return perform_double(attempt);
    case OP_MAP_LIMIT:
        return perform_map_limit(attempt);
    case OP_MAP_IN:
        return perform_map_in(attempt);
    case OP_MAP_OUT:
        return perform_map_out(attempt);
    case OP_DIRECT_STORE:
        return perform_direct_store(attempt);
    case OP_PAGE_SIZE_OF:
        return perform_page_size(attempt);
    case OP_PIN:
    case OP_UNPIN:
        return perform_pin(attempt);
    case OP_SEGMENT_CREATE:
        return perform_segment_create(attempt);
    case OP_SEGMENT_DELETE:
        return perform_segment_delete(attempt);
    case OP_REGION_ATTACH:
    case OP_REGION_ATTACH_AT:
        return perform_region_attach(attempt);
    case OP_REGION_DETACH:
        return perform_region_detach(attempt);
    case OP_REGION_HANDLE:
        return perform_region_handle(attempt);
    case OP_REGION_RELEASE:
        return perform_region_release(attempt);
    case OP_HANDLE_MAP:
        return perform_handle_map(attempt);
    case OP_ENTER:
    case OP_LEAVE:
        return perform_enter(attempt);
    case OP_COUNT:
        break;
    }
    return true;
}

static bool uses_descriptor(enum operation operation)
{
    switch (operation) {
    case OP_DETACH:
    case OP_MOVE_IN:
    case OP_MOVE_OUT:
    case OP_MOVE_INV:
    case OP_MOVE_OUTV:
    case OP_MOVE_ZERO:
    case OP_MOVE_ATOMIC32:
    case OP_MOVE_ATOMIC64:
    case OP_MAP_LIMIT:
    case OP_MAP_IN:
    case OP_PAGE_SIZE_OF:
    case OP_PIN:
    case OP_UNPIN:
        return true;
    default:
        return false;
    }
}

static bool only_aix(enum operation operation)
{
    return operation == OP_FETCH_BYTE || operation == OP_FETCH_WORD || operation == OP_STORE_BYTE ||
           operation == OP_STORE_WORD;
}

/* Operations of the generator that call nothing. */
static bool no_service(enum operation operation)
{
    return operation == OP_TRUNCATE || operation == OP_DOUBLE || operation == OP_FORGE ||
           operation == OP_DIRECT_STORE;
}

static bool needs_process(enum operation operation)
{
    return !uses_descriptor(operation) && !no_service(operation) && operation != OP_CREATE &&
           operation != OP_MAP_OUT && operation != OP_SEGMENT_CREATE &&
           operation != OP_SEGMENT_DELETE && operation != OP_HANDLE_MAP &&
           operation != OP_REGION_RELEASE && operation != OP_LEAVE;
}

/* Through which name.  The kernel's own memory is nobody's current process, and uiomove() is for
 * the process environment whatever it moves through. */
static bool choose_aix(const struct step *step)
{
    if (only_aix(step->operation))
        return true;
    if (step->operation == OP_MOVE_INV || step->operation == OP_MOVE_OUTV)
        return step->aix && step->priority < 0;
    return step->aix && (step->process != PROCESS_KERNEL || step->operation == OP_ATTACH ||
                         uses_descriptor(step->operation));
}

bool world_step(struct world *world, const struct step *step)
{
    struct step own = *step;
    struct attempt attempt = {.world = world, .model = world->model, .step = &own};
    attempt.call.step = &own;
    world->steps_done++;
    if (only_aix(own.operation) && own.process == PROCESS_KERNEL)
        return true;
    attempt.call.aix = choose_aix(&own);
    if (no_service(own.operation))
        own.priority = -1;
    if (!needs_process(own.operation))
        own.process = PROCESS_CURRENT;
    if (uses_descriptor(own.operation))
        find_descriptor(&attempt);
    else if (!find_process(&attempt))
        return true;
    attempt.refused = own.priority >= 0 && !call_at_interrupt(&own);
    if (!perform(&attempt))
        return false;
    return step->seed % 6 != 0 || world_look(world);
}
