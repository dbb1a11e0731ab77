/* SPDX-License-Identifier: MIT */
/*
 * A Linux process whose memory is moved: a child that sleeps; and what moves cost without xmem: raw
 * process_vm calls with the checks that say whether the process still runs the same program.
 */
#ifndef BENCH_OPENED_H
#define BENCH_OPENED_H

#include "rows.h"

#include <sys/types.h>
#include <xmem/xmem.h>

#define PEER_SIZE (UINT64_C(1) << 20)
#define PEER_RANGES 64u
#define PEER_RANGE 64u

struct peer {
    pid_t pid;
    struct xmem_process *process;
    uint64_t address; /* PEER_SIZE bytes; the page behind them is not mapped */
    char *kernel;     /* PEER_SIZE bytes of ours */
    int memory;       /* /proc/PID/mem */
};

bool peer_create(struct peer *peer);
void peer_close(struct peer *peer);

/* One raw move, or one of PEER_RANGES ranges, a page apart. */
struct raw {
    struct peer *peer;
    uint64_t address;
    char *kernel;
    size_t size;
    int wrong;
};

void run_liveness(void *raw, unsigned long count);
void run_raw_read(void *raw, unsigned long count);
void run_raw_write(void *raw, unsigned long count);
void run_checked_read(void *raw, unsigned long count);  /* read, check */
void run_checked_write(void *raw, unsigned long count); /* check, write, check */
void run_checked_read_ranges(void *raw, unsigned long count);
void run_checked_write_ranges(void *raw, unsigned long count);

#endif
