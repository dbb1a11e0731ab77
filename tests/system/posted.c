/* SPDX-License-Identifier: MIT */
/*
 * Interrupt work that is posted, and interrupts that are held off.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define WORKS 16
#define PUT_OFF_MOST 32

static struct {
    char order[128];
    atomic_int ran;
    int in_interrupt, cancelled, reposts;
    struct xmem_caller caller;
} seen;

static void await(int value)
{
    while (atomic_load(&seen.ran) != value)
        usleep(200);
}

/* argument: a letter. */
static void note(void *argument)
{
    int at = atomic_load(&seen.ran);
    seen.order[at] = *(const char *)argument;
    seen.in_interrupt = xmem_in_interrupt();
    xmem_get_caller(&seen.caller);
    atomic_store(&seen.ran, at + 1);
}

static struct xmem_interrupt_work letter(const char *which, int priority)
{
    return (struct xmem_interrupt_work){note, (void *)(uintptr_t)which, priority, NULL, 0};
}

/* ---------------------------------------------------------------- posted work ---------- */

static void runs_at_interrupt_level(enum kind kind)
{
    struct xmem_interrupt_work work = letter("a", XMEM_INTIODONE);
    (void)kind;
    must(xmem_post_interrupt(&work));
    await(1);
    assert_int_equal(seen.in_interrupt, 1);
    assert_int_equal(seen.caller.process, 0);
    assert_int_not_equal(seen.caller.thread, gettid());
    must(xmem_post_interrupt(&work));
    await(2);
    work.priority = XMEM_INTBASE;
    must_fail(xmem_post_interrupt(&work), EINVAL);
    work.priority = -1;
    must_fail(xmem_post_interrupt(&work), EINVAL);
    work = (struct xmem_interrupt_work){NULL, NULL, 3, NULL, 0};
    must_fail(xmem_post_interrupt(&work), EINVAL);
}

static void most_favoured_first(enum kind kind)
{
    static const int priorities[WORKS] = {10, 3, 2, 10, 0, 7, 3, 2, 7, 0, 1, 9, 10, 2, 0, 3};
    static const char letters[] = "abcdefghijklmnop";
    struct xmem_interrupt_work works[WORKS];
    (void)kind;
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    assert_int_equal(before, XMEM_INTBASE);
    for (int index = 0; index < WORKS; index++) {
        works[index] = letter(letters + index, priorities[index]);
        must(xmem_post_interrupt(&works[index]));
    }
    must(xmem_post_interrupt(&works[4])); /* again: no difference */
    must(xmem_cancel_interrupt(&works[8]));
    must(xmem_cancel_interrupt(&works[8]));
    must(xmem_cancel_interrupt(&works[15])); /* the last of its queue */
    must(xmem_post_interrupt(&works[15]));
    must(xmem_cancel_interrupt(&works[1])); /* the first */
    usleep(30000);
    assert_int_equal(atomic_load(&seen.ran), 0);
    xmem_interrupts_restore(before);
    await(WORKS - 2);
    assert_string_equal(seen.order, "ejokchngpfladm");
}

static struct xmem_interrupt_work again;

static void repost(void *argument)
{
    (void)argument;
    seen.cancelled = xmem_cancel_interrupt(&again);
    if (++seen.reposts < 10)
        xmem_post_interrupt(&again);
    atomic_store(&seen.ran, seen.reposts);
}

static void handlers_post_themselves(enum kind kind)
{
    (void)kind;
    again = (struct xmem_interrupt_work){repost, NULL, XMEM_INTOFFL0, NULL, 0};
    must(xmem_post_interrupt(&again));
    await(10);
    assert_int_equal(seen.cancelled, EBUSY);
}

static int results[3];

static void post_one(void *argument)
{
    results[0] = xmem_post_interrupt(argument);
    results[1] = xmem_cancel_interrupt(argument);
    results[2] = xmem_post_interrupt(argument);
}

