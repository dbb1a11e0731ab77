/* SPDX-License-Identifier: MIT */
/*
 * Shows timers: timer request blocks, watchdogs, delays and time-outs.  No time-out comes early;
 * how late one may be is the machine's business, so that only hangs count as late.
 */
#define XMEM_AIX_COMMON_NAMES
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "services.h"

#include <sys/m_param.h>
#include <sys/timer.h>
#include <sys/watchdog.h>
#include <xmem/kernel.h>

#define LONG_AFTER 60000000 /* microseconds that nobody waits for */

/* ---------------------------------------------------------------- blocks --------------- */

/* What a handler saw; `runs` is counted last. */
struct seen {
    int runs;
    int environment, pid;
    struct trb *block;
    double at;
    int rounds, result;
    int entered, leave; /* the handler stays until leave is set */
};

static void note(struct trb *t)
{
    struct seen *seen = t->t_union.addr;
    seen->environment = xmem_in_interrupt();
    seen->pid = getpid();
    seen->block = t;
    seen->at = seconds_now();
    __atomic_add_fetch(&seen->runs, 1, __ATOMIC_RELEASE);
}

static void set_time(struct trb *t, long microseconds)
{
    t->flags = T_INCINTERVAL;
    t->timeout.it_value.tv_sec = microseconds / 1000000;
    t->timeout.it_value.tv_nsec = microseconds % 1000000 * 1000;
}

static struct trb *timer_new(struct seen *seen, void (*func)(struct trb *), long microseconds)
{
    struct trb *t = talloc();
    assert_non_null(t);
    set_time(t, microseconds);
    t->id = -1;
    t->func = func;
    t->ipri = INTTIMER;
    t->t_union.addr = seen;
    return t;
}

static void timer_end(struct trb *t)
{
    while (tstop(t) != 0)
        sched_yield();
    tfree(t);
}

static void runs_once_in_time(enum kind kind)
{
    static const long times[] = {0, 1, 1000, 20000, 150000};
    for (size_t index = 0; index < sizeof times / sizeof times[0]; index++) {
        struct seen seen = {0};
        struct trb *t = timer_new(&seen, note, times[index]);
        double begin = seconds_now();
        tstart(t);
        assert_true(comes_to(&seen.runs, 1));
        assert_true(seen.at - begin >= (double)times[index] / 1e6);
        assert_true(seen.environment);
        assert_int_equal(seen.pid, -1);
        assert_ptr_equal(seen.block, t);
        usleep(3000);
        assert_int_equal(seen.runs, 1);
        timer_end(t);
    }
    covers("talloc.1", kind);
    covers("tstart.1", kind);
    covers("tstart.interrupt-level", kind);
}

/* Blocks are filled with zeros, also those that were used before. */
static void blocks_are_new(enum kind kind)
{
    static const struct trb zeros;
    struct trb *blocks[50];
    for (int round = 0; round < 3; round++) {
        for (int index = 0; index < 50; index++) {
            blocks[index] = talloc();
            assert_non_null(blocks[index]);
            assert_memory_equal(blocks[index], &zeros, sizeof zeros);
            memset(blocks[index], 0x77, sizeof zeros);
            for (int other = 0; other < index; other++)
                assert_ptr_not_equal(blocks[index], blocks[other]);
        }
        for (int index = 0; index < 50; index++)
            tfree(blocks[index]);
    }
    covers("talloc.1", kind);
    covers("tfree.1", kind);
}

/* Freed blocks are what talloc gives first. */
static void blocks_come_back(enum kind kind)
{
    struct trb *known[4] = {NULL};
    for (int round = 0; round < 1000; round++) {
        int place = 0;
        struct trb *t = talloc();
        while (known[place] && known[place] != t)
            assert_true(++place < 4);
        known[place] = t;
        tfree(t);
    }
    covers("tfree.1", kind);
}

static void nothing(void *argument)
{
    (void)argument;
}

static void note_priority(struct trb *t)
{
    struct seen *seen = t->t_union.addr;
    seen->result = INTBASE;
    for (int priority = INTOFFL3; priority >= INTMAX; priority--)
        if (xmem_interrupt(priority, nothing, NULL) == EBUSY)
            seen->result = priority;
    note(t);
}

