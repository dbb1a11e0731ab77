/* SPDX-License-Identifier: MIT */
/*
 * Shows what the lock services promise: simple locks, also against handlers, complex ones, and the
 * older lock words.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "services.h"

#include <sys/lock_alloc.h>
#include <sys/lock_def.h>
#include <sys/lockl.h>
#include <sys/sleep.h>
#include <xmem/kernel.h>

#define THREADS 4

static Simple_lock simple;
static Complex_lock complex_lock;
static lock_t word = LOCK_AVAIL;
static volatile long sum; /* what a lock keeps apart: additions that are not atomic */

static void run_threads(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (long index = 0; index < THREADS; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, body, (void *)index), 0);
    for (int index = 0; index < THREADS; index++)
        pthread_join(threads[index], NULL);
}

/* Runs body(argument) in another thread; it has ended on return. */
static void elsewhere(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    pthread_join(thread, NULL);
}

/* ---------------------------------------------------------------- simple locks --------- */

static void *add_under_simple(void *argument)
{
    long rounds = test_rounds(50000);
    for (long round = 0; round < rounds; round++) {
        if ((long)argument % 2)
            simple_lock(&simple);
        else
            while (!simple_lock_try(&simple))
                sched_yield();
        sum = sum + 1;
        simple_unlock(&simple);
    }
    return NULL;
}

static void *try_simple(void *result)
{
    *(int *)result = simple_lock_try(&simple);
    return NULL;
}

static void simple_locks_exclude(enum kind kind)
{
    int tried = -1;
    xmem_aix_lock_alloc(&simple, LOCK_ALLOC_PIN, 1, -1);
    simple_lock_init(&simple);
    run_threads(add_under_simple);
    assert_int_equal(sum, THREADS * test_rounds(50000));
    simple_lock(&simple);
    elsewhere(try_simple, &tried);
    assert_int_equal(tried, FALSE);
    assert_int_equal(simple_lock_try(&simple), FALSE);
    simple_unlock(&simple);
    assert_int_equal(simple_lock_try(&simple), TRUE);
    simple_unlock(&simple);
    xmem_aix_lock_free(&simple);
    covers("simple_lock.1", kind);
    covers("simple_lock_try.1", kind);
    covers("lock_alloc.1", kind);
}

static int waited_for;

static void *wait_for_simple(void *argument)
{
    simple_lock(&simple);
    __atomic_store_n(&waited_for, 1, __ATOMIC_RELEASE);
    simple_unlock(&simple);
    return argument;
}

static void who_waits_gets_it(enum kind kind)
{
    pthread_t thread;
    simple_lock(&simple);
    pthread_create(&thread, NULL, wait_for_simple, NULL);
    usleep(30000);
    assert_int_equal(__atomic_load_n(&waited_for, __ATOMIC_ACQUIRE), 0);
    simple_unlock(&simple);
    pthread_join(thread, NULL);
    assert_int_equal(waited_for, 1);
    covers("simple_lock.waits", kind);
}

static int handler_runs;

static void note_run(void *argument)
{
    (void)argument;
    __atomic_add_fetch(&handler_runs, 1, __ATOMIC_ACQ_REL);
}

static void disable_lock_holds_interrupts_off(enum kind kind)
{
    struct xmem_interrupt_work work = {note_run, NULL, INTIODONE, NULL, 0};
    int base = disable_lock(INTCLASS0, &simple);
    assert_int_equal(base, INTBASE);
    unlock_enable(base, &simple);
    base = xmem_interrupts_hold(INTOFFL0);
    int before = disable_lock(INTIODONE, &simple);
    assert_int_equal(before, INTOFFL0);
    must(xmem_post_interrupt(&work));
    must(xmem_interrupt(INTIODONE, note_run, NULL));
    usleep(20000);
    assert_int_equal(__atomic_load_n(&handler_runs, __ATOMIC_ACQUIRE), 0);
    unlock_enable(before, &simple);
    assert_true(comes_to(&handler_runs, 2));
    assert_int_equal(xmem_interrupts_hold(INTBASE), INTOFFL0);
    assert_int_equal(simple_lock_try(&simple), TRUE);
    simple_unlock(&simple);
    xmem_interrupts_restore(base);
    covers("disable_lock.1", kind);
    covers("unlock_enable.1", kind);
}

