/* SPDX-License-Identifier: MIT */
/*
 * Resident memory of an embedded process: the copy services against memcpy between the same bytes,
 * and process_vm_readv, of which Linux has nothing quicker, beside them.
 */
#include "places.h"
#include "stream.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define ONE 0
#define ROTATION 1
#define TWO_REGIONS 2

static void measure_service(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    struct places places;
    if (!places_create(&places, row->detail == ROTATION ? PLACES_MOST : 1, row->size, 0)) {
        result->problem = xmem_last_failure()->words;
        return;
    }
    struct contender pair[2] = {{.run = service->run, .context = &places},
                                {.run = service->copy, .context = &places}};
    measure_pair(pair, result);
    result->problem = places_verdict(&places);
    places_close(&places);
}

/* One half before, one half behind the end of a region, whose neighbour is mapped.  memcpy moves
 * as many bytes that lie on two pages in the same way, in one piece, as it finds them in any
 * program; it has less to do. */
static void measure_two_regions(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    struct places places;
    struct places whole;
    struct xmem across = {.aspace_id = XMEM_INVAL};
    uint64_t middle = region_address(1);
    if (!places_create(&whole, 1, row->size, XMEM_PAGE_SIZE - row->size / 2)) {
        result->problem = xmem_last_failure()->words;
        return;
    }
    uint64_t start = middle - XMEM_PAGE_SIZE;
    places = whole;
    places.place[0].user = middle - row->size / 2;
    places.place[0].descriptor = &across;
    if (xmem_process_map(whole.process, start, 2 * XMEM_PAGE_SIZE, PROT_READ | PROT_WRITE) != 0 ||
        xmattach64(places.place[0].user, (int)row->size, &across, USER_ADSPACE) != XMEM_SUCC) {
        result->problem = xmem_last_failure()->words;
    } else {
        struct contender pair[2] = {{.run = service->run, .context = &places},
                                    {.run = service->copy, .context = &whole}};
        measure_pair(pair, result);
        result->problem = places_verdict(&places);
        xmdetach(&across);
    }
    places_close(&whole);
}

static void run_process_vm(void *context, unsigned long count)
{
    struct places *places = context;
    const struct place *place = &places->place[0];
    pid_t self = getpid();
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        struct iovec own = {place->kernel, places->size};
        struct iovec theirs = {place->mapped, places->size};
        wrong |= process_vm_readv(self, &own, 1, &theirs, 1, 0) != (ssize_t)places->size;
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void run_stream(void *context, unsigned long count)
{
    struct places *places = context;
    for (unsigned long at = 0; at < count; at++) {
        stream_bare(places->place[0].kernel, places->place[0].mapped, places->size);
        OPAQUE_STEP();
    }
}

static void run_string_move(void *context, unsigned long count)
{
    struct places *places = context;
    for (unsigned long at = 0; at < count; at++) {
        string_move_bare(places->place[0].kernel, places->place[0].mapped, places->size);
        OPAQUE_STEP();
    }
}

/* Other ways to move the same bytes. */
enum { PROCESS_VM, STREAM, STRING_MOVE };

static void measure_beside(const struct row *row, struct result *result)
{
    static void (*const runs[])(void *, unsigned long) = {
        [PROCESS_VM] = run_process_vm, [STREAM] = run_stream, [STRING_MOVE] = run_string_move};
    struct places places;
    if (!places_create(&places, 1, row->size, 0)) {
        result->problem = xmem_last_failure()->words;
        return;
    }
    struct contender pair[2] = {{.run = runs[row->which], .context = &places},
                                {.run = services[XMEMIN].copy, .context = &places}};
    measure_pair(pair, result);
    if (places.wrong) {
        result->problem = "process_vm_readv does not read this program's own memory here";
        result->impossible = true;
    }
    places_close(&places);
}

#define RESIDENT(words, size, kind, value, detail)                                                 \
    FOUR_SERVICES(words, size, "memcpy", kind, value,                                              \
                  (size) <= 4096     ? HINT_CALL                                                   \
                  : (size) > 1048576 ? HINT_STREAM                                                 \
                                     : HINT_NONE,                                                  \
                  (detail) == TWO_REGIONS ? measure_two_regions : measure_service, detail)
#define BESIDE(words, size, which)                                                                 \
    {                                                                                              \
        words " beside it", size, "memcpy", {REPORTED, 0}, HINT_NONE, measure_beside, which, 0     \
    }

static const struct row rows[] = {
    RESIDENT("", 8, AT_MOST_PLUS, 9, ONE),
    BESIDE("process_vm_readv", 8, PROCESS_VM),
    RESIDENT(", 8 segments", 8, AT_MOST_PLUS, 14, ROTATION),
    RESIDENT("", 512, AT_MOST_PLUS, 9, ONE),
    BESIDE("process_vm_readv", 512, PROCESS_VM),
    RESIDENT(", two regions", 512, AT_MOST_PLUS, 18, TWO_REGIONS),
    RESIDENT("", 4096, AT_MOST_TIMES, 1.10, ONE),
    BESIDE("process_vm_readv", 4096, PROCESS_VM),
    RESIDENT("", 65536, AT_MOST_TIMES, 1.03, ONE),
    BESIDE("process_vm_readv", 65536, PROCESS_VM),
    RESIDENT("", 1048576, AT_MOST_TIMES, 1.03, ONE),
    BESIDE("process_vm_readv", 1048576, PROCESS_VM),
    /* Here memcpy may not yet use the stores that it uses, on some machines, for 64 MiB. */
    RESIDENT("", 33554432, REPORTED, 0, ONE),
    RESIDENT("", 67108864, AT_MOST_TIMES, 0.75, ONE),
    BESIDE("process_vm_readv", 67108864, PROCESS_VM),
    BESIDE("bare non-temporal stores", 67108864, STREAM),
    BESIDE("rep movsb", 67108864, STRING_MOVE),
};

const struct family resident_family = {"resident memory of an embedded process", rows,
                                       ROW_COUNT(rows), NULL};
