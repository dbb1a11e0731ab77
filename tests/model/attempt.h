/* SPDX-License-Identifier: MIT */
/*
 * A step while it is performed: what it names, the call it makes, and what the model says about it.
 *
 * Each perform_*() makes one call of the library, asks the model, compares, and returns false when
 * they differ (the world's words then say how).  A step whose slots are empty is none.
 */
#ifndef XMEM_TEST_ATTEMPT_H
#define XMEM_TEST_ATTEMPT_H

#include "call.h"
#include "world.h"

#define GUARD 64u /* bytes around the kernel's buffer */
#define BUFFER_USABLE (BUFFER_SIZE - 4 * GUARD)

/* Everything about the step that is being performed. */
struct attempt {
    struct world *world;
    struct model *model;
    const struct step *step;
    struct call call;
    struct model_process *process; /* the one meant; NULL: none */
    struct model_descriptor *descriptor;
    struct model_segment *segment; /* of the handle */
    int key;
    unsigned char *modelled; /* the model's kernel bytes */
    size_t extent;           /* bytes of the buffers that are compared */
    bool refused;            /* by the environment */
    struct expected expected;
};

/* Says what differs; returns false. */
bool complain(struct attempt *attempt, const char *what, long long got, long long wanted);

/* Room for n bytes of the kernel's at some alignment, with guards, the same on both sides. */
void prepare_bytes(struct attempt *attempt, size_t n);
bool same_bytes(struct attempt *attempt);

/* Makes the call, in the environment and through the name that the step says. */
bool make_call(struct attempt *attempt);
/* Return value, last failure and `done` against attempt->expected. */
bool same_result(struct attempt *attempt);
/* ... and the value of a call that succeeded. */
bool same_value(struct attempt *attempt, uint64_t value);

/* False: the slot is empty. */
bool find_process(struct attempt *attempt);
void find_descriptor(struct attempt *attempt);
struct view view_of(const struct attempt *attempt);
/* What is wrong before any address is looked at; true: something is. */
bool nowhere_to_move(struct attempt *attempt, size_t n);

struct expected environment_refusal(void);
struct expected no_process(void);
struct expected no_descriptor(void);

/* Whether the model takes more regions; the library has no such limit. */
bool has_room_for_regions(const struct model_process *process);

bool perform_atomic(struct attempt *attempt);
bool perform_attach(struct attempt *attempt);
bool perform_close(struct attempt *attempt);
bool perform_create(struct attempt *attempt);
bool perform_detach(struct attempt *attempt);
bool perform_direct_store(struct attempt *attempt);
bool perform_double(struct attempt *attempt);
bool perform_enter(struct attempt *attempt);
bool perform_handle_map(struct attempt *attempt);
bool perform_map_every(struct attempt *attempt);
bool perform_map_in(struct attempt *attempt);
bool perform_map_limit(struct attempt *attempt);
bool perform_map_out(struct attempt *attempt);
bool perform_mapping(struct attempt *attempt);
bool perform_move(struct attempt *attempt);
bool perform_page_size(struct attempt *attempt);
bool perform_pin(struct attempt *attempt);
bool perform_region_attach(struct attempt *attempt);
bool perform_region_detach(struct attempt *attempt);
bool perform_region_handle(struct attempt *attempt);
bool perform_region_release(struct attempt *attempt);
bool perform_segment_create(struct attempt *attempt);
bool perform_segment_delete(struct attempt *attempt);
bool perform_string(struct attempt *attempt);
bool perform_truncate(struct attempt *attempt);
bool perform_vector(struct attempt *attempt);
bool perform_word(struct attempt *attempt);

#endif
