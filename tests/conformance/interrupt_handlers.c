/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about i_init, i_clear, i_mask, i_unmask, i_sched, i_disable and i_enable.
 *
 * Handlers run on a thread of the library: results are awaited with a limit.
 */
#include "services.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static int order[64];
static int begun, ended; /* notes */

static void note(int number)
{
    int place = __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
    if (place < 64)
        order[place] = number;
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static int noted(void)
{
    return __atomic_load_n(&ended, __ATOMIC_SEQ_CST);
}

static void forget(void)
{
    __atomic_store_n(&begun, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&ended, 0, __ATOMIC_SEQ_CST);
}

/* Until so many calls have been noted; then a little longer, for those that must not come. */
static void await(int calls)
{
    for (double end = seconds_now() + 10; noted() < calls && seconds_now() < end;)
        usleep(200);
    usleep(5000);
    assert_int_equal(noted(), calls);
}

static void never(void)
{
    usleep(20000);
    assert_int_equal(noted(), 0);
}

/* What a handler is, and what it saw. */
struct device {
    struct intr intr; /* first */
    int number;
    int answer;
    int in_interrupt, pid, priority;
    int again; /* calls of i_sched() that it still makes */
};

static int handler(struct intr *h)
{
    struct device *device = (struct device *)h;
    device->in_interrupt = xmem_in_interrupt();
    device->pid = xmem_aix_getpid();
    device->priority = i_disable(INTBASE);
    if (device->again > 0) {
        device->again--;
        i_sched(h);
        i_sched(h);
    }
    int answer = device->answer;
    note(device->number); /* off-level structures may be gone from here on */
    return answer;
}

static struct device device_on(int level, int number, int answer)
{
    struct device device;
    memset(&device, 0x5A, sizeof device);
    device.intr =
        (struct intr){.handler = handler, .bus_type = 1, .level = level, .priority = INTCLASS1};
    device.number = number;
    device.answer = answer;
    device.again = 0;
    return device;
}

static void device_interrupts(enum kind kind)
{
    struct device device = device_on(5, 1, INTR_SUCC);
    forget();
    assert_int_equal(xmem_aix_raise(&device.intr), EINVAL);
    assert_int_equal(i_init(&device.intr), INTR_SUCC);
    assert_int_equal(xmem_aix_raise(&device.intr), 0);
    await(1);
    assert_true(device.in_interrupt);
    assert_int_equal(device.pid, -1);
    assert_int_equal(device.priority, INTCLASS1);
    forget();
    i_clear(&device.intr);
    assert_int_equal(xmem_aix_raise(&device.intr), EINVAL);
    never();
    assert_int_equal(i_init(&device.intr), INTR_SUCC); /* and once more */
    assert_int_equal(xmem_aix_raise(&device.intr), 0);
    await(1);
    i_clear(&device.intr);
    covers("i_init.0", kind);
    covers("i_init.priority", kind);
    covers("i_clear.0", kind);
}

static void handlers_share_a_level(enum kind kind)
{
    struct device first = device_on(5, 1, INTR_FAIL), second = device_on(5, 2, INTR_SUCC),
                  third = device_on(5, 3, INTR_SUCC), elsewhere = device_on(6, 4, INTR_SUCC);
    forget();
    assert_int_equal(i_init(&first.intr), INTR_SUCC);
    assert_int_equal(i_init(&second.intr), INTR_SUCC);
    assert_int_equal(i_init(&third.intr), INTR_SUCC);
    assert_int_equal(i_init(&elsewhere.intr), INTR_SUCC);
    assert_int_equal(xmem_aix_raise(&third.intr), 0);
    await(2);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    forget();
    i_clear(&second.intr);
    assert_int_equal(xmem_aix_raise(&first.intr), 0);
    await(2);
    assert_int_equal(order[1], 3);
    i_clear(&first.intr);
    i_clear(&third.intr);
    i_clear(&elsewhere.intr);
    covers("i_init.shared", kind);
}

static void conflicts(enum kind kind)
{
    struct device one = device_on(5, 1, INTR_SUCC), other = device_on(5, 2, INTR_SUCC);
    forget();
    assert_int_equal(i_init(&one.intr), INTR_SUCC);
    assert_int_equal(i_init(&one.intr), INTR_FAIL);
    other.intr.flags = INTR_NOT_SHARED;
    assert_int_equal(i_init(&other.intr), INTR_FAIL);
    other.intr.flags = 0;
    other.intr.priority = INTCLASS2;
    assert_int_equal(i_init(&other.intr), INTR_FAIL);
    other.intr.priority = INTBASE;
    assert_int_equal(i_init(&other.intr), INTR_FAIL);
    i_clear(&one.intr);
    one.intr.flags = INTR_NOT_SHARED;
    assert_int_equal(i_init(&one.intr), INTR_SUCC);
    other.intr.priority = INTCLASS1;
    assert_int_equal(i_init(&other.intr), INTR_FAIL);
    i_clear(&one.intr);
    covers("i_init.FAIL", kind);
}

static void masking(enum kind kind)
{
    struct device device = device_on(5, 1, INTR_SUCC);
    forget();
    assert_int_equal(i_init(&device.intr), INTR_SUCC);
    i_mask(&device.intr);
    for (int round = 0; round < 3; round++)
        assert_int_equal(xmem_aix_raise(&device.intr), 0);
    never();
    i_unmask(&device.intr);
    await(1);
    forget();
    i_unmask(&device.intr);
    never();
    i_mask(&device.intr);
    i_clear(&device.intr);
    assert_int_equal(i_init(&device.intr), INTR_SUCC); /* the first one unmasks */
    assert_int_equal(xmem_aix_raise(&device.intr), 0);
    await(1);
    i_clear(&device.intr);
    covers("i_mask.0", kind);
    covers("i_unmask.0", kind);
    covers("i_init.unmasks", kind);
}

static void off_level_work(enum kind kind)
{
    struct device first = device_on(0, 1, 0), second = device_on(0, 2, 0),
                  urgent = device_on(0, 3, 0);
    forget();
    INIT_OFFL2(&first.intr, handler, INTR_MPSAFE);
    INIT_OFFL2(&second.intr, handler, 0);
    INIT_OFFL0(&urgent.intr, handler, 0);
    int before = i_disable(INTMAX);
    i_sched(&first.intr);
    i_sched(&second.intr);
    i_sched(&first.intr); /* still queued */
    i_sched(&urgent.intr);
    never();
    i_enable(before);
    await(3);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 2);
    assert_int_equal(first.priority, INTOFFL2);
    assert_int_equal(urgent.priority, INTOFFL0);
    assert_true(first.in_interrupt);
    assert_int_equal(first.intr.flags, INTR_MPSAFE);
    forget();
    i_sched(&first.intr); /* called, it may be queued again */
    await(1);
    covers("i_sched.0", kind);
    covers("i_sched.order", kind);
    covers("i_sched.queued", kind);
}

