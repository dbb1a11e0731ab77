/* SPDX-License-Identifier: MIT */
/*
 * One call of the library: arguments made ready, the call alone (which may run inside an interrupt
 * handler), and what it gave.
 */
#ifndef XMEM_TEST_CALL_H
#define XMEM_TEST_CALL_H

#include "steps.h"

#include <sys/uio.h>

#define PIECES_MOST 8u

/* How a service says that it failed. */
enum result_family {
    RESULT_ERRNO,     /* 0 or errno, natively */
    RESULT_AIX_ERRNO, /* 0, EFAULT, EIO, ENOMEM, ENOSPC, E2BIG */
    RESULT_AIX_FAIL   /* 0 or XMEM_FAIL; xm_mapin also EAGAIN */
};

struct call {
    const struct step *step;
    bool aix;
    struct xmem_process *process;
    struct xmem_descriptor *descriptor;
    unsigned char *kernel;
    size_t n;
    struct xmem_range ranges[PIECES_MOST];
    size_t range_count;
    struct iovec vectors[PIECES_MOST];
    size_t vector_count;
    xmem_handle_t handle;
    xmem_segment_t segment;
    void *pointer;
    int descriptor_of_file;

    /* What came back. */
    enum result_family family;
    int error;
    bool has_done;
    size_t done;
    uint64_t value; /* word, handle, address, length */
    struct xmem_process *created;
    struct xmem_failure failure; /* words not valid */
};

/* Makes the call.  Async-signal-safe where the service is. */
void call_make(struct call *call);

/* Makes it in the interrupt environment. */
int call_make_at_interrupt(struct call *call, int priority);

/* Whether the operation may be called at interrupt level. */
bool call_at_interrupt(const struct step *step);

/* What an AIX name returns where the native one returns this. */
int call_aix_error(enum result_family family, int error);

#endif
