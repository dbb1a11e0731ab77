/* SPDX-License-Identifier: MIT */
/*
 * What the extension errors.so and its client agree on.  ERRORS_PLAN, on the control device, says
 * what an entry point of the other devices returns from now on.
 */
#ifndef TEST_ERRORS_H
#define TEST_ERRORS_H

#include <stdint.h>
#include <sys/ioctl.h>

#define ERRORS_CONTROL "/dev/errors-control"
#define ERRORS_DEVICE "/dev/errors"
#define ERRORS_CHANNELS "/dev/errors-channels" /* a multiplexed device */

enum errors_entry {
    ERRORS_OPEN,
    ERRORS_CLOSE,
    ERRORS_READ,
    ERRORS_WRITE,
    ERRORS_IOCTL,
    ERRORS_SELECT,
    ERRORS_MPX,
    ERRORS_ENTRIES
};

struct errors_plan {
    uint32_t entry;
    uint32_t error; /* 0: success */
    uint32_t moved; /* reads and writes: bytes that are moved before that */
    uint32_t reserved;
};

struct errors_calls {
    uint64_t calls[ERRORS_ENTRIES]; /* of each entry point, control device excluded */
};

#define ERRORS_PLAN _IOW('E', 1, struct errors_plan)
#define ERRORS_CALLS _IOR('E', 2, struct errors_calls)

#endif
