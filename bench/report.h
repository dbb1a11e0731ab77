/* SPDX-License-Identifier: MIT */
/*
 * Results: what was measured for a row, whether that is what was aimed at, and how both are shown.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum target_kind {
    REPORTED,      /* no target */
    AT_MOST_NS,    /* <= value ns */
    AT_MOST_PLUS,  /* <= baseline + value ns */
    AT_MOST_TIMES, /* <= value x baseline */
    AT_LEAST_TIMES /* >= value x baseline */
};

struct target {
    enum target_kind kind;
    double value;
};

struct result {
    double ns;          /* a few rows measure something else; their names say what */
    double baseline_ns; /* 0: there is no baseline */
    double spread;      /* between rounds, of both, as a part of them */
    double baseline_spread;
    const char *problem; /* why nothing could be measured, or what went wrong; NULL: nothing */
    bool impossible;     /* ... because this machine does not let it: nobody's fault */
    char note[160];      /* more that was measured */
};

struct row;

/* Keeps the result of a row, for the report, and prints a line of the table. */
void report_add(const struct row *row, const struct result *result);

void report_heading(void);

/* What the rows that missed their target consist of, as far as it can be measured. */
void report_causes(void);

/* Writes all results as tab-separated values with a header line; false and a message: it could
 * not be written. */
bool report_write(const char *path);

/* Rows that should have been measured and could not. */
unsigned report_problems(void);

#endif
