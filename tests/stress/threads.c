/* SPDX-License-Identifier: MIT */
/*
 * Threads come and go: each is registered by its first call, whatever that is, and forgotten when
 * it ends, in the middle of anything and without a word.  Nothing is left of them.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define PAGES 2
#define THREADS 6

struct subject {
    struct memory *memory;
    struct xmem_descriptor descriptor;
    atomic_int failures;
    enum kind kind;
};

static void check(struct subject *subject, int true_so)
{
    if (!true_so)
        atomic_fetch_add(&subject->failures, 1);
}

static void *first_move(void *argument)
{
    struct subject *subject = argument;
    unsigned char byte = 0;
    check(subject,
          xmem_move_in(&subject->descriptor, memory_base(subject->memory), &byte, 1, NULL) == 0 &&
              byte == 7);
    return NULL;
}

static void *first_enter(void *argument)
{
    struct subject *subject = argument;
    unsigned char byte = 0;
    xmem_enter(memory_process(subject->memory));
    check(subject, xmem_copy_in(NULL, memory_base(subject->memory), &byte, 1, NULL) == 0);
    return NULL; /* ends without leaving */
}

static void *first_failure(void *argument)
{
    struct subject *subject = argument;
    check(subject, xmem_last_failure() != NULL && xmem_last_failure()->words != NULL);
    check(subject, xmem_copy_in(NULL, 0, NULL, 1, NULL) == EINVAL);
    check(subject, xmem_last_failure()->error == EINVAL);
    return NULL;
}

static void *first_attach(void *argument)
{
    struct subject *subject = argument;
    struct xmem_descriptor descriptors[40];
    for (int index = 0; index < 40; index++)
        check(subject, xmem_attach(memory_process(subject->memory), memory_base(subject->memory),
                                   PAGE, &descriptors[index]) == 0);
    for (int index = 0; index < 40; index++)
        check(subject, xmem_detach(&descriptors[index]) == 0);
    return NULL;
}

static void note(void *argument)
{
    *(int *)argument = xmem_in_interrupt();
}

static void *first_interrupt(void *argument)
{
    struct subject *subject = argument;
    int inside = 0;
    check(subject, xmem_interrupt(XMEM_INTCLASS3, note, &inside) == 0 && inside);
    return NULL;
}

static void *first_process(void *argument)
{
    struct subject *subject = argument;
    struct xmem_process *process;
    unsigned char byte = 9;
    check(subject, xmem_process_create(64, &process) == 0);
    check(subject, xmem_process_map(process, REGION, PAGE, PROT_READ) == 0);
    check(subject, xmem_copy_in(process, REGION, &byte, 1, NULL) == 0 && byte == 0);
    check(subject, xmem_process_close(process) == 0);
    return NULL;
}

static void *prepared(void *argument)
{
    check(argument, xmem_thread_prepare() == 0);
    check(argument, xmem_thread_prepare() == 0);
    return NULL;
}

typedef void *starter(void *);
static starter *const starters[] = {first_move,      first_enter,   first_failure, first_attach,
                                    first_interrupt, first_process, prepared};
#define STARTERS (sizeof starters / sizeof *starters)

static void churn(enum kind kind)
{
    struct subject subject = {.kind = kind};
    pthread_t threads[THREADS];
    subject.memory = memory_open(kind, PAGES);
    must(xmem_attach(memory_process(subject.memory), memory_base(subject.memory), PAGE,
                     &subject.descriptor));
    owner_fill(subject.memory, memory_base(subject.memory), 7, 1);
    double end = seconds_now() + test_seconds(0.7);
    for (size_t round = 0; seconds_now() < end; round++) {
        for (size_t index = 0; index < THREADS; index++)
            assert_int_equal(pthread_create(&threads[index], NULL,
                                            starters[(round + index) % STARTERS], &subject),
                             0);
        for (size_t index = 0; index < THREADS; index++)
            pthread_join(threads[index], NULL);
        assert_int_equal(atomic_load(&subject.failures), 0);
    }
    must(xmem_detach(&subject.descriptor));
}

/* A thread that has lived under a process neither keeps it nor is confused by its end. */
static atomic_int phase;

static void *lives_on(void *argument)
{
    struct subject *subject = argument;
    unsigned char byte;
    xmem_enter(memory_process(subject->memory));
    check(subject, xmem_copy_in(NULL, memory_base(subject->memory), &byte, 1, NULL) == 0);
    atomic_store(&phase, 1);
    while (atomic_load(&phase) != 2)
        sched_yield();
    int error = xmem_copy_in(NULL, memory_base(subject->memory), &byte, 1, NULL);
    check(subject, error == ESRCH || error == EINVAL || error == EFAULT);
    return NULL;
}

static void process_ends_under_a_thread(enum kind kind)
{
    for (int round = 0; round < 20; round++) {
        struct subject subject = {.kind = kind, .memory = memory_open(kind, PAGES)};
        pthread_t thread;
        atomic_store(&phase, 0);
        assert_int_equal(pthread_create(&thread, NULL, lives_on, &subject), 0);
        while (atomic_load(&phase) != 1)
            sched_yield();
        memory_exit(subject.memory);
        atomic_store(&phase, 2);
        pthread_join(thread, NULL);
        assert_int_equal(atomic_load(&subject.failures), 0);
        memory_close(subject.memory);
    }
}

/* Starts and stops while threads from an earlier start are still alive. */
static atomic_int turn;

static void *outlives_a_stop(void *argument)
{
    (void)argument;
    xmem_thread_prepare();
    atomic_store(&turn, 1);
    while (atomic_load(&turn) != 2)
        sched_yield();
    xmem_thread_prepare();
    return NULL;
}

static void threads_outlive_a_stop(enum kind kind)
{
    (void)kind;
    for (int round = 0; round < 20; round++) {
        pthread_t thread;
        atomic_store(&turn, 0);
        must(xmem_start(NULL));
        assert_int_equal(pthread_create(&thread, NULL, outlives_a_stop, NULL), 0);
        while (atomic_load(&turn) != 1)
            sched_yield();
        must(xmem_stop());
        must(xmem_start(NULL));
        atomic_store(&turn, 2);
        pthread_join(thread, NULL);
        must(xmem_stop());
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(churn, ALL_KINDS),
        EACH(process_ends_under_a_thread, USER_KINDS),
        BARE(threads_outlive_a_stop),
    };
    return RUN_CASES("threads", cases);
}
