/* SPDX-License-Identifier: MIT */
/*
 * Calls that move nothing: bad addresses, attach and detach, map-in and map-out.  Their baseline is
 * the least that any call costs which passes through both libraries and looks at the thread.
 */
#include "costs.h"
#include "places.h"

#include <pthread.h>
#include <signal.h>
#include <sys/adspace.h>
#include <sys/errno.h>

enum bad { BAD_REGION, BAD_PAGE, BAD_RANGE, BAD_POINTER };

static const uint64_t bad_addresses[] = {
    [BAD_REGION] = UINT64_C(200) << 28,
    [BAD_PAGE] = (UINT64_C(4) << 28) + 16 * XMEM_PAGE_SIZE,
    [BAD_RANGE] = (UINT64_C(4) << 28) + 4096,
    [BAD_POINTER] = UINT64_MAX - 4095,
};

static void measure_call(struct places *places, void (*run)(void *, unsigned long),
                         struct result *result)
{
    struct contender pair[2] = {{.run = run, .context = places}, {.run = run_empty_calls}};
    measure_pair(pair, result);
    result->problem = places_verdict(places);
}

static bool create(const struct row *row, struct places *places, struct result *result)
{
    bool created = places_create(places, 1, row->size, 0);
    if (!created)
        result->problem = xmem_last_failure()->words;
    return created;
}

/* No signal is involved: one that is blocked while a fault raises it ends the program. */
static void measure_bad(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    struct places places;
    if (!create(row, &places, result))
        return;
    places.place[0].user = bad_addresses[row->detail];
    places.expected = service->by_descriptor ? XMEM_FAIL : EFAULT;
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    pthread_sigmask(SIG_BLOCK, &faults, NULL);
    measure_call(&places, service->run, result);
    pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
    places_close(&places);
}

static void run_attach(void *context, unsigned long count)
{
    struct places *places = context;
    struct place *place = &places->place[0];
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        struct xmem descriptor = {.aspace_id = XMEM_INVAL};
        wrong |= xmattach64(place->user, (int)places->size, &descriptor, USER_ADSPACE);
        OPAQUE_STEP();
        wrong |= xmdetach(&descriptor);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void run_map_in(void *context, unsigned long count)
{
    struct places *places = context;
    struct place *place = &places->place[0];
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        caddr_t mapped = NULL;
        wrong |=
            xm_mapin(place->descriptor, (caddr_t)(uintptr_t)place->user, places->size, &mapped);
        OPAQUE_STEP();
        xm_det(mapped, place->descriptor);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void measure_attach(const struct row *row, struct result *result)
{
    struct places places;
    if (!create(row, &places, result))
        return;
    measure_call(&places, run_attach, result);
    places_close(&places);
}

static void measure_map_in(const struct row *row, struct result *result)
{
    struct places places;
    if (!create(row, &places, result))
        return;
    measure_call(&places, run_map_in, result);
    places_close(&places);
}

#define EMPTY "an empty call"
#define BAD(name, which, detail)                                                                   \
    {                                                                                              \
        name, 8, EMPTY, {AT_MOST_NS, 20}, HINT_CALL, measure_bad, which, detail                    \
    }

static const struct row rows[] = {
    BAD("copyin64, no such region", COPYIN64, BAD_REGION),
    BAD("copyin64, page not mapped", COPYIN64, BAD_PAGE),
    BAD("copyin64, not an address", COPYIN64, BAD_POINTER),
    BAD("copyout64, page not mapped", COPYOUT64, BAD_PAGE),
    BAD("xmemin, not attached", XMEMIN, BAD_RANGE),
    BAD("xmemout, not attached", XMEMOUT, BAD_RANGE),
    {"xmattach64 + xmdetach", 4096, EMPTY, {AT_MOST_NS, 60}, HINT_CALL, measure_attach, 0, 0},
    {"xm_mapin + xm_det", 4096, EMPTY, {AT_MOST_NS, 40}, HINT_CALL, measure_map_in, 0, 0},
};

const struct family bookkeeping_family = {"bad addresses, descriptors, map-in", rows,
                                          ROW_COUNT(rows), NULL};
