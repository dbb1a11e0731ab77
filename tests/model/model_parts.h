/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the model share and nobody else needs.
 */
#ifndef XMEM_TEST_MODEL_PARTS_H
#define XMEM_TEST_MODEL_PARTS_H

#include "model.h"

#include <errno.h>

/* Where an address leads. */
struct place {
    struct model_page *page; /* NULL: nothing there */
    int key;
    enum xmem_failure_class failure_class; /* why not */
};

static const struct expected SUCCESS = {0};

static inline struct expected failure(int error, enum xmem_failure_class failure_class)
{
    return (struct expected){.error = error, .failure_class = failure_class};
}

static inline struct expected some_failure(void)
{
    return (struct expected){.error = EINVAL, .any_error = true};
}

void *allocate(size_t count, size_t size);

/* Whether the range is in the address space; whether the view has it at all. */
bool in_space(const struct model_process *process, uint64_t address, uint64_t length);
bool in_bounds(const struct view *view, uint64_t address, uint64_t n);

struct place in_process(struct model_process *process, uint64_t address);
struct place locate(const struct view *view, uint64_t address);
/* NONE: the page admits the access. */
enum xmem_failure_class refused(const struct place *place, enum access access);
int error_of(enum xmem_failure_class failure_class);
/* Of the kernel's own memory only Linux knows why it cannot be touched. */
bool is_kernel(const struct view *view);

#endif
