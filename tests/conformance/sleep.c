/* SPDX-License-Identifier: MIT */
/*
 * Shows what the sleep and wake-up services promise: by event words, by masks, and by channels.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services.h"

#include <sys/lock_def.h>
#include <sys/lockl.h>
#include <sys/pri.h>
#include <sys/sleep.h>
#include <sys/thread.h>
#include <xmem/kernel.h>

#define CROWD 40
#define OWN_RESULT (THREAD_OTHER + 3)

/* ---------------------------------------------------------------- sleepers ------------- */

/* A thread or a kernel process that sleeps once. */
struct napper {
    int (*sleep)(struct napper *);
    void *lock;
    int flags;
    tid_t tid;
    int began, ended, result;
    unsigned long mask;
    int order, signal_left, held_after;
};

static tid_t event;
#define now(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
static int order;
static long channel;

static void nap(void *argument)
{
    struct napper *napper = argument;
    napper->tid = xmem_aix_thread_self();
    __atomic_store_n(&napper->began, 1, __ATOMIC_RELEASE);
    napper->result = napper->sleep(napper);
    napper->order = __atomic_add_fetch(&order, 1, __ATOMIC_ACQ_REL);
    napper->signal_left = xmem_signal_take();
    __atomic_store_n(&napper->ended, 1, __ATOMIC_RELEASE);
}

static void *nap_in_thread(void *napper)
{
    nap(napper);
    return NULL;
}

/* It is asleep, or as good as: what it waits for is known. */
static void settle(struct napper *napper)
{
    assert_true(comes_to(&napper->began, 1));
    usleep(20000);
    assert_int_equal(now(&napper->ended), 0);
}

static void begin_thread(struct napper *napper)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, nap_in_thread, napper), 0);
    pthread_detach(thread);
    settle(napper);
}

static void begin_process(struct napper *napper)
{
    pid_t number;
    must(xmem_kernel_process_create(&number));
    must(xmem_kernel_process_start(number, nap, napper, "napper"));
    settle(napper);
    assert_int_equal(napper->tid, number);
}

static int ends_with(struct napper *napper, int result)
{
    assert_true(comes_to(&napper->ended, 1));
    assert_int_equal(napper->result, result);
    return 1;
}

static int by_thread(struct napper *napper)
{
    return e_sleep_thread(&event, napper->lock, napper->flags);
}

static int by_event(struct napper *napper)
{
    return e_sleep(&event, napper->flags);
}

static int by_mask(struct napper *napper)
{
    napper->mask = et_wait(0xf000000000000000ul, 0x3000000000000000ul, napper->flags);
    return 0;
}

static int by_channel(struct napper *napper)
{
    return xmem_aix_sleep(&channel, napper->flags);
}

/* ---------------------------------------------------------------- event words ---------- */

static void an_event_ends_a_sleep(enum kind kind)
{
    struct napper napper = {.sleep = by_thread}, late = {.sleep = by_thread};
    event = EVENT_NULL;
    e_wakeup(&event); /* not remembered */
    begin_thread(&napper);
    assert_true(now(&event) != EVENT_NULL);
    e_wakeup(&event);
    assert_true(now(&event) == EVENT_NULL);
    ends_with(&napper, THREAD_AWAKENED);
    begin_thread(&late);
    e_wakeup_one(&event);
    ends_with(&late, THREAD_AWAKENED);
    covers("e_sleep_thread.1", kind);
    covers("e_wakeup.not-remembered", kind);
}

static void all_or_the_first(enum kind kind)
{
    static struct napper crowd[CROWD];
    int awake = 0;
    for (int index = 0; index < CROWD; index++) {
        crowd[index].sleep = by_thread;
        begin_thread(&crowd[index]);
    }
    for (int index = 0; index < 3; index++) {
        e_wakeup_one(&event);
        ends_with(&crowd[index], THREAD_AWAKENED);
    }
    assert_true(now(&event) != EVENT_NULL);
    for (int index = 0; index < CROWD; index++)
        awake += now(&crowd[index].ended);
    assert_int_equal(awake, 3);
    e_wakeup_w_result(&event, OWN_RESULT);
    assert_true(now(&event) == EVENT_NULL);
    for (int index = 3; index < CROWD; index++)
        ends_with(&crowd[index], OWN_RESULT);
    covers("e_wakeup_one.1", kind);
    covers("e_wakeup.all", kind);
    covers("e_wakeup_w_result.1", kind);
}

