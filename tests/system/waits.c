/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking: what ends a wait, and that no wake-up is lost.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define WAITERS 8

static void what_does_not_wait(enum kind kind)
{
    uint32_t word = 5;
    (void)kind;
    must(xmem_wait(&word, 4, 0, 0));
    must(xmem_wait(&word, 4, XMEM_WAIT_INTERRUPTIBLE, 0));
    must_fail(xmem_wait(&word, 4, 2, 0), EINVAL);
    must_fail(xmem_wait(NULL, 4, 0, 0), EINVAL);
    xmem_wake(&word, 1); /* nobody waits: forgotten */
    double begun = seconds_now();
    int error;
    do
        error = xmem_wait(&word, 5, 0, 30000000);
    while (error == 0 && seconds_now() - begun < 0.03);
    must_fail(error, ETIMEDOUT);
    assert_true(seconds_now() - begun > 0.029);
}

static int result;

static void wait_at_interrupt_level(void *argument)
{
    result = xmem_wait(argument, 5, 0, 1);
}

static void process_environment_only(enum kind kind)
{
    uint32_t word = 5;
    (void)kind;
    at_interrupt(wait_at_interrupt_level, &word);
    assert_int_equal(result, EPERM);
}

static struct {
    uint32_t word;
    atomic_int waiting, woken;
} crowd;

static void *one_of_the_crowd(void *argument)
{
    (void)argument;
    atomic_fetch_add(&crowd.waiting, 1);
    while (__atomic_load_n(&crowd.word, __ATOMIC_SEQ_CST) == 0)
        (void)xmem_wait(&crowd.word, 0, XMEM_WAIT_INTERRUPTIBLE, 0);
    atomic_fetch_add(&crowd.woken, 1);
    return NULL;
}

static void wake_the_crowd(void *argument)
{
    __atomic_store_n(&crowd.word, 1, __ATOMIC_SEQ_CST);
    xmem_wake(&crowd.word, *(int *)argument);
}

static void wakes_as_many_as_asked(enum kind kind)
{
    pthread_t threads[WAITERS];
    int most = 3;
    (void)kind;
    for (int index = 0; index < WAITERS; index++)
        pthread_create(&threads[index], NULL, one_of_the_crowd, NULL);
    while (atomic_load(&crowd.waiting) < WAITERS)
        usleep(1000);
    usleep(50000);
    at_interrupt(wake_the_crowd, &most);
    while (atomic_load(&crowd.woken) < 3)
        usleep(1000);
    usleep(20000);
    assert_int_equal(atomic_load(&crowd.woken), 3);
    xmem_wake(&crowd.word, WAITERS);
    for (int index = 0; index < WAITERS; index++)
        pthread_join(threads[index], NULL);
}

/* Two threads pass a number to and fro; each waits for the other's.  A lost wake-up is a hang. */
static uint32_t ball;
static long rounds;

/* Cases may share a process. */
static void begin(void)
{
    rounds = test_rounds(20000);
    ball = 0;
}

static void play(uint32_t parity, unsigned flags)
{
    for (uint32_t turn = parity; turn < (uint32_t)rounds; turn += 2) {
        uint32_t now;
        while ((now = __atomic_load_n(&ball, __ATOMIC_SEQ_CST)) != turn)
            (void)xmem_wait(&ball, now, flags, 0);
        __atomic_store_n(&ball, turn + 1, __ATOMIC_SEQ_CST);
        xmem_wake(&ball, 1);
    }
}

static void *play_odd(void *argument)
{
    (void)argument;
    play(1, 0);
    return NULL;
}

static atomic_int ended;

static void kernel_play_odd(void *argument)
{
    (void)argument;
    play(1, XMEM_WAIT_INTERRUPTIBLE); /* waits on two words */
    atomic_store(&ended, 1);
}

static void no_wake_up_is_lost(enum kind kind)
{
    pthread_t other;
    (void)kind;
    begin();
    pthread_create(&other, NULL, play_odd, NULL);
    play(0, 0);
    pthread_join(other, NULL);
}

static void nor_one_of_a_kernel_process(enum kind kind)
{
    pid_t number;
    (void)kind;
    begin();
    must(xmem_kernel_process_create(&number));
    must(xmem_kernel_process_start(number, kernel_play_odd, NULL, NULL));
    play(0, 0);
    while (!atomic_load(&ended))
        usleep(100);
}

/* Posted handlers wake; each round they do so at another moment of the waiter's way to sleep. */
static uint32_t done;

static void say_done(void *argument)
{
    (void)argument;
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    xmem_wake(&done, 1);
}

static void nor_one_of_a_posted_handler(enum kind kind)
{
    static struct xmem_interrupt_work work = {say_done, NULL, XMEM_INTIODONE, NULL, 0};
    (void)kind;
    begin();
    for (uint32_t round = 0; round < (uint32_t)rounds; round++) {
        must(xmem_post_interrupt(&work));
        for (volatile uint32_t spin = round * 37 % 2000; spin; spin--)
            ;
        while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) == round)
            (void)xmem_wait(&done, round, 0, 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(what_does_not_wait, ONCE),          EACH(process_environment_only, ONCE),
        EACH(wakes_as_many_as_asked, ONCE),      EACH(no_wake_up_is_lost, ONCE),
        EACH(nor_one_of_a_kernel_process, ONCE), EACH(nor_one_of_a_posted_handler, ONCE),
    };
    return RUN_CASES("system_waits", cases);
}
