/* SPDX-License-Identifier: MIT */
/*
 * A block driver for tests: a disk in memory, whose strategy routine queues requests for a thread,
 * which moves the data through b_xmemd and finishes the requests in one of several ways.
 */
#ifndef XMEM_TEST_RAM_DRIVER_H
#define XMEM_TEST_RAM_DRIVER_H

#include "services.h"

#include <stdbool.h>

#include <sys/buf.h>
#include <sys/device.h>

#define RAM_MAJOR 61
#define RAM_BLOCKS 4096 /* of DEV_BSIZE bytes */
#define RAM_SIZE (RAM_BLOCKS * DEV_BSIZE)
#define RAM_DEVICE makedev(RAM_MAJOR, 0)

enum ram_finish {
    RAM_BY_THREAD,    /* the thread calls iodone() */
    RAM_BY_INTERRUPT, /* a handler of a device interrupt does */
    RAM_AT_ONCE       /* the strategy routine does all of it */
};

extern unsigned char ram_bytes[RAM_SIZE];

/* How the driver behaves; set before it is used. */
extern struct ram_behaviour {
    enum ram_finish finish;
    size_t size;     /* where the device ends; 0: RAM_SIZE */
    long fail_block; /* requests that have this block fail, from it on; -1: none */
    int fail_error;  /* with this b_error; 0: B_ERROR alone */
    int hold;        /* requests stay queued until so many are */
    int backwards;   /* what is queued is finished last first */
    int busy_for;    /* microseconds before a request is finished */
} ram;

/* What it saw. */
extern struct ram_record {
    int requests, most_queued;
    long blocks[256];
    size_t lengths[256];
    ulong options[256];
} ram_seen;

/* Puts the driver into the table, or takes it out; the requests are all done then. */
void ram_begin(void);
void ram_end(void);
void ram_strategy(struct buf *bp);
/* The same for callers who want it to return int. */
int ram_strategy_int(struct buf *bp);

#endif