static void signals_end_interruptible_sleeps(enum kind kind)
{
    struct napper open = {.sleep = by_thread, .flags = INTERRUPTIBLE};
    struct napper closed = {.sleep = by_thread};
    begin_process(&open);
    begin_process(&closed);
    must(xmem_signal_post((pid_t)open.tid, SIGTERM));
    must(xmem_signal_post((pid_t)closed.tid, SIGTERM));
    ends_with(&open, THREAD_INTERRUPTED);
    assert_int_equal(open.signal_left, SIGTERM);
    usleep(30000);
    assert_int_equal(now(&closed.ended), 0);
    e_wakeup(&event);
    ends_with(&closed, THREAD_AWAKENED);
    assert_int_equal(closed.signal_left, SIGTERM); /* it stayed pending */
    struct napper alone = {.sleep = by_thread, .flags = INTERRUPTIBLE};
    begin_process(&alone);
    must(xmem_signal_post((pid_t)alone.tid, SIGTERM));
    ends_with(&alone, THREAD_INTERRUPTED);
    assert_true(now(&event) == EVENT_NULL); /* nobody sleeps any more */
    covers("e_sleep_thread.interruptible", kind);
    covers("e_sleep_thread.pending", kind);
}

/* The signal and the wake-up come while the sleeper is between its two steps. */
static int both_at_once(struct napper *napper)
{
    e_assert_wait(&event, 1);
    must(xmem_signal_post((pid_t)napper->tid, SIGTERM));
    e_wakeup(&event);
    return e_block_thread();
}

static void a_signal_has_priority(enum kind kind)
{
    struct napper napper = {.sleep = both_at_once};
    pid_t number;
    must(xmem_kernel_process_create(&number));
    must(xmem_kernel_process_start(number, nap, &napper, NULL));
    ends_with(&napper, THREAD_INTERRUPTED);
    assert_true(now(&event) == EVENT_NULL);
    covers("e_sleep_thread.priority", kind);
}

static void e_wakeup_w_sig_ends_the_interruptible(enum kind kind)
{
    struct napper open = {.sleep = by_thread, .flags = INTERRUPTIBLE};
    struct napper thread = {.sleep = by_thread, .flags = INTERRUPTIBLE};
    struct napper closed = {.sleep = by_thread};
    begin_process(&open);
    begin_thread(&thread);
    begin_process(&closed);
    e_wakeup_w_sig(&event, SIGHUP);
    ends_with(&open, THREAD_INTERRUPTED);
    ends_with(&thread, THREAD_INTERRUPTED);
    assert_int_equal(open.signal_left, SIGHUP);
    assert_int_equal(now(&closed.ended), 0);
    e_wakeup(&event);
    ends_with(&closed, THREAD_AWAKENED);
    assert_int_equal(closed.signal_left, 0);
    covers("e_wakeup_w_sig.1", kind);
}

static void in_two_steps(enum kind kind)
{
    uint64_t before = usage_errors_counted();
    e_assert_wait(&event, 0);
    assert_true(now(&event) != EVENT_NULL);
    e_wakeup(&event);
    assert_int_equal(e_block_thread(), THREAD_AWAKENED);
    e_assert_wait(&event, 0);
    e_clear_wait(xmem_aix_thread_self(), THREAD_TIMED_OUT);
    assert_true(now(&event) == EVENT_NULL);
    assert_int_equal(e_block_thread(), THREAD_TIMED_OUT);
    assert_int_equal(usage_errors_counted(), before);
    assert_int_equal(e_block_thread(), THREAD_AWAKENED); /* without the first step */
    assert_int_equal(usage_errors_counted(), before + 1);
    covers("e_assert_wait.1", kind);
    covers("e_block_thread.bare", kind);
}

