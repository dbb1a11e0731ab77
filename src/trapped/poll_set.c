/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events on devices and other descriptors together; poll_set.h says what is promised.
 *
 * A set of devices only waits on the word that each xmem_device_ready() raises.  A mixed one waits
 * in Linux's poll, for its own copies of the descriptors and for one that the watcher raises with
 * the word, and looks for signals of the caller every so often.
 */
#include "trapped/poll_set.h"

#include "host/memory.h"
#include "host/programs.h"
#include "host/tracees.h"
#include "host/waits.h"
#include "trapped/processes.h"
#include "trapped/readiness.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <signal.h>

#define LOOK_NANOSECONDS UINT64_C(20000000) /* how late a signal may be noticed */

#define READ_EVENTS (POLLIN | POLLRDNORM)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM)

int poll_set_create(struct poll_set *set, size_t count)
{
    *set = (struct poll_set){.count = count};
    set->members = host_allocate((count ? count : 1) * sizeof(*set->members));
    if (!set->members)
        return ENOMEM;
    for (size_t index = 0; index < count; index++) {
        set->members[index].number = -1;
        set->members[index].own = -1;
    }
    return 0;
}

void poll_set_destroy(struct poll_set *set)
{
    for (size_t index = 0; index < set->count; index++) {
        struct poll_member *member = &set->members[index];
        if (member->file)
            device_file_release(member->file);
        if (member->own >= 0)
            host_close(member->own);
    }
    host_free(set->members);
    set->members = NULL;
}

void poll_set_find_devices(struct call *call, struct poll_set *set)
{
    for (size_t index = 0; index < set->count; index++) {
        struct poll_member *member = &set->members[index];
        if (member->number < 0)
            continue;
        member->file = call_device_file(call, member->number);
        if (member->file)
            set->devices++;
        else
            set->others++;
    }
}

/* ---------------------------------------------------------------- the devices ---------- */

static int ask_device(struct poll_member *member, bool watch)
{
    short events = member->events & POLLPRI;
    short held;
    if (member->file->path_only) {
        member->returned = POLLNVAL;
        return 0;
    }
    if (member->events & READ_EVENTS)
        events |= POLLIN;
    if (member->events & WRITE_EVENTS)
        events |= POLLOUT;
    int error = readiness_ask(member->file, events, watch, &held);
    member->returned = held & POLLPRI;
    if (held & POLLIN)
        member->returned |= member->events & READ_EVENTS;
    if (held & POLLOUT)
        member->returned |= member->events & WRITE_EVENTS;
    return error;
}

/* Adds to *ready. */
static int ask_devices(struct poll_set *set, bool watch, size_t *ready)
{
    for (size_t index = 0; index < set->count; index++) {
        struct poll_member *member = &set->members[index];
        if (!member->file)
            continue;
        int error = ask_device(member, watch && *ready == 0);
        if (error)
            return error;
        *ready += member->returned != 0;
    }
    return 0;
}

/* ---------------------------------------------------------------- the others ----------- */

/* A number that stands for nothing is ready, and says so. */
static int copy_other(int pidfd, struct poll_member *member, size_t *invalid)
{
    int error = host_pidfd_take(pidfd, member->number, &member->own);
    if (!error)
        return 0;
    member->own = -1;
    if (error != EBADF)
        return error;
    member->returned = POLLNVAL;
    (*invalid)++;
    return 0;
}

static int copy_others(struct call *call, struct poll_set *set, size_t *invalid)
{
    int error = 0;
    for (size_t index = 0; index < set->count && !error; index++) {
        struct poll_member *member = &set->members[index];
        if (!member->file && member->number >= 0)
            error = copy_other(call->caller->pidfd, member, invalid);
    }
    return error;
}

/* The descriptors that Linux shall wait on: ours of the others, and last the listener's. */
static struct pollfd *linux_set(const struct poll_set *set, int listener, size_t *count)
{
    struct pollfd *descriptors = host_allocate((set->others + 1) * sizeof(*descriptors));
    *count = 0;
    if (!descriptors)
        return NULL;
    for (size_t index = 0; index < set->count; index++)
        if (set->members[index].own >= 0)
            descriptors[(*count)++] = (struct pollfd){.fd = set->members[index].own,
                                                      .events = set->members[index].events};
    descriptors[(*count)++] = (struct pollfd){.fd = listener, .events = POLLIN};
    return descriptors;
}