static void posted_at_interrupt_level(enum kind kind)
{
    struct xmem_interrupt_work work = letter("a", XMEM_INTOFFL3);
    (void)kind;
    int before = xmem_interrupts_hold(XMEM_INTOFFL3);
    at_interrupt(post_one, &work);
    xmem_interrupts_restore(before);
    await(1);
    assert_int_equal(results[0] | results[1] | results[2], 0);
}

static void not_without_a_start(enum kind kind)
{
    struct xmem_interrupt_work work = letter("a", XMEM_INTOFFL3);
    (void)kind;
    must(xmem_start(NULL));
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    must(xmem_post_interrupt(&work));
    must(xmem_stop());
    must_fail(xmem_post_interrupt(&work), EPERM);
    xmem_interrupts_restore(before);
    must(xmem_start(NULL));
    usleep(20000);
    assert_int_equal(atomic_load(&seen.ran), 0); /* forgotten by the stop */
    must(xmem_post_interrupt(&work));
    await(1);
    must(xmem_stop());
}

/* ---------------------------------------------------------------- holding -------------- */

static atomic_int begun, over;

static void take_long(void *argument)
{
    (void)argument;
    int before = xmem_interrupts_hold(XMEM_INTMAX); /* does not wait for itself */
    atomic_store(&begun, 1);
    double start = seconds_now();
    while (seconds_now() - start < 0.05)
        ;
    xmem_interrupts_restore(before);
    atomic_store(&over, 1);
}

static void a_running_handler_is_waited_for(enum kind kind)
{
    struct xmem_interrupt_work work = {take_long, NULL, XMEM_INTCLASS2, NULL, 0};
    (void)kind;
    must(xmem_post_interrupt(&work));
    while (!atomic_load(&begun))
        ;
    int before = xmem_interrupts_hold(XMEM_INTCLASS3); /* not this one */
    assert_int_equal(before, XMEM_INTBASE);
    assert_int_equal(atomic_load(&over), 0);
    before = xmem_interrupts_hold(XMEM_INTCLASS2);
    assert_int_equal(atomic_load(&over), 1);
    assert_int_equal(before, XMEM_INTCLASS3);
    xmem_interrupts_restore(XMEM_INTBASE);
}

static void more_favoured_ones_come_through(enum kind kind)
{
    struct xmem_interrupt_work low = letter("l", XMEM_INTOFFL0), high = letter("h", XMEM_INTCLASS0);
    (void)kind;
    int before = xmem_interrupts_hold(XMEM_INTCLASS1);
    assert_int_equal(xmem_interrupts_hold(XMEM_INTOFFL0), XMEM_INTCLASS1); /* is so already */
    must(xmem_post_interrupt(&low));
    must(xmem_post_interrupt(&high));
    await(1);
    must(xmem_interrupt(XMEM_INTIODONE, note, (void *)(uintptr_t) "n"));
    assert_int_equal(atomic_load(&seen.ran), 2);
    xmem_interrupts_restore(before);
    await(3);
    assert_string_equal(seen.order, "hnl");
}

static void interrupts_of_this_thread_wait(enum kind kind)
{
    (void)kind;
    int base = xmem_interrupts_hold(XMEM_INTCLASS1);
    int first = xmem_interrupts_hold(XMEM_INTMAX);
    must(xmem_interrupt(XMEM_INTOFFL1, note, (void *)(uintptr_t) "a"));
    must(xmem_interrupt(XMEM_INTOFFL0, note, (void *)(uintptr_t) "b"));
    must(xmem_interrupt(XMEM_INTCLASS0, note, (void *)(uintptr_t) "c"));
    must(xmem_interrupt(XMEM_INTOFFL0, note, (void *)(uintptr_t) "d"));
    must(xmem_interrupt(XMEM_INTMAX, note, (void *)(uintptr_t) "e"));
    must(xmem_interrupt(XMEM_INTCLASS1, note, (void *)(uintptr_t) "f"));
    assert_int_equal(atomic_load(&seen.ran), 0);
    assert_int_equal(first, XMEM_INTCLASS1);
    xmem_interrupts_restore(first);
    assert_string_equal(seen.order, "ec");
    xmem_interrupts_restore(base);
    assert_string_equal(seen.order, "ecfbda");
    assert_int_equal(seen.in_interrupt, 1);
    assert_int_equal(xmem_in_interrupt(), 0);
}