/* The handler is as favoured as ipri says: nothing that is as favoured interrupts it. */
static void priorities(enum kind kind)
{
    static const int asked[] = {INTMAX, INTPAGER, INTIODONE, INTTIMER, INTCLASS3, INTBASE, -1, 99};
    for (int index = 0; index < 8; index++) {
        struct seen seen = {0};
        struct trb *t = timer_new(&seen, note_priority, 0);
        t->ipri = asked[index];
        tstart(t);
        assert_true(comes_to(&seen.runs, 1));
        assert_int_equal(seen.result, index < 4 ? asked[index] : INTTIMER);
        timer_end(t);
    }
    covers("tstart.priority", kind);
}

static void absolute_times(enum kind kind)
{
    struct timespec now;
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, note, 0);
    double begin = seconds_now();
    clock_gettime(CLOCK_REALTIME, &now);
    t->flags = T_ABSOLUTE;
    t->timeout.it_value.tv_sec = now.tv_sec + (now.tv_nsec + 50000000) / 1000000000;
    t->timeout.it_value.tv_nsec = (now.tv_nsec + 50000000) % 1000000000;
    tstart(t);
    assert_true(comes_to(&seen.runs, 1));
    assert_true(seen.at - begin >= 0.045); /* the two clocks are read at different moments */
    t->timeout.it_value.tv_sec = 1;        /* long ago */
    tstart(t);
    assert_true(comes_to(&seen.runs, 2));
    t->timeout.it_value.tv_sec = now.tv_sec + 3600;
    tstart(t);
    usleep(20000);
    assert_int_equal(seen.runs, 2);
    timer_end(t);
    covers("tstart.absolute", kind);
}

static void odd_times(enum kind kind)
{
    static const long never[] = {LONG_MAX, LONG_MAX / 1000000000, 400000000};
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, note, 0);
    t->timeout.it_value.tv_sec = -5;
    tstart(t);
    assert_true(comes_to(&seen.runs, 1));
    t->timeout.it_value.tv_sec = LONG_MIN;
    t->flags = T_ABSOLUTE | T_LOWRES | T_MOVE_OK | T_LATE_OK;
    tstart(t);
    assert_true(comes_to(&seen.runs, 2));
    for (size_t index = 0; index < sizeof never / sizeof never[0]; index++) {
        t->timeout.it_value.tv_sec = never[index];
        t->timeout.it_value.tv_nsec = LONG_MAX;
        t->flags = index % 2 ? T_INCINTERVAL : T_ABSOLUTE;
        tstart(t);
        usleep(5000);
        assert_int_equal(tstop(t), 0);
        assert_int_equal(seen.runs, 2);
    }
    set_time(t, 5000);
    t->flags = T_LOWRES;
    double begin = seconds_now();
    tstart(t);
    assert_true(comes_to(&seen.runs, 3));
    assert_true(seen.at - begin >= 0.005);
    timer_end(t);
    covers("tstart.flags", kind);
}

/* A start of one that waits moves it. */
static void started_again(enum kind kind)
{
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, note, LONG_AFTER);
    tstart(t);
    set_time(t, 2000);
    tstart(t);
    assert_true(comes_to(&seen.runs, 1));
    set_time(t, 30000);
    tstart(t);
    set_time(t, LONG_AFTER);
    tstart(t);
    usleep(60000);
    assert_int_equal(seen.runs, 1);
    timer_end(t);
    covers("tstart.moves", kind);
}

static void restart_in_handler(struct trb *t)
{
    struct seen *seen = t->t_union.addr;
    if (++seen->rounds < 20) {
        set_time(t, 500);
        tstart(t);
    }
    note(t);
}

static void restarts_itself(enum kind kind)
{
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, restart_in_handler, 500);
    double begin = seconds_now();
    tstart(t);
    assert_true(comes_to(&seen.runs, 20));
    assert_true(seen.at - begin >= 20 * 0.0005);
    usleep(5000);
    assert_int_equal(seen.runs, 20);
    timer_end(t);
    covers("tstart.restart", kind);
}

static void stopped_in_time(enum kind kind)
{
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, note, 30000);
    assert_int_equal(tstop(t), 0); /* never started */
    tstart(t);
    assert_int_equal(tstop(t), 0);
    assert_int_equal(tstop(t), 0);
    usleep(60000);
    assert_int_equal(seen.runs, 0);
    tstart(t);
    assert_true(comes_to(&seen.runs, 1));
    usleep(1000);
    while (tstop(t) != 0)
        sched_yield();
    timer_end(t);
    covers("tstop.1", kind);
}

