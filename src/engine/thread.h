/* SPDX-License-Identifier: MIT */
/*
 * What the engine knows of the calling thread: its environment, its current process, its last
 * failures.
 *
 *   1. mode says in one word what a service must know first: not yet registered, process
 *      environment, interrupt environment, or a forked child.  It is this thread's own; a handler
 *      that interrupts the thread puts back what it changes.
 *   2. The thread-local part is small (it lives in static TLS); the rest is the record, allocated
 *      as the thread registers and freed as it ends.
 *   3. Records are listed under the records mutex, which nests inside nothing; only statistics
 *      read other threads' records.
 */
#ifndef XMEM_ENGINE_THREAD_H
#define XMEM_ENGINE_THREAD_H

#include "host/platform.h"
#include "segments/outcome.h"
#include "xmem/xmem.h"

enum thread_mode {
    THREAD_UNKNOWN,
    THREAD_PROCESS,
    THREAD_INTERRUPT,
    THREAD_FORKED,
    THREAD_ENDED /* never registers again: nobody would take it off the lists */
};

/* Interrupts nest as deep as there are priorities. */
#define LEVELS (XMEM_INTBASE + 1)
#define WORDS_SIZE 384
#define INDEX_CACHE 32
#define STACK_INSIDE 16
#define DEFERRED_MOST 32 /* interrupts that wait for being let through */

struct failure_record {
    struct xmem_failure shown;
    const char *operation;
    const char *kind; /* of memory; NULL: none involved */
    const char *detail;
    pid_t pid;  /* of the opened process; 0: none involved */
    pid_t peer; /* the same when its own memory refused, so that its map can tell why */
    size_t asked;
    size_t done;
    bool in_words;
    char words[WORDS_SIZE];
};

struct pending_interrupt {
    int priority;
    void (*handler)(void *);
    void *argument;
};

struct thread_record {
    struct thread_record *next;
    struct xmem_process **stack; /* xmem_enter() nesting; each process in it is held */
    struct xmem_process *stack_inside[STACK_INSIDE]; /* where the stack begins */
    size_t stack_used;
    size_t stack_room;
    uint32_t indexes[INDEX_CACHE]; /* descriptor entries ready for use */
    uint32_t indexes_used;
    struct pending_interrupt deferred[DEFERRED_MOST]; /* in the order of their arrival */
    uint32_t deferred_used;
    struct failure_record failures[LEVELS];
};

struct thread_state {
    uint32_t mode;   /* enum thread_mode */
    uint32_t number; /* unique among threads that ever registered */
    struct xmem_process *current;
    struct thread_record *record;
    struct pending_interrupt *pending;
    uint32_t level;
    int32_t priority; /* in force; this and the following: system/priority.h */
    int32_t base;
    int32_t counted;
    int32_t counted_outside;
};

extern THREAD_LOCAL struct thread_state thread_state;

/* For services of the process environment: 0, or EPERM (recorded under `operation`). */
int thread_require_process(const char *operation);
/* For services callable in both: 0, EPERM or ENOMEM. */
int thread_require_any(const char *operation);

/* The beginning and the end of a service that makes something out of nothing: 0; EPERM: not in the
 * process environment, or xmem is not started.  A stop waits for the end. */
int making_begin(const char *operation);
void making_end(void);

static ALWAYS_INLINE int thread_process_only(const char *operation)
{
    return LIKELY(thread_state.mode == THREAD_PROCESS) ? 0 : thread_require_process(operation);
}

static ALWAYS_INLINE int thread_any(const char *operation)
{
    return LIKELY(thread_state.mode == THREAD_PROCESS || thread_state.mode == THREAD_INTERRUPT)
               ? 0
               : thread_require_any(operation);
}

/* Once per program; `ending` runs in each registered thread as it ends.  0 or errno. */
int threads_start(void (*ending)(struct thread_record *));
/* Calls `look` for every registered thread, under the records mutex. */
void threads_each(void (*look)(const struct thread_record *, void *), void *argument);
uint64_t usage_errors(void);

#endif
