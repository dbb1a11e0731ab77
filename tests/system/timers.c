/* SPDX-License-Identifier: MIT */
/*
 * Timers: when they expire, how they are moved and stopped, from both environments.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define MILLISECOND UINT64_C(1000000)
#define MANY 200

static struct {
    atomic_int ran;
    char order[64];
    uint64_t at;
    int in_interrupt, result;
} seen;

static void note(void *argument)
{
    int at = atomic_load(&seen.ran);
    seen.order[at] = *(const char *)argument;
    seen.at = xmem_clock();
    seen.in_interrupt = xmem_in_interrupt();
    atomic_store(&seen.ran, at + 1);
}

/* At the beginning of each case: cases may share a process. */
static void begin(enum kind kind)
{
    (void)kind;
    memset(&seen, 0, sizeof seen);
}

static struct xmem_timer timer_of(void (*handler)(void *), const void *argument)
{
    struct xmem_timer timer = {
        .work = {handler, (void *)(uintptr_t)argument, XMEM_INTCLASS0, NULL, 0}};
    return timer;
}

static void await(int value)
{
    while (atomic_load(&seen.ran) != value)
        usleep(200);
}

static void not_before_its_time(enum kind kind)
{
    struct xmem_timer timer = timer_of(note, "a");
    begin(kind);
    uint64_t when = xmem_clock() + 30 * MILLISECOND;
    must(xmem_timer_start(&timer, when));
    await(1);
    assert_true(seen.at >= when);
    assert_int_equal(seen.in_interrupt, 1);
    must(xmem_timer_start(&timer, 0)); /* long past */
    await(2);
    timer.work.priority = XMEM_INTBASE;
    must_fail(xmem_timer_start(&timer, 0), EINVAL);
    must_fail(xmem_timer_start(NULL, 0), EINVAL);
}

static void in_the_order_of_expiry(enum kind kind)
{
    struct xmem_timer a = timer_of(note, "a"), b = timer_of(note, "b"), c = timer_of(note, "c"),
                      d = timer_of(note, "d"), e = timer_of(note, "e"), f = timer_of(note, "f");
    begin(kind);
    uint64_t now = xmem_clock();
    must(xmem_timer_start(&a, now + 60 * MILLISECOND));
    must(xmem_timer_start(&b, now + 20 * MILLISECOND));
    must(xmem_timer_start(&c, now + 40 * MILLISECOND));
    must(xmem_timer_start(&d, now + 20 * MILLISECOND));
    must(xmem_timer_start(&f, now + 20 * MILLISECOND)); /* after its equal */
    must(xmem_timer_start(&e, now + 30 * MILLISECOND));
    must(xmem_timer_start(&b, now + 50 * MILLISECOND)); /* moved */
    must(xmem_timer_stop(&e));
    must(xmem_timer_stop(&e));
    await(5);
    assert_string_equal(seen.order, "dfcba");
    must(xmem_timer_stop(&a)); /* has run */
}

static void a_far_one_never_comes(enum kind kind)
{
    struct xmem_timer timer = timer_of(note, "a");
    begin(kind);
    must(xmem_timer_start(&timer, UINT64_MAX));
    usleep(20000);
    assert_int_equal(atomic_load(&seen.ran), 0);
    must(xmem_timer_stop(&timer));
}

static void expired_but_not_begun(enum kind kind)
{
    struct xmem_timer timer = timer_of(note, "a"), other = timer_of(note, "b");
    begin(kind);
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    must(xmem_timer_start(&timer, 0));
    must(xmem_timer_start(&other, 0));
    usleep(20000);
    must(xmem_timer_stop(&timer));
    must(xmem_timer_start(&other, xmem_clock() + 50 * MILLISECOND));
    uint64_t when = other.when;
    xmem_interrupts_restore(before);
    await(1);
    assert_string_equal(seen.order, "b");
    assert_true(seen.at >= when);
}

static struct xmem_timer periodic;

