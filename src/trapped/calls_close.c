/* SPDX-License-Identifier: MIT */
/*
 * Calls that may close a device, and exec.
 *
 * Linux does the closing: the answer is "continue".  The caller is held at the end of its call
 * (host/tracees.h), so that the device's close is called, with the caller's memory and identity,
 * before the program goes on, and its error can be handed to a close().  By then the descriptor is
 * free, as on any system: a failing close closes.
 *
 * A caller that cannot be held, since somebody traces it, gets a plain null device in the place of
 * its placeholder before Linux closes that: a change of the descriptor's place that we know of
 * (placeholders.c says why that matters); the device's close comes shortly after, and its error is
 * lost.
 */
#include "trapped/call.h"

#include "host/memory.h"
#include "host/null_device.h"
#include "host/tracees.h"
#include "trapped/processes.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <fcntl.h>

#define CLOSE_RANGE_UNSHARED (1u << 1)
#define CLOSE_RANGE_ON_EXEC (1u << 2)
#define SHARES_DESCRIPTORS 0x400 /* CLONE_FILES */

/* ---------------------------------------------------------------- held ----------------- */

static bool hold(struct call *call)
{
    if (host_hold_begin(call->thread))
        return false;
    call->held = true;
    return true;
}

/* Lets Linux execute the held caller's call.  False: the caller was killed (or cannot be answered,
 * and waits until the listener is closed: this thread's end lets go of it). */
static bool execute(struct call *call)
{
    int error = call_send(call, call_continue());
    bool stands = (!error || error == ENOENT) && host_hold_wait(call->thread);
    identities_changed();
    return stands;
}

/* The caller has executed its call, and is held if it stands. */
static void finish(struct call *call, bool stands, int error)
{
    if (stands && error)
        host_hold_fail(call->thread, error);
    if (stands)
        host_hold_end(call->thread);
    call->held = false;
}

/* Lets go of the file, which the caller has no longer under this number.  The close's error. */
static int closed(struct device_file *file)
{
    placeholder_check(file);
    int error = device_file_release(file);
    supervisor_serves(NULL); /* the caller's next open need not wait for this thread */
    return error;
}

/* ---------------------------------------------------------------- not held ------------- */

/* Puts a plain null device in the place of the placeholder. */
static void replace(struct call *call, int number)
{
    int plain;
    if (host_null_open(O_RDWR, &plain))
        return;
    call_replace_fd(call, plain, number, false);
    host_close(plain);
    identities_changed();
}

/* The caller executes a call that closes the device under this number. */
static struct answer close_device(struct call *call, int number, struct device_file *file,
                                  bool reports)
{
    if (!hold(call)) {
        replace(call, number);
        device_file_release(file);
        call_send(call, call_continue());
        supervisor_look();
        return CALL_SENT;
    }
    bool stands = execute(call);
    int error = closed(file);
    finish(call, stands, reports ? error : 0);
    return CALL_SENT;
}

/* Somebody whose descriptors cannot be looked at may close a device. */
static struct answer close_unseen(struct call *call)
{
    if (!hold(call))
        return call_continue();
    bool stands = execute(call);
    placeholders_check();
    finish(call, stands, 0);
    return CALL_SENT;
}

/* ---------------------------------------------------------------- the calls ------------ */

static struct answer close_number(struct call *call, int number, bool reports)
{
    if (load_relaxed(&placeholders_count) == 0)
        return call_continue();
    if (process_of(call))
        return close_unseen(call);
    struct device_file *file = call_device_file(call, number);
    return file ? close_device(call, number, file, reports) : call_continue();
}

static struct answer call_close(struct call *call)
{
    return close_number(call, call_int(call, 0), true);
}

/* Linux drops what the close of the old one returned. */
static struct answer call_dup2(struct call *call)
{
    int to = call_int(call, 1);
    return call_int(call, 0) == to ? call_continue() : close_number(call, to, false);
}

/* The placeholders in the range, one after the other. */
static void replace_range(struct call *call, uint32_t first, uint32_t last)
{
    const uint32_t most =
        1u << 20; /* descriptors of a process, unless somebody changed the limit */
    for (uint32_t number = first; number <= last && number < most; number++) {
        struct device_file *file = call_device_file(call, (int)number);
        if (!file)
            continue;
        replace(call, (int)number);
        device_file_release(file);
    }
}

static struct answer call_close_range(struct call *call)
{
    uint32_t first = (uint32_t)call->arguments[0];
    uint32_t last = (uint32_t)call->arguments[1];
    uint32_t flags = (uint32_t)call->arguments[2];
    if (load_relaxed(&placeholders_count) == 0 || first > last)
        return call_continue();
    if (flags & CLOSE_RANGE_UNSHARED)
        process_descriptors_differ(call);
    if (flags & CLOSE_RANGE_ON_EXEC)
        return call_continue();
    call_begin(call);
    struct answer answer = close_unseen(call);
    if (answer.kind == ANSWER_CONTINUE) {
        replace_range(call, first, last);
        supervisor_look();
    }
    return answer;
}

/* What close-on-exec closes is found by the watcher. */
static struct answer call_execve(struct call *call)
{
    process_exec(call);
    call_send(call, call_continue());
    if (load_relaxed(&placeholders_count) != 0)
        supervisor_look();
    return CALL_SENT;
}

static struct answer call_unshare(struct call *call)
{
    if (call->arguments[0] & SHARES_DESCRIPTORS)
        process_descriptors_differ(call);
    return call_continue();
}

const struct call_row calls_close[] = {
    CALL(close, 6, call_close),
#ifdef __NR_dup2
    CALL(dup2, 63, call_dup2),
#endif
    CALL(dup3, 330, call_dup2),       CALL(close_range, 436, call_close_range),
    CALL(execve, 11, call_execve),    CALL(execveat, 358, call_execve),
    CALL(unshare, 310, call_unshare), CALL_TABLE_END,
};
