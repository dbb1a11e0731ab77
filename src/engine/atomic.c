/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations on user memory.
 *
 * A naturally aligned word lies in one page, so one check admits it.  Every operation but a load
 * is a compare-and-exchange in a loop; on memory that can vanish the two primitives are guarded.
 */
#include "engine/copy.h"
#include "engine/failure.h"
#include "host/guarded.h"
#include "host/read_section.h"
#include "segments/imported.h"

#include <errno.h>

struct request {
    const char *operation;
    uint64_t address;
    enum xmem_atomic what;
    unsigned width; /* bytes: 4 or 8 */
    uint64_t operand;
    uint64_t compare;
    uint64_t before;
};

static bool load_word(const void *word, unsigned width, bool guarded, uint64_t *value,
                      struct guarded_fault *fault)
{
    if (width == 4) {
        uint32_t small = 0;
        bool loaded = true;
        if (guarded)
            loaded = guarded_load32(word, &small, fault);
        else
            small = load_strong((const uint32_t *)word);
        *value = small;
        return loaded;
    }
    if (guarded)
        return guarded_load64(word, value, fault);
    *value = load_strong((const uint64_t *)word);
    return true;
}

/* One attempt; *before is what was found. */
static bool exchange_word(void *word, unsigned width, bool guarded, uint64_t expected,
                          uint64_t desired, uint64_t *before, struct guarded_fault *fault)
{
    if (width == 4) {
        uint32_t found = (uint32_t)expected;
        bool tried = true;
        if (guarded)
            tried = guarded_compare_exchange32(word, found, (uint32_t)desired, &found, fault);
        else
            (void)compare_exchange((uint32_t *)word, &found, (uint32_t)desired);
        *before = found;
        return tried;
    }
    *before = expected;
    if (guarded)
        return guarded_compare_exchange64(word, expected, desired, before, fault);
    (void)compare_exchange((uint64_t *)word, before, desired);
    return true;
}

static uint64_t desired_of(const struct request *request, uint64_t found)
{
    switch (request->what) {
    case XMEM_ATOMIC_ADD:
        return found + request->operand;
    case XMEM_ATOMIC_AND:
        return found & request->operand;
    case XMEM_ATOMIC_OR:
        return found | request->operand;
    case XMEM_ATOMIC_XOR:
        return found ^ request->operand;
    case XMEM_ATOMIC_LOAD:
    case XMEM_ATOMIC_EXCHANGE:
    case XMEM_ATOMIC_COMPARE_EXCHANGE:
        break;
    }
    return request->operand;
}

/* False: the memory went away, or guarded words are not offered here. */
static bool perform(struct request *request, void *word, bool guarded, struct guarded_fault *fault)
{
    uint64_t found;
    if (request->what == XMEM_ATOMIC_COMPARE_EXCHANGE)
        return exchange_word(word, request->width, guarded, request->compare, request->operand,
                             &request->before, fault);
    if (!load_word(word, request->width, guarded, &found, fault))
        return false;
    while (request->what != XMEM_ATOMIC_LOAD) {
        uint64_t expected = found;
        if (!exchange_word(word, request->width, guarded, expected, desired_of(request, expected),
                           &found, fault))
            return false;
        if (request->width == 4 ? (uint32_t)found == (uint32_t)expected : found == expected)
            break;
    }
    request->before = found;
    return true;
}

static struct outcome not_offered(void)
{
    return outcome_failure(XMEM_FAILURE_KIND, ENOTSUP,
                           "atomic operations need memory that this program can address; an "
                           "opened process has none, and on this processor imported memory "
                           "neither");
}

static struct outcome on_segment(struct request *request, tagged_segment tagged)
{
    struct segment *segment = tagged_pointer(tagged);
    enum direction direction = request->what == XMEM_ATOMIC_LOAD ? FROM_USER : TO_USER;
    struct guarded_fault fault;
    uint8_t state;
    struct outcome outcome = page_admit(tagged, request->address, direction, &state);
    if (outcome.cause)
        return outcome;
    uint64_t offset = region_offset(request->address);
    if (perform(request, segment->window + offset, state & PAGE_GUARDED, &fault))
        return OUTCOME_SUCCESS;
    if (!fault.signal)
        return not_offered();
    outcome = import_fault(segment, offset);
    outcome.address = request->address;
    return outcome;
}

