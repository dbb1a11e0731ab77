/* SPDX-License-Identifier: MIT */
/* Memory of the kernel program in pages, and the time of day. */
#include "../support/check.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <xmem/kernel.h>

static void whole_pages(enum kind kind)
{
    static const size_t lengths[] = {1, PAGE - 1, PAGE, PAGE + 1, 300 * PAGE};
    (void)kind;
    for (size_t index = 0; index < 5; index++)
        for (unsigned flags = 0; flags <= XMEM_MEMORY_PINNED; flags++) {
            void *memory = NULL;
            size_t all = (lengths[index] + PAGE - 1) / PAGE * PAGE;
            must(xmem_memory_create(lengths[index], flags, &memory));
            assert_int_equal((uintptr_t)memory % PAGE, 0);
            for (size_t byte = 0; byte < all; byte++)
                assert_int_equal(((char *)memory)[byte], 0);
            memset(memory, 0xff, all);
            must(xmem_memory_delete(memory, lengths[index]));
        }
}

static void refused(enum kind kind)
{
    void *memory = &memory;
    (void)kind;
    must_fail(xmem_memory_create(0, 0, &memory), EINVAL);
    must_fail(xmem_memory_create(1, 2, &memory), EINVAL);
    must_fail(xmem_memory_create(1, 0, NULL), EINVAL);
    must_fail(xmem_memory_create(SIZE_MAX, 0, &memory), EINVAL);
    must_fail(xmem_memory_create(SIZE_MAX / 2, 0, &memory), ENOMEM);
    assert_ptr_equal(memory, &memory);
}

static void not_started(enum kind kind)
{
    void *memory;
    (void)kind;
    must_fail(xmem_memory_create(1, 0, &memory), EPERM);
    must(xmem_start(NULL));
    must(xmem_memory_create(PAGE, 0, &memory));
    must(xmem_stop());
    memset(memory, 1, PAGE); /* it stays */
    must(xmem_start(NULL));
    must(xmem_memory_delete(memory, PAGE));
    must(xmem_stop());
}

struct call {
    void *memory, *other;
    int created, deleted;
    uint64_t time;
};

static void call_at_interrupt(void *argument)
{
    struct call *call = argument;
    call->created = xmem_memory_create(PAGE, 0, &call->other);
    call->deleted = xmem_memory_delete(call->memory, PAGE);
    call->time = xmem_time_of_day();
}

static void at_interrupt_level(enum kind kind)
{
    struct call call = {.memory = NULL};
    (void)kind;
    must(xmem_memory_create(PAGE, 0, &call.memory));
    at_interrupt(call_at_interrupt, &call);
    assert_int_equal(call.created, EPERM);
    assert_int_equal(call.deleted, EPERM);
    memset(call.memory, 1, PAGE);
    must(xmem_memory_delete(call.memory, PAGE));
    assert_in_range(call.time / 1000000000, (uint64_t)time(NULL) - 100, (uint64_t)time(NULL));
}

static void time_of_day(enum kind kind)
{
    struct timespec before, after;
    (void)kind;
    clock_gettime(CLOCK_REALTIME, &before);
    uint64_t now = xmem_time_of_day();
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(now >= (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec);
    assert_true(now <= (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(whole_pages, ONCE),        EACH(refused, ONCE),     BARE(not_started),
        EACH(at_interrupt_level, ONCE), EACH(time_of_day, ONCE),
    };
    return RUN_CASES("native_memory", cases);
}