static void e_clear_wait_ends_any(enum kind kind)
{
    struct napper napper = {.sleep = by_thread}, other = {.sleep = by_thread};
    begin_thread(&napper);
    begin_thread(&other);
    e_clear_wait(napper.tid, THREAD_INTERRUPTED);
    ends_with(&napper, THREAD_INTERRUPTED);
    assert_int_equal(now(&other.ended), 0);
    e_clear_wait(napper.tid, THREAD_INTERRUPTED); /* nobody, or not asleep */
    e_clear_wait(xmem_aix_thread_self(), THREAD_INTERRUPTED);
    e_wakeup(&event);
    ends_with(&other, THREAD_AWAKENED);
    covers("e_clear_wait.1", kind);
    covers("e_clear_wait.none", kind);
}

/* ---------------------------------------------------------------- locks ---------------- */

static Simple_lock simple;
static Complex_lock complex_lock;
static lock_t word = LOCK_AVAIL;

static int with_simple(struct napper *napper)
{
    simple_lock(&simple);
    int result = e_sleep_thread(&event, &simple, LOCK_SIMPLE);
    napper->held_after = !simple_lock_try(&simple);
    simple_unlock(&simple);
    return result;
}

static int with_handler(struct napper *napper)
{
    int before = disable_lock(XMEM_INTIODONE, &simple);
    int result = e_sleep_thread(&event, &simple, LOCK_HANDLER);
    napper->held_after =
        !simple_lock_try(&simple) && xmem_interrupts_hold(XMEM_INTBASE) == XMEM_INTIODONE;
    unlock_enable(before, &simple);
    return result;
}

static int with_write(struct napper *napper)
{
    xmem_aix_lock_write(&complex_lock);
    int result = e_sleep_thread(&event, &complex_lock, LOCK_WRITE);
    napper->held_after = !xmem_aix_lock_try_read(&complex_lock);
    xmem_aix_lock_done(&complex_lock);
    return result;
}

static int with_read(struct napper *napper)
{
    xmem_aix_lock_read(&complex_lock);
    int result = e_sleep_thread(&event, &complex_lock, LOCK_READ);
    napper->held_after = xmem_aix_lock_islocked(&complex_lock);
    xmem_aix_lock_done(&complex_lock);
    return result;
}

static int with_lockl(struct napper *napper)
{
    xmem_aix_lockl(&word, LOCK_SHORT);
    int result = e_sleepl(&word, &event, EVENT_SHORT);
    napper->held_after = xmem_aix_lockl(&word, LOCK_NDELAY) == LOCK_NEST;
    xmem_aix_unlockl(&word);
    return result;
}

static int handler_ran;

static void note_run(void *argument)
{
    (void)argument;
    __atomic_store_n(&handler_ran, 1, __ATOMIC_RELEASE);
}

/* While it sleeps everything can be taken, and interrupts come through. */
static void locks_are_released_meanwhile(enum kind kind)
{
    int (*const kinds[])(struct napper *) = {with_simple, with_handler, with_write, with_read,
                                             with_lockl};
    for (size_t index = 0; index < sizeof kinds / sizeof kinds[0]; index++) {
        struct napper napper = {.sleep = kinds[index]};
        struct xmem_interrupt_work work = {note_run, NULL, XMEM_INTOFFL3, NULL, 0};
        handler_ran = 0;
        begin_thread(&napper);
        must(xmem_post_interrupt(&work));
        assert_true(comes_to(&handler_ran, 1));
        assert_int_equal(simple_lock_try(&simple), TRUE);
        assert_int_equal(xmem_aix_lock_try_write(&complex_lock), TRUE);
        assert_int_equal(xmem_aix_lockl(&word, LOCK_NDELAY), LOCK_SUCC);
        e_wakeup(&event);
        usleep(20000);
        simple_unlock(&simple);
        xmem_aix_lock_done(&complex_lock);
        xmem_aix_unlockl(&word);
        ends_with(&napper, THREAD_AWAKENED);
        assert_int_equal(napper.held_after, 1);
    }
    covers("e_sleep_thread.lock", kind);
    covers("e_sleepl.1", kind);
}

