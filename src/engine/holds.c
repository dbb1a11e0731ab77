/* SPDX-License-Identifier: MIT */
/*
 * Holds; holds.h has the rules.
 */
#include "engine/holds.h"

#include "host/memory.h"
#include "host/read_section.h"
#include "host/threads.h"

#include <errno.h>

struct hold {
    struct hold *next;
    struct segment *segment;
    uint64_t address;
    xmem_handle_t handle;
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct hold *holds;
static uint64_t count;

uint64_t holds_count(void)
{
    host_lock(&mutex);
    uint64_t now = count;
    host_unlock(&mutex);
    return now;
}

int hold_add(struct segment *segment, uint64_t address, xmem_handle_t handle)
{
    struct hold *hold = host_allocate(sizeof(*hold));
    if (!hold)
        return ENOMEM;
    hold->segment = segment;
    hold->address = address;
    hold->handle = handle;
    host_lock(&mutex);
    bool live = load_acquire(&segment->life) == SEGMENT_LIVE;
    if (live) {
        store_relaxed(&segment->holds, segment->holds + 1);
        hold->next = holds;
        holds = hold;
        count++;
    }
    host_unlock(&mutex);
    if (!live)
        host_free(hold);
    return live ? 0 : EINVAL;
}

static struct hold *unlink_hold(uint64_t address, xmem_handle_t handle)
{
    for (struct hold **link = &holds; *link; link = &(*link)->next) {
        struct hold *hold = *link;
        if (hold->address != address || hold->handle != handle)
            continue;
        *link = hold->next;
        count--;
        return hold;
    }
    return NULL;
}

bool hold_remove(uint64_t address, xmem_handle_t handle)
{
    bool deleted = false;
    host_lock(&mutex);
    struct hold *hold = unlink_hold(address, handle);
    if (hold) {
        struct segment *segment = hold->segment;
        store_relaxed(&segment->holds, segment->holds - 1);
        if (segment->holds == 0 && segment->doomed)
            deleted = segment_delete(segment);
    }
    host_unlock(&mutex);
    if (!hold)
        return false;
    if (deleted)
        read_section_wait();
    segment_drop(hold->segment);
    host_free(hold);
    return true;
}

bool segment_delete_unless_held(struct segment *segment)
{
    host_lock(&mutex);
    bool first = false;
    if (segment->holds == 0) {
        first = segment_delete(segment);
    } else {
        first = !segment->doomed;
        segment->doomed = true;
    }
    host_unlock(&mutex);
    return first;
}