static struct xmem_interrupt_work adder;
static long handlers;

static void add_in_handler(void *argument)
{
    (void)argument;
    int before = disable_lock(INTIODONE, &simple);
    sum = sum + 1;
    handlers++;
    unlock_enable(before, &simple);
}

static void *add_beside_handlers(void *argument)
{
    long rounds = test_rounds(20000);
    for (long round = 0; round < rounds; round++) {
        if (round % 4 == 0)
            xmem_post_interrupt(&adder);
        if (round % 64 == 0)
            xmem_interrupt(INTIODONE, add_in_handler, NULL);
        int before = disable_lock(INTIODONE, &simple);
        sum = sum + 1;
        unlock_enable(before, &simple);
    }
    return argument;
}

static void handlers_are_excluded_too(enum kind kind)
{
    adder = (struct xmem_interrupt_work){add_in_handler, NULL, INTIODONE, NULL, 0};
    run_threads(add_beside_handlers);
    while (xmem_cancel_interrupt(&adder) != 0)
        usleep(100);
    assert_true(handlers >= THREADS * test_rounds(20000) / 64);
    assert_int_equal(sum, THREADS * test_rounds(20000) + handlers);
    covers("disable_lock.handlers", kind);
}

static int results[8];

static void use_simple(void *argument)
{
    (void)argument;
    simple_lock_init(&simple);
    results[0] = simple_lock_try(&simple);
    simple_unlock(&simple);
    simple_lock(&simple);
    simple_unlock(&simple);
    results[1] = disable_lock(INTMAX, &simple);
    results[2] = simple_lock_try(&simple);
    unlock_enable(results[1], &simple);
}

static void simple_locks_at_interrupt_level(enum kind kind)
{
    at_interrupt(use_simple, NULL);
    assert_int_equal(results[0], TRUE);
    assert_true(results[1] < INTBASE);
    assert_int_equal(results[2], FALSE);
    assert_int_equal(simple_lock_try(&simple), TRUE);
    simple_unlock(&simple);
    covers("simple_lock.interrupt", kind);
}

/* ---------------------------------------------------------------- complex locks -------- */

static void *try_read(void *result)
{
    *(int *)result = xmem_aix_lock_try_read(&complex_lock);
    if (*(int *)result)
        xmem_aix_lock_done(&complex_lock);
    return NULL;
}

static void *try_write(void *result)
{
    *(int *)result = xmem_aix_lock_try_write(&complex_lock);
    if (*(int *)result)
        xmem_aix_lock_done(&complex_lock);
    return NULL;
}

static void expect_tries(int read, int write)
{
    int tried = -1;
    elsewhere(try_read, &tried);
    assert_int_equal(tried, read);
    elsewhere(try_write, &tried);
    assert_int_equal(tried, write);
}

static void many_readers_or_one_writer(enum kind kind)
{
    xmem_aix_lock_init(&complex_lock, TRUE);
    assert_int_equal(xmem_aix_lock_islocked(&complex_lock), FALSE);
    expect_tries(TRUE, TRUE);
    xmem_aix_lock_read(&complex_lock);
    assert_int_equal(xmem_aix_lock_islocked(&complex_lock), TRUE);
    expect_tries(TRUE, FALSE);
    xmem_aix_lock_done(&complex_lock);
    xmem_aix_lock_write(&complex_lock);
    assert_int_equal(xmem_aix_lock_islocked(&complex_lock), TRUE);
    expect_tries(FALSE, FALSE);
    xmem_aix_lock_done(&complex_lock);
    assert_int_equal(xmem_aix_lock_islocked(&complex_lock), FALSE);
    expect_tries(TRUE, TRUE);
    covers("lock_read.1", kind);
    covers("lock_write.1", kind);
    covers("lock_try.1", kind);
    covers("lock_islocked.1", kind);
}

