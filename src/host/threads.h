/* SPDX-License-Identifier: MIT */
/*
 * Threads, locks and what surrounds them.  Nothing here is called at interrupt level except
 * host_signal_post().
 */
#ifndef XMEM_HOST_THREADS_H
#define XMEM_HOST_THREADS_H

#include "host/platform.h"

#include <pthread.h>
#include <semaphore.h>

typedef pthread_mutex_t host_mutex;
#define HOST_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER

static inline void host_lock(host_mutex *mutex)
{
    pthread_mutex_lock(mutex);
}

static inline void host_unlock(host_mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

/* A helper thread of the library: all signals blocked. */
int host_thread_create(pthread_t *thread, void *(*body)(void *), void *argument);
void host_thread_join(pthread_t thread);

/* Wakes one waiter; async-signal-safe. */
typedef sem_t host_signal;
int host_signal_create(host_signal *signal);
void host_signal_post(host_signal *signal);
void host_signal_wait(host_signal *signal);
void host_signal_destroy(host_signal *signal);

/* Blocks every signal for a moment: registration must not be interrupted by a reader. */
struct host_signal_mask {
    uint64_t words[16];
};
void host_signals_block(struct host_signal_mask *saved);
void host_signals_restore(const struct host_signal_mask *saved);

/* Runs `ended` in each thread that has called host_thread_watch(), as it ends. */
int host_thread_exit_create(void (*ended)(void *));
int host_thread_watch(void *argument);

/* Runs `child` in the child of every fork of this program. */
int host_on_fork(void (*child)(void));

void host_sleep_microseconds(unsigned microseconds);
uint64_t host_milliseconds(void);
uint64_t host_time_of_day(void); /* nanoseconds since 1970; async-signal-safe */

/* Writes words and a newline to standard error; async-signal-safe. */
void host_write_error(const char *words);
void host_abort(void) __attribute__((noreturn));

#endif