static void stays(struct trb *t)
{
    struct seen *seen = t->t_union.addr;
    __atomic_store_n(&seen->entered, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&seen->leave, __ATOMIC_ACQUIRE))
        ;
    note(t);
}

static void handler_runs_elsewhere(enum kind kind)
{
    struct seen seen = {0};
    struct trb *t = timer_new(&seen, stays, 0);
    tstart(t);
    assert_true(comes_to(&seen.entered, 1));
    for (int round = 0; round < 10; round++)
        assert_int_equal(tstop(t), -1);
    uint64_t before = usage_errors_counted();
    tfree(t); /* not the block of a handler that runs */
    assert_int_equal(usage_errors_counted(), before + 1);
    __atomic_store_n(&seen.leave, 1, __ATOMIC_RELEASE);
    while (tstop(t) != 0)
        sched_yield();
    assert_int_equal(seen.runs, 1);
    tfree(t);
    tfree(t); /* twice */
    assert_int_equal(usage_errors_counted(), before + 2);
    covers("tstop.running", kind);
    covers("tfree.refused", kind);
}

static void stop_in_handler(struct trb *t)
{
    struct seen *seen = t->t_union.addr;
    set_time(t, 1000);
    tstart(t);
    seen->result = tstop(t);
    note(t);
}

/* The handler takes its own restart back. */
static void handler_stops_itself(enum kind kind)
{
    struct seen seen = {.result = -2};
    struct trb *t = timer_new(&seen, stop_in_handler, 0);
    tstart(t);
    assert_true(comes_to(&seen.runs, 1));
    assert_int_equal(seen.result, 0);
    usleep(20000);
    assert_int_equal(seen.runs, 1);
    timer_end(t);
    covers("tstop.own", kind);
}

struct at_level {
    struct trb *running, *waiting, *spare;
    struct trb *allocated;
    int stopped;
};

static void call_at_interrupt(void *argument)
{
    struct at_level *call = argument;
    call->allocated = talloc();
    tstart(call->running);
    call->stopped = tstop(call->waiting);
    tfree(call->spare);
}

static void at_interrupt_level(enum kind kind)
{
    struct seen seen = {0};
    struct at_level call = {.running = timer_new(&seen, note, 1000),
                            .waiting = timer_new(&seen, note, LONG_AFTER),
                            .spare = timer_new(&seen, note, 0),
                            .stopped = -2};
    uint64_t before = usage_errors_counted();
    tstart(call.waiting);
    call.allocated = call.running;
    at_interrupt(call_at_interrupt, &call);
    assert_null(call.allocated);
    assert_int_equal(call.stopped, 0);
    assert_int_equal(usage_errors_counted(), before + 1);
    assert_true(comes_to(&seen.runs, 1));
    timer_end(call.running);
    timer_end(call.waiting);
    covers("talloc.interrupt", kind);
    covers("timers.interrupt", kind);
}

/* ---------------------------------------------------------------- watchdogs ------------ */

struct dog {
    struct watchdog w; /* first, so that its address is the dog's */
    int runs, again, environment, entered, leave;
    double at[2]; /* of each run */
};

static void dog_barks(struct watchdog *w)
{
    struct dog *dog = (struct dog *)w;
    if (dog->runs < 2)
        dog->at[dog->runs] = seconds_now();
    if (dog->runs == 0)
        dog->environment = xmem_in_interrupt();
    __atomic_store_n(&dog->entered, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&dog->leave, __ATOMIC_ACQUIRE))
        ;
    if (dog->again) {
        dog->again = 0;
        w_start(w);
    }
    __atomic_add_fetch(&dog->runs, 1, __ATOMIC_RELEASE);
}

static void dog_new(struct dog *dog, int restart)
{
    memset(dog, 0xc3, sizeof *dog); /* whatever the memory held */
    dog->w.next = dog->w.prev = NULL;
    dog->w.func = dog_barks;
    dog->w.count = 0;
    dog->w.restart = restart;
    dog->runs = dog->again = dog->entered = 0;
    dog->leave = 1;
    assert_int_equal(w_init(&dog->w), 0);
}

