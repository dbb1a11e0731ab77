/* SPDX-License-Identifier: MIT */
/* Timing; measure.h says how. */
#include "measure.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS_MOST 401
#define CONTENDERS_MOST 4

struct effort effort;

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t time_batch(const struct contender *contender)
{
    if (contender->before)
        contender->before();
    uint64_t start = clock_ns();
    contender->run(contender->context, contender->batch);
    uint64_t end = clock_ns();
    if (contender->after)
        contender->after();
    return end - start;
}

/* Finds the number of calls that fills a batch, and warms up on the way; the time of a batch. */
static uint64_t calibrate(struct contender *contender)
{
    contender->batch = 1;
    for (;;) {
        uint64_t took = time_batch(contender);
        if (took >= effort.batch_ns) {
            /* The first calls are slow; what counts is a batch of calls that are not. */
            took = time_batch(contender);
            if (took >= effort.batch_ns)
                return took;
        }
        contender->batch *= 2;
    }
}

static int compare_values(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_values);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static unsigned affordable_rounds(uint64_t round_ns)
{
    uint64_t rounds = effort.budget_ns / (round_ns + 1);
    if (rounds > effort.rounds)
        rounds = effort.rounds;
    if (rounds > ROUNDS_MOST)
        rounds = ROUNDS_MOST;
    return rounds > effort.least_rounds ? (unsigned)rounds : effort.least_rounds;
}

bool round_affordable(unsigned round, uint64_t start)
{
    return round < effort.least_rounds || clock_ns() - start < 2 * effort.budget_ns;
}

static void summarize(struct contender *contender, double *values, unsigned rounds)
{
    contender->ns = median(values, rounds);
    contender->spread = (values[rounds * 3 / 4] - values[rounds / 4]) / contender->ns;
}

void measure(struct contender *contenders, size_t count)
{
    static double values[CONTENDERS_MOST][ROUNDS_MOST];
    uint64_t round_ns = 0;
    if (count > CONTENDERS_MOST)
        abort();
    for (size_t at = 0; at < count; at++)
        round_ns += calibrate(&contenders[at]);
    unsigned rounds = affordable_rounds(round_ns);
    uint64_t start = clock_ns();
    unsigned round = 0;
    for (; round < rounds && round_affordable(round, start); round++) {
        for (size_t turn = 0; turn < count; turn++) {
            /* There and back, so that nobody always follows the same one. */
            size_t at = round & 1 ? count - 1 - turn : turn;
            double took = (double)time_batch(&contenders[at]);
            values[at][round] = took / (double)contenders[at].batch;
        }
    }
    for (size_t at = 0; at < count; at++)
        summarize(&contenders[at], values[at], round);
}

/* The CPUs as they were before anything was bound. */
static const cpu_set_t *allowed_cpus(void)
{
    static cpu_set_t allowed;
    if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        CPU_SET(0, &allowed);
    return &allowed;
}

unsigned cpu_count(void)
{
    return (unsigned)CPU_COUNT(allowed_cpus());
}

void cpu_bind(unsigned at)
{
    const cpu_set_t *allowed = allowed_cpus();
    for (unsigned cpu = CPU_SETSIZE; cpu-- > 0;) {
        if (!CPU_ISSET(cpu, allowed) || at-- > 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof(one), &one);
        return;
    }
}
