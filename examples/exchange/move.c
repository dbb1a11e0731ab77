/* SPDX-License-Identifier: MIT */
/* Moving from one buffer to another; see move.h. */
#include "move.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 2
#define SHARED_MOST 65536 /* larger chunks are moved by one thread: memory is the bottleneck */
#define GROUP 32          /* so many small calls are timed together: a clock costs more than one */
#define GROUP_CHUNK 4096
#define CARRY_STEP (1u << 20)

struct worker {
    const struct route *route;
    pthread_t thread;
    unsigned index, workers, turn;
    size_t chunk, bytes;
    char *kernel; /* our own memory: what xmem brought */
    char *spare;  /* and what process_vm brought, which goes nowhere */
    struct row part;
    char words[256];
};

static unsigned group_of(size_t chunk)
{
    return chunk <= GROUP_CHUNK ? GROUP : 1;
}

static void add(struct samples *samples, uint64_t time, bool timed)
{
    if (timed && time != 0)
        samples_add(samples, time);
}

/* One service and its counterpart, who goes first changing with every turn. */
static bool run_both(struct worker *worker, bool into, size_t offset, size_t n, unsigned runs)
{
    const struct route *route = worker->route;
    const struct raw_place *place = into ? &route->raw_to : &route->raw_from;
    bool timed = n == worker->chunk, raw_first = worker->turn % 2 != 0;
    uint64_t time = 0, raw_time = 0;
    if (raw_first)
        raw_time = raw_run(place, into, offset, worker->spare, n, runs);
    int result = service_run(into ? route->out : route->in, into ? route->to : route->from, offset,
                             worker->kernel, n, runs, &time);
    if (result != 0) {
        snprintf(worker->words, sizeof worker->words, "%s returned %d: %s",
                 service_name(into ? route->out : route->in), result, xmem_last_failure()->words);
        worker->part.failed++;
        return false;
    }
    if (!raw_first)
        raw_time = raw_run(place, into, offset, worker->spare, n, runs);
    add(into ? &worker->part.out : &worker->part.in, time, timed);
    add(into ? &worker->part.raw_out : &worker->part.raw_in, raw_time, timed);
    return true;
}

static bool move_runs(struct worker *worker, size_t offset, size_t n, unsigned runs)
{
    worker->turn++;
    if (!run_both(worker, false, offset, n, runs) || !run_both(worker, true, offset, n, runs))
        return false;
    worker->part.calls += runs;
    worker->part.bytes += runs * n;
    return true;
}

/* Some whole chunks, and what is left behind the last of them. */
static bool move_group(struct worker *worker, size_t offset, size_t length)
{
    size_t whole = length / worker->chunk, rest = length % worker->chunk;
    if (whole != 0 && !move_runs(worker, offset, worker->chunk, (unsigned)whole))
        return false;
    return rest == 0 || move_runs(worker, offset + length - rest, rest, 1);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    size_t step = worker->chunk * group_of(worker->chunk);
    for (size_t at = worker->index * step; at < worker->bytes; at += worker->workers * step) {
        size_t length = worker->bytes - at < step ? worker->bytes - at : step;
        if (!move_group(worker, at, length))
            break;
    }
    return NULL;
}

static unsigned workers_for(size_t chunk)
{
    return chunk <= SHARED_MOST ? WORKERS : 1;
}

static char *touched_memory(size_t size)
{
    char *memory = malloc(size);
    return memory ? memset(memory, 1, size) : NULL;
}

static int worker_start(struct worker *worker, const struct row *row, unsigned index, size_t bytes)
{
    size_t step = row->chunk * group_of(row->chunk);
    *worker = (struct worker){.route = row->route,
                              .index = index,
                              .workers = workers_for(row->chunk),
                              .chunk = row->chunk,
                              .bytes = bytes,
                              .kernel = touched_memory(step),
                              .spare = touched_memory(step)};
    if (!worker->kernel || !worker->spare)
        return ENOMEM;
    return pthread_create(&worker->thread, NULL, work, worker);
}

static void worker_collect(struct worker *worker, struct row *row)
{
    row->calls += worker->part.calls;
    row->bytes += worker->part.bytes;
    row->failed += worker->part.failed;
    samples_take(&row->in, &worker->part.in);
    samples_take(&row->out, &worker->part.out);
    samples_take(&row->raw_in, &worker->part.raw_in);
    samples_take(&row->raw_out, &worker->part.raw_out);
}

int move_once(struct row *row, size_t bytes, const char **words)
{
    static struct worker workers[WORKERS]; /* static, for the words that outlive the call */
    uint64_t failed = row->failed;
    unsigned started = 0;
    int error = 0;
    *words = "";
    while (started < workers_for(row->chunk) && !error) {
        error = worker_start(&workers[started], row, started, bytes);
        if (!error)
            started++;
    }
    for (unsigned at = 0; at < started; at++) {
        pthread_join(workers[at].thread, NULL);
        worker_collect(&workers[at], row);
        if (workers[at].words[0] != '\0')
            *words = workers[at].words;
    }
    for (unsigned at = 0; at < started + (error != 0); at++) {
        free(workers[at].kernel);
        free(workers[at].spare);
    }
    return error ? error : row->failed != failed ? EIO : 0;
}

int carry(struct buffer *from, struct buffer *to, size_t bytes)
{
    char *kernel = malloc(CARRY_STEP);
    int result = kernel ? XMEM_SUCC : XMEM_FAIL;
    for (size_t at = 0; at < bytes && result == XMEM_SUCC; at += CARRY_STEP) {
        size_t n = bytes - at < CARRY_STEP ? bytes - at : CARRY_STEP;
        result = service_run(SERVICE_XMEMIN, from, at, kernel, n, 1, NULL);
        if (result == XMEM_SUCC)
            result = service_run(SERVICE_XMEMOUT, to, at, kernel, n, 1, NULL);
    }
    free(kernel);
    return result;
}
