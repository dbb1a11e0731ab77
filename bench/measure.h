/* SPDX-License-Identifier: MIT */
/*
 * Timing.  Contenders take turns, in batches that are long enough for the clock not to matter; the
 * result of each is the median over many rounds, so that a change of the machine's speed meets all
 * of them alike and an interruption meets none.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct contender {
    void (*run)(void *context, unsigned long count); /* makes count calls */
    void *context;
    void (*before)(void); /* around each batch, not timed; NULL: nothing */
    void (*after)(void);
    unsigned long batch; /* calls in a batch; found by measure() */
    double ns;           /* median time of a call */
    double spread;       /* distance of the quartiles, as a part of ns */
};

struct effort {
    unsigned rounds;
    uint64_t batch_ns;  /* least time of a batch */
    uint64_t budget_ns; /* a row with slow calls has fewer rounds, to keep to this */
    unsigned least_rounds;
};

/* How much is done for each row.  Set once, before anything is measured. */
extern struct effort effort;

uint64_t clock_ns(void);

/* Measures all contenders against each other; sets their last three members. */
void measure(struct contender *contenders, size_t count);

/* May there be one more round, though other programs have made those before longer than planned? */
bool round_affordable(unsigned round, uint64_t start);

double median(double *values, size_t count);

/* What the compiler may neither foresee nor move memory accesses across. */
#define OPAQUE_STEP() __asm__ volatile("" ::: "memory")

/* CPUs that this program may run on. */
unsigned cpu_count(void);

/* Binds this thread to the at-th of them, counted from the last. */
void cpu_bind(unsigned at);

#endif