static void off_level_work_repeats(enum kind kind)
{
    struct device device = device_on(0, 1, 0);
    forget();
    INIT_OFFL3(&device.intr, handler, 0);
    device.again = 5;
    i_sched(&device.intr);
    await(6);
    covers("i_sched.again", kind);
}

struct called {
    struct device *off_level, *level, *fresh;
    int initialised, raised;
};

static void call_at_interrupt(void *argument)
{
    struct called *called = argument;
    called->initialised = i_init(&called->fresh->intr);
    i_clear(&called->level->intr);
    i_mask(&called->level->intr);
    called->raised = xmem_aix_raise(&called->level->intr);
    i_sched(&called->off_level->intr);
}

static uint64_t usage_errors(void)
{
    struct xmem_statistics statistics = {.size = sizeof statistics};
    must(xmem_get_statistics(&statistics));
    return statistics.usage_errors;
}

static void environments(enum kind kind)
{
    struct device off_level = device_on(0, 1, 0), level = device_on(5, 2, 0),
                  fresh = device_on(6, 3, 0);
    struct called called = {&off_level, &level, &fresh, 99, 99};
    forget();
    INIT_OFFL1(&off_level.intr, handler, 0);
    assert_int_equal(i_init(&level.intr), INTR_SUCC);
    uint64_t errors = usage_errors();
    at_interrupt(call_at_interrupt, &called);
    await(1);
    assert_int_equal(order[0], 1);
    assert_int_equal(called.initialised, INTR_FAIL);
    assert_int_equal(called.raised, 0);
    assert_int_equal(usage_errors(), errors + 2);
    i_unmask(&level.intr); /* it is still registered */
    await(2);
    i_clear(&level.intr);
    i_clear(&level.intr);
    assert_int_equal(usage_errors(), errors + 3);
    covers("i_init.process-only", kind);
    covers("i_clear.process-only", kind);
    covers("i_sched.interrupt", kind);
    covers("i_mask.interrupt", kind);
}