static void once_more(void *argument)
{
    (void)argument;
    seen.result = xmem_timer_stop(&periodic);
    if (atomic_fetch_add(&seen.ran, 1) < 9)
        xmem_timer_start(&periodic, xmem_clock() + MILLISECOND);
}

static void restarted_by_its_handler(enum kind kind)
{
    begin(kind);
    periodic = timer_of(once_more, NULL);
    must(xmem_timer_start(&periodic, 0));
    await(10);
    assert_int_equal(seen.result, EBUSY);
}

static int results[3];

static void use_at_interrupt_level(void *argument)
{
    struct xmem_timer *timer = argument;
    results[0] = xmem_timer_start(timer, xmem_clock());
    results[1] = xmem_timer_stop(timer);
    results[2] = xmem_timer_start(timer, xmem_clock());
}

static void from_interrupt_level(enum kind kind)
{
    struct xmem_timer timer = timer_of(note, "a");
    begin(kind);
    int before = xmem_interrupts_hold(XMEM_INTOFFL3);
    timer.work.priority = XMEM_INTOFFL3;
    at_interrupt(use_at_interrupt_level, &timer);
    xmem_interrupts_restore(before);
    await(1);
    assert_int_equal(results[0] | results[1] | results[2], 0);
}

static void a_stop_forgets(enum kind kind)
{
    struct xmem_timer timer = timer_of(note, "a");
    begin(kind);
    must(xmem_start(NULL));
    must(xmem_timer_start(&timer, xmem_clock() + 20 * MILLISECOND));
    must(xmem_stop());
    must_fail(xmem_timer_start(&timer, 0), EPERM);
    must(xmem_start(NULL));
    usleep(40000);
    assert_int_equal(atomic_load(&seen.ran), 0);
    must(xmem_timer_start(&timer, 0));
    await(1);
    must(xmem_stop());
}

/* Threads start, move and stop timers at random; in the end every one can be stopped, and those
 * that were let run did so once. */
static struct xmem_timer many[MANY];
static atomic_long runs[MANY];

static void count_run(void *argument)
{
    atomic_fetch_add((atomic_long *)argument, 1);
}

static void *play(void *argument)
{
    long rounds = test_rounds(20000);
    unsigned random = (unsigned)(uintptr_t)argument;
    for (long round = 0; round < rounds; round++) {
        random = random * 1103515245 + 12345;
        struct xmem_timer *timer = &many[(random >> 16) % MANY];
        if (random & 1 << 30)
            xmem_timer_stop(timer);
        else
            xmem_timer_start(timer, xmem_clock() + (random >> 8 & 0xfffff));
    }
    return NULL;
}

static void many_at_random(enum kind kind)
{
    pthread_t threads[3];
    begin(kind);
    for (int index = 0; index < MANY; index++) {
        many[index] = timer_of(count_run, &runs[index]);
        many[index].work.priority = index % XMEM_INTBASE;
    }
    for (int index = 0; index < 3; index++)
        pthread_create(&threads[index], NULL, play, (void *)(uintptr_t)(index + 1));
    for (int index = 0; index < 3; index++)
        pthread_join(threads[index], NULL);
    for (int index = 0; index < MANY; index++) {
        while (xmem_timer_stop(&many[index]) != 0)
            usleep(100);
        atomic_store(&runs[index], 0);
        must(xmem_timer_start(&many[index], xmem_clock() + MILLISECOND));
    }
    for (int index = 0; index < MANY; index++)
        while (atomic_load(&runs[index]) == 0)
            usleep(100);
    usleep(5000);
    for (int index = 0; index < MANY; index++)
        assert_int_equal(atomic_load(&runs[index]), 1);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(not_before_its_time, ONCE),
        EACH(in_the_order_of_expiry, ONCE),
        EACH(a_far_one_never_comes, ONCE),
        EACH(expired_but_not_begun, ONCE),
        EACH(restarted_by_its_handler, ONCE),
        EACH(from_interrupt_level, ONCE),
        BARE(a_stop_forgets),
        EACH(many_at_random, ONCE),
    };
    return RUN_CASES("system_timers", cases);
}