static void sleep_with_no_kind(void)
{
    simple_lock(&simple);
    e_sleep_thread(&event, &simple, INTERRUPTIBLE);
}

static void sleep_with_two_kinds(void)
{
    simple_lock(&simple);
    e_sleep_thread(&event, &simple, LOCK_SIMPLE | LOCK_HANDLER);
}

static void assert_twice(void)
{
    e_assert_wait(&event, 0);
    e_assert_wait(&event, 0);
}

static void misuse_is_a_panic(enum kind kind)
{
    must_panic(sleep_with_no_kind);
    must_panic(sleep_with_two_kinds);
    must_panic(assert_twice);
    covers("e_sleep_thread.flags", kind);
    covers("e_assert_wait.twice", kind);
}

/* ---------------------------------------------------------------- older names ---------- */

static void e_sleep_is_the_same(enum kind kind)
{
    struct napper napper = {.sleep = by_event, .flags = EVENT_SHORT};
    struct napper open = {.sleep = by_event, .flags = EVENT_SIGRET};
    struct napper wake = {.sleep = by_event, .flags = EVENT_SIGWAKE};
    begin_process(&napper);
    begin_process(&open);
    begin_process(&wake);
    must(xmem_signal_post((pid_t)napper.tid, SIGTERM));
    must(xmem_signal_post((pid_t)open.tid, SIGTERM));
    must(xmem_signal_post((pid_t)wake.tid, SIGTERM));
    ends_with(&open, EVENT_SIG);
    ends_with(&wake, EVENT_SIG);
    assert_int_equal(now(&napper.ended), 0);
    e_wakeup(&event);
    ends_with(&napper, EVENT_SUCC);
    covers("e_sleep.1", kind);
    covers("e_sleep.signal", kind);
}

static void channels(enum kind kind)
{
    struct napper one = {.sleep = by_channel}, two = {.sleep = by_channel, .flags = PCATCH};
    struct napper three = {.sleep = by_channel, .flags = SWAKEONSIG | PCATCH | 40};
    begin_process(&one);
    begin_process(&two);
    begin_process(&three);
    e_wakeup((tid_t *)(void *)&channel); /* a channel is no event word */
    must(xmem_signal_post((pid_t)three.tid, SIGTERM));
    ends_with(&three, 1);
    must(xmem_signal_post((pid_t)one.tid, SIGTERM));
    usleep(20000);
    assert_int_equal(now(&one.ended) | now(&two.ended), 0);
    assert_int_equal(channel, 0);
    xmem_aix_wakeup(&channel);
    ends_with(&one, 0);
    ends_with(&two, 0);
    covers("sleep.1", kind);
    covers("sleep.signal", kind);
}

/* ---------------------------------------------------------------- masks ---------------- */

#define TOP(bit) (1ul << (63 - (bit)))

static void events_are_remembered(enum kind kind)
{
    tid_t own = xmem_aix_thread_self();
    et_post(TOP(0) | TOP(1) | TOP(2), own);
    assert_true(et_wait(TOP(0), 0, EVENT_SHORT) == TOP(0)); /* nothing cleared */
    assert_true(et_wait(TOP(0) | TOP(1) | TOP(3), TOP(0), EVENT_SHORT) == (TOP(0) | TOP(1)));
    assert_true(et_wait(EVENT_NDELAY, TOP(0) | TOP(1), EVENT_SHORT) == TOP(1));
    assert_true(et_wait(EVENT_NDELAY, ~0ul, EVENT_SHORT) == TOP(2));
    assert_true(et_wait(EVENT_NDELAY, ~0ul, EVENT_SHORT) == 0);
    covers("et_wait.remembered", kind);
    covers("et_wait.clears", kind);
    covers("et_wait.EVENT_NDELAY", kind);
}

