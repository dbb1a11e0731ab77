/* SPDX-License-Identifier: MIT */
/*
 * Letting Linux deliver a signal under the mask of a waiting call.
 *
 * ppoll and pselect6 wait under a mask of their own, and the handlers of signals that it lets
 * through run before the thread's mask is back.  When such a signal is there, Linux itself must
 * make the call, without the devices, whose placeholders would look ready: they are hidden in the
 * caller's memory, the call continues, and the thread is held at its end while the memory is put
 * back.  Another thread of the caller's that looks at the set meanwhile sees negative descriptors,
 * or bits missing.
 *
 * A word is put back only if it still has the value that hid it.  Context: process.
 */
#ifndef XMEM_TRAPPED_MASKED_WAIT_H
#define XMEM_TRAPPED_MASKED_WAIT_H

#include "trapped/call.h"

struct masked_word {
    uint64_t address;
    uint32_t value;
    uint32_t hidden;
};

struct masked_wait {
    struct call *call;
    struct masked_word *words; /* NULL: there was no memory, and nothing is hidden */
    size_t count;
    size_t room;
};

/* Room for this many words. */
void masked_wait_begin(struct masked_wait *wait, struct call *call, size_t words);
void masked_wait_hide(struct masked_wait *wait, uint64_t address, uint32_t value, uint32_t hidden);

/* Answers the call, puts the words back, and ends the wait. */
struct answer masked_wait_continue(struct masked_wait *wait);

#endif
