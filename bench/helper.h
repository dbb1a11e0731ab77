/* SPDX-License-Identifier: MIT */
/*
 * A program that makes system calls and times them, xmem-bench-helper, in three ways: as a trapped
 * program of xmem, whose devices are ours; under a bare handler of notifications, which does
 * nothing but what it cannot do without; and with nobody between it and Linux.
 *
 * The helper times itself, so that asking it costs nothing.  It runs on the CPU of who started it.
 */
#ifndef BENCH_HELPER_H
#define BENCH_HELPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HELPER_FILE 100 /* its descriptors: of the file that it was told to open ... */
#define HELPER_NULL 101 /* ... and of /dev/null */

enum helper_call {
    HELPER_PREAD,  /* of the file, at 0 */
    HELPER_PWRITE, /* the same */
    HELPER_BLOCK,  /* what dd does for a block: a pread, and a write to /dev/null */
    HELPER_GETPPID /* a call that is nobody's */
};

struct helper_question {
    uint32_t call;
    uint32_t reserved;
    uint64_t size;  /* bytes a call */
    uint64_t count; /* calls */
};

struct helper_answer {
    int64_t nanoseconds; /* of all of them */
    int32_t error;       /* errno of the first that failed */
    int32_t reserved;
};

enum helper_kind { HELPER_PLAIN, HELPER_BARE, HELPER_TRAPPED };

struct helper {
    enum helper_kind kind;
    int questions, answers;
    pid_t pid;        /* HELPER_PLAIN, HELPER_BARE: the process to wait for */
    pthread_t thread; /* HELPER_TRAPPED: who is in xmem_run() */
};

/* false: it cannot be started.  The path is what the helper opens. */
bool helper_start(struct helper *helper, enum helper_kind kind, const char *path);
void helper_stop(struct helper *helper);

/* Nanoseconds that a call takes; negative: it does not work. */
double helper_ask(struct helper *helper, enum helper_call call, uint64_t size, uint64_t count);

#endif