static void a_post_ends_a_wait(enum kind kind)
{
    struct napper napper = {.sleep = by_mask}, open = {.sleep = by_mask, .flags = EVENT_SIGRET};
    begin_thread(&napper);
    begin_process(&open);
    et_post(TOP(4), napper.tid); /* not one that it waits for */
    usleep(20000);
    assert_int_equal(now(&napper.ended), 0);
    et_post(TOP(1) | TOP(2), napper.tid);
    ends_with(&napper, 0);
    assert_true(napper.mask == (TOP(1) | TOP(2)));
    must(xmem_signal_post((pid_t)open.tid, SIGTERM));
    ends_with(&open, 0);
    assert_true(open.mask == EVENT_SIG);
    et_post(TOP(0), 1 << 30); /* nobody */
    et_post(TOP(0), -5);
    covers("et_post.1", kind);
    covers("et_post.dead", kind);
    covers("et_wait.signal", kind);
}

static void before_it_runs(struct napper *napper)
{
    pid_t number;
    must(xmem_kernel_process_create(&number));
    et_post(TOP(0), number); /* to a process that does not run yet */
    e_post(TOP(3), number);
    must(xmem_kernel_process_start(number, nap, napper, NULL));
}

static int both_masks(struct napper *napper)
{
    napper->mask = et_wait(TOP(0), TOP(0), EVENT_SHORT);
    napper->mask |= e_wait(~0ul, ~0ul, EVENT_SHORT);
    return 0;
}

static void processes_and_threads(enum kind kind)
{
    struct napper napper = {.sleep = both_masks};
    before_it_runs(&napper);
    ends_with(&napper, 0);
    assert_true(napper.mask == (TOP(0) | TOP(3)));
    covers("e_wait.1", kind);
}

/* ---------------------------------------------------------------- interrupt level ------ */

static struct napper *at_interrupt_napper;

static void wake_everything(void *argument)
{
    (void)argument;
    e_wakeup_one(&event);
    e_wakeup(&event);
    e_wakeup_w_result(&event, 7);
    e_wakeup_w_sig(&event, SIGTERM);
    e_clear_wait(at_interrupt_napper->tid, 7);
    et_post(TOP(1), at_interrupt_napper->tid);
    xmem_aix_wakeup(&channel);
}

static void wake_ups_at_interrupt_level(enum kind kind)
{
    int (*const kinds[])(struct napper *) = {by_thread, by_event, by_mask, by_channel};
    for (int posted = 0; posted < 2; posted++) {
        for (size_t index = 0; index < sizeof kinds / sizeof kinds[0]; index++) {
            struct napper napper = {.sleep = kinds[index]};
            struct xmem_interrupt_work work = {wake_everything, NULL, XMEM_INTIODONE, NULL, 0};
            begin_thread(&napper);
            at_interrupt_napper = &napper;
            if (posted)
                must(xmem_post_interrupt(&work));
            else
                at_interrupt(wake_everything, NULL);
            ends_with(&napper, 0);
            while (xmem_cancel_interrupt(&work) != 0)
                usleep(100);
        }
    }
    covers("wakeups.interrupt", kind);
}

static struct {
    int thread, block, sleep, sleepl, channel;
    unsigned long mask, process_mask;
} refused;

static void sleep_at_interrupt_level(void *argument)
{
    (void)argument;
    refused.thread = e_sleep_thread(&event, NULL, 0);
    e_assert_wait(&event, 0);
    refused.block = e_block_thread();
    refused.sleep = e_sleep(&event, EVENT_SHORT);
    refused.sleepl = e_sleepl(&word, &event, EVENT_SHORT);
    refused.mask = et_wait(TOP(0), 0, EVENT_SHORT);
    refused.process_mask = e_wait(TOP(0), 0, EVENT_SHORT);
    refused.channel = xmem_aix_sleep(&channel, 0) + sleepx(&channel, 0, 0);
}

static void no_sleep_at_interrupt_level(enum kind kind)
{
    uint64_t before = usage_errors_counted();
    at_interrupt(sleep_at_interrupt_level, NULL);
    assert_int_equal(usage_errors_counted(), before + 9);
    assert_int_equal(refused.thread, THREAD_INTERRUPTED);
    assert_int_equal(refused.block, THREAD_INTERRUPTED);
    assert_int_equal(refused.sleep, EVENT_SIG);
    assert_int_equal(refused.sleepl, EVENT_SIG);
    assert_true(refused.mask == EVENT_SIG && refused.process_mask == EVENT_SIG);
    assert_int_equal(refused.channel, 2);
    assert_true(now(&event) == EVENT_NULL);
    covers("sleeps.interrupt", kind);
}

