/* SPDX-License-Identifier: MIT */
/*
 * The services under show, each called in one way, timed and counted.
 */
#ifndef EXCHANGE_SERVICES_H
#define EXCHANGE_SERVICES_H

#include "buffer.h"

enum service {
    SERVICE_XMEMIN,
    SERVICE_XMEMOUT,
    SERVICE_COPYIN64,
    SERVICE_COPYOUT64,
    SERVICE_MAPIN_LOAD,  /* xm_maxmap, xm_mapin, loads, xm_det */
    SERVICE_MAPIN_STORE, /* ... stores ... */
    SERVICE_XMATTACH64,
    SERVICES
};

#define FAILURE_CLASSES (XMEM_FAILURE_PERMISSION + 1)

struct tally {
    uint64_t calls;
    uint64_t bytes;
    uint64_t failures[FAILURE_CLASSES];
};

/*
 * Moves count runs of n bytes between the buffer, from offset on, and kernel memory; stops at the
 * first failure.  copyin64 and copyout64 run under the buffer's process, the others under none.
 * *nanoseconds, unless NULL: the time per call.
 * Returns what the service returned last.
 */
int service_run(enum service service, struct buffer *buffer, size_t offset, void *kernel, size_t n,
                unsigned count, uint64_t *nanoseconds);

/* xmattach64 under the buffer's process, counted. */
int service_attach(struct buffer *buffer);

const char *service_name(enum service service);
struct tally service_tally(enum service service);

/* The class of this thread's last failure. */
enum xmem_failure_class last_class(void);

#endif
