/* SPDX-License-Identifier: MIT */
/*
 * One hot process and descriptor among many idle ones: does it matter how many there are, and what
 * memory does an idle one take?  An idle one is a process with one page, which was written, and a
 * descriptor for it.  The crowd only grows; it goes home with the family.
 */
#include "places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CROWD_MOST 100000u
#define CROWD_MOST_QUICK 1000u

static struct {
    struct xmem_process **processes;
    struct xmem_descriptor *descriptors;
    unsigned count;
    unsigned attached;
    double process_bytes; /* of all of them */
    double descriptor_bytes;
    const char *stopped; /* why it cannot grow any more; NULL: it can */
} crowd;

static struct places hot;
static double alone[SERVICES]; /* ns a call before anybody else came */

/* ---- memory ---- */

/* Bytes of pages and page tables that this program takes. */
static double memory_taken(void)
{
    static const char *const names[] = {"RssAnon:", "RssShmem:", "VmPTE:"};
    char line[256];
    double bytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        for (size_t at = 0; at < sizeof(names) / sizeof(names[0]); at++)
            if (strncmp(line, names[at], strlen(names[at])) == 0)
                bytes += strtod(line + strlen(names[at]), NULL) * 1024;
    fclose(file);
    return bytes;
}

/* ---- the crowd ---- */

static bool add_process(void)
{
    struct xmem_process **process = &crowd.processes[crowd.count];
    uint64_t word = 1;
    if (xmem_process_create(64, process) != 0)
        return false;
    crowd.count++;
    return xmem_process_map(*process, region_address(0), XMEM_PAGE_SIZE, PROT_READ | PROT_WRITE) ==
               0 &&
           xmem_copy_out(*process, &word, region_address(0), sizeof(word), NULL) == 0;
}

static bool attach_next(void)
{
    unsigned at = crowd.attached;
    if (xmem_attach(crowd.processes[at], region_address(0), XMEM_PAGE_SIZE,
                    &crowd.descriptors[at]) != 0)
        return false;
    crowd.attached++;
    return true;
}

static void grow_to(unsigned wanted)
{
    double before = memory_taken();
    while (!crowd.stopped && crowd.count < wanted)
        if (!add_process())
            crowd.stopped = xmem_last_failure()->words;
    double between = memory_taken();
    while (!crowd.stopped && crowd.attached < crowd.count)
        if (!attach_next())
            crowd.stopped = xmem_last_failure()->words;
    crowd.process_bytes += between - before;
    crowd.descriptor_bytes += memory_taken() - between;
}

/* The arrays are touched, so that their growth is nobody's memory. */
static bool make_room(void)
{
    size_t processes = CROWD_MOST * sizeof(struct xmem_process *);
    size_t descriptors = CROWD_MOST * sizeof(struct xmem_descriptor);
    crowd.processes = malloc(processes);
    crowd.descriptors = malloc(descriptors);
    if (!crowd.processes || !crowd.descriptors)
        return false;
    memset(crowd.processes, 1, processes);
    memset(crowd.descriptors, 1, descriptors);
    return true;
}

static void measure_hot(unsigned service, struct contender *contender)
{
    *contender = (struct contender){.run = services[service].run, .context = &hot};
    measure(contender, 1);
}

static bool begin(struct result *result)
{
    if (crowd.processes)
        return true;
    if (!make_room() || !places_create(&hot, 1, 8, 0)) {
        result->problem = "no memory";
        return false;
    }
    for (unsigned service = 0; service < SERVICES; service++) {
        struct contender contender;
        measure_hot(service, &contender);
        alone[service] = contender.ns;
    }
    return true;
}

static void finish(void)
{
    if (!crowd.processes)
        return;
    for (unsigned at = 0; at < crowd.attached; at++)
        xmem_detach(&crowd.descriptors[at]);
    for (unsigned at = 0; at < crowd.count; at++)
        xmem_process_close(crowd.processes[at]);
    places_close(&hot);
    free(crowd.processes);
    free(crowd.descriptors);
    memset(&crowd, 0, sizeof(crowd));
}

/* False, and the result says so: there are not as many as the row asks for. */
static bool gather(const struct row *row, struct result *result)
{
    unsigned wanted = (unsigned)row->detail;
    if (!begin(result))
        return false;
    if (quick && wanted > CROWD_MOST_QUICK)
        wanted = CROWD_MOST_QUICK;
    grow_to(wanted);
    if (crowd.attached < wanted)
        snprintf(result->note, sizeof(result->note), "only %u others: %.100s", crowd.attached,
                 crowd.stopped ? crowd.stopped : "unknown");
    else if (wanted < (unsigned)row->detail)
        snprintf(result->note, sizeof(result->note), "only %u others, to be quick", wanted);
    return crowd.attached > 0;
}

static void measure_among(const struct row *row, struct result *result)
{
    struct contender contender;
    if (!gather(row, result)) {
        if (!result->problem)
            result->problem = "nobody else could be created";
        return;
    }
    measure_hot((unsigned)row->which, &contender);
    result->ns = contender.ns;
    result->spread = contender.spread;
    result->baseline_ns = alone[row->which];
    result->problem = places_verdict(&hot);
}

enum { OF_PROCESS, OF_DESCRIPTOR };

static void measure_memory(const struct row *row, struct result *result)
{
    if (!gather(row, result)) {
        if (!result->problem)
            result->problem = "nobody else could be created";
        return;
    }
    double bytes = row->which == OF_PROCESS ? crowd.process_bytes : crowd.descriptor_bytes;
    result->ns = bytes / crowd.attached;
}

#define AMONG(words, number)                                                                       \
    FOUR_SERVICES(", " words " other processes and descriptors", 8, "the same alone",              \
                  AT_MOST_TIMES, 1.2, HINT_NONE, measure_among, number)
#define MEMORY(words, number)                                                                      \
    {"memory of an idle process, its page included, of " words " (bytes)",                         \
     4096,                                                                                         \
     "-",                                                                                          \
     {REPORTED, 0},                                                                                \
     HINT_NONE,                                                                                    \
     measure_memory,                                                                               \
     OF_PROCESS,                                                                                   \
     number},                                                                                      \
    {                                                                                              \
        "memory of an idle descriptor, of " words " (bytes)", 4096, "-", {REPORTED, 0}, HINT_NONE, \
            measure_memory, OF_DESCRIPTOR, number                                                  \
    }

static const struct row rows[] = {
    AMONG("10", 10),         AMONG("1000", 1000),      MEMORY("1000", 1000),
    AMONG("100000", 100000), MEMORY("100000", 100000),
};

const struct family crowd_family = {"one hot process among idle ones", rows, ROW_COUNT(rows),
                                    finish};
