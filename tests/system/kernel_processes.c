/* SPDX-License-Identifier: MIT */
/*
 * Kernel processes: what they are, how they begin and end, and the signals that are posted to them.
 */
#include "../support/check.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define MANY 100

static pid_t create(void)
{
    pid_t number = 0;
    must(xmem_kernel_process_create(&number));
    assert_true(number > 0);
    return number;
}

static void await(const atomic_int *word, int value)
{
    while (atomic_load(word) != value)
        usleep(200);
}

/* ---------------------------------------------------------------- life ----------------- */

static struct {
    atomic_int ran;
    struct xmem_caller caller;
    pid_t linux_thread;
    int in_interrupt, started_itself;
    struct xmem_process *current;
    char name[16];
} seen;

static void look(void *argument)
{
    xmem_get_caller(&seen.caller);
    seen.linux_thread = gettid();
    seen.in_interrupt = xmem_in_interrupt();
    seen.current = xmem_current();
    seen.started_itself = xmem_kernel_process_start(gettid(), look, NULL, NULL);
    prctl(PR_GET_NAME, seen.name, 0, 0, 0);
    atomic_store(&seen.ran, *(int *)argument);
}

static void runs_what_it_is_started_with(enum kind kind)
{
    int argument = 42;
    (void)kind;
    atomic_store(&seen.ran, 0);
    pid_t number = create();
    struct xmem_caller own;
    xmem_get_caller(&own);
    assert_int_equal(own.process, 0);
    assert_int_equal(own.thread, gettid());
    assert_int_equal(own.kernel, 0);
    must(xmem_kernel_process_start(number, look, &argument, "a name of twenty"));
    await(&seen.ran, 42);
    assert_int_equal(seen.caller.process, number);
    assert_int_equal(seen.caller.thread, number);
    assert_int_equal(seen.caller.kernel, 1);
    assert_int_equal(seen.linux_thread, number);
    assert_int_equal(seen.in_interrupt, 0);
    assert_null(seen.current);
    assert_int_equal(seen.started_itself, EINVAL);
    assert_string_equal(seen.name, "a name of twent");
    must_fail(xmem_kernel_process_cancel(number), EINVAL);
}

static atomic_int count;

static void count_up(void *argument)
{
    (void)argument;
    atomic_fetch_add(&count, 1);
}

static void idle_ones_run_nothing(enum kind kind)
{
    atomic_store(&count, 0);
    (void)kind;
    pid_t number = create(), other = create();
    assert_int_not_equal(number, other);
    usleep(20000);
    must(xmem_kernel_process_cancel(number));
    must_fail(xmem_kernel_process_cancel(number), EINVAL);
    must_fail(xmem_kernel_process_start(number, count_up, NULL, NULL), EINVAL);
    must_fail(xmem_kernel_process_start(getpid(), count_up, NULL, NULL), EINVAL);
    must_fail(xmem_kernel_process_start(other, NULL, NULL, NULL), EINVAL);
    assert_int_equal(atomic_load(&count), 0);
    must(xmem_kernel_process_start(other, count_up, NULL, NULL));
    await(&count, 1);
}

static void many_at_once(enum kind kind)
{
    static pid_t numbers[MANY];
    struct xmem_statistics now = {.size = sizeof now};
    (void)kind;
    atomic_store(&count, 0);
    for (int index = 0; index < MANY; index++)
        numbers[index] = create();
    must(xmem_get_statistics(&now));
    assert_int_equal(now.kernel_processes, MANY);
    for (int index = 0; index < MANY; index++)
        must(xmem_kernel_process_start(numbers[index], count_up, NULL, NULL));
    await(&count, MANY);
    for (int round = 0; round < MANY; round++)
        must(xmem_kernel_process_start(create(), count_up, NULL, "again"));
    await(&count, 2 * MANY);
}

static void a_stop_is_refused_while_one_is_left(enum kind kind)
{
    (void)kind;
    atomic_store(&count, 0);
    must(xmem_start(NULL));
    pid_t number = create();
    must_fail(xmem_stop(), EBUSY);
    assert_non_null(strstr(xmem_last_failure()->words, "1 kernel processes"));
    must(xmem_kernel_process_start(number, count_up, NULL, NULL));
    must(xmem_stop()); /* waits for its end */
    assert_int_equal(atomic_load(&count), 1);
    pid_t none;
    must_fail(xmem_kernel_process_create(&none), EPERM);
}

static int results[4];

static void use_at_interrupt_level(void *argument)
{
    pid_t number = *(pid_t *)argument, made;
    results[0] = xmem_kernel_process_create(&made);
    results[1] = xmem_kernel_process_start(number, count_up, NULL, NULL);
    results[2] = xmem_kernel_process_cancel(number);
}

static void process_environment_only(enum kind kind)
{
    (void)kind;
    pid_t number = create();
    at_interrupt(use_at_interrupt_level, &number);
    for (int index = 0; index < 3; index++)
        assert_int_equal(results[index], EPERM);
    must(xmem_kernel_process_cancel(number));
}

/* ---------------------------------------------------------------- signals -------------- */

static struct {
    uint32_t word, never;
    atomic_int stage;
    int result, pending, taken[4], after;
    double seconds;
} sleeper;

static void sleep_interruptibly(void *argument)
{
    unsigned flags = *(unsigned *)argument;
    double begun = seconds_now();
    atomic_store(&sleeper.stage, 1);
    do
        sleeper.result = xmem_wait(&sleeper.word, 0, flags, 0);
    while (sleeper.result == 0 && __atomic_load_n(&sleeper.word, __ATOMIC_SEQ_CST) == 0);
    sleeper.seconds = seconds_now() - begun;
    sleeper.pending = xmem_signal_pending();
    for (int index = 0; index < 4; index++)
        sleeper.taken[index] = xmem_signal_take();
    sleeper.after = xmem_wait(&sleeper.never, 0, XMEM_WAIT_INTERRUPTIBLE, 1000000);
    atomic_store(&sleeper.stage, 2);
}

