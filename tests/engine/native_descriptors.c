/* SPDX-License-Identifier: MIT */
/* Descriptors, map-ins, pins and page sizes through the native interface: what each function
 * returns, and what is left when all are undone. */
#include "../support/check.h"

#include <errno.h>
#include <string.h>

#define PAGES 4
#define MANY 3000

static struct xmem_statistics statistics(void)
{
    struct xmem_statistics now = {.size = sizeof now};
    must(xmem_get_statistics(&now));
    return now;
}

static void attaches(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    struct xmem_process *process = memory_process(memory);
    struct xmem_descriptor descriptor;
    uint64_t base = memory_base(memory), before = statistics().descriptors;
    memset(&descriptor, 0x55, sizeof descriptor); /* what was in it does not matter */
    must(xmem_attach(process, base, PAGES * PAGE, &descriptor));
    assert_int_equal(descriptor.kind,
                     kind == KIND_KERNEL ? XMEM_DESCRIPTOR_KERNEL : XMEM_DESCRIPTOR_PROCESS);
    assert_int_equal(statistics().descriptors, before + 1);
    must(xmem_detach(&descriptor));
    assert_int_equal(descriptor.kind, XMEM_DESCRIPTOR_INVALID);
    must_fail(xmem_detach(&descriptor), EINVAL);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_DESCRIPTOR);
    assert_int_equal(statistics().descriptors, before);
    static const struct {
        int64_t offset;
        size_t n;
        int error;
    } wrong[] = {{0, 0, EINVAL}, {0, SIZE_MAX, EFAULT}, {1, SIZE_MAX - 1, EFAULT}};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        descriptor.kind = XMEM_DESCRIPTOR_PROCESS;
        must_fail(
            xmem_attach(process, base + (uint64_t)wrong[index].offset, wrong[index].n, &descriptor),
            wrong[index].error);
        assert_int_equal(descriptor.kind, XMEM_DESCRIPTOR_INVALID);
    }
    if (kind == KIND_OPENED)
        return;
    must_fail(xmem_attach(process, base - 1, 2, &descriptor), kind == KIND_KERNEL ? 0 : EFAULT);
    if (descriptor.kind != XMEM_DESCRIPTOR_INVALID) /* the kernel's guard pages are mapped */
        must(xmem_detach(&descriptor));
    memory_unmap(memory, base + PAGE, PAGE);
    must_fail(xmem_attach(process, base, PAGES * PAGE, &descriptor), EFAULT);
    must_fail(xmem_attach(process, base + PAGE, 1, &descriptor), EFAULT);
    must(xmem_attach(process, base, PAGE, &descriptor));
    must(xmem_detach(&descriptor));
    assert_int_equal(statistics().descriptors, before);
}

static void current_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_descriptor descriptor;
    must_fail(xmem_attach(NULL, memory_base(memory), 8, &descriptor), EINVAL);
    xmem_enter(memory_process(memory));
    must(xmem_attach(NULL, memory_base(memory), 8, &descriptor));
    xmem_leave();
    must(xmem_detach(&descriptor));
    memory_exit(memory);
}

/* Thousands at once: all different, all alive, given back in another order. */
static void many(enum kind kind)
{
    static struct xmem_descriptor descriptors[MANY];
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory), before = statistics().descriptors;
    unsigned char byte;
    for (size_t round = 0; round < 3; round++) {
        for (size_t index = 0; index < MANY; index++)
            must(xmem_attach(memory_process(memory), base + index, 1 + index % 100,
                             &descriptors[index]));
        assert_int_equal(statistics().descriptors, before + MANY);
        for (size_t index = 0; index < MANY; index++) {
            must(xmem_move_in(&descriptors[index], base + index, &byte, 1, NULL));
            must_fail(
                xmem_move_in(&descriptors[index], base + index + 1 + index % 100, &byte, 1, NULL),
                EFAULT);
        }
        for (size_t index = 0; index < MANY; index++)
            must(xmem_detach(&descriptors[(index * 7) % MANY]));
        assert_int_equal(statistics().descriptors, before);
    }
}

