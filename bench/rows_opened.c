/* SPDX-License-Identifier: MIT */
/*
 * Memory of a Linux process: the services against the system calls that they cannot do without, a
 * process_vm call and the liveness checks (after a read; before and after a write).
 */
#include "opened.h"
#include "places.h"
#include "syscalls.h"

#include <string.h>
#include <sys/syscall.h>
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

/* The system calls that move bytes, where one is the aim. */
static void count_moves(struct both *both, void (*ours)(void *, unsigned long), bool into_user,
                        struct result *result)
{
    long number = into_user ? SYS_process_vm_writev : SYS_process_vm_readv;
    long counted = count_syscalls(ours, both, number);
    result->ns = (double)counted;
    result->baseline_ns = 1;
    result->problem = places_verdict(&both->places);
    if (counted < 0) {
        result->problem = "system calls cannot be counted on this machine";
        result->impossible = true;
    }
}

static void destroy(struct both *both)
{
    places_close(&both->places);
    peer_close(&both->peer);
}

enum { CHECKED, RELAXED, COUNTED };

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
    bool into_user = services[row->which].into_user;
    if (!create(&both, 0, PEER_RANGES * (size_t)XMEM_PAGE_SIZE, result))
        return;
    for (unsigned at = 0; at < PEER_RANGES; at++) {
        both.ranges[at] =
            (struct xmem_range){both.raw.address + at * (uint64_t)XMEM_PAGE_SIZE, PEER_RANGE};
        both.vectors[at] = (struct iovec){both.raw.kernel + at * PEER_RANGE, PEER_RANGE};
    }
    if (row->detail == COUNTED)
        count_moves(&both, runs[row->which], into_user, result);
    else
        compare(&both, runs[row->which], &both,
                into_user ? run_checked_write_ranges : run_checked_read_ranges, result);
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
    if (!create(&both, PEER_SIZE - STRING_SIZE, STRING_SIZE, result))
        return;
    if (xmem_copy_out(NULL, words, both.raw.address, STRING_SIZE, NULL) != 0)
        result->problem = xmem_last_failure()->words;
    else if (row->detail == COUNTED)
        count_moves(&both, run_copyinstr, false, result);
    else
        compare(&both, run_copyinstr, &both, run_checked_read, result);
    destroy(&both);
}

#define READ "process_vm_readv + check"
#define WRITE "check + process_vm_writev + check"
#define ROW(name, size, baseline, kind, value, measure, which, detail)                             \
    {                                                                                              \
        name, size, baseline, {kind, value}, HINT_SYSCALL, measure, which, detail                  \
    }
#define TIMED(name, size, baseline, which)                                                         \
    ROW(name, size, baseline, AT_MOST_PLUS, 100, measure_service, which, CHECKED)
#define OPENED(size)                                                                               \
    TIMED("xmemin, opened", size, READ, XMEMIN), TIMED("xmemout, opened", size, WRITE, XMEMOUT),   \
        TIMED("copyin64, opened", size, READ, COPYIN64),                                           \
        TIMED("copyout64, opened", size, WRITE, COPYOUT64)
#define RELAXED_ROW(name, baseline, which)                                                         \
    ROW(name ", opened, relaxed", 8, baseline, REPORTED, 0, measure_service, which, RELAXED)
/* How long it takes, and that it is one system call that moves the bytes. */
#define ONE_CALL(name, size, checked, call, measure, which)                                        \
    ROW(name, size, checked, REPORTED, 0, measure, which, CHECKED),                                \
        ROW(name " (system calls)", size, call, AT_MOST_TIMES, 1, measure, which, COUNTED)
#define VECTOR(name, checked, call, which)                                                         \
    ONE_CALL(name ", opened, 64 ranges", PEER_RANGES *PEER_RANGE, checked, call, measure_vector,   \
             which)

static const struct row rows[] = {
    OPENED(8),
    OPENED(512),
    OPENED(4096),
    OPENED(65536),
    OPENED(1048576),
    RELAXED_ROW("xmemin", "process_vm_readv", XMEMIN),
    RELAXED_ROW("xmemout", "process_vm_writev", XMEMOUT),
    VECTOR("xmem_move_inv", READ, "process_vm_readv", XMEMIN),
    VECTOR("xmem_move_outv", WRITE, "process_vm_writev", XMEMOUT),
    VECTOR("xmem_copy_inv", READ, "process_vm_readv", COPYIN64),
    VECTOR("xmem_copy_outv", WRITE, "process_vm_writev", COPYOUT64),
    ONE_CALL("copyinstr64, opened, at a page end", STRING_SIZE, READ, "process_vm_readv",
             measure_string, 0),
};

const struct family opened_family = {"memory of a Linux process", rows, ROW_COUNT(rows), NULL};