static void only_so_many_are_put_off(enum kind kind)
{
    (void)kind;
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    for (int index = 0; index < PUT_OFF_MOST; index++)
        must(xmem_interrupt(XMEM_INTOFFL0, note, (void *)(uintptr_t) "x"));
    must_fail(xmem_interrupt(XMEM_INTOFFL0, note, (void *)(uintptr_t) "y"), EAGAIN);
    xmem_interrupts_restore(before);
    assert_int_equal(atomic_load(&seen.ran), PUT_OFF_MOST);
}

static void hold_and_forget(void *argument)
{
    (void)argument;
    results[0] = xmem_interrupts_hold(XMEM_INTMAX);
    results[1] = xmem_interrupt(XMEM_INTIODONE, note, (void *)(uintptr_t) "a");
    results[2] = xmem_interrupt(XMEM_INTOFFL2, note, (void *)(uintptr_t) "b");
}

static void the_end_of_a_handler_restores(enum kind kind)
{
    struct xmem_interrupt_work work = letter("w", XMEM_INTPAGER);
    (void)kind;
    must(xmem_interrupt(XMEM_INTCLASS0, hold_and_forget, NULL));
    assert_int_equal(results[0], XMEM_INTCLASS0);
    assert_int_equal(results[1], 0);
    assert_int_equal(results[2], EBUSY); /* the handler itself is more favoured */
    assert_string_equal(seen.order, "a");
    must(xmem_post_interrupt(&work));
    await(2);
}

static void *hold_and_end(void *argument)
{
    (void)argument;
    xmem_interrupts_hold(XMEM_INTMAX);
    return NULL;
}

static void a_thread_that_ends_lets_go(enum kind kind)
{
    struct xmem_interrupt_work work = letter("w", XMEM_INTPAGER);
    pthread_t thread;
    (void)kind;
    pthread_create(&thread, NULL, hold_and_end, NULL);
    pthread_join(thread, NULL);
    must(xmem_post_interrupt(&work));
    await(1);
}

/* ---------------------------------------------------------------- storms --------------- */

/* Neither side's additions are atomic: holding the handler off is what keeps them apart. */
static volatile long sum;
static atomic_long handlers_run;

static void add_plainly(void *argument)
{
    (void)argument;
    sum = sum + 1;
    atomic_fetch_add(&handlers_run, 1);
}

static void holding_excludes_handlers(enum kind kind)
{
    static struct xmem_interrupt_work work = {add_plainly, NULL, XMEM_INTIODONE, NULL, 0};
    long rounds = test_rounds(100000), own = 0;
    (void)kind;
    for (long round = 0; round < rounds; round++) {
        must(xmem_post_interrupt(&work));
        int before = xmem_interrupts_hold(XMEM_INTIODONE);
        for (int turn = 0; turn < 20; turn++, own++)
            sum = sum + 1;
        xmem_interrupts_restore(before);
    }
    while (xmem_cancel_interrupt(&work) != 0)
        usleep(100);
    assert_true(atomic_load(&handlers_run) > 0);
    assert_int_equal(sum, own + atomic_load(&handlers_run));
}

static atomic_long delivered, accepted;

static void count_delivery(void *argument)
{
    (void)argument;
    atomic_fetch_add(&delivered, 1);
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    xmem_interrupts_restore(before);
}

/* A raw signal, which may come anywhere. */
static void raw(int signal)
{
    (void)signal;
    int saved = errno;
    if (xmem_interrupt((int)(atomic_load(&accepted) % XMEM_INTBASE), count_delivery, NULL) == 0)
        atomic_fetch_add(&accepted, 1);
    errno = saved;
}

