/* SPDX-License-Identifier: MIT */
/*
 * The one internal failure value.  Every layer below the public functions returns it; the edge
 * (engine/failure.c) turns it into an errno value and the thread's last failure.
 */
#ifndef XMEM_SEGMENTS_OUTCOME_H
#define XMEM_SEGMENTS_OUTCOME_H

#include "host/platform.h"
#include "xmem/xmem.h"

struct outcome {
    enum xmem_failure_class cause; /* XMEM_FAILURE_NONE: success */
    int error;                     /* 0 on success */
    size_t done;                   /* bytes moved, exact */
    uint64_t address;              /* the first byte that could not be reached */
    const char *detail;            /* why, and what to do; a string that lives for ever, or NULL */
    int peer;                      /* pid of the opened process whose memory it was; 0: none */
};

#define OUTCOME_SUCCESS ((struct outcome){XMEM_FAILURE_NONE, 0, 0, 0, NULL, 0})

static inline struct outcome outcome_failure(enum xmem_failure_class cause, int error,
                                             const char *detail)
{
    struct outcome outcome = {cause, error, 0, 0, detail, 0};
    return outcome;
}

static inline struct outcome outcome_at(enum xmem_failure_class cause, int error, uint64_t address,
                                        const char *detail)
{
    struct outcome outcome = {cause, error, 0, address, detail, 0};
    return outcome;
}

static inline struct outcome outcome_done(size_t done)
{
    struct outcome outcome = {XMEM_FAILURE_NONE, 0, done, 0, NULL, 0};
    return outcome;
}

#endif
