/* SPDX-License-Identifier: MIT */
/*
 * Workers; workers.h says what each function promises.
 *
 * Linux before 6.6 does not tell a thread that waits for a notification that nobody is left who
 * could send one, and no version tells it that this program no longer wants any: hence a signal.
 * It is the interrupt signal, whose handler does nothing on a thread that has no interrupt pending.
 * A handler with SA_RESTART would have Linux 6.6 and later go on waiting.
 */
#include "host/workers.h"

#include "host/signals.h"

#include <signal.h>

static THREAD_LOCAL bool is_worker;
static bool restarted;

void host_worker_prepare(void)
{
    sigset_t kick;
    is_worker = true;
    host_faults_unblock();
    sigemptyset(&kick);
    sigaddset(&kick, host_interrupt_signal());
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

bool host_worker_is(void)
{
    return is_worker;
}

/* Whoever has a handler over ours keeps it.  Returns whether calls were restarted. */
static bool set_restart(bool restart)
{
    struct sigaction action;
    sigaction(host_interrupt_signal(), NULL, &action);
    bool before = (action.sa_flags & SA_RESTART) != 0;
    action.sa_flags &= ~SA_RESTART;
    if (restart)
        action.sa_flags |= SA_RESTART;
    sigaction(host_interrupt_signal(), &action, NULL);
    return before;
}

void host_worker_kicks_begin(void)
{
    restarted = set_restart(false);
}

void host_worker_kick(pthread_t thread)
{
    pthread_kill(thread, host_interrupt_signal());
}

void host_worker_kicks_end(void)
{
    if (restarted)
        set_restart(true);
}