static int count_of(struct dog *dog)
{
    return __atomic_load_n(&dog->w.count, __ATOMIC_ACQUIRE);
}

static void watchdog_expires(enum kind kind)
{
    struct dog dog;
    dog_new(&dog, 2);
    usleep(20000);
    assert_int_equal(count_of(&dog), 0); /* idle */
    dog.again = 1;
    double begin = seconds_now();
    w_start(&dog.w);
    assert_int_equal(count_of(&dog), 2);
    usleep(1400000);
    assert_in_range(count_of(&dog), 0, 1);
    assert_true(comes_to(&dog.runs, 1));
    assert_true(dog.at[0] - begin >= 1.0);
    assert_true(dog.environment);
    assert_true(comes_to(&dog.runs, 2)); /* the function started it again */
    assert_true(dog.at[1] - begin >= 3.0);
    usleep(1300000);
    assert_int_equal(dog.runs, 2);
    assert_true(count_of(&dog) <= 0);
    assert_int_equal(w_clear(&dog.w), 0);
    covers("w_init.1", kind);
    covers("w_start.1", kind);
    covers("w_start.restart", kind);
}

static void watchdog_is_stopped(enum kind kind)
{
    struct dog stopped, restarted, idle, made_idle;
    dog_new(&stopped, 1);
    dog_new(&restarted, 2);
    dog_new(&idle, 0);
    dog_new(&made_idle, 1);
    w_start(&idle.w);
    w_start(&made_idle.w);
    __atomic_store_n(&made_idle.w.count, 0, __ATOMIC_RELEASE); /* 0 is idle, however it came */
    w_stop(&stopped.w);
    w_start(&stopped.w);
    w_start(&restarted.w);
    usleep(300000);
    w_stop(&stopped.w);
    assert_true(count_of(&stopped) <= 0);
    for (int round = 0; round < 3; round++) {
        usleep(600000);
        w_start(&restarted.w); /* before its two seconds are over */
        assert_int_equal(count_of(&restarted), 2);
    }
    assert_int_equal(stopped.runs, 0);
    assert_int_equal(restarted.runs, 0);
    assert_int_equal(idle.runs, 0);
    assert_int_equal(made_idle.runs, 0);
    assert_int_equal(w_clear(&restarted.w), 0);
    assert_int_equal(w_clear(&stopped.w), 0);
    assert_int_equal(w_clear(&idle.w), 0);
    assert_int_equal(w_clear(&made_idle.w), 0);
    memset(&restarted, 0xff, sizeof restarted); /* the memory is ours again */
    usleep(1100000);
    covers("w_stop.1", kind);
    covers("w_clear.1", kind);
    covers("w_start.idle", kind);
}

static void watchdog_runs_elsewhere(enum kind kind)
{
    struct dog dog;
    dog_new(&dog, 1);
    dog.leave = 0;
    w_start(&dog.w);
    assert_true(comes_to(&dog.entered, 1));
    for (int round = 0; round < 10; round++)
        assert_int_equal(w_clear(&dog.w), -1);
    w_stop(&dog.w);
    __atomic_store_n(&dog.leave, 1, __ATOMIC_RELEASE);
    while (w_clear(&dog.w) != 0)
        sched_yield();
    assert_int_equal(dog.runs, 1);
    covers("w_clear.running", kind);
}

static void watch_at_interrupt(void *argument)
{
    struct dog *dogs = argument;
    w_start(&dogs[0].w);
    w_stop(&dogs[1].w);
}

static void watchdogs_at_interrupt_level(enum kind kind)
{
    struct dog dogs[2];
    dog_new(&dogs[0], 1);
    dog_new(&dogs[1], 1);
    w_start(&dogs[1].w);
    at_interrupt(watch_at_interrupt, dogs);
    assert_true(comes_to(&dogs[0].runs, 1));
    assert_int_equal(dogs[1].runs, 0);
    while (w_clear(&dogs[0].w) != 0)
        sched_yield();
    assert_int_equal(w_clear(&dogs[1].w), 0);
    covers("watchdogs.interrupt", kind);
}

/* ---------------------------------------------------------------- delay ---------------- */