static int written, was_read;

static void *write_once(void *argument)
{
    xmem_aix_lock_write(&complex_lock);
    __atomic_store_n(&written, was_read ? 2 : 1, __ATOMIC_RELEASE);
    xmem_aix_lock_done(&complex_lock);
    return argument;
}

static void *read_once(void *argument)
{
    xmem_aix_lock_read(&complex_lock);
    __atomic_store_n(&was_read, 1, __ATOMIC_RELEASE);
    xmem_aix_lock_done(&complex_lock);
    return argument;
}

static void a_waiting_writer_is_next(enum kind kind)
{
    pthread_t writer, reader;
    xmem_aix_lock_read(&complex_lock);
    pthread_create(&writer, NULL, write_once, NULL);
    usleep(30000);
    expect_tries(FALSE, FALSE); /* no reader passes the writer */
    pthread_create(&reader, NULL, read_once, NULL);
    usleep(30000);
    assert_int_equal(__atomic_load_n(&written, __ATOMIC_ACQUIRE), 0);
    assert_int_equal(__atomic_load_n(&was_read, __ATOMIC_ACQUIRE), 0);
    xmem_aix_lock_done(&complex_lock);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(written, 1);
    assert_int_equal(was_read, 1);
    covers("lock_done.writers-first", kind);
}

static int inside, most_inside;
static long torn;
static volatile long left, right;

static void *read_and_write(void *argument)
{
    long rounds = test_rounds(20000);
    for (long round = 0; round < rounds; round++) {
        if ((round + (long)argument) % 8 == 0) {
            xmem_aix_lock_write(&complex_lock);
            left = left + 1;
            right = right + 1;
        } else {
            xmem_aix_lock_read(&complex_lock);
            int now = __atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL);
            if (now > __atomic_load_n(&most_inside, __ATOMIC_RELAXED))
                __atomic_store_n(&most_inside, now, __ATOMIC_RELAXED);
            if (left != right)
                __atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
            if (round % 16 == 1)
                sched_yield();
            __atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
        }
        xmem_aix_lock_done(&complex_lock);
    }
    return NULL;
}

static void complex_locks_keep_their_word(enum kind kind)
{
    run_threads(read_and_write);
    assert_int_equal(torn, 0);
    assert_true(most_inside > 1);
    assert_int_equal(left, THREADS * test_rounds(20000) / 8);
    covers("complex_lock.stress", kind);
}

static void use_complex(void *argument)
{
    (void)argument;
    xmem_aix_lock_init(&complex_lock, TRUE);
    xmem_aix_lock_read(&complex_lock);
    xmem_aix_lock_write(&complex_lock);
    results[0] = xmem_aix_lock_try_read(&complex_lock);
    results[1] = xmem_aix_lock_try_write(&complex_lock);
    results[2] = xmem_aix_lock_islocked(&complex_lock);
    xmem_aix_lock_done(&complex_lock);
    xmem_aix_lock_alloc(&complex_lock, LOCK_ALLOC_PAGED, 1, 1);
    xmem_aix_lock_free(&complex_lock);
    results[3] = xmem_aix_lockl(&word, LOCK_SHORT);
    xmem_aix_unlockl(&word);
}

static void others_are_refused_at_interrupt_level(enum kind kind)
{
    uint64_t before = usage_errors_counted();
    at_interrupt(use_complex, NULL);
    assert_int_equal(usage_errors_counted(), before + 11);
    assert_int_equal(results[0] | results[1] | results[2], FALSE);
    assert_int_equal(results[3], LOCK_FAIL);
    assert_int_equal(word, LOCK_AVAIL);
    expect_tries(TRUE, TRUE);
    covers("locks.interrupt", kind);
}