static void map_ins(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory), before = statistics().mapped_in;
    struct xmem_descriptor descriptor;
    char mark;
    void *mapped = &mark, *other;
    size_t limit = 0;
    must(xmem_attach(memory_process(memory), base + 5, PAGES * PAGE - 10, &descriptor));
    must(xmem_map_limit(&descriptor, base + 5, &limit));
    assert_int_equal(limit, 2 * PAGE - 5);
    must(xmem_map_limit(&descriptor, base + 2 * PAGE, &limit));
    assert_int_equal(limit, 2 * PAGE - 5);
    must_fail(xmem_map_limit(&descriptor, base + 4, &limit), EFAULT);
    must_fail(xmem_map_limit(&descriptor, base + PAGES * PAGE - 5, &limit), EFAULT);
    must_fail(xmem_map_in(&descriptor, base + 5, 0, &mapped), EINVAL);
    must_fail(xmem_map_in(&descriptor, base + 4, 1, &mapped), EFAULT);
    must_fail(xmem_map_in(&descriptor, base + 5, 2 * PAGE - 4, &mapped), EAGAIN);
    must_fail(xmem_map_in(&descriptor, base + 5, SIZE_MAX, &mapped), EAGAIN);
    must_fail(xmem_map_in(&descriptor, base + PAGES * PAGE - 6, 2, &mapped), EFAULT);
    assert_ptr_equal(mapped, &mark);
    must(xmem_map_in(&descriptor, base + 5, 2 * PAGE - 5, &mapped));
    must(xmem_map_in(&descriptor, base + 2 * PAGE, 1, &other));
    assert_int_equal(statistics().mapped_in, before + 2);
    *(char *)other = 9;
    assert_int_equal(*memory_view(memory, base + 2 * PAGE), 9);
    must(xmem_map_out((char *)mapped + PAGE)); /* any address inside */
    must(xmem_map_out(other));
    must_fail(xmem_map_out(&mark), EINVAL);
    must_fail(xmem_map_out(NULL), EINVAL);
    assert_int_equal(statistics().mapped_in, before);
    struct xmem_descriptor stale = descriptor;
    must(xmem_detach(&descriptor));
    must_fail(xmem_map_in(&stale, base + 5, 1, &mapped), EINVAL);
    must_fail(xmem_map_limit(&stale, base + 5, &limit), EINVAL);
}

static void map_in_cannot(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_descriptor descriptor;
    char mark;
    void *mapped = &mark;
    must(xmem_attach(memory_process(memory), memory_base(memory), PAGE, &descriptor));
    must_fail(xmem_map_in(&descriptor, memory_base(memory), 8, &mapped), ENOTSUP);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_KIND);
    assert_ptr_equal(mapped, &mark);
    must(xmem_detach(&descriptor));
}

static void map_in_of_deleted(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem_descriptor descriptor;
    void *mapped = NULL, *late = NULL;
    must(xmem_attach(memory_process(memory), base, PAGE, &descriptor));
    owner_fill(memory, base, 3, PAGE);
    must(xmem_map_in(&descriptor, base, PAGE, &mapped));
    memory_unmap(memory, base, PAGES * PAGE);
    assert_int_equal(*(char *)mapped, 3); /* stays in existence */
    must_fail(xmem_map_in(&descriptor, base, PAGE, &late), EFAULT);
    must(xmem_detach(&descriptor));
    assert_int_equal(*(char *)mapped, 3);
    *(char *)mapped = 4;
    assert_int_equal(*(char *)mapped, 4);
    must(xmem_map_out(mapped));
}

static void pins(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    struct xmem_descriptor descriptor;
    must(xmem_attach(memory_process(memory), base, PAGES * PAGE, &descriptor));
    must_fail(xmem_unpin(&descriptor, base, 1), EINVAL);
    must(xmem_pin(&descriptor, base, PAGES * PAGE)); /* across the region boundary */
    must(xmem_pin(&descriptor, base + PAGE - 1, 2));
    must(xmem_unpin(&descriptor, base, PAGES * PAGE));
    must_fail(xmem_unpin(&descriptor, base + 2 * PAGE, 1), EINVAL);
    must(xmem_unpin(&descriptor, base, 2 * PAGE));
    must_fail(xmem_unpin(&descriptor, base, 1), EINVAL);
    must_fail(xmem_pin(&descriptor, base, 0), EINVAL);
    must_fail(xmem_pin(&descriptor, base - 1, 2), EFAULT);
    must_fail(xmem_pin(&descriptor, base, PAGES * PAGE + 1), EFAULT);
    must_fail(xmem_pin(&descriptor, base, SIZE_MAX), EFAULT);
    memory_unmap(memory, base + PAGE, PAGE);
    must_fail(xmem_pin(&descriptor, base, PAGES * PAGE), EFAULT); /* all or nothing */
    must_fail(xmem_unpin(&descriptor, base, 1), EINVAL);
    must(xmem_detach(&descriptor));
    must_fail(xmem_pin(&descriptor, base, 1), EINVAL);
    must_fail(xmem_unpin(&descriptor, base, 1), EINVAL);
}

