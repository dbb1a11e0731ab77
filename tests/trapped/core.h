/* SPDX-License-Identifier: MIT */
/*
 * What the two sides of the tests of trapped programs' core agree on: the devices that
 * core_devices.c registers, and what core_program.c, the trapped side, asks them.
 *
 *   xmem-test-core CASE [ARGUMENTS]    runs the case; 0: all well
 */
#ifndef XMEM_TEST_TRAPPED_CORE_H
#define XMEM_TEST_TRAPPED_CORE_H

#define DISK "/dev/xmem-test-disk" /* bytes, DISK_BYTES of them */
#define QUEUE                                                                                      \
    "/dev/xmem-test-queue" /* what is written puts as many tokens in; a read waits for
                                            one and gives its number, a uint32_t */
#define FAULTY                                                                                     \
    "/dev/xmem-test-faulty"        /* reads fail, writes after FAULTY_TAKES bytes; so does close */
#define SLOW "/dev/xmem-test-slow" /* a read sleeps, and no service of xmem knows */
#define ONLY "/dev/xmem-test-only" /* can be open once */
#define GUARDED "/dev/xmem-test-guarded"   /* mode 0640, of root */
#define STREAM "/dev/xmem-test-stream"     /* not seekable; reads zeros */
#define REFUSING "/dev/xmem-test-refusing" /* open fails with ENXIO */

enum core_device {
    CORE_DISK,
    CORE_QUEUE,
    CORE_FAULTY,
    CORE_SLOW,
    CORE_ONLY,
    CORE_GUARDED,
    CORE_STREAM,
    CORE_REFUSING,
    CORE_DEVICES
};

#define DISK_BYTES (1 << 20)
#define FAULTY_TAKES 10
#define SLOW_MILLISECONDS 300

/* ioctl on DISK: how often another device was opened, and closed; argument: enum core_device. */
#define REQUEST_OPENS 0x5901
#define REQUEST_CLOSES 0x5902
/* How many tokens were handed out; argument: ignored. */
#define REQUEST_TOKENS 0x5903

/* What core.c passes to programs whose kernel program it kills: a page of a file, on this
 * number. */
#define SHARED_FD 7
struct shared_page {
    int first; /* process ids */
    int second;
    int result; /* errno of the call that waited, + 1 */
};

#endif