/* ---------------------------------------------------------------- lock words ----------- */

struct attempt {
    int flags, began, ended, result, unlock;
};

static void attempt_lock(void *argument)
{
    struct attempt *attempt = argument;
    __atomic_store_n(&attempt->began, 1, __ATOMIC_RELEASE);
    attempt->result = xmem_aix_lockl(&word, attempt->flags);
    if (attempt->result == LOCK_SUCC)
        xmem_aix_unlockl(&word);
    __atomic_store_n(&attempt->ended, 1, __ATOMIC_RELEASE);
}

static pid_t begin(struct attempt *attempt)
{
    pid_t number;
    must(xmem_kernel_process_create(&number));
    must(xmem_kernel_process_start(number, attempt_lock, attempt, NULL));
    assert_true(comes_to(&attempt->began, 1));
    return number;
}

static void lock_words(enum kind kind)
{
    struct attempt now = {.flags = LOCK_NDELAY}, patient = {.flags = LOCK_SHORT};
    struct attempt open = {.flags = LOCK_SIGRET}, wake = {.flags = LOCK_SIGWAKE};
    assert_int_equal(xmem_aix_lockl(&word, LOCK_SHORT), LOCK_SUCC);
    assert_int_equal(xmem_aix_lockl(&word, LOCK_SHORT), LOCK_NEST);
    assert_int_equal(xmem_aix_lockl(&word, LOCK_NDELAY), LOCK_NEST);
    begin(&now);
    assert_true(comes_to(&now.ended, 1));
    assert_int_equal(now.result, LOCK_FAIL);
    pid_t short_one = begin(&patient);
    must(xmem_signal_post(short_one, SIGTERM));
    must(xmem_signal_post(begin(&open), SIGTERM));
    must(xmem_signal_post(begin(&wake), SIGTERM));
    assert_true(comes_to(&open.ended, 1) && comes_to(&wake.ended, 1));
    assert_int_equal(open.result, LOCK_SIG);
    assert_int_equal(wake.result, LOCK_SIG);
    usleep(20000);
    assert_int_equal(__atomic_load_n(&patient.ended, __ATOMIC_ACQUIRE),
                     0);     /* signals do not end this one */
    xmem_aix_unlockl(&word); /* one, for all that nested */
    assert_true(comes_to(&patient.ended, 1));
    assert_int_equal(patient.result, LOCK_SUCC);
    assert_int_equal(word, LOCK_AVAIL);
    covers("lockl.LOCK_SUCC", kind);
    covers("lockl.LOCK_NEST", kind);
    covers("lockl.LOCK_FAIL", kind);
    covers("lockl.LOCK_SIG", kind);
    covers("lockl.LOCK_SHORT", kind);
    covers("unlockl.1", kind);
}

static void *add_under_word(void *argument)
{
    long rounds = test_rounds(50000);
    for (long round = 0; round < rounds; round++) {
        if (xmem_aix_lockl(&word, round % 2 ? LOCK_SHORT : LOCK_SIGRET) != LOCK_SUCC)
            abort();
        sum = sum + 1;
        xmem_aix_unlockl(&word);
    }
    return argument;
}

static void lock_words_exclude(enum kind kind)
{
    run_threads(add_under_word);
    assert_int_equal(sum, THREADS * test_rounds(50000));
    assert_int_equal(word, LOCK_AVAIL);
    covers("lockl.stress", kind);
}

/* ---------------------------------------------------------------- panics --------------- */

static void lock_simple_twice(void)
{
    simple_lock(&simple);
    simple_lock(&simple);
}

static void disable_and_lock(void)
{
    disable_lock(INTIODONE, &simple);
    disable_lock(INTMAX, &simple);
}

static void unlock_free_simple(void)
{
    simple_unlock(&simple);
}

