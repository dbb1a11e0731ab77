/* SPDX-License-Identifier: MIT */
/*
 * The reaper: a thread that frees what callers may not free themselves, because they run at
 * interrupt level or inside a read section.
 *
 *   1. reaper_push() is async-signal-safe: a lock-free push and a post.
 *   2. An entry runs on the reaper's thread after a grace period that began after its push.
 *   3. An entry may push itself again.
 *   4. reaper_drain() returns when everything pushed before has run.
 */
#ifndef XMEM_SEGMENTS_REAPER_H
#define XMEM_SEGMENTS_REAPER_H

#include "host/platform.h"

struct deferred {
    struct deferred *next;
    void (*run)(struct deferred *);
};

int reaper_start(void);
void reaper_stop(void); /* drains first */
void reaper_push(struct deferred *deferred);
void reaper_drain(void); /* process environment, outside read sections */

#endif
