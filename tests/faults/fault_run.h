/* SPDX-License-Identifier: MIT */
/*
 * Running a scenario under every fault position.
 *
 * faults_run() repeats  prepare - body - cleanup  in a child process each time, failing the 1st,
 * 2nd, 3rd ... call of the host layer that the body makes (once; then again from then on), until
 * the body gets to its end without meeting the fault.  prepare and cleanup run without faults.
 *
 * The body may find that a service fails; it says with allow() which errors are documented.  After
 * every run: the child ended by itself; statistics are back to zero and xmem stops; no file
 * descriptor is left, and no allocation that a run without faults does not leave; the bystander's
 * memory is what it was.
 */
#ifndef XMEM_TEST_FAULT_RUN_H
#define XMEM_TEST_FAULT_RUN_H

#include "faulty_host.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <xmem/xmem.h>

#define PAGE ((size_t)XMEM_PAGE_SIZE)
#define REGION ((uint64_t)XMEM_REGION_SIZE)

/* What the parts of a scenario share; zero at first. */
struct stage {
    struct xmem_process *process;
    struct xmem_process *other;
    struct xmem_process *bystander;
    struct xmem_descriptor bystander_descriptor;
    struct xmem_descriptor descriptors[4];
    bool attached[4];
    void *mapped[4];
    xmem_segment_t segment;
    xmem_handle_t handle;
    uint64_t address;
    bool held;
    bool done; /* the body came to its end, or to a state that cleanup asks for */
    int file;
    pid_t pid;
    unsigned char *memory; /* of the child process pid, mapped here too */
};

enum scenario_flags {
    SCENARIO_BARE = 1,  /* xmem is started by the body; no bystander */
    SCENARIO_SPARSE = 2 /* takes long: the first positions, and some of the others each time, unless
                           XMEM_TEST_ROUNDS is set */
};

struct scenario {
    const char *name;
    unsigned flags;
    void (*prepare)(struct stage *stage);
    void (*body)(struct stage *stage);
    void (*cleanup)(struct stage *stage);
};

/* 0: all went well. */
int faults_run(const struct scenario *scenario);

/* Whether the call succeeded; if not, its error must be one of the list (ended by 0) and the last
 * failure must agree. */
bool allow(int error, const char *what, const int *errors);
#define ALLOW(call, ...) allow(call, #call, (const int[]){__VA_ARGS__, 0})

/* Ends the run as failed. */
void fail_run(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_run("%s:%d: not so: %s", __FILE__, __LINE__, #condition);                         \
    } while (0)
/* Without faults: the call must succeed. */
#define MUST(call) must(call, #call, __LINE__)
void must(int error, const char *what, int line);

void fill_pattern(unsigned char *bytes, size_t n, unsigned seed);

#endif