static void *lock_here(void *argument)
{
    simple_lock(&simple);
    return argument;
}

static void unlock_somebody_elses(void)
{
    elsewhere(lock_here, NULL);
    unlock_enable(INTBASE, &simple);
}

static void write_twice(void)
{
    xmem_aix_lock_write(&complex_lock);
    xmem_aix_lock_write(&complex_lock);
}

static void read_then_write(void)
{
    xmem_aix_lock_read(&complex_lock);
    xmem_aix_lock_write(&complex_lock);
}

static void write_then_read(void)
{
    xmem_aix_lock_write(&complex_lock);
    xmem_aix_lock_read(&complex_lock);
}

static void *read_here(void *argument)
{
    xmem_aix_lock_read(&complex_lock);
    return argument;
}

static void done_with_somebody_elses(void)
{
    elsewhere(read_here, NULL);
    xmem_aix_lock_done(&complex_lock);
}

static void unlock_free_word(void)
{
    xmem_aix_unlockl(&word);
}

static void *lock_word_here(void *argument)
{
    xmem_aix_lockl(&word, LOCK_SHORT);
    return argument;
}

static void unlock_word_of_another(void)
{
    elsewhere(lock_word_here, NULL);
    xmem_aix_unlockl(&word);
}

static void misuse_is_a_panic(enum kind kind)
{
    must_panic(lock_simple_twice);
    must_panic(disable_and_lock);
    must_panic(unlock_free_simple);
    must_panic(unlock_somebody_elses);
    must_panic(write_twice);
    must_panic(read_then_write);
    must_panic(write_then_read);
    must_panic(done_with_somebody_elses);
    must_panic(unlock_free_word);
    must_panic(unlock_word_of_another);
    covers("simple_lock.panic", kind);
    covers("complex_lock.panic", kind);
    covers("unlockl.panic", kind);
}

static tid_t shared_tid;
static long by_worker, by_others;

static void count_and_post(long *count)
{
    int before = disable_lock(INTIODONE, &simple);
    ++*count;
    et_post(1ul << 63, shared_tid); /* takes a lock of the library's under it */
    unlock_enable(before, &simple);
}

static void count_by_worker(void *unused)
{
    (void)unused;
    count_and_post(&by_worker);
}

static void count_by_thread(void *unused)
{
    (void)unused;
    count_and_post(&by_others);
}

/* A lock of handlers on the library's thread and of others on this one. */
static void handlers_share_a_lock(enum kind kind)
{
    static struct xmem_interrupt_work work = {.handler = count_by_worker, .priority = INTTIMER};
    long rounds = test_rounds(100000);
    (void)kind;
    simple_lock_init(&simple);
    shared_tid = xmem_aix_thread_self();
    for (long round = 0; round < rounds; round++) {
        must(xmem_post_interrupt(&work));
        must(xmem_interrupt(INTIODONE, count_by_thread, NULL));
    }
    assert_int_equal(by_others, rounds);
    while (xmem_cancel_interrupt(&work) != 0)
        sched_yield();
    assert_true(by_worker > 0);
    (void)et_wait(EVENT_NDELAY, ~0ul, EVENT_SHORT);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(simple_locks_exclude, ONCE),
        EACH(who_waits_gets_it, ONCE),
        EACH(disable_lock_holds_interrupts_off, ONCE),
        EACH(handlers_are_excluded_too, ONCE),
        EACH(simple_locks_at_interrupt_level, ONCE),
        EACH(many_readers_or_one_writer, ONCE),
        EACH(a_waiting_writer_is_next, ONCE),
        EACH(complex_locks_keep_their_word, ONCE),
        EACH(others_are_refused_at_interrupt_level, ONCE),
        EACH(lock_words, ONCE),
        EACH(lock_words_exclude, ONCE),
        BARE(misuse_is_a_panic),
        EACH(handlers_share_a_lock, ONCE),
    };
    return RUN_CASES("locks", cases);
}
