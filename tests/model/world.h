/* SPDX-License-Identifier: MIT */
/*
 * A program under test: the model, the library's objects beside it, and what the last step found.
 */
#ifndef XMEM_TEST_WORLD_H
#define XMEM_TEST_WORLD_H

#include "steps.h"

#define BUFFER_SIZE (3u << 20) /* of the kernel's bytes in a move */

struct world {
    struct model *model;
    unsigned char *buffer;   /* the library's side */
    unsigned char *expected; /* the model's side */
    unsigned char *kernel_memory;
    int descriptors_before; /* open files of the program */
    unsigned steps_done;
    unsigned called[OP_COUNT];    /* steps that were not empty */
    unsigned succeeded[OP_COUNT]; /* ... and went well */
    int lie_at;      /* changes the library's result of this step: the test of the test; -1 */
    char words[512]; /* what is wrong */
};

/* Starts xmem.  False: words say why not. */
bool world_open(struct world *world);
/* Releases everything; statistics must be zero and xmem must stop. */
bool world_close(struct world *world);

/* Performs one step in the library and in the model and compares.  False: they differ. */
bool world_step(struct world *world, const struct step *step);

/* Compares all of the memory that can be seen with what the model thinks it is. */
bool world_look(struct world *world);

/* Notes what is wrong; returns false. */
bool wrong(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