/* ---------------------------------------------------------------- storms --------------- */

/* A queue of one place between producers and consumers: a lost wake-up is a hang. */
static tid_t filled, emptied;
static long place, made, used, goal;

static void *produce(void *argument)
{
    (void)argument;
    for (;;) {
        simple_lock(&simple);
        while (place && made < goal)
            e_sleep_thread(&emptied, &simple, LOCK_SIMPLE);
        int over = made >= goal;
        if (!over)
            place = ++made;
        e_wakeup(&filled);
        if (over)
            e_wakeup(&emptied);
        simple_unlock(&simple);
        if (over)
            return NULL;
    }
}

static void *consume(void *argument)
{
    (void)argument;
    for (;;) {
        int over, taken;
        simple_lock(&simple);
        while (!place && used < goal)
            e_sleep_thread(&filled, &simple, LOCK_SIMPLE);
        taken = place != 0;
        used += taken;
        place = 0;
        over = used >= goal;
        e_wakeup_one(&emptied);
        if (over) {
            e_wakeup(&emptied);
            e_wakeup(&filled);
        }
        simple_unlock(&simple);
        if (over)
            return NULL;
    }
}

/* Two threads take turns, and nobody else could make up for a lost wake-up. */
static long turn;

static void *take_turns(void *argument)
{
    long own = (long)argument, rounds = test_rounds(20000);
    simple_lock(&simple);
    for (long round = 0; round < rounds; round++) {
        while (turn % 2 != own)
            e_sleep_thread(&filled, &simple, LOCK_SIMPLE);
        turn++;
        e_wakeup(&filled);
    }
    simple_unlock(&simple);
    return NULL;
}

static void take_turns_in_threads(void)
{
    pthread_t threads[2];
    for (long index = 0; index < 2; index++)
        pthread_create(&threads[index], NULL, take_turns, (void *)index);
    for (int index = 0; index < 2; index++)
        pthread_join(threads[index], NULL);
}

static void no_wake_up_is_lost(enum kind kind)
{
    pthread_t threads[6];
    goal = test_rounds(20000);
    for (int index = 0; index < 6; index++)
        pthread_create(&threads[index], NULL, index % 2 ? produce : consume, NULL);
    for (int index = 0; index < 6; index++)
        pthread_join(threads[index], NULL);
    assert_int_equal(used, goal);
    take_turns_in_threads();
    assert_true(filled == EVENT_NULL && emptied == EVENT_NULL);
    covers("e_sleep_thread.atomic", kind);
}

/* A device: the handler, posted again and again, completes what the thread asked for. */
static long asked, completed;
static struct xmem_interrupt_work device;

static void complete(void *argument)
{
    (void)argument;
    int before = disable_lock(XMEM_INTIODONE, &simple);
    completed = asked;
    e_wakeup(&event);
    unlock_enable(before, &simple);
}

static void *use_device(void *argument)
{
    long rounds = test_rounds(5000);
    (void)argument;
    for (long round = 0; round < rounds; round++) {
        int before = disable_lock(XMEM_INTIODONE, &simple);
        long mine = ++asked;
        xmem_post_interrupt(&device);
        while (completed < mine)
            e_sleep_thread(&event, &simple, LOCK_HANDLER);
        unlock_enable(before, &simple);
    }
    return NULL;
}

static void nor_one_from_a_handler(enum kind kind)
{
    pthread_t threads[4];
    device = (struct xmem_interrupt_work){complete, NULL, XMEM_INTIODONE, NULL, 0};
    for (int index = 0; index < 4; index++)
        pthread_create(&threads[index], NULL, use_device, NULL);
    for (int index = 0; index < 4; index++)
        pthread_join(threads[index], NULL);
    while (xmem_cancel_interrupt(&device) != 0)
        usleep(100);
    assert_int_equal(asked, 4 * test_rounds(5000));
    covers("wakeups.stress", kind);
}

static int players_ready;
static tid_t players[2];

