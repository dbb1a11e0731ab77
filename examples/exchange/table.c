/* SPDX-License-Identifier: MIT */
/* What the run showed, in print; see table.h. */
#include "table.h"

#include <stdio.h>

static const char *class_words(enum xmem_failure_class failure_class)
{
    static const char *const words[FAILURE_CLASSES] = {
        [XMEM_FAILURE_NONE] = "not recorded",
        [XMEM_FAILURE_NO_MAPPING] = "no mapping",
        [XMEM_FAILURE_NO_AUTHORITY] = "no authority",
        [XMEM_FAILURE_DELETED] = "deleted",
        [XMEM_FAILURE_NOT_RESIDENT] = "not resident",
        [XMEM_FAILURE_IO] = "I/O error",
        [XMEM_FAILURE_NO_MEMORY] = "no memory",
        [XMEM_FAILURE_NO_SPACE] = "no space",
        [XMEM_FAILURE_TIMED_OUT] = "timed out",
        [XMEM_FAILURE_PEER_GONE] = "peer gone",
        [XMEM_FAILURE_KIND] = "wrong kind",
        [XMEM_FAILURE_ARGUMENT] = "argument",
        [XMEM_FAILURE_DESCRIPTOR] = "descriptor",
        [XMEM_FAILURE_ENVIRONMENT] = "environment",
        [XMEM_FAILURE_BUSY] = "busy",
        [XMEM_FAILURE_PERMISSION] = "permission",
    };
    return words[failure_class];
}

static void print_time(uint64_t nanoseconds)
{
    if (nanoseconds == 0)
        printf(" %8s", "-");
    else if (nanoseconds < 1000)
        printf(" %5u ns", (unsigned)nanoseconds);
    else if (nanoseconds < 1000000)
        printf(" %5.1f us", (double)nanoseconds / 1e3);
    else
        printf(" %5.2f ms", (double)nanoseconds / 1e6);
}

static void print_size(uint64_t bytes)
{
    if (bytes < 1024)
        printf(" %4u B  ", (unsigned)bytes);
    else if (bytes < 1048576)
        printf(" %4u KiB", (unsigned)(bytes >> 10));
    else
        printf(" %4u MiB", (unsigned)(bytes >> 20));
}

void print_rows(struct row *rows, size_t count)
{
    printf("\nMoves between honest programs.  `in` brings a chunk from the holder to the kernel\n"
           "program, `out` takes it on to the taker: median time of a call, and beside it that of\n"
           "process_vm_readv and process_vm_writev, taking turns.  Embedded memory belongs to no\n"
           "Linux process; beside it stand calls to the opened ones.\n\n"
           "%-20s %-9s %7s %6s %9s %6s %8s %8s %8s %8s\n",
           "services", "memory", "chunk", "calls", "bytes", "failed", "in", "readv", "out",
           "writev");
    for (struct row *row = rows; row < rows + count; row++) {
        printf("%-20s %-9s", row->route->services, row->route->memory);
        print_size(row->chunk);
        printf(" %6llu %9llu %6llu", (unsigned long long)row->calls, (unsigned long long)row->bytes,
               (unsigned long long)row->failed);
        print_time(samples_median(&row->in));
        print_time(samples_median(&row->raw_in));
        print_time(samples_median(&row->out));
        print_time(samples_median(&row->raw_out));
        printf("\n");
    }
}

static void print_causes(const struct tally *tally)
{
    const char *separator = "";
    for (unsigned at = 0; at < FAILURE_CLASSES; at++) {
        if (tally->failures[at] == 0)
            continue;
        printf("%s%s %llu", separator, class_words(at), (unsigned long long)tally->failures[at]);
        separator = ", ";
    }
    printf("\n");
}

void print_services(void)
{
    printf(
        "\nAll calls of the run, hostile programs included, and the causes of those that failed\n"
        "(xmem_last_failure).\n\n%-15s %6s %11s %6s %s\n",
        "service", "calls", "bytes", "failed", "causes");
    for (unsigned service = 0; service < SERVICES; service++) {
        struct tally tally = service_tally(service);
        uint64_t failed = 0;
        for (unsigned at = 0; at < FAILURE_CLASSES; at++)
            failed += tally.failures[at];
        printf("%-15s %6llu %11llu %6llu ", service_name(service), (unsigned long long)tally.calls,
               (unsigned long long)tally.bytes, (unsigned long long)failed);
        print_causes(&tally);
    }
}

void print_refusals(void)
{
    size_t count;
    const struct refusal *refusal = refusals(&count);
    printf("\nHostile programs, served at the same time: what the cross-memory services, and the "
           "user\n"
           "copies or xmem_process_map_fd, returned for each of them, and the last cause.\n\n"
           "%-15s %5s  %-39s %-18s %s\n",
           "mode", "times", "what it does", "gets", "cause");
    for (; count > 0; count--, refusal++)
        printf("%-15s %5u  %-39s %-18s %s\n", refusal->mode, refusal->times, refusal->does,
               refusal->gets, refusal->met ? class_words(refusal->cause) : "-");
}
