/* SPDX-License-Identifier: MIT */
/*
 * Threads, locks and what surrounds them; threads.h says what each function promises.
 */
#include "host/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_key_t exit_key;

void host_signals_block(struct host_signal_mask *saved)
{
    sigset_t all;
    sigfillset(&all);
    _Static_assert(sizeof(sigset_t) <= sizeof(*saved), "room for a signal mask");
    pthread_sigmask(SIG_SETMASK, &all, (sigset_t *)(void *)saved);
}

void host_signals_restore(const struct host_signal_mask *saved)
{
    pthread_sigmask(SIG_SETMASK, (const sigset_t *)(const void *)saved, NULL);
}

int host_thread_create(pthread_t *thread, void *(*body)(void *), void *argument)
{
    struct host_signal_mask mask;
    host_signals_block(&mask);
    int error = pthread_create(thread, NULL, body, argument);
    host_signals_restore(&mask);
    return error;
}

void host_thread_join(pthread_t thread)
{
    pthread_join(thread, NULL);
}

int host_signal_create(host_signal *signal)
{
    return sem_init(signal, 0, 0) == 0 ? 0 : errno;
}

void host_signal_post(host_signal *signal)
{
    int saved = errno;
    sem_post(signal); /* at its limit the waiter has enough posts to wake for */
    errno = saved;
}

void host_signal_wait(host_signal *signal)
{
    while (sem_wait(signal) != 0 && errno == EINTR) {
    }
}

void host_signal_destroy(host_signal *signal)
{
    sem_destroy(signal);
}

int host_thread_exit_create(void (*ended)(void *))
{
    return pthread_key_create(&exit_key, ended);
}

int host_thread_watch(void *argument)
{
    return pthread_setspecific(exit_key, argument);
}

int host_on_fork(void (*child)(void))
{
    return pthread_atfork(NULL, NULL, child);
}

void host_sleep_microseconds(unsigned microseconds)
{
    struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)microseconds * 1000};
    nanosleep(&pause, NULL);
}

uint64_t host_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t host_time_of_day(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void host_write_error(const char *words)
{
    int saved = errno;
    if (write(STDERR_FILENO, words, strlen(words)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
        /* Nobody is left to tell. */
    }
    errno = saved;
}

void host_abort(void)
{
    abort();
}