static void *play(void *argument)
{
    long index = (long)argument, rounds = test_rounds(10000);
    players[index] = xmem_aix_thread_self();
    __atomic_add_fetch(&players_ready, 1, __ATOMIC_ACQ_REL);
    comes_to(&players_ready, 2);
    for (long round = 0; round < rounds; round++) {
        if (index == 0)
            et_post(TOP(0), players[1]);
        while (et_wait(TOP(0), TOP(0), EVENT_SHORT) != TOP(0))
            abort();
        if (index == 1)
            et_post(TOP(0), players[0]);
    }
    return NULL;
}

static void nor_a_posted_event(enum kind kind)
{
    pthread_t threads[2];
    for (long index = 0; index < 2; index++)
        pthread_create(&threads[index], NULL, play, (void *)index);
    for (int index = 0; index < 2; index++)
        pthread_join(threads[index], NULL);
    covers("et_post.stress", kind);
}

/* e_clear_wait() on oneself cancels; nothing is left that the next wait would stumble over. */
static void a_wait_is_cancelled(enum kind kind)
{
    struct napper napper = {.sleep = by_thread};
    (void)kind;
    event = EVENT_NULL;
    for (int round = 0; round < 3; round++) {
        e_assert_wait(&event, 0);
        e_clear_wait(xmem_aix_thread_self(), THREAD_OTHER);
        assert_true(now(&event) == EVENT_NULL);
    }
    e_assert_wait(&event, 0);
    e_wakeup(&event);
    e_assert_wait(&event, 1); /* the result of the one before was not asked for */
    e_wakeup_w_result(&event, OWN_RESULT);
    assert_int_equal(e_block_thread(), OWN_RESULT);
    begin_thread(&napper);
    e_wakeup(&event);
    ends_with(&napper, THREAD_AWAKENED);
}

static void *assert_and_end(void *argument)
{
    e_assert_wait(&event, 1);
    return argument;
}

static void assert_and_return(int flag, void *parameters, int length)
{
    (void)parameters;
    e_assert_wait(&event, flag + length != 0);
}

/* A thread that ends while it is enlisted leaves nothing behind. */
static void threads_that_end_are_nobodys_sleepers(enum kind kind)
{
    struct napper napper = {.sleep = by_thread};
    (void)kind;
    event = EVENT_NULL;
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, assert_and_end, NULL), 0);
        pthread_join(thread, NULL);
        assert_true(now(&event) == EVENT_NULL);
    }
    pid_t process = creatp();
    assert_int_equal(initp(process, assert_and_return, NULL, 0, NULL), 0);
    while (xmem_signal_post(process, 0) == 0)
        usleep(100);
    for (int patience = 0; now(&event) != EVENT_NULL && patience < 10000; patience++)
        usleep(100);
    assert_true(now(&event) == EVENT_NULL);
    begin_thread(&napper);
    e_wakeup_one(&event);
    ends_with(&napper, THREAD_AWAKENED);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(an_event_ends_a_sleep, ONCE),
        EACH(all_or_the_first, ONCE),
        EACH(signals_end_interruptible_sleeps, ONCE),
        EACH(a_signal_has_priority, ONCE),
        EACH(e_wakeup_w_sig_ends_the_interruptible, ONCE),
        EACH(in_two_steps, ONCE),
        EACH(e_clear_wait_ends_any, ONCE),
        EACH(a_wait_is_cancelled, ONCE),
        EACH(threads_that_end_are_nobodys_sleepers, ONCE),
        EACH(locks_are_released_meanwhile, ONCE),
        BARE(misuse_is_a_panic),
        EACH(e_sleep_is_the_same, ONCE),
        EACH(channels, ONCE),
        EACH(events_are_remembered, ONCE),
        EACH(a_post_ends_a_wait, ONCE),
        EACH(processes_and_threads, ONCE),
        EACH(wake_ups_at_interrupt_level, ONCE),
        EACH(no_sleep_at_interrupt_level, ONCE),
        EACH(no_wake_up_is_lost, ONCE),
        EACH(nor_one_from_a_handler, ONCE),
        EACH(nor_a_posted_event, ONCE),
    };
    return RUN_CASES("sleep", cases);
}
