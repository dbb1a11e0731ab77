/* SPDX-License-Identifier: MIT */
/*
 * Signals of a caller; signals.h says what each function promises.
 */
#include "trapped/signals.h"

#include "host/notify.h"
#include "host/threads.h"
#include "host/tracees.h"
#include "trapped/processes.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <signal.h>

#define LOOK_EVERY 10 /* milliseconds */

static uint64_t bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* Of the set, those that do something when they are delivered. */
static uint64_t deliverable(const struct host_signal_state *state, uint64_t set)
{
    const uint64_t ignored_by_default = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGCONT);
    return set & ~state->blocked & ~state->ignored & ~(ignored_by_default & ~state->caught);
}

static int lowest(uint64_t set)
{
    return set ? __builtin_ctzll(set) + 1 : 0;
}

/* What is pending for the process of several threads counts when it is still there the next
 * time. */
static uint64_t lasting(struct call *call, const struct host_signal_state *state)
{
    uint64_t shared = deliverable(state, state->shared);
    if (state->threads <= 1)
        return shared;
    bool before = call->shared_seen;
    call->shared_seen = shared != 0;
    return before ? shared : 0;
}

static int look(struct call *call)
{
    struct host_signal_state state;
    if (!call->answered && !call_valid(call))
        return SIGKILL;
    if (host_signals_look(call->thread, &state))
        return SIGKILL;
    int signal = lowest(deliverable(&state, state.own) | lasting(call, &state));
    if (!signal && state.threads > 1 && call->caller &&
        host_others_stopped(call->caller->group, call->thread))
        signal = SIGSTOP;
    return signal;
}

int call_signal_pending(void *argument)
{
    struct call *call = argument;
    uint64_t now = host_milliseconds();
    if (call->looked_at == 0)
        call->looked_at = now; /* what was there before would have kept the call from us */
    if (now - call->looked_at < LOOK_EVERY)
        return 0;
    call->looked_at = now;
    int signal = look(call);
    if (signal)
        call->interrupted = true;
    return signal;
}

/* Whether Linux has told this thread of a signal, and nobody can have taken it away. */
static bool surely_told(const struct call *call)
{
    struct host_signal_state state;
    if (host_signals_look(call->thread, &state))
        return true; /* it is being killed, and sees no answer */
    if (deliverable(&state, state.own))
        return true;
    return state.threads == 1 && deliverable(&state, state.shared);
}

static int answer(struct call *call, int code)
{
    call->answered = true;
    return host_notify_answer(supervisor_listener(), call->id, 0, code);
}

int call_send_interrupted(struct call *call, int code)
{
    if (!call->interrupted)
        return answer(call, EINTR); /* the device's own idea */
    if (surely_told(call))
        return answer(call, code);
    if (host_hold_begin(call->thread))
        return answer(call, EINTR);
    int error = answer(call, code);
    if ((!error || error == ENOENT) && host_hold_wait(call->thread))
        host_hold_end(call->thread);
    return error;
}
