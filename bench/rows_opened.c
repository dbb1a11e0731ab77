/* SPDX-License-Identifier: MIT */
/*
 * Memory of a Linux process: the services against the system calls that they cannot do without, a
 * process_vm call and the liveness checks (after a read; before and after a write).
 */
#include "opened.h"
#include "places.h"

#include <string.h>
#include <sys/uio.h>

#define STRING_SIZE 20u

/* A place in the peer, and the raw moves to compare with. */
struct both {
    struct peer peer;
    struct places places;
    struct raw raw;
    struct xmem_range ranges[PEER_RANGES];
    struct iovec vectors[PEER_RANGES];
    char string[2 * STRING_SIZE];
};

static bool create(struct both *both, uint64_t offset, size_t size, struct result *result)
{
    memset(both, 0, sizeof(*both));
    if (peer_create(&both->peer) &&
        places_over(&both->places, both->peer.process, both->peer.address + offset, size)) {
        both->raw = (struct raw){.peer = &both->peer,
                                 .address = both->peer.address + offset,
                                 .kernel = both->places.buffer,
                                 .size = size};
        return true;
    }
    result->problem = xmem_last_failure()->words;
    result->impossible = xmem_last_failure()->failure_class == XMEM_FAILURE_PERMISSION;
    peer_close(&both->peer);
    return false;
}

static void compare(struct both *both, void (*ours)(void *, unsigned long), void *context,
                    void (*raw)(void *, unsigned long), struct result *result)
{
    struct contender pair[2] = {{.run = ours, .context = context},
                                {.run = raw, .context = &both->raw}};
    measure_pair(pair, result);
    result->problem = places_verdict(&both->places);
    if (both->raw.wrong)
        result->problem = "a raw system call failed";
}

static void destroy(struct both *both)
{
    places_close(&both->places);
    peer_close(&both->peer);
}

enum { CHECKED, RELAXED };

static void measure_service(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    static struct both both;
    if (!create(&both, 0, row->size, result))
        return;
    if (row->detail == RELAXED) {
        xmem_process_relax(both.peer.process, 1);
        compare(&both, service->run, &both.places,
                service->into_user ? run_raw_write : run_raw_read, result);
    } else {
        compare(&both, service->run, &both.places,
                service->into_user ? run_checked_write : run_checked_read, result);
    }
    destroy(&both);
}

/* ---- vectors ---- */

static void run_move_inv(void *context, unsigned long count)
{
    struct both *both = context;
    const struct xmem_descriptor *descriptor = (const void *)&both->places.descriptors[0];
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |=
            xmem_move_inv(descriptor, both->ranges, PEER_RANGES, both->vectors, PEER_RANGES, NULL);
    both->places.wrong |= wrong;
}

static void run_move_outv(void *context, unsigned long count)
{
    struct both *both = context;
    const struct xmem_descriptor *descriptor = (const void *)&both->places.descriptors[0];
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |=
            xmem_move_outv(descriptor, both->vectors, PEER_RANGES, both->ranges, PEER_RANGES, NULL);
    both->places.wrong |= wrong;
}

static void run_copy_inv(void *context, unsigned long count)
{
    struct both *both = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= xmem_copy_inv(NULL, both->ranges, PEER_RANGES, both->vectors, PEER_RANGES, NULL);
    both->places.wrong |= wrong;
}

static void run_copy_outv(void *context, unsigned long count)
{
    struct both *both = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= xmem_copy_outv(NULL, both->vectors, PEER_RANGES, both->ranges, PEER_RANGES, NULL);
    both->places.wrong |= wrong;
}

static void measure_vector(const struct row *row, struct result *result)
{
    static void (*const runs[])(void *, unsigned long) = {
        [XMEMIN] = run_move_inv,
        [XMEMOUT] = run_move_outv,
        [COPYIN64] = run_copy_inv,
        [COPYOUT64] = run_copy_outv,
    };
    static struct both both;
    if (!create(&both, 0, PEER_RANGES * (size_t)XMEM_PAGE_SIZE, result))
        return;
    for (unsigned at = 0; at < PEER_RANGES; at++) {
        both.ranges[at] =
            (struct xmem_range){both.raw.address + at * (uint64_t)XMEM_PAGE_SIZE, PEER_RANGE};
        both.vectors[at] = (struct iovec){both.raw.kernel + at * PEER_RANGE, PEER_RANGE};
    }
    compare(&both, runs[row->which], &both,
            services[row->which].into_user ? run_checked_write_ranges : run_checked_read_ranges,
            result);
    destroy(&both);
}

/* ---- strings ---- */

static void run_copyinstr(void *context, unsigned long count)
{
    struct both *both = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        uint actual = 0;
        wrong |= copyinstr64(both->raw.address, both->string, sizeof(both->string), &actual);
        wrong |= actual != STRING_SIZE;
    }
    both->places.wrong |= wrong;
}

/* The string ends with its page, and the page behind it is not mapped.  One read gets it all. */
static void measure_string(const struct row *row, struct result *result)
{
    static const char words[STRING_SIZE] = "nineteen characters";
    static struct both both;
    (void)row;
    if (!create(&both, PEER_SIZE - STRING_SIZE, STRING_SIZE, result))
        return;
    if (xmem_copy_out(NULL, words, both.raw.address, STRING_SIZE, NULL) != 0)
        result->problem = xmem_last_failure()->words;
    else
        compare(&both, run_copyinstr, &both, run_checked_read, result);
    destroy(&both);
}

#define READ "process_vm_readv + check"
#define WRITE "check + process_vm_writev + check"
#define ROW(name, size, baseline, measure, which)                                                  \
    {                                                                                              \
        name, size, baseline, {AT_MOST_PLUS, 100}, HINT_SYSCALL, measure, which, CHECKED           \
    }
#define OPENED(size)                                                                               \
    ROW("xmemin, opened", size, READ, measure_service, XMEMIN),                                    \
        ROW("xmemout, opened", size, WRITE, measure_service, XMEMOUT),                             \
        ROW("copyin64, opened", size, READ, measure_service, COPYIN64),                            \
        ROW("copyout64, opened", size, WRITE, measure_service, COPYOUT64)

static const struct row rows[] = {
    OPENED(8),
    OPENED(512),
    OPENED(4096),
    OPENED(65536),
    OPENED(1048576),
    {"xmemin, opened, relaxed",
     8,
     "process_vm_readv",
     {REPORTED, 0},
     HINT_SYSCALL,
     measure_service,
     XMEMIN,
     RELAXED},
    {"xmemout, opened, relaxed",
     8,
     "process_vm_writev",
     {REPORTED, 0},
     HINT_SYSCALL,
     measure_service,
     XMEMOUT,
     RELAXED},
    ROW("xmem_move_inv, opened, 64 ranges", 4096, READ, measure_vector, XMEMIN),
    ROW("xmem_move_outv, opened, 64 ranges", 4096, WRITE, measure_vector, XMEMOUT),
    ROW("xmem_copy_inv, opened, 64 ranges", 4096, READ, measure_vector, COPYIN64),
    ROW("xmem_copy_outv, opened, 64 ranges", 4096, WRITE, measure_vector, COPYOUT64),
    ROW("copyinstr64, opened, at a page end", STRING_SIZE, READ, measure_string, 0),
};

const struct family opened_family = {"memory of a Linux process", rows, ROW_COUNT(rows), NULL};