static struct outcome on_backing(struct request *request, const struct segment *backing)
{
    struct guarded_fault fault;
    if (!backing->operations->interrupt_callable)
        return not_offered();
    if (perform(request, (void *)(uintptr_t)request->address, true, &fault))
        return OUTCOME_SUCCESS;
    return fault.signal ? outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, request->address,
                                     "this program has nothing mapped there that allows it")
                        : not_offered();
}

static struct outcome at_place(struct request *request, const struct place *place)
{
    struct outcome outcome = place_check(place, request->address, request->width);
    if (outcome.cause)
        return outcome;
    read_section_enter();
    struct found found = place_find(place, request->address);
    if (found.cause)
        outcome = outcome_at(found.cause, found.error, request->address, found.detail);
    else if (belongs_to_backing(found.tagged, found.backing, request->address))
        outcome = on_backing(request, found.backing);
    else if (found.tagged)
        outcome = on_segment(request, found.tagged);
    else
        outcome = outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, request->address,
                             "nothing is mapped there");
    read_section_leave();
    return outcome;
}

static int check_request(const struct request *request)
{
    if (request->address & (request->width - 1))
        return fail_argument(request->operation, "the address is not a multiple of the width");
    if ((unsigned)request->what > XMEM_ATOMIC_COMPARE_EXCHANGE)
        return fail_argument(request->operation, "no such operation");
    return 0;
}

static int of_process(struct request *request, struct xmem_process *process)
{
    struct xmem_process *meant;
    int error = thread_process_only(request->operation);
    if (!error)
        error = check_request(request);
    if (!error)
        error = process_service(request->operation, process, &meant);
    if (error)
        return error;
    struct place place = {meant, NULL};
    struct outcome outcome = at_place(request, &place);
    if (outcome.cause)
        error = fail_move(request->operation, outcome, place_words(&place), place_pid(&place),
                          request->width);
    process_drop(meant);
    return error;
}

static int through_descriptor(struct request *request, const struct xmem_descriptor *descriptor)
{
    int error = thread_any(request->operation);
    if (!error)
        error = check_request(request);
    if (error)
        return error;
    if (!descriptor)
        return fail_argument(request->operation, "there is no descriptor");
    struct place place = {NULL, descriptor};
    struct outcome outcome = at_place(request, &place);
    return outcome.cause
               ? fail_move(request->operation, outcome, place_words(&place), 0, request->width)
               : 0;
}

#define DEFINE_ATOMIC(bits)                                                                        \
    EXPORT int xmem_atomic##bits(struct xmem_process *process, uint64_t address,                   \
                                 enum xmem_atomic operation, uint##bits##_t operand,               \
                                 uint##bits##_t compare, uint##bits##_t *before)                   \
    {                                                                                              \
        struct request request = {                                                                 \
            "xmem_atomic" #bits, address, operation, bits / 8, operand, compare, 0};               \
        int error = of_process(&request, process);                                                 \
        if (!error && before)                                                                      \
            *before = (uint##bits##_t)request.before;                                              \
        return error;                                                                              \
    }                                                                                              \
    EXPORT int xmem_move_atomic##bits(const struct xmem_descriptor *descriptor, uint64_t address,  \
                                      enum xmem_atomic operation, uint##bits##_t operand,          \
                                      uint##bits##_t compare, uint##bits##_t *before)              \
    {                                                                                              \
        struct request request = {                                                                 \
            "xmem_move_atomic" #bits, address, operation, bits / 8, operand, compare, 0};          \
        int error = through_descriptor(&request, descriptor);                                      \
        if (!error && before)                                                                      \
            *before = (uint##bits##_t)request.before;                                              \
        return error;                                                                              \
    }

DEFINE_ATOMIC(32)
DEFINE_ATOMIC(64)
