/* SPDX-License-Identifier: MIT */
/* Costs of the parts; costs.h says what for. */
#include "costs.h"
#include "bare_fault.h"
#include "opened.h"
#include "places.h"
#include "stream.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>
#include <xmem/xmem.h>

#if BENCH_READ_SECTION_URCU
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>
#endif

#define STREAM_SIZE (UINT64_C(64) << 20)

enum part {
    EMPTY_CALL,
    NATIVE_CALL,
    READ_SECTION,
    SYSCALL,
    LIVENESS,
    PROCESS_VM,
    FAULT,
    STREAM,
    PARTS
};

static struct {
    const char *name;
    const char *details;
    double ns;
} parts[PARTS] = {
    [EMPTY_CALL] = {"an empty call", "through libxmem-aix and libxmem (IS64U)", 0},
    [NATIVE_CALL] = {"an empty native call", "of libxmem only (xmem_in_interrupt)", 0},
    [READ_SECTION] = {"an empty read section", "liburcu's, inlined", 0},
    [SYSCALL] = {"an empty system call", "getppid", 0},
    [LIVENESS] = {"a liveness check", "pread of /proc/PID/mem", 0},
    [PROCESS_VM] = {"process_vm_readv", "of 8 bytes", 0},
    [FAULT] = {"a bare fault", "SIGBUS, and on behind the load", 0},
    [STREAM] = {"a bare non-temporal copy", "of 64 MiB", 0},
};

void run_empty_calls(void *unused, unsigned long count)
{
    (void)unused;
    for (unsigned long at = 0; at < count; at++) {
        (void)IS64U;
        OPAQUE_STEP();
    }
}

static void run_native_calls(void *unused, unsigned long count)
{
    (void)unused;
    for (unsigned long at = 0; at < count; at++) {
        (void)xmem_in_interrupt();
        OPAQUE_STEP();
    }
}

static void run_read_sections(void *unused, unsigned long count)
{
    (void)unused;
    for (unsigned long at = 0; at < count; at++) {
#if BENCH_READ_SECTION_URCU
        urcu_memb_read_lock();
        OPAQUE_STEP();
        urcu_memb_read_unlock();
#endif
        OPAQUE_STEP();
    }
}

static void run_syscalls(void *unused, unsigned long count)
{
    (void)unused;
    for (unsigned long at = 0; at < count; at++)
        (void)syscall(SYS_getppid);
}

static double measure_one(void (*run)(void *, unsigned long), void *context)
{
    struct contender one = {.run = run, .context = context};
    measure(&one, 1);
    return one.ns;
}

static void measure_opened(void)
{
    struct peer peer;
    if (!peer_create(&peer))
        return;
    struct raw raw = {.peer = &peer, .address = peer.address, .size = 8, .kernel = peer.kernel};
    parts[LIVENESS].ns = measure_one(run_liveness, &raw);
    parts[PROCESS_VM].ns = measure_one(run_raw_read, &raw);
    peer_close(&peer);
}

static void measure_fault(void)
{
    struct contender fault = {
        .run = run_bare_faults, .before = bare_fault_begin, .after = bare_fault_end};
    if (!bare_fault_create())
        return;
    measure(&fault, 1);
    parts[FAULT].ns = fault.ns;
    bare_fault_destroy();
}

struct copy {
    void *to;
    const void *from;
};

static void run_streams(void *context, unsigned long count)
{
    const struct copy *copy = context;
    for (unsigned long at = 0; at < count; at++)
        stream_bare(copy->to, copy->from, STREAM_SIZE);
}

static void measure_stream(void)
{
    struct copy copy = {kernel_memory(STREAM_SIZE), kernel_memory(STREAM_SIZE)};
    if (copy.to && copy.from)
        parts[STREAM].ns = measure_one(run_streams, &copy);
    kernel_memory_free((char *)copy.to, STREAM_SIZE);
    kernel_memory_free((char *)(uintptr_t)copy.from, STREAM_SIZE);
}

void costs_measure(void)
{
    parts[EMPTY_CALL].ns = measure_one(run_empty_calls, NULL);
    parts[NATIVE_CALL].ns = measure_one(run_native_calls, NULL);
    /* xmem_start() and the calls before have registered this thread. */
    if (BENCH_READ_SECTION_URCU)
        parts[READ_SECTION].ns = measure_one(run_read_sections, NULL);
    parts[SYSCALL].ns = measure_one(run_syscalls, NULL);
    measure_opened();
    measure_fault();
    measure_stream();
}

void costs_print(void)
{
    printf("\nMeasured in the same run, what no call can do without:\n");
    for (unsigned part = 0; part < PARTS; part++)
        if (parts[part].ns > 0)
            printf("  %12.2f ns  %s: %s\n", parts[part].ns, parts[part].name, parts[part].details);
}

void costs_explain(enum hint hint, char *words, size_t size)
{
    static const struct {
        enum part first;
        enum part second;
    } of_hint[] = {
        [HINT_NONE] = {PARTS, PARTS},    [HINT_CALL] = {EMPTY_CALL, READ_SECTION},
        [HINT_STREAM] = {STREAM, PARTS}, [HINT_SYSCALL] = {PROCESS_VM, LIVENESS},
        [HINT_FAULT] = {FAULT, SYSCALL},
    };
    enum part pair[2] = {of_hint[hint].first, of_hint[hint].second};
    words[0] = '\0';
    for (unsigned at = 0; at < 2; at++) {
        if (pair[at] == PARTS || !(parts[pair[at]].ns > 0))
            continue;
        size_t used = 0;
        while (words[used])
            used++;
        snprintf(words + used, size - used, "%s%s %.1f ns", used ? ", " : "", parts[pair[at]].name,
                 parts[pair[at]].ns);
    }
}
