/* SPDX-License-Identifier: MIT */
/*
 * The table of processes and their life; process.h has the rules.
 */
#include "engine/process.h"

#include "engine/failure.h"
#include "engine/holds.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/read_section.h"
#include "segments/foreign.h"
#include "segments/own.h"

#include <errno.h>

#define PROCESSES_MOST (1u << 20)
#define LIMIT_32 (UINT64_C(1) << 32)
#define LIMIT_60 (UINT64_C(1) << 60)
/* Addresses that a Linux process gets without asking for more.  Beyond them a processor faults
 * without saying where. */
#if defined(__x86_64__)
#define LIMIT_NATIVE (UINT64_C(1) << 47)
#else
#define LIMIT_NATIVE (UINT64_C(1) << 48)
#endif

static host_mutex table_mutex = HOST_MUTEX_INITIALIZER;
static struct xmem_process *table;
static uint32_t table_used;
static struct xmem_process *free_list;
static uint64_t live;
static int64_t mapped_pages;

static struct xmem_process kernel_process = {
    .regions = &regions_none,
    .limit = LIMIT_NATIVE,
    .state = PROCESS_OPEN,
    .references = 1,
    .kind = PROCESS_KERNEL,
    .bits = 8 * sizeof(void *),
    .mutex = HOST_MUTEX_INITIALIZER,
};

struct xmem_process process_gone = {
    .regions = &regions_none,
    .state = PROCESS_CLOSED,
    .mutex = HOST_MUTEX_INITIALIZER,
};

int processes_start(void)
{
    kernel_process.backing = own_memory();
    if (table)
        return 0;
    void *start;
    int error = host_table_create(PROCESSES_MOST * sizeof(*table), &start);
    if (!error)
        table = start;
    return error;
}

uint64_t processes_count(void)
{
    host_lock(&table_mutex);
    uint64_t count = live;
    host_unlock(&table_mutex);
    return count;
}

void process_count_pages(int64_t pages)
{
    __atomic_fetch_add(&mapped_pages, pages, __ATOMIC_RELAXED);
}

uint64_t processes_mapped_bytes(void)
{
    return (uint64_t)load_relaxed(&mapped_pages) * XMEM_PAGE_SIZE;
}

/* ---- slots ---- */

static struct xmem_process *slot_acquire(void)
{
    host_lock(&table_mutex);
    struct xmem_process *process = free_list;
    if (process)
        free_list = process->next_free;
    else if (table_used < PROCESSES_MOST)
        process = &table[table_used++];
    if (process)
        live++;
    host_unlock(&table_mutex);
    return process;
}

static void slot_return(struct xmem_process *process)
{
    host_lock(&table_mutex);
    process->next_free = free_list;
    free_list = process;
    host_unlock(&table_mutex);
}

static void count_closed(void)
{
    host_lock(&table_mutex);
    live--;
    host_unlock(&table_mutex);
}

static int process_new(enum process_kind kind, unsigned bits, uint64_t limit,
                       struct xmem_process **created)
{
    struct region_table *regions = regions_create(bits);
    if (!regions)
        return ENOMEM;
    struct xmem_process *process = slot_acquire();
    if (!process) {
        host_free(regions);
        return ENOMEM;
    }
    process->backing = NULL;
    process->limit = limit;
    process->kind = (uint8_t)kind;
    process->bits = (uint8_t)bits;
    process->pid = 0;
    store_release(&process->regions, regions);
    store_relaxed(&process->references, 1);
    *created = process;
    return 0;
}

bool process_hold(struct xmem_process *process)
{
    uint32_t count = load_relaxed(&process->references);
    while (count != 0 && load_acquire(&process->state) == PROCESS_OPEN) {
        if (compare_exchange(&process->references, &count, count + 1))
            return true;
    }
    return false;
}

void process_drop(struct xmem_process *process)
{
    if (sub_fetch(&process->references, 1) != 0)
        return;
    if (process->backing)
        segment_drop(process->backing);
    process->backing = NULL;
    store_release(&process->state, PROCESS_FREE);
    slot_return(process);
}

int process_service(const char *operation, struct xmem_process *process,
                    struct xmem_process **meant)
{
    int error = thread_process_only(operation);
    if (error)
        return error;
    *meant = process ? process : thread_state.current;
    if (!*meant)
        return fail_argument(operation, "no process was given and this thread runs under none; "
                                        "call xmem_enter() first");
    if (process_hold(*meant))
        return 0;
    return fail(operation,
                outcome_failure(XMEM_FAILURE_PEER_GONE, ESRCH, "the process was closed"));
}

const char *process_kind_words(const struct xmem_process *process)
{
    switch ((enum process_kind)process->kind) {
    case PROCESS_EMBEDDED:
        return "embedded";
    case PROCESS_OPENED:
        return "opened";
    case PROCESS_KERNEL:
        return "kernel";
    }
    return "unknown";
}

/* ---- services ---- */

