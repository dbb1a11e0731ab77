/* SPDX-License-Identifier: MIT */
/*
 * The rows of the table.  Each can be measured alone and leaves nothing behind; what the rows of a
 * family share is released by the family's finish().
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "measure.h"
#include "report.h"

/* Where a missed target is looked for: what the call consists of at least. */
enum hint {
    HINT_NONE,
    HINT_CALL,    /* calls through both libraries and a read section */
    HINT_STREAM,  /* what the memory has to offer */
    HINT_SYSCALL, /* Linux system calls */
    HINT_FAULT    /* a fault and its signal */
};

struct row {
    const char *name;
    uint64_t size; /* bytes a call */
    const char *baseline;
    struct target target;
    enum hint hint;
    void (*measure)(const struct row *row, struct result *result);
    int which;  /* as the family likes: the service ... */
    int detail; /* ... and what else there is to tell */
};

struct family {
    const char *title;
    const struct row *rows;
    unsigned count;
    void (*finish)(void);
};

extern const struct family resident_family;
extern const struct family bookkeeping_family;
extern const struct family opened_family;
extern const struct family imported_family;
extern const struct family threads_family;
extern const struct family devices_family;
extern const struct family crowd_family;

/* A smaller table is wanted: the largest sizes and numbers are left out. */
extern bool quick;

#define ROW_COUNT(rows) ((unsigned)(sizeof(rows) / sizeof((rows)[0])))

/* Measures ours against the baseline and stores both. */
void measure_pair(struct contender pair[2], struct result *result);

#endif