static void priorities(enum kind kind)
{
    struct device device = device_on(5, 1, INTR_SUCC);
    forget();
    device.intr.priority = INTCLASS2;
    assert_int_equal(i_init(&device.intr), INTR_SUCC);
    assert_int_equal(i_disable(INTCLASS3), INTBASE);
    assert_int_equal(xmem_aix_raise(&device.intr), 0); /* more favored */
    await(1);
    forget();
    assert_int_equal(i_disable(INTCLASS2), INTCLASS3);
    assert_int_equal(xmem_aix_raise(&device.intr), 0);
    never();
    assert_int_equal(i_disable(INTOFFL0), INTCLASS2); /* never less favored */
    never();
    assert_int_not_equal(xmem_aix_getpid(), -1); /* still the process environment */
    i_enable(INTCLASS2);
    never();
    i_enable(INTCLASS3);
    await(1);
    i_enable(INTBASE);
    assert_int_equal(i_disable(INTBASE), INTBASE);
    i_clear(&device.intr);
    covers("i_disable.0", kind);
    covers("i_disable.level", kind);
    covers("i_disable.pid", kind);
    covers("i_enable.0", kind);
}

/* A handler is never called once i_clear() has returned, nor twice for one raise. */
static void *raise_often(void *argument)
{
    struct device *device = argument;
    for (int round = 0; round < 2000; round++)
        (void)xmem_aix_raise(&device->intr);
    return NULL;
}

static void clearing_while_raised(enum kind kind)
{
    (void)kind;
    for (int round = 0; round < 50; round++) {
        struct device device = device_on(5, 1, INTR_SUCC);
        pthread_t thread;
        forget();
        assert_int_equal(i_init(&device.intr), INTR_SUCC);
        assert_int_equal(pthread_create(&thread, NULL, raise_often, &device), 0);
        while (noted() == 0)
            usleep(10);
        i_clear(&device.intr);
        int calls = noted();
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(noted(), calls);
    }
    covers("i_clear.complete", kind);
}

static int ran_last;

static int run_last(struct intr *h)
{
    (void)h;
    __atomic_store_n(&ran_last, 1, __ATOMIC_RELEASE);
    return INTR_SUCC;
}

/* Right at the end of its handler, too. */
static void cleared_as_its_handler_ends(enum kind kind)
{
    long rounds = test_rounds(100000);
    (void)kind;
    for (long round = 0; round < rounds; round++) {
        struct intr line = {.handler = run_last, .level = 33, .priority = INTCLASS2};
        __atomic_store_n(&ran_last, 0, __ATOMIC_RELEASE);
        assert_int_equal(i_init(&line), INTR_SUCC);
        assert_int_equal(xmem_aix_raise(&line), 0);
        while (!__atomic_load_n(&ran_last, __ATOMIC_ACQUIRE))
            __builtin_ia32_pause();
        i_clear(&line);
        memset(&line, 0xEE, sizeof line);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(device_interrupts, ONCE),
        EACH(handlers_share_a_level, ONCE),
        EACH(conflicts, ONCE),
        EACH(masking, ONCE),
        EACH(off_level_work, ONCE),
        EACH(off_level_work_repeats, ONCE),
        EACH(environments, ONCE),
        EACH(priorities, ONCE),
        EACH(clearing_while_raised, ONCE),
        EACH(cleared_as_its_handler_ends, ONCE),
    };
    return RUN_CASES("interrupt_handlers", cases);
}
