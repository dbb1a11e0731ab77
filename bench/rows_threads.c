/* SPDX-License-Identifier: MIT */
/*
 * Two threads on two segments of one process: how many times as much do two threads move as one,
 * and is that what memcpy gets on this machine?
 */
#include "places.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define ROUNDS_MOST 101
#define TURN_BATCHES 20 /* of effort.batch_ns, the length of one thread's turn */

enum { ALONE, BESIDE, TURNS };

struct worker {
    pthread_t thread;
    unsigned cpu;
    struct places places; /* place 0 only; shares the process of the others */
    const struct service *service;
    sem_t begin;         /* posted when there is a turn to take */
    sem_t end;           /* posted by the worker when it has */
    double calls_per_ns; /* in its last turn */
    bool started;
};

/* What the workers are to do in their turn; theirs between the two semaphores. */
static struct {
    unsigned workers;  /* that take part */
    atomic_uint ready; /* workers that are about to begin */
    bool copy;         /* memcpy instead of the service */
    bool stop;
    unsigned long calls; /* of each */
} task;

static void take_turn(struct worker *worker)
{
    void (*run)(void *, unsigned long) = task.copy ? worker->service->copy : worker->service->run;
    atomic_fetch_add(&task.ready, 1);
    while (atomic_load(&task.ready) < task.workers)
        OPAQUE_STEP();
    uint64_t start = clock_ns();
    run(&worker->places, task.calls);
    worker->calls_per_ns = (double)task.calls / (double)(clock_ns() - start);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    cpu_bind(worker->cpu);
    xmem_enter(worker->places.process);
    for (wait_for(&worker->begin); !task.stop; wait_for(&worker->begin)) {
        take_turn(worker);
        sem_post(&worker->end);
    }
    xmem_leave();
    return NULL;
}

static double run_turn(struct worker workers[2], unsigned count, bool copy, unsigned long calls)
{
    double rate = 0;
    task.workers = count;
    task.copy = copy;
    task.calls = calls;
    atomic_store(&task.ready, 0);
    for (unsigned at = 0; at < count; at++)
        sem_post(&workers[at].begin);
    for (unsigned at = 0; at < count; at++) {
        wait_for(&workers[at].end);
        rate += workers[at].calls_per_ns;
    }
    return rate;
}

static unsigned long calls_a_turn(struct worker workers[2], bool copy)
{
    double rate = run_turn(workers, 1, copy, 1000);
    return (unsigned long)(rate * (double)effort.batch_ns * TURN_BATCHES) + 1;
}

static void compare(struct worker workers[2], struct result *result)
{
    static double scaling[2][ROUNDS_MOST];
    unsigned rounds = effort.rounds < ROUNDS_MOST ? effort.rounds : ROUNDS_MOST;
    unsigned long calls[2] = {calls_a_turn(workers, false), calls_a_turn(workers, true)};
    uint64_t begun = clock_ns();
    unsigned round = 0;
    for (; round < rounds && round_affordable(round, begun); round++) {
        for (unsigned copy = 0; copy < 2; copy++) {
            double rates[TURNS];
            rates[ALONE] = run_turn(workers, 1, copy, calls[copy]);
            rates[BESIDE] = run_turn(workers, 2, copy, calls[copy]);
            scaling[copy][round] = rates[BESIDE] / rates[ALONE];
        }
    }
    result->ns = median(scaling[0], round);
    result->baseline_ns = median(scaling[1], round);
    result->spread = (scaling[0][round * 3 / 4] - scaling[0][round / 4]) / result->ns;
    result->baseline_spread =
        (scaling[1][round * 3 / 4] - scaling[1][round / 4]) / result->baseline_ns;
}

static bool start(struct worker workers[2])
{
    bool started = true;
    for (unsigned at = 0; at < 2; at++) {
        sem_init(&workers[at].begin, 0, 0);
        sem_init(&workers[at].end, 0, 0);
        workers[at].started = pthread_create(&workers[at].thread, NULL, work, &workers[at]) == 0;
        started = started && workers[at].started;
    }
    return started;
}

static void stop(struct worker workers[2])
{
    task.stop = true;
    for (unsigned at = 0; at < 2; at++) {
        sem_post(&workers[at].begin);
        if (workers[at].started)
            pthread_join(workers[at].thread, NULL);
        sem_destroy(&workers[at].begin);
        sem_destroy(&workers[at].end);
    }
}

static void measure_threads(const struct row *row, struct result *result)
{
    struct places all;
    struct worker workers[2];
    if (cpu_count() < 2) {
        result->problem = "there is only one CPU";
        result->impossible = true;
        return;
    }
    if (!places_create(&all, PLACES_MOST, row->size, 0)) {
        result->problem = xmem_last_failure()->words;
        return;
    }
    char *memories[2] = {kernel_memory(row->size), kernel_memory(row->size)};
    for (unsigned at = 0; at < 2; at++) {
        workers[at] = (struct worker){.cpu = at, .places = all, .service = &services[row->which]};
        workers[at].places.mask = 0;
        workers[at].places.place[0] = all.place[at];
        workers[at].places.place[0].kernel = memories[at];
    }
    task.stop = false;
    if (start(workers))
        compare(workers, result);
    else
        result->problem = "no threads to be had";
    stop(workers);
    if (workers[0].places.wrong || workers[1].places.wrong)
        result->problem = places_verdict(&workers[workers[0].places.wrong ? 0 : 1].places);
    kernel_memory_free(memories[0], row->size);
    kernel_memory_free(memories[1], row->size);
    places_close(&all);
}

#define THREADS(size)                                                                              \
    FOUR_SERVICES(", two threads (times as much as one)", size, "memcpy, two threads",             \
                  AT_LEAST_TIMES, 0.97, HINT_NONE, measure_threads, 0)

static const struct row rows[] = {THREADS(8), THREADS(4096), THREADS(65536)};

const struct family threads_family = {"two threads on two segments", rows, ROW_COUNT(rows), NULL};