static void delays(enum kind kind)
{
    static const int ticks[] = {1, 5, 20};
    for (int index = 0; index < 3; index++) {
        double begin = seconds_now();
        delay(ticks[index]);
        assert_true(seconds_now() - begin >= (double)ticks[index] / HZ);
    }
    clock_t used = clock();
    delay(30);
    assert_true(clock() - used <
                CLOCKS_PER_SEC / 10); /* it waits, and does not look all the time */
    double begin = seconds_now();
    delay(0);
    delay(-100);
    delay(INT_MIN);
    assert_true(seconds_now() - begin < 1);
    covers("delay.1", kind);
}

static void delay_at_interrupt(void *argument)
{
    (void)argument;
    delay(100000);
}

static void no_delay_at_interrupt_level(enum kind kind)
{
    uint64_t before = usage_errors_counted();
    double begin = seconds_now();
    at_interrupt(delay_at_interrupt, NULL);
    assert_true(seconds_now() - begin < 5);
    assert_int_equal(usage_errors_counted(), before + 1);
    covers("delay.interrupt", kind);
}

/* ---------------------------------------------------------------- time-outs ------------ */

static int first_runs, second_runs, timeout_environment;
static double timeout_at;

static void first(caddr_t *arg)
{
    timeout_at = seconds_now();
    timeout_environment = xmem_in_interrupt();
    __atomic_add_fetch((int *)(void *)arg, 1, __ATOMIC_RELEASE);
}

static void second(caddr_t *arg)
{
    __atomic_add_fetch((int *)(void *)arg, 1, __ATOMIC_RELEASE);
}

#define ARGUMENT(counter) ((caddr_t *)(void *)&(counter))

static int slow_entered, slow_left;

static void slow(caddr_t *arg)
{
    (void)arg;
    __atomic_store_n(&slow_entered, 1, __ATOMIC_RELEASE);
    for (uint64_t end = xmem_clock() + 20000000; xmem_clock() < end;)
        ;
    __atomic_store_n(&slow_left, 1, __ATOMIC_RELEASE);
}

/* After untimeout the function does not run, nor will it. */
static void a_call_that_runs_is_waited_for(enum kind kind)
{
    assert_int_equal(timeoutcf(1), 0);
    timeout(slow, NULL, 0);
    assert_true(comes_to(&slow_entered, 1));
    untimeout(slow, NULL);
    assert_int_equal(__atomic_load_n(&slow_left, __ATOMIC_ACQUIRE), 1);
    assert_int_equal(timeoutcf(-1), 0);
    covers("untimeout.1", kind);
}

static void times_out(enum kind kind)
{
    assert_int_equal(timeoutcf(2), 0);
    double begin = seconds_now();
    timeout(first, ARGUMENT(first_runs), 3);
    assert_true(comes_to(&first_runs, 1));
    assert_true(timeout_at - begin >= 3.0 / HZ);
    assert_true(timeout_environment);
    timeout(first, ARGUMENT(first_runs), 0);
    assert_true(comes_to(&first_runs, 2));
    usleep(20000);
    assert_int_equal(first_runs, 2);
    assert_int_equal(timeoutcf(-2), 0);
    covers("timeout.1", kind);
}

/* One request waits for each func and arg; entries are taken by what waits, and by nothing else. */
static void one_for_each_pair(enum kind kind)
{
    assert_int_equal(timeoutcf(3), 0);
    for (int round = 0; round < 20; round++) {
        timeout(first, ARGUMENT(first_runs), 1000 + round);
        timeout(first, ARGUMENT(second_runs), 1000);
        timeout(second, ARGUMENT(second_runs), 1000);
    }
    timeout(first, ARGUMENT(first_runs), 1); /* moved */
    assert_true(comes_to(&first_runs, 1));
    usleep(30000);
    assert_int_equal(first_runs, 1);
    assert_int_equal(second_runs, 0);
    untimeout(first, ARGUMENT(second_runs));
    untimeout(first, ARGUMENT(second_runs)); /* nothing waits: no matter */
    timeout(second, ARGUMENT(second_runs), 1);
    assert_true(comes_to(&second_runs, 1));
    usleep(30000);
    assert_int_equal(second_runs, 1);
    assert_int_equal(timeoutcf(-3), 0);
    covers("timeout.pair", kind);
    covers("untimeout.1", kind);
}