static void interrupted_at_random_instructions(enum kind kind)
{
    struct xmem_interrupt_work work = letter("w", XMEM_INTOFFL0);
    struct sigaction action = {.sa_handler = raw};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 9};
    struct itimerspec every = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    timer_t timer;
    (void)kind;
    if (!HANDLERS_ARE_REAL)
        return;
    work.handler = count_delivery;
    event._sigev_un._tid = gettid();
    assert_int_equal(sigaction(event.sigev_signo, &action, NULL), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    double end = seconds_now() + test_seconds(1);
    while (seconds_now() < end) {
        for (int priority = XMEM_INTOFFL3; priority >= XMEM_INTMAX; priority--) {
            int before = xmem_interrupts_hold(priority);
            if (xmem_post_interrupt(&work) == 0)
                xmem_cancel_interrupt(&work);
            xmem_interrupts_restore(before);
        }
    }
    assert_int_equal(timer_settime(timer, 0, &never, NULL), 0);
    signal(event.sigev_signo, SIG_IGN);
    timer_delete(timer);
    assert_true(atomic_load(&accepted) > 1000);
    while (xmem_cancel_interrupt(&work) != 0)
        usleep(100);
    assert_true(atomic_load(&delivered) >= atomic_load(&accepted)); /* posted ones add to it */
    assert_int_equal(xmem_interrupts_hold(XMEM_INTMAX), XMEM_INTBASE);
    xmem_interrupts_restore(XMEM_INTBASE);
}

static struct xmem_interrupt_work shared[4];
static atomic_long posts, runs[4];

static void count_run(void *argument)
{
    atomic_fetch_add((atomic_long *)argument, 1);
}

static void *post_many(void *argument)
{
    long rounds = test_rounds(30000);
    unsigned random = (unsigned)(uintptr_t)argument;
    for (long round = 0; round < rounds; round++) {
        random = random * 1103515245 + 12345;
        struct xmem_interrupt_work *work = &shared[random >> 20 & 3];
        if (random & 1 << 28)
            xmem_cancel_interrupt(work);
        else if (xmem_post_interrupt(work) == 0)
            atomic_fetch_add(&posts, 1);
    }
    return NULL;
}

/* Many post and cancel the same few works: none runs more often than it was posted, and in the end
 * each can be posted and runs. */
static void posted_by_many(enum kind kind)
{
    pthread_t threads[3];
    (void)kind;
    for (int index = 0; index < 4; index++)
        shared[index] = (struct xmem_interrupt_work){count_run, &runs[index], index * 3, NULL, 0};
    for (int index = 0; index < 3; index++)
        pthread_create(&threads[index], NULL, post_many, (void *)(uintptr_t)(index + 1));
    for (int index = 0; index < 3; index++)
        pthread_join(threads[index], NULL);
    long total = 0;
    for (int index = 0; index < 4; index++) {
        while (xmem_cancel_interrupt(&shared[index]) != 0)
            usleep(100);
        long before = atomic_load(&runs[index]);
        total += before;
        must(xmem_post_interrupt(&shared[index]));
        while (atomic_load(&runs[index]) == before)
            usleep(100);
    }
    assert_true(total > 0 && total <= atomic_load(&posts));
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(runs_at_interrupt_level, ONCE),
        EACH(most_favoured_first, ONCE),
        EACH(handlers_post_themselves, ONCE),
        EACH(posted_at_interrupt_level, ONCE),
        BARE(not_without_a_start),
        EACH(a_running_handler_is_waited_for, ONCE),
        EACH(more_favoured_ones_come_through, ONCE),
        EACH(interrupts_of_this_thread_wait, ONCE),
        EACH(only_so_many_are_put_off, ONCE),
        EACH(the_end_of_a_handler_restores, ONCE),
        EACH(a_thread_that_ends_lets_go, ONCE),
        EACH(holding_excludes_handlers, ONCE),
        EACH(interrupted_at_random_instructions, ONCE),
        EACH(posted_by_many, ONCE),
    };
    return RUN_CASES("system_posted", cases);
}
