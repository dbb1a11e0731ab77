/* SPDX-License-Identifier: MIT */
/*
 * Steps of random programs: one service with arguments that are fixed when the step is made.
 *
 * Arguments name slots (process 2, descriptor 5), not objects, so that a program stays a program
 * when steps are taken out of it: a step whose slots are empty does nothing.
 */
#ifndef XMEM_TEST_STEPS_H
#define XMEM_TEST_STEPS_H

#include "model.h"

#define OPERATIONS(X)                                                                              \
    X(CREATE)                                                                                      \
    X(CLOSE)                                                                                       \
    X(MAP)                                                                                         \
    X(MAP_FD)                                                                                      \
    X(MAP_EVERY)                                                                                   \
    X(PROTECT)                                                                                     \
    X(UNMAP)                                                                                       \
    X(TRUNCATE)                                                                                    \
    X(COPY_IN)                                                                                     \
    X(COPY_OUT)                                                                                    \
    X(COPY_INV)                                                                                    \
    X(COPY_OUTV)                                                                                   \
    X(STRING_IN)                                                                                   \
    X(FETCH_BYTE)                                                                                  \
    X(FETCH_WORD)                                                                                  \
    X(STORE_BYTE)                                                                                  \
    X(STORE_WORD)                                                                                  \
    X(ATOMIC32)                                                                                    \
    X(ATOMIC64)                                                                                    \
    X(ATTACH)                                                                                      \
    X(DETACH)                                                                                      \
    X(DOUBLE)                                                                                      \
    X(FORGE)                                                                                       \
    X(MOVE_IN)                                                                                     \
    X(MOVE_OUT)                                                                                    \
    X(MOVE_INV)                                                                                    \
    X(MOVE_OUTV)                                                                                   \
    X(MOVE_ZERO)                                                                                   \
    X(MOVE_ATOMIC32)                                                                               \
    X(MOVE_ATOMIC64)                                                                               \
    X(MAP_LIMIT)                                                                                   \
    X(MAP_IN)                                                                                      \
    X(MAP_OUT)                                                                                     \
    X(DIRECT_STORE)                                                                                \
    X(PAGE_SIZE_OF)                                                                                \
    X(PIN)                                                                                         \
    X(UNPIN)                                                                                       \
    X(SEGMENT_CREATE)                                                                              \
    X(SEGMENT_DELETE)                                                                              \
    X(REGION_ATTACH)                                                                               \
    X(REGION_ATTACH_AT)                                                                            \
    X(REGION_DETACH)                                                                               \
    X(REGION_HANDLE)                                                                               \
    X(REGION_RELEASE)                                                                              \
    X(HANDLE_MAP)                                                                                  \
    X(ENTER)                                                                                       \
    X(LEAVE)

enum operation {
#define X(name) OP_##name,
    OPERATIONS(X)
#undef X
        OP_COUNT
};

/* Values of `process` beside the slots. */
#define PROCESS_CURRENT (-1)
#define PROCESS_KERNEL (-2)

/* Values of `handle`: a shared segment's slot, a process's region, or one that never was. */
enum handle_source { HANDLE_OF_SEGMENT, HANDLE_OF_REGION, HANDLE_NEVER };

struct step {
    enum operation operation;
    bool aix;     /* through the AIX name, where there is one */
    int priority; /* of the interrupt to run it in; -1: the process environment */
    int process;
    int slot;  /* what it works on: descriptor, segment, map-in, hold, file */
    int other; /* a second one */
    int prot;
    int key;
    unsigned seed; /* of the kernel's bytes, and of how vectors are cut */
    uint64_t address;
    uint64_t length;
    uint64_t operand;
    uint64_t compare;
};

const char *operation_name(enum operation operation);
void step_print(const struct step *step, unsigned number);

/* A generator of numbers: same seed, same numbers, everywhere. */
struct numbers {
    uint64_t state;
};
uint64_t number_next(struct numbers *numbers);
unsigned number_below(struct numbers *numbers, unsigned limit);
bool number_chance(struct numbers *numbers, unsigned one_in);

/* The next step of a program, with an eye on what exists. */
struct step step_generate(struct numbers *numbers, const struct model *model);

#endif
