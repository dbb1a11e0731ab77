/* SPDX-License-Identifier: MIT */
/*
 * What all steps have in common: the kernel's bytes, the call, and the comparison.
 */
#include "attempt.h"

#include <errno.h>
#include <string.h>

bool complain(struct attempt *attempt, const char *what, long long got, long long wanted)
{
    return wrong(
        attempt->world, "%s%s: %s is %lld, not %lld%s%s", operation_name(attempt->step->operation),
        attempt->call.aix ? " (aix)" : "", what, got, wanted,
        attempt->call.family == RESULT_ERRNO && attempt->call.error ? "; " : "",
        attempt->call.family == RESULT_ERRNO && attempt->call.error ? xmem_last_failure()->words
                                                                    : "");
}

/* ---- the kernel's bytes ---- */

static void fill(unsigned char *bytes, size_t n, unsigned seed)
{
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (size_t at = 0; at < n; at++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        unsigned char byte = (unsigned char)(state >> 32);
        bytes[at] = (state & 63) == 0 ? 0 : byte;
    }
}

void prepare_bytes(struct attempt *attempt, size_t n)
{
    size_t start = GUARD + (attempt->step->seed & 15);
    attempt->extent = start + n + GUARD;
    fill(attempt->world->buffer, attempt->extent, attempt->step->seed);
    memcpy(attempt->world->expected, attempt->world->buffer, attempt->extent);
    attempt->call.kernel = attempt->world->buffer + start;
    attempt->modelled = attempt->world->expected + start;
}

bool same_bytes(struct attempt *attempt)
{
    const unsigned char *got = attempt->world->buffer;
    const unsigned char *wanted = attempt->world->expected;
    if (memcmp(got, wanted, attempt->extent) == 0)
        return true;
    size_t at = 0;
    while (got[at] == wanted[at])
        at++;
    return complain(attempt, "a byte of the kernel's buffer", got[at], wanted[at]) ||
           wrong(attempt->world, "%s: byte %lld of the kernel's buffer is 0x%02x, not 0x%02x",
                 operation_name(attempt->step->operation),
                 (long long)at - (attempt->call.kernel - got), got[at], wanted[at]);
}

/* ---- comparing ---- */

static bool same_failure(struct attempt *attempt)
{
    const struct call *call = &attempt->call;
    const struct expected *expected = &attempt->expected;
    if (call->failure.error != call->error)
        return complain(attempt, "errno of the last failure", call->failure.error, call->error);
    if (expected->error && !expected->open && !expected->any_error &&
        expected->failure_class != XMEM_FAILURE_NONE &&
        call->failure.failure_class != expected->failure_class)
        return complain(attempt, "class of the last failure", call->failure.failure_class,
                        expected->failure_class);
    if (expected->address && !expected->open && call->failure.address != expected->address)
        return complain(attempt, "address of the last failure", (long long)call->failure.address,
                        (long long)expected->address);
    return true;
}

static bool same_error(struct attempt *attempt)
{
    struct call *call = &attempt->call;
    const struct expected *expected = &attempt->expected;
    if (attempt->world->lie_at == (int)attempt->world->steps_done)
        call->error ^= 1;
    int wanted = call_aix_error(call->family, expected->error);
    if (expected->open)
        return true;
    if (expected->any_error ? call->error == 0 : call->error != wanted)
        return complain(attempt, "the return value", call->error, wanted);
    return true;
}

bool same_result(struct attempt *attempt)
{
    struct call *call = &attempt->call;
    attempt->world->called[attempt->step->operation]++;
    attempt->world->succeeded[attempt->step->operation] += call->error == 0;
    if (!same_error(attempt))
        return false;
    if (call->family == RESULT_ERRNO && call->error && !same_failure(attempt))
        return false;
    if (call->has_done && !attempt->expected.open && call->done != attempt->expected.done)
        return complain(attempt, "done", (long long)call->done, (long long)attempt->expected.done);
    return true;
}

bool same_value(struct attempt *attempt, uint64_t value)
{
    if (attempt->call.error || attempt->call.value == value)
        return true;
    return complain(attempt, "the value", (long long)attempt->call.value, (long long)value);
}

/* ---- calling ---- */

struct expected environment_refusal(void)
{
    return (struct expected){.error = EPERM, .failure_class = XMEM_FAILURE_ENVIRONMENT};
}

static uint64_t usage_errors(void)
{
    struct xmem_statistics statistics = {.size = sizeof(statistics)};
    xmem_get_statistics(&statistics);
    return statistics.usage_errors;
}

static bool call_interrupted(struct attempt *attempt)
{
    uint64_t before = usage_errors();
    struct xmem_failure failure = *xmem_last_failure();
    int error = call_make_at_interrupt(&attempt->call, attempt->step->priority);
    if (error)
        return complain(attempt, "xmem_interrupt's return value", error, 0);
    /* What fails in a handler is recorded at its own level. */
    const struct xmem_failure *after = xmem_last_failure();
    if (after->failure_class != failure.failure_class || after->error != failure.error ||
        after->address != failure.address)
        return complain(attempt, "the last failure, after an interrupt,", after->error,
                        failure.error);
    uint64_t counted = usage_errors() - before;
    if (attempt->call.family != RESULT_ERRNO)
        return counted <= 1 || complain(attempt, "usage errors counted", (long long)counted, 1);
    return counted == attempt->refused ||
           complain(attempt, "usage errors counted", (long long)counted, attempt->refused);
}

/* AIX names act on the current process: the one that is meant is entered around them. */
bool make_call(struct attempt *attempt)
{
    struct call *call = &attempt->call;
    bool enter = call->aix && attempt->step->process >= 0;
    bool called = true;
    if (enter)
        xmem_enter(attempt->process->library);
    if (attempt->step->priority >= 0)
        called = call_interrupted(attempt);
    else
        call_make(call);
    if (enter)
        xmem_leave();
    if (attempt->refused)
        attempt->expected = environment_refusal();
    return called;
}

/* ---- arguments ---- */

bool find_process(struct attempt *attempt)
{
    const struct step *step = attempt->step;
    if (step->process == PROCESS_CURRENT)
        attempt->process = model_current(attempt->model);
    else if (step->process == PROCESS_KERNEL)
        attempt->process = attempt->model->kernel;
    else
        attempt->process = attempt->model->processes[step->process];
    if (step->process != PROCESS_CURRENT)
        attempt->call.process = attempt->process ? attempt->process->library : NULL;
    return attempt->process || step->process == PROCESS_CURRENT;
}

void find_descriptor(struct attempt *attempt)
{
    attempt->descriptor = &attempt->model->descriptors[attempt->step->slot];
    attempt->call.descriptor = &attempt->descriptor->library;
}

struct expected no_process(void)
{
    return (struct expected){.error = EINVAL, .failure_class = XMEM_FAILURE_ARGUMENT};
}

struct expected no_descriptor(void)
{
    return (struct expected){.error = EINVAL, .failure_class = XMEM_FAILURE_DESCRIPTOR};
}

struct view view_of(const struct attempt *attempt)
{
    if (attempt->descriptor)
        return (struct view){.attach = attempt->descriptor->attach};
    return (struct view){.process = attempt->process};
}

bool nowhere_to_move(struct attempt *attempt, size_t n)
{
    bool nowhere =
        attempt->descriptor ? !model_descriptor_valid(attempt->descriptor) : !attempt->process;
    if (!nowhere)
        return false;
    attempt->expected = attempt->descriptor ? no_descriptor() : no_process();
    /* Nothing moved through nothing: the contract has both rules. */
    attempt->expected.open = n == 0;
    return true;
}
