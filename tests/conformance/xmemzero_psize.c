/* SPDX-License-Identifier: MIT */
/* Shows every return of xmemzero and xmempsize, for each kind of memory. */
#include <limits.h>
#include <string.h>

#include "services.h"

#define PAGES 4

static void zeroes(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    static const size_t sizes[] = {0, 1, 7, 8, 9, 4096, 4097, 3 * 4096 + 1};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        for (uint64_t offset = 0; offset < 20; offset += 3) {
            owner_fill(memory, base, 0xEE, PAGES * PAGE);
            unsigned char *before = snapshot(memory);
            assert_int_equal(xmemzero(&descriptor, ADDRESS(base + offset), (long)sizes[index]),
                             XMEM_SUCC);
            unchanged_except(memory, before, base + offset, sizes[index]);
            for (size_t byte = 0; byte < sizes[index]; byte++)
                assert_int_equal(*memory_view(memory, base + offset + byte), 0);
        }
    }
    must_detach(&descriptor);
    covers("xmemzero.SUCC", kind);
}

static void refuses(struct memory *memory, struct xmem *descriptor, uint64_t address, long count,
                    size_t may)
{
    unsigned char *before = snapshot(memory);
    assert_int_equal(xmemzero(descriptor, ADDRESS(address), count), XMEM_FAIL);
    unchanged_except(memory, before, address, may);
}

static void zero_fails(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor, marked;
    must_attach(memory, base + PAGE, 2 * PAGE, &descriptor);
    owner_fill(memory, base, 0xEE, PAGES * PAGE);
    refuses(memory, &descriptor, base + PAGE, -1, 0);
    refuses(memory, &descriptor, base + PAGE, LONG_MIN, 0);
    refuses(memory, &descriptor, base + PAGE, LONG_MAX, 2 * PAGE);
    refuses(memory, &descriptor, base + PAGE - 1, 1, 0);
    refuses(memory, &descriptor, base + 3 * PAGE, 1, 0);
    refuses(memory, &descriptor, base + 3 * PAGE - 1, 2, 1);
    static const int marks[] = {XMEM_REMIO, XMEM_XLATE, XMEM_INVAL, 0, 99};
    for (size_t index = 0; index < sizeof marks / sizeof *marks; index++) {
        marked = descriptor;
        marked.aspace_id = marks[index];
        refuses(memory, &marked, base + PAGE, 8, 0);
    }
    memory_protect(memory, base + PAGE, PAGE, PROT_READ);
    refuses(memory, &descriptor, base + PAGE, 8, 0);
    memory_protect(memory, base + PAGE, PAGE, PROT_READ | PROT_WRITE);
    must_detach(&descriptor);
    refuses(memory, &descriptor, base + PAGE, 8, 0);
    covers("xmemzero.FAIL.count", kind);
    covers("xmemzero.FAIL.kind", kind);
    covers("xmemzero.FAIL.descriptor", kind);
}

static void page_sizes(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    for (size_t count = 1; count <= PAGES * PAGE; count += 511)
        assert_int_equal(xmempsize(&descriptor, ADDRESS(base), count), PAGE);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base + PAGES * PAGE - 1), 1), PAGE);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base), 0), XMEM_FAIL);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base), PAGES * PAGE + 1), XMEM_FAIL);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base), SIZE_MAX), XMEM_FAIL);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base - 1), 1), XMEM_FAIL);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base + PAGES * PAGE), 1), XMEM_FAIL);
    must_detach(&descriptor);
    assert_int_equal(xmempsize(&descriptor, ADDRESS(base), 1), XMEM_FAIL);
    covers("xmempsize.size", kind);
    covers("xmempsize.FAIL", kind);
}

struct interrupted {
    struct memory *memory;
    struct xmem *descriptor;
    int zeroed;
    long long size;
};

static void call_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    caddr_t address = ADDRESS(memory_base(call->memory));
    call->zeroed = xmemzero(call->descriptor, address, 8);
    call->size = xmempsize(call->descriptor, address, 8);
}

static void at_interrupt_level(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    must_attach(memory, memory_base(memory), PAGE, &descriptor);
    owner_fill(memory, memory_base(memory), 1, PAGE);
    struct interrupted call = {memory, &descriptor, 99, 99};
    at_interrupt(call_at_interrupt, &call);
    assert_int_equal(call.size, PAGE);
    if (kind == KIND_OPENED) {
        assert_int_equal(call.zeroed, XMEM_FAIL);
        assert_int_equal(*memory_view(memory, memory_base(memory)), 1);
        not_applicable("xmemzero.environments", kind,
                       "the memory of an opened process is out of reach at interrupt level");
    } else {
        assert_int_equal(call.zeroed, XMEM_SUCC);
        assert_int_equal(*memory_view(memory, memory_base(memory) + 7), 0);
        assert_int_equal(*memory_view(memory, memory_base(memory) + 8), 1);
        covers("xmemzero.environments", kind);
    }
    must_detach(&descriptor);
    covers("xmempsize.environments", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(zeroes, ALL_KINDS),
        EACH(zero_fails, ALL_KINDS),
        EACH(page_sizes, ALL_KINDS),
        EACH(at_interrupt_level, ALL_KINDS),
    };
    return RUN_CASES("xmemzero_psize", cases);
}