static int create_process(const char *operation, unsigned bits, struct xmem_process **process)
{
    if (!process || (bits != 32 && bits != 64))
        return fail_argument(operation, "bits must be 32 or 64, and there must be a place for the "
                                        "result");
    struct xmem_process *created;
    if (process_new(PROCESS_EMBEDDED, bits, bits == 32 ? LIMIT_32 : LIMIT_60, &created))
        return fail_no_memory(operation);
    store_release(&created->state, PROCESS_OPEN);
    *process = created;
    return 0;
}

EXPORT int xmem_process_create(unsigned bits, struct xmem_process **process)
{
    static const char operation[] = "xmem_process_create";
    if (process)
        *process = NULL;
    int error = making_begin(operation);
    if (error)
        return error;
    error = create_process(operation, bits, process);
    making_end();
    return error;
}

static int refuse_open(pid_t pid, int error)
{
    static char words[256]; /* the last refusal's; under words_mutex while it is written */
    static host_mutex words_mutex = HOST_MUTEX_INITIALIZER;
    enum xmem_failure_class cause = error == ESRCH    ? XMEM_FAILURE_PEER_GONE
                                    : error == ENOMEM ? XMEM_FAILURE_NO_MEMORY
                                                      : XMEM_FAILURE_PERMISSION;
    host_lock(&words_mutex);
    host_process_explain(pid, error, words, sizeof(words));
    fail_move("xmem_process_open", outcome_failure(cause, error, words), "opened", pid, 0);
    xmem_last_failure(); /* puts the words together while they are ours */
    host_unlock(&words_mutex);
    return error;
}

static int open_process(const char *operation, pid_t pid, struct xmem_process **process)
{
    if (!process)
        return fail_argument(operation, "there must be a place for the result");
    struct segment *backing;
    unsigned bits;
    int error = foreign_create(pid, &backing, &bits);
    if (error)
        return refuse_open(pid, error);
    struct xmem_process *opened;
    if (process_new(PROCESS_OPENED, bits, bits == 32 ? LIMIT_32 : LIMIT_NATIVE, &opened)) {
        segment_drop(backing);
        return fail_no_memory(operation);
    }
    opened->backing = backing;
    opened->pid = pid;
    store_release(&opened->state, PROCESS_OPEN);
    *process = opened;
    return 0;
}

EXPORT int xmem_process_open(pid_t pid, struct xmem_process **process)
{
    static const char operation[] = "xmem_process_open";
    if (process)
        *process = NULL;
    int error = making_begin(operation);
    if (error)
        return error;
    error = open_process(operation, pid, process);
    making_end();
    return error;
}

/* Takes every region away; mutex held.  The segments' references are dropped after the grace
 * period by the caller, who gets the old table. */
static struct region_table *take_regions(struct xmem_process *process)
{
    struct region_table *regions = process->regions;
    store_release(&process->regions, &regions_none);
    for (uint32_t at = 0; at <= regions->mask; at++) {
        tagged_segment tagged = regions->slots[at].segment;
        struct segment *segment = tagged_pointer(tagged);
        if (!segment || (tagged & TAG_ATTACHED))
            continue; /* what was attached belongs to somebody else */
        process_count_pages(-(int64_t)segment->pages);
        segment_delete_unless_held(segment);
    }
    return regions;
}

static void drop_regions(struct region_table *regions)
{
    for (uint32_t at = 0; at <= regions->mask; at++) {
        struct segment *segment = tagged_pointer(regions->slots[at].segment);
        if (segment)
            segment_drop(segment);
    }
    host_free(regions);
}

EXPORT int xmem_process_close(struct xmem_process *process)
{
    static const char operation[] = "xmem_process_close";
    int error = thread_process_only(operation);
    if (error)
        return error;
    uint32_t open = PROCESS_OPEN;
    if (!process || process->kind == PROCESS_KERNEL ||
        !compare_exchange(&process->state, &open, PROCESS_CLOSED))
        return fail_argument(operation, "not an open process");
    host_lock(&process->mutex);
    struct region_table *regions = take_regions(process);
    host_unlock(&process->mutex);
    read_section_wait();
    if (process->backing)
        process->backing->operations->retire(process->backing);
    drop_regions(regions);
    count_closed();
    process_drop(process);
    return 0;
}

EXPORT struct xmem_process *xmem_process_kernel(void)
{
    return &kernel_process;
}

EXPORT unsigned xmem_process_bits(const struct xmem_process *process)
{
    const struct xmem_process *meant = process ? process : thread_state.current;
    return meant ? meant->bits : 0;
}

EXPORT pid_t xmem_process_pid(const struct xmem_process *process)
{
    const struct xmem_process *meant = process ? process : thread_state.current;
    return meant ? meant->pid : 0;
}

EXPORT int xmem_process_relax(struct xmem_process *process, int relaxed)
{
    static const char operation[] = "xmem_process_relax";
    struct xmem_process *meant;
    int error = process_service(operation, process, &meant);
    if (error)
        return error;
    bool opened = meant->kind == PROCESS_OPENED;
    if (opened)
        foreign_relax(meant->backing, relaxed != 0);
    process_drop(meant);
    return opened ? 0 : fail_argument(operation, "only an opened process has a check to relax");
}