static pid_t begin_sleeper(unsigned *flags)
{
    memset(&sleeper, 0, sizeof sleeper); /* cases may share a process */
    pid_t number = create();
    must(xmem_kernel_process_start(number, sleep_interruptibly, flags, "sleeper"));
    await(&sleeper.stage, 1);
    usleep(20000);
    return number;
}

static void a_signal_ends_an_interruptible_wait(enum kind kind)
{
    unsigned flags = XMEM_WAIT_INTERRUPTIBLE;
    (void)kind;
    pid_t number = begin_sleeper(&flags);
    must(xmem_signal_post(number, SIGTERM));
    await(&sleeper.stage, 2);
    assert_int_equal(sleeper.result, EINTR);
    assert_int_equal(sleeper.pending, SIGTERM);
    assert_int_equal(sleeper.taken[0], SIGTERM);
    assert_int_equal(sleeper.taken[1], 0);
    assert_true(sleeper.after == ETIMEDOUT || sleeper.after == 0);
}

static void no_other_wait_is_ended(enum kind kind)
{
    unsigned flags = 0;
    (void)kind;
    pid_t number = begin_sleeper(&flags);
    must(xmem_signal_post(number, 64));
    must(xmem_signal_post(number, SIGKILL));
    must(xmem_signal_post(number, 1));
    must(xmem_signal_post(number, 1));
    usleep(50000);
    assert_int_equal(atomic_load(&sleeper.stage), 1);
    __atomic_store_n(&sleeper.word, 1, __ATOMIC_SEQ_CST);
    xmem_wake(&sleeper.word, 1);
    await(&sleeper.stage, 2);
    assert_int_equal(sleeper.result, 0);
    assert_true(sleeper.seconds > 0.05);
    assert_int_equal(sleeper.pending, 1);
    const int wanted[] = {1, SIGKILL, 64, 0};
    assert_memory_equal(sleeper.taken, wanted, sizeof wanted);
}

static void post_it(void *argument)
{
    results[0] = xmem_signal_post(*(pid_t *)argument, SIGINT);
}

static void posted_at_interrupt_level(enum kind kind)
{
    unsigned flags = XMEM_WAIT_INTERRUPTIBLE;
    (void)kind;
    pid_t number = begin_sleeper(&flags);
    at_interrupt(post_it, &number);
    assert_int_equal(results[0], 0);
    await(&sleeper.stage, 2);
    assert_int_equal(sleeper.result, EINTR);
    assert_int_equal(sleeper.taken[0], SIGINT);
}

static void signals_to_others(enum kind kind)
{
    (void)kind;
    must_fail(xmem_signal_post(gettid(), SIGTERM), ESRCH);
    must_fail(xmem_signal_post(0, SIGTERM), ESRCH);
    must_fail(xmem_signal_post(-1, SIGTERM), ESRCH);
    must_fail(xmem_signal_post(1 << 30, SIGTERM), ESRCH);
    must_fail(xmem_signal_post(1 << 30, 0), ESRCH);
    must_fail(xmem_signal_post(gettid(), -1), EINVAL);
    must(xmem_signal_post(gettid(), 0)); /* there is such a thread */
    must(xmem_signal_post(1, 0));
    must_fail(xmem_signal_post(gettid(), 65), EINVAL);
    assert_int_equal(xmem_signal_pending(), 0);
    assert_int_equal(xmem_signal_take(), 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    must(xmem_signal_post(child, 0));
    must(xmem_signal_post(child, SIGUSR1));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    must_fail(xmem_signal_post(child, SIGUSR1), ESRCH);
}

/* Posters race with ends: every signal reaches its process or is answered by ESRCH. */
static void take_until_told(void *argument)
{
    atomic_int *taken = argument;
    uint32_t word = 0;
    for (;;) {
        (void)xmem_wait(&word, 0, XMEM_WAIT_INTERRUPTIBLE, 0);
        int signal = xmem_signal_take();
        if (signal == SIGTERM)
            return;
        if (signal)
            atomic_fetch_add(taken, 1);
    }
}

static void no_signal_is_lost(enum kind kind)
{
    long rounds = test_rounds(500);
    atomic_int taken = 0;
    (void)kind;
    pid_t number = create();
    must(xmem_kernel_process_start(number, take_until_told, &taken, NULL));
    for (int round = 0; round < rounds; round++) {
        must(xmem_signal_post(number, SIGUSR1));
        while (atomic_load(&taken) <= round)
            sched_yield();
    }
    must(xmem_signal_post(number, SIGTERM));
    while (xmem_signal_post(number, SIGUSR1) == 0)
        usleep(100);
    assert_int_equal(xmem_last_failure()->error, ESRCH);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(runs_what_it_is_started_with, ONCE),
        EACH(idle_ones_run_nothing, ONCE),
        EACH(many_at_once, ONCE),
        BARE(a_stop_is_refused_while_one_is_left),
        EACH(process_environment_only, ONCE),
        EACH(a_signal_ends_an_interruptible_wait, ONCE),
        EACH(no_other_wait_is_ended, ONCE),
        EACH(posted_at_interrupt_level, ONCE),
        EACH(signals_to_others, ONCE),
        EACH(no_signal_is_lost, ONCE),
    };
    return RUN_CASES("system_kernel_processes", cases);
}