static void reservations(enum kind kind)
{
    assert_int_equal(timeoutcf(0), 0);
    assert_int_equal(timeoutcf(-1), -1);
    assert_int_equal(timeoutcf(INT_MIN), -1);
    assert_int_equal(timeoutcf(10), 0);
    assert_int_equal(timeoutcf(-11), -1);
    timeout(first, ARGUMENT(first_runs), 100000);
    assert_int_equal(timeoutcf(-10), -1); /* one of them waits */
    assert_int_equal(timeoutcf(-9), 0);
    untimeout(first, ARGUMENT(first_runs));
    assert_int_equal(timeoutcf(-1), 0);
    assert_int_equal(timeoutcf(-1), -1);
    covers("timeoutcf.1", kind);
}

static void too_few(void)
{
    if (timeoutcf(1) != 0)
        return;
    timeout(first, ARGUMENT(first_runs), 100000);
    timeout(second, ARGUMENT(first_runs), 100000);
}

static void too_few_is_a_panic(enum kind kind)
{
    must_panic(too_few);
    covers("timeout.panic", kind);
}

static void timeout_at_interrupt(void *argument)
{
    int *reserved = argument;
    *reserved = timeoutcf(1);
    timeout(first, ARGUMENT(first_runs), 1);
    timeout(second, ARGUMENT(second_runs), 1);
    untimeout(second, ARGUMENT(second_runs));
}

static void time_outs_at_interrupt_level(enum kind kind)
{
    int reserved = 0;
    assert_int_equal(timeoutcf(2), 0);
    uint64_t before = usage_errors_counted();
    at_interrupt(timeout_at_interrupt, &reserved);
    assert_int_equal(reserved, -1);
    assert_int_equal(usage_errors_counted(), before + 1);
    assert_true(comes_to(&first_runs, 1));
    usleep(30000);
    assert_int_equal(second_runs, 0);
    assert_int_equal(timeoutcf(-2), 0);
    covers("timeout.interrupt", kind);
}

/* A block that was freed is nobody's: it is not started, whoever has it next. */
static void freed_blocks_do_not_start(enum kind kind)
{
    struct seen seen = {0}, other = {0};
    uint64_t errors = usage_errors_counted();
    (void)kind;
    struct trb *t = timer_new(&seen, note, 1000);
    tfree(t);
    tstart(t);
    assert_int_equal(usage_errors_counted(), errors + 1);
    struct trb *next = timer_new(&other, note, 5000);
    tstart(next);
    assert_true(comes_to(&other.runs, 1));
    assert_int_equal(seen.runs, 0);
    timer_end(next);
}

/* A delay lets go of the priority that its caller holds. */
static void delays_with_interrupts_held(enum kind kind)
{
    struct seen seen = {0};
    (void)kind;
    struct trb *t = timer_new(&seen, note, 20000);
    int before = i_disable(INTMAX);
    tstart(t);
    delay(HZ / 5);
    assert_int_equal(__atomic_load_n(&seen.runs, __ATOMIC_ACQUIRE), 1);
    assert_int_equal(i_disable(INTMAX), INTMAX);
    i_enable(before);
    timer_end(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(runs_once_in_time, ONCE),
        EACH(blocks_are_new, ONCE),
        EACH(blocks_come_back, ONCE),
        EACH(priorities, ONCE),
        EACH(absolute_times, ONCE),
        EACH(odd_times, ONCE),
        EACH(started_again, ONCE),
        EACH(restarts_itself, ONCE),
        EACH(stopped_in_time, ONCE),
        EACH(handler_runs_elsewhere, ONCE),
        EACH(handler_stops_itself, ONCE),
        EACH(at_interrupt_level, ONCE),
        EACH(watchdog_expires, ONCE),
        EACH(watchdog_is_stopped, ONCE),
        EACH(watchdog_runs_elsewhere, ONCE),
        EACH(watchdogs_at_interrupt_level, ONCE),
        EACH(delays, ONCE),
        EACH(no_delay_at_interrupt_level, ONCE),
        EACH(times_out, ONCE),
        EACH(a_call_that_runs_is_waited_for, ONCE),
        EACH(one_for_each_pair, ONCE),
        EACH(reservations, ONCE),
        BARE(too_few_is_a_panic),
        EACH(time_outs_at_interrupt_level, ONCE),
        EACH(freed_blocks_do_not_start, ONCE),
        EACH(delays_with_interrupts_held, ONCE),
    };
    return RUN_CASES("timers", cases);
}
