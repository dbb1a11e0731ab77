/* SPDX-License-Identifier: MIT */
/*
 * Signals; signals.h says what each function promises.
 */
#include "host/signals.h"

#include "host/guarded.h"
#include "host/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static struct {
    bool own_faults;
    int interrupt_signal;
    bool (*interrupt)(void);
    struct sigaction segv_before;
    struct sigaction bus_before;
    struct sigaction interrupt_before;
} handlers;

bool host_fault(int signal, void *information, void *context)
{
    siginfo_t *info = information;
    /* Only what the processor reports has an address; a signal that somebody sent is not ours. */
    if (info->si_code <= 0)
        return false;
    return guarded_recover(signal, (uintptr_t)info->si_addr, context);
}

static void chain(const struct sigaction *before, int signal, siginfo_t *info, void *context)
{
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(signal, info, context);
    } else if (before->sa_handler == SIG_IGN && info->si_code <= 0) {
        return;
    } else if (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN) {
        /* Let it happen again without us: the instruction faults anew, or the signal is raised. */
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(signal, &plain, NULL);
        if (info->si_code <= 0)
            pthread_kill(pthread_self(), signal);
    } else {
        before->sa_handler(signal);
    }
}

static void fault_handler(int signal, siginfo_t *info, void *context)
{
    if (host_fault(signal, info, context))
        return;
    chain(signal == SIGSEGV ? &handlers.segv_before : &handlers.bus_before, signal, info, context);
}

static void interrupt_handler(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    bool ours = handlers.interrupt() || (info->si_code == SI_TKILL && host_worker_is());
    if (!ours && handlers.interrupt_before.sa_handler != SIG_DFL)
        chain(&handlers.interrupt_before, signal, info, context);
    errno = saved;
}

static int install(int signal, void (*handler)(int, siginfo_t *, void *), struct sigaction *before)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    /* Not blocked while they run: handlers nest (a guarded fault inside an interrupt). */
    action.sa_flags |= SA_NODEFER;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, before) == 0 ? 0 : errno;
}

int host_handlers_install(bool own_faults, int interrupt_signal, bool (*interrupt)(void))
{
    int chosen = interrupt_signal ? interrupt_signal : SIGRTMIN + 4;
    if (chosen < SIGRTMIN || chosen > SIGRTMAX)
        return EINVAL;
    handlers.own_faults = own_faults;
    handlers.interrupt_signal = chosen;
    handlers.interrupt = interrupt;
    int error = install(chosen, interrupt_handler, &handlers.interrupt_before);
    if (error || !own_faults)
        return error;
    error = install(SIGSEGV, fault_handler, &handlers.segv_before);
    if (error) {
        sigaction(chosen, &handlers.interrupt_before, NULL);
        return error;
    }
    error = install(SIGBUS, fault_handler, &handlers.bus_before);
    if (error) {
        sigaction(SIGSEGV, &handlers.segv_before, NULL);
        sigaction(chosen, &handlers.interrupt_before, NULL);
    }
    return error;
}

/* Puts back what was there, unless somebody has put a handler of theirs over ours meanwhile. */
static void restore(int signal, void (*ours)(int, siginfo_t *, void *),
                    const struct sigaction *before)
{
    struct sigaction now;
    if (sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == ours)
        sigaction(signal, before, NULL);
}

void host_handlers_remove(void)
{
    restore(handlers.interrupt_signal, interrupt_handler, &handlers.interrupt_before);
    if (!handlers.own_faults)
        return;
    restore(SIGSEGV, fault_handler, &handlers.segv_before);
    restore(SIGBUS, fault_handler, &handlers.bus_before);
}

static void add_fault_signals(sigset_t *set)
{
    if (!handlers.own_faults)
        return;
    sigaddset(set, SIGSEGV);
    sigaddset(set, SIGBUS);
}

void host_faults_unblock(void)
{
    sigset_t faults;
    sigemptyset(&faults);
    add_fault_signals(&faults);
    pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
}

int host_interrupt_signal(void)
{
    return handlers.interrupt_signal;
}

int host_interrupt_raise(void)
{
    sigset_t needed;
    sigset_t before;
    sigemptyset(&needed);
    sigaddset(&needed, handlers.interrupt_signal);
    add_fault_signals(&needed);
    int error = pthread_sigmask(SIG_UNBLOCK, &needed, &before);
    if (error)
        return error;
    error = pthread_kill(pthread_self(), handlers.interrupt_signal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