static size_t take_returned(struct poll_set *set, const struct pollfd *descriptors)
{
    size_t ready = 0;
    for (size_t index = 0; index < set->count; index++) {
        struct poll_member *member = &set->members[index];
        if (member->own < 0)
            continue;
        member->returned = descriptors->revents;
        ready += member->returned != 0;
        descriptors++;
    }
    return ready;
}

/* ---------------------------------------------------------------- signals -------------- */

/* Do nothing unless they are caught. */
static const uint64_t harmless = UINT64_C(1) << (SIGCHLD - 1) | UINT64_C(1) << (SIGCONT - 1) |
                                 UINT64_C(1) << (SIGURG - 1) | UINT64_C(1) << (SIGWINCH - 1);

/* Whether one would be delivered under the mask. */
static bool deliverable(const struct host_signal_state *state, uint64_t mask)
{
    uint64_t ignored = state->ignored | (harmless & ~state->caught);
    return (state->own | state->shared) & ~mask & ~ignored;
}

static bool signal_came(struct call *call, const struct poll_set *set)
{
    struct host_signal_state state;
    if (!set->masked)
        return xmem_signal_pending() != 0;
    call->interrupted = !call_valid(call) || host_signals_look(call->thread, &state) ||
                        deliverable(&state, set->mask);
    return call->interrupted;
}

bool poll_set_needs_mask(struct call *call, const struct poll_set *set)
{
    struct host_signal_state state;
    return set->masked && host_signals_look(call->thread, &state) == 0 &&
           deliverable(&state, set->mask) && !deliverable(&state, state.blocked);
}

/* ---------------------------------------------------------------- waiting -------------- */

static uint64_t left_until(uint64_t deadline)
{
    uint64_t now = xmem_clock();
    if (deadline == POLL_FOREVER)
        return POLL_FOREVER;
    return now < deadline ? deadline - now : 0;
}

static int wait_for_devices(struct poll_set *set, uint64_t deadline, size_t *ready)
{
    for (;;) {
        uint32_t seen = load_acquire(&devices_ready_word);
        uint64_t left = left_until(deadline);
        int error = ask_devices(set, left != 0, ready);
        if (error || *ready || left == 0)
            return error;
        error = xmem_wait(&devices_ready_word, seen, XMEM_WAIT_INTERRUPTIBLE,
                          left == POLL_FOREVER ? 0 : left);
        if (error && error != ETIMEDOUT)
            return error;
    }
}

static int wait_for_all(struct call *call, struct poll_set *set, struct pollfd *descriptors,
                        size_t count, uint64_t deadline, size_t *ready)
{
    size_t invalid = *ready;
    for (;;) {
        size_t of_linux;
        host_event_clear(descriptors[count - 1].fd);
        uint64_t left = left_until(deadline);
        *ready = invalid;
        int error = ask_devices(set, left != 0 && invalid == 0, ready);
        if (error)
            return error;
        uint64_t limit = *ready ? 0 : left;
        supervisor_may_wait();
        error = host_poll(descriptors, count, limit < LOOK_NANOSECONDS ? limit : LOOK_NANOSECONDS,
                          &of_linux);
        if (error && error != EINTR)
            return error;
        if (!error)
            *ready += take_returned(set, descriptors);
        if (*ready || left == 0)
            return 0;
        if (signal_came(call, set))
            return EINTR;
    }
}

static int wait_mixed(struct call *call, struct poll_set *set, uint64_t deadline, size_t *ready)
{
    struct readiness_listener listener;
    size_t count;
    int error = copy_others(call, set, ready);
    if (!error)
        error = readiness_listen(&listener);
    if (error == EMFILE || error == ENFILE || error == EAGAIN)
        return ENOMEM;
    if (error)
        return error;
    struct pollfd *descriptors = linux_set(set, listener.fd, &count);
    error = descriptors ? wait_for_all(call, set, descriptors, count, deadline, ready) : ENOMEM;
    host_free(descriptors);
    readiness_unlisten(&listener);
    return error;
}

int poll_set_wait(struct call *call, struct poll_set *set, uint64_t *nanoseconds, size_t *ready)
{
    uint64_t now = xmem_clock();
    uint64_t deadline = *nanoseconds > POLL_FOREVER - now ? POLL_FOREVER : now + *nanoseconds;
    *ready = 0;
    int error = set->others || set->masked ? wait_mixed(call, set, deadline, ready)
                                           : wait_for_devices(set, deadline, ready);
    *nanoseconds = left_until(deadline);
    return error;
}
