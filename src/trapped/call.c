/* SPDX-License-Identifier: MIT */
/*
 * A call's memory, its descriptors and its answer; call.h says what each function promises.
 *
 * Arguments in memory are read and written by the caller's thread number while the notification
 * is valid: then the number is that thread's, and the address space the one that it runs in.
 */
#include "trapped/call.h"

#include "engine/process.h"
#include "host/memory.h"
#include "host/notify.h"
#include "host/tracees.h"
#include "segments/foreign.h"
#include "system/caller.h"
#include "trapped/calls.h"
#include "trapped/processes.h"
#include "trapped/signals.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <string.h>

#define PAGE 4096
#define RANGES_MOST 1024
#define LENGTH_MOST 0x7ffff000

/* ---------------------------------------------------------------- the caller ----------- */

/* A caller that waits for its answer runs the program that it ran when it called: exec ends all
 * other threads first. */
static bool vouch(void *call)
{
    return call_valid(call);
}

HOT int call_begin(struct call *call)
{
    struct xmem_process *memory = call->known_memory;
    if (call->process)
        return 0;
    int error = process_of(call);
    if (!error && !memory)
        error = process_memory(call->caller, &memory);
    if (error)
        return error;
    struct xmem_caller caller = {call->caller->group, call->thread, 0};
    caller_serve(&caller, call_signal_pending, call);
    xmem_enter(memory);
    call->process = memory;
    if (!call->answered)
        foreign_vouch(memory->backing, vouch, call);
    return 0;
}

void call_end(struct call *call)
{
    if (call->process) {
        foreign_vouch(NULL, NULL, NULL);
        xmem_leave();
        caller_done();
    }
    if (call->caller)
        process_release(call->caller);
}

bool call_valid(const struct call *call)
{
    return host_notify_valid(supervisor_listener(), call->id);
}

HOT struct device_file *call_device_file(struct call *call, int fd)
{
    struct device_file *file = placeholder_of(call, fd);
    if (file)
        call_begin(call);
    return file;
}

/* ---------------------------------------------------------------- memory --------------- */

int call_copy_in(struct call *call, uint64_t address, void *to, size_t size)
{
    if (size == 0)
        return 0;
    return host_memory_in(call->thread, address, to, size) || !call_valid(call) ? EFAULT : 0;
}

int call_copy_out(struct call *call, const void *from, uint64_t address, size_t size)
{
    if (size == 0)
        return 0;
    return !call_valid(call) || host_memory_out(call->thread, from, address, size) ? EFAULT : 0;
}

int call_string_in(struct call *call, uint64_t address, char *to, size_t room)
{
    size_t stored = 0;
    while (stored < room) {
        size_t piece = PAGE - (address + stored) % PAGE;
        size_t got;
        if (piece > room - stored)
            piece = room - stored;
        if (host_memory_some(call->thread, address + stored, to + stored, piece, &got))
            return EFAULT;
        if (memchr(to + stored, '\0', got))
            return call_valid(call) ? 0 : EFAULT;
        stored += got;
    }
    return ENAMETOOLONG;
}

/* ---------------------------------------------------------------- ranges --------------- */

struct wide_vector {
    uint64_t base;
    uint64_t length;
};

struct narrow_vector {
    uint32_t base;
    uint32_t length;
};

/* One vector of the caller's array. */
static struct wide_vector vector_at(const struct call *call, const void *array, size_t index)
{
    struct wide_vector wide;
    struct narrow_vector narrow;
    if (!call->narrow) {
        memcpy(&wide, (const char *)array + index * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, (const char *)array + index * sizeof(narrow), sizeof(narrow));
    return (struct wide_vector){narrow.base, narrow.length};
}

/* The array's vectors, cut and without empty ones; 0, or EINVAL. */
static int take_vectors(const struct call *call, const void *array, size_t count,
                        struct call_ranges *ranges)
{
    const uint64_t longest = call->narrow ? INT32_MAX : INT64_MAX;
    for (size_t index = 0; index < count; index++) {
        struct wide_vector vector = vector_at(call, array, index);
        if (vector.length > longest)
            return EINVAL;
        if (vector.length > LENGTH_MOST - ranges->length)
            vector.length = LENGTH_MOST - ranges->length;
        if (vector.length == 0)
            continue;
        ranges->ranges[ranges->count++] = (struct xmem_range){vector.base, vector.length};
        ranges->length += vector.length;
    }
    return 0;
}

int call_ranges_in(struct call *call, uint64_t address, int64_t count, struct call_ranges *ranges)
{
    if (count < 0 || count > RANGES_MOST)
        return EINVAL;
    size_t size =
        (size_t)count * (call->narrow ? sizeof(struct narrow_vector) : sizeof(struct wide_vector));
    ranges->count = 0;
    ranges->length = 0;
    ranges->ranges = ranges->inside;
    if (count == 0)
        return 0;
    /* Ranges first, then the array as it came. */
    size_t room = count > CALL_RANGES_INSIDE ? (size_t)count * sizeof(struct xmem_range) : 0;
    char *storage = host_allocate(room + size);
    if (!storage)
        return ENOMEM;
    if (room)
        ranges->ranges = (struct xmem_range *)(void *)storage;
    int error = call_copy_in(call, address, storage + room, size);
    if (!error)
        error = take_vectors(call, storage + room, (size_t)count, ranges);
    if (error || !room)
        host_free(storage);
    return error;
}

void call_ranges_free(struct call_ranges *ranges)
{
    if (ranges->ranges != ranges->inside)
        host_free(ranges->ranges);
}

/* ---------------------------------------------------------------- answers -------------- */

int call_install_fd(struct call *call, int fd, bool close_on_exec, int *number)
{
    return host_notify_add_fd(supervisor_listener(), call->id, fd, close_on_exec, number);
}

int call_replace_fd(struct call *call, int fd, int number, bool close_on_exec)
{
    return host_notify_replace_fd(supervisor_listener(), call->id, fd, number, close_on_exec);
}

static int send_error(struct call *call, int error)
{
    if (error == EINTR)
        return call_send_interrupted(call, CALL_RESTART_SYS);
    if (error == CALL_RESTART_SYS || error == CALL_RESTART_NOHAND)
        return call_send_interrupted(call, error);
    return host_notify_answer(supervisor_listener(), call->id, 0, error);
}

/* From here on nothing is certain any more about the caller. */
static void answering(struct call *call)
{
    call->answered = true;
    foreign_vouch(NULL, NULL, NULL);
}

static int send_answer(struct call *call, struct answer answer)
{
    if (answer.kind == ANSWER_CONTINUE)
        return host_notify_continue(supervisor_listener(), call->id);
    if (answer.kind == ANSWER_ERROR)
        return send_error(call, (int)answer.value);
    return host_notify_answer(supervisor_listener(), call->id, answer.value, 0);
}

HOT int call_send(struct call *call, struct answer answer)
{
    if (answer.kind == ANSWER_SENT)
        return 0;
    answering(call);
    int error = send_answer(call, answer);
    if (UNLIKELY(error && error != ENOENT))
        supervisor_give_up();
    return error;
}