static void pin_cannot(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_descriptor descriptor;
    must(xmem_attach(memory_process(memory), memory_base(memory), PAGE, &descriptor));
    must_fail(xmem_pin(&descriptor, memory_base(memory), 8), ENOTSUP);
    must(xmem_detach(&descriptor));
}

static void page_sizes(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem_descriptor descriptor;
    size_t size = 0;
    must(xmem_attach(memory_process(memory), base, PAGES * PAGE, &descriptor));
    must(xmem_page_size(&descriptor, base, PAGES * PAGE, &size));
    assert_int_equal(size, PAGE);
    must_fail(xmem_page_size(&descriptor, base, 0, &size), EINVAL);
    must_fail(xmem_page_size(&descriptor, base, PAGES * PAGE + 1, &size), EFAULT);
    must_fail(xmem_page_size(&descriptor, base - 1, 1, &size), EFAULT);
    must(xmem_detach(&descriptor));
    must_fail(xmem_page_size(&descriptor, base, 1, &size), EINVAL);
}

struct levels {
    struct memory *memory;
    struct xmem_descriptor descriptor, second, fresh;
    int mapped, limited, sized, unmapped, detached, again, attached, pinned, unpinned;
};

static void call_at_interrupt(void *argument)
{
    struct levels *levels = argument;
    uint64_t base = memory_base(levels->memory);
    size_t size;
    void *mapped = NULL;
    levels->limited = xmem_map_limit(&levels->descriptor, base, &size);
    levels->sized = xmem_page_size(&levels->descriptor, base, 1, &size);
    levels->mapped = xmem_map_in(&levels->descriptor, base, 8, &mapped);
    levels->unmapped = mapped ? xmem_map_out(mapped) : 0;
    levels->attached = xmem_attach(memory_process(levels->memory), base, 8, &levels->fresh);
    levels->pinned = xmem_pin(&levels->descriptor, base, 8);
    levels->unpinned = xmem_unpin(&levels->descriptor, base, 8);
    levels->detached = xmem_detach(&levels->second);
    levels->again = xmem_detach(&levels->second);
}

static void environments(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct levels levels = {.memory = memory};
    uint64_t base = memory_base(memory);
    must(xmem_attach(memory_process(memory), base, PAGE, &levels.descriptor));
    must(xmem_attach(memory_process(memory), base, PAGE, &levels.second));
    at_interrupt(call_at_interrupt, &levels);
    assert_int_equal(levels.limited, 0);
    assert_int_equal(levels.sized, 0);
    assert_int_equal(levels.mapped, kind == KIND_OPENED ? ENOTSUP : 0);
    assert_int_equal(levels.unmapped, 0);
    assert_int_equal(levels.attached, EPERM);
    assert_int_equal(levels.fresh.kind, XMEM_DESCRIPTOR_INVALID);
    assert_int_equal(levels.pinned, EPERM);
    assert_int_equal(levels.unpinned, EPERM);
    assert_int_equal(levels.detached, 0);
    assert_int_equal(levels.again, EINVAL);
    must(xmem_detach(&levels.descriptor));
}

static void statistics_argument(enum kind kind)
{
    (void)kind;
    struct xmem_statistics now = {.size = 0};
    must_fail(xmem_get_statistics(&now), EINVAL);
    now.size = sizeof now + 8;
    must_fail(xmem_get_statistics(&now), EINVAL);
    uint64_t before = statistics().usage_errors;
    xmem_count_usage_error();
    assert_int_equal(statistics().usage_errors, before + 1);
}

int main(void)
{
    const unsigned unpinned = KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL);
    const struct test_case cases[] = {
        EACH(attaches, ALL_KINDS),
        EACH(current_process, USER_KINDS),
        EACH(many, ALL_KINDS),
        EACH(map_ins, MAPPED_KINDS),
        EACH(map_in_cannot, KIND_BIT(KIND_OPENED)),
        EACH(map_in_of_deleted, SEGMENT_KINDS),
        EACH(pins, SEGMENT_KINDS),
        EACH(pin_cannot, unpinned),
        EACH(page_sizes, ALL_KINDS),
        EACH(environments, ALL_KINDS),
        EACH(statistics_argument, ONCE),
    };
    return RUN_CASES("native_descriptors", cases);
}
