/* SPDX-License-Identifier: MIT */
/* Shows every statement about xm_mapin, and about xm_maxmap and xm_det, for each kind of memory. */
#include <string.h>

#include "services.h"

#define PAGES 8
#define MANY 64

static const char not_mapped[] = "the pages of an opened process cannot be mapped into another";

/* Half of the pages before a region boundary, half behind it. */
static struct memory *open_across(enum kind kind, struct xmem *descriptor)
{
    struct memory *memory = memory_open_at(kind, PAGES, -(int64_t)(PAGES / 2 * PAGE));
    must_attach(memory, memory_base(memory), PAGES * PAGE, descriptor);
    return memory;
}

static caddr_t mapped_in(struct xmem *descriptor, uint64_t address, size_t n)
{
    caddr_t mapped = NULL;
    int result = xm_mapin(descriptor, ADDRESS(address), n, &mapped);
    if (result != 0)
        fail_msg("xm_mapin returned %d: %s", result, xmem_last_failure()->words);
    assert_non_null(mapped);
    return mapped;
}

static void refused(struct xmem *descriptor, uint64_t address, size_t n, int result)
{
    static char untouched;
    caddr_t mapped = &untouched;
    assert_int_equal(xm_mapin(descriptor, ADDRESS(address), n, &mapped), result);
    assert_ptr_equal(mapped, &untouched);
}

static void same_memory(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    unsigned char *bytes = guarded_new(PAGES * PAGE), *seen = guarded_new(PAGES * PAGE);
    pattern_fill(bytes, PAGES * PAGE, 1);
    caddr_t mapped = mapped_in(&descriptor, base, PAGES * PAGE);
    memcpy(mapped, bytes, PAGES * PAGE); /* our stores, seen by the owner */
    owner_load(memory, base, seen, PAGES * PAGE);
    assert_memory_equal(bytes, seen, PAGES * PAGE);
    assert_int_equal(xmemin((caddr_t *)ADDRESS(base), (caddr_t *)seen, PAGES * PAGE, &descriptor),
                     XMEM_SUCC);
    assert_memory_equal(bytes, seen, PAGES * PAGE);
    pattern_fill(bytes, PAGES * PAGE, 2);
    owner_store(memory, base, bytes, PAGES * PAGE); /* the owner's, seen by us */
    assert_memory_equal(mapped, bytes, PAGES * PAGE);
    pattern_fill(bytes, PAGES * PAGE, 3);
    assert_int_equal(xmemout((caddr_t *)bytes, (caddr_t *)ADDRESS(base), PAGES * PAGE, &descriptor),
                     XMEM_SUCC);
    assert_memory_equal(mapped, bytes, PAGES * PAGE);
    xm_det(mapped, &descriptor);
    must_detach(&descriptor);
    guarded_free(bytes);
    guarded_free(seen);
    covers("xm_mapin.1", kind);
    covers("xm_mapin.2", kind);
    covers("xm_mapin.3", kind);
}

static void odd_ranges(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base + 3, 2 * PAGE, &descriptor);
    for (uint64_t offset = 0; offset < 2 * PAGE; offset += 61) {
        owner_fill(memory, base + 3 + offset, (unsigned char)(offset + 1), 1);
        caddr_t mapped = mapped_in(&descriptor, base + 3 + offset, 1);
        assert_int_equal((unsigned char)*mapped, (unsigned char)(offset + 1));
        xm_det(mapped, &descriptor);
    }
    refused(&descriptor, base + 2, 1, XMEM_FAIL);
    refused(&descriptor, base + 3 + 2 * PAGE, 1, XMEM_FAIL);
    refused(&descriptor, base + 3, 2 * PAGE + 1, XMEM_FAIL);
    refused(&descriptor, base + 3, 0, XMEM_FAIL);
    refused(&descriptor, 0, 1, XMEM_FAIL);
    must_detach(&descriptor);
    covers("xm_mapin.1", kind);
    covers("xm_mapin.R-count-zero", kind);
    covers("xm_mapin.R-outside", kind);
}

static void boundary(enum kind kind)
{
    struct xmem descriptor;
    struct memory *memory = open_across(kind, &descriptor);
    uint64_t base = memory_base(memory), half = PAGES / 2 * PAGE, edge = base + half;
    refused(&descriptor, edge - 1, 2, EAGAIN);
    refused(&descriptor, base, half + 1, EAGAIN);
    refused(&descriptor, base, PAGES * PAGE, EAGAIN);
    refused(&descriptor, base, REGION + 1, EAGAIN);
    refused(&descriptor, base, SIZE_MAX, EAGAIN);
    caddr_t first = mapped_in(&descriptor, base, half); /* ends exactly at the boundary */
    caddr_t second = mapped_in(&descriptor, edge, half);
    owner_fill(memory, edge - 1, 1, 1);
    owner_fill(memory, edge, 2, 1);
    assert_int_equal(first[half - 1], 1);
    assert_int_equal(second[0], 2);
    xm_det(second, &descriptor);
    xm_det(first, &descriptor);
    must_detach(&descriptor);
    covers("xm_mapin.4", kind);
    covers("xm_mapin.6", kind);
}

static void documented_loop(enum kind kind)
{
    struct xmem descriptor;
    struct memory *memory = open_across(kind, &descriptor);
    uint64_t base = memory_base(memory) + 100;
    size_t rest = PAGES * PAGE - 200, length, count = 0;
    caddr_t mapped[4];
    unsigned char *bytes = guarded_new(rest), *seen = guarded_new(rest);
    pattern_fill(bytes, rest, 4);
    assert_int_equal(xm_maxmap(&descriptor, ADDRESS(base), &length), XMEM_SUCC);
    assert_int_equal(length, PAGES / 2 * PAGE - 100);
    for (size_t done = 0; rest > 0; count++) {
        if (length > rest)
            length = rest;
        assert_in_range(count, 0, 3);
        mapped[count] = mapped_in(&descriptor, base + done, length);
        memcpy(mapped[count], bytes + done, length);
        done += length;
        rest -= length;
        length = REGION;
    }
    assert_int_equal(count, 2);
    owner_load(memory, base, seen, PAGES * PAGE - 200);
    assert_memory_equal(bytes, seen, PAGES * PAGE - 200);
    while (count > 0)
        xm_det(mapped[--count], &descriptor);
    must_detach(&descriptor);
    guarded_free(bytes);
    guarded_free(seen);
    covers("xm_mapin.5", kind);
}

static void many_at_once(enum kind kind)
{
    struct xmem_statistics before = {.size = sizeof before}, after = {.size = sizeof after};
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor, copy;
    caddr_t mapped[MANY];
    uint64_t base = memory_base(memory);
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    copy = descriptor;
    must(xmem_get_statistics(&before));
    for (size_t index = 0; index < MANY; index++)
        mapped[index] = mapped_in(index % 2 ? &descriptor : &copy, base + index * 100, 100);
    must(xmem_get_statistics(&after));
    assert_int_equal(after.mapped_in, before.mapped_in + MANY);
    for (size_t index = 0; index < MANY; index++)
        mapped[index][0] = (char)(index + 1);
    for (size_t index = 0; index < MANY; index += 2)
        xm_det(mapped[index], &descriptor);
    for (size_t index = 1; index < MANY; index += 2) { /* the others live on */
        assert_int_equal(mapped[index][0], index + 1);
        mapped[index][1] = 77;
        assert_int_equal(*memory_view(memory, base + index * 100 + 1), 77);
        xm_det(mapped[index], &copy);
    }
    must(xmem_get_statistics(&after));
    assert_int_equal(after.mapped_in, before.mapped_in);
    must_detach(&descriptor);
    covers("xm_mapin.7", kind);
    covers("xm_det.1", kind);
}

struct interrupted {
    struct memory *memory;
    struct xmem *descriptor;
    size_t length;
    caddr_t mapped;
    int maximum, result, value;
};

static void map_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    uint64_t base = memory_base(call->memory);
    call->maximum = xm_maxmap(call->descriptor, ADDRESS(base), &call->length);
    call->result = xm_mapin(call->descriptor, ADDRESS(base), 8, &call->mapped);
    if (call->result != 0)
        return;
    call->value = call->mapped[0];
    call->mapped[0] = 6;
    xm_det(call->mapped, call->descriptor);
}

static void both_environments(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    struct interrupted call = {.memory = memory, .descriptor = &descriptor, .result = 99};
    must_attach(memory, memory_base(memory), PAGES * PAGE, &descriptor);
    owner_fill(memory, memory_base(memory), 5, 1);
    at_interrupt(map_at_interrupt, &call);
    assert_int_equal(call.maximum, XMEM_SUCC);
    assert_int_equal(call.length, PAGES * PAGE);
    assert_int_equal(call.result, 0);
    assert_int_equal(call.value, 5);
    assert_int_equal(*memory_view(memory, memory_base(memory)), 6);
    xm_det(mapped_in(&descriptor, memory_base(memory), 8), &descriptor);
    must_detach(&descriptor);
    covers("xm_mapin.8", kind);
    covers("xm_maxmap.2", kind);
    covers("xm_det.2", kind);
}

static void largest_count(enum kind kind)
{
    struct xmem descriptor;
    struct memory *memory = open_across(kind, &descriptor);
    uint64_t base = memory_base(memory), edge = base + PAGES / 2 * PAGE;
    size_t length = 0;
    for (uint64_t address = base; address < base + PAGES * PAGE; address += 509) {
        uint64_t end = address < edge ? edge : base + PAGES * PAGE;
        assert_int_equal(xm_maxmap(&descriptor, ADDRESS(address), &length), XMEM_SUCC);
        assert_int_equal(length, end - address);
        if (kind != KIND_OPENED) /* no promise that the mapping succeeds */
            xm_det(mapped_in(&descriptor, address, length), &descriptor);
    }
    struct xmem stale = descriptor;
    must_detach(&descriptor);
    length = 77;
    assert_int_equal(xm_maxmap(&descriptor, ADDRESS(base), &length), XMEM_FAIL);
    assert_int_equal(xm_maxmap(&stale, ADDRESS(base), &length), XMEM_FAIL);
    assert_int_equal(length, 77);
    covers("xm_maxmap.1", kind);
    covers("xm_maxmap.FAIL", kind);
    covers("xm_maxmap.never-EAGAIN", kind);
}

static void descriptor_not_valid(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor, stale;
    for (int byte = 0; byte < 256; byte++) {
        garbage_descriptor(&descriptor, byte);
        refused(&descriptor, base, 8, XMEM_FAIL);
        memset(&descriptor, byte, sizeof descriptor);
        refused(&descriptor, base, 8, XMEM_FAIL);
    }
    must_attach(memory, base, PAGE, &descriptor);
    stale = descriptor;
    must_detach(&descriptor);
    refused(&descriptor, base, 8, XMEM_FAIL);
    refused(&stale, base, 8, XMEM_FAIL);
    must_attach(memory, base, PAGE, &descriptor);
    refused(&stale, base, 8, XMEM_FAIL);
    must_detach(&descriptor);
    covers("xm_mapin.F1", kind);
}

/* The mapping keeps the memory in existence whatever the owner does. */
static void outlives_the_owner(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    owner_fill(memory, base, 4, PAGES * PAGE);
    caddr_t mapped = mapped_in(&descriptor, base, PAGES * PAGE);
    memory_exit(memory);
    must_detach(&descriptor);
    assert_int_equal(mapped[0], 4);
    mapped[PAGES * PAGE - 1] = 5;
    assert_int_equal(mapped[PAGES * PAGE - 1], 5);
    xm_det(mapped, &descriptor);
    covers("xm_mapin.7", kind);
}

static void opened_cannot(enum kind kind)
{
    static const char *const numbers[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    must_attach(memory, memory_base(memory), PAGES * PAGE, &descriptor);
    refused(&descriptor, memory_base(memory), 8, XMEM_FAIL);
    refused(&descriptor, memory_base(memory), 0, XMEM_FAIL);
    must_detach(&descriptor);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        not_applicable_of("xm_mapin", numbers[index], kind, not_mapped);
    not_applicable("xm_mapin.R-count-zero", kind, not_mapped);
    not_applicable("xm_mapin.R-outside", kind, not_mapped);
    not_applicable("xm_det.1", kind, not_mapped);
    not_applicable("xm_det.2", kind, not_mapped);
    not_applicable("xm_maxmap.2", kind, not_mapped);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(same_memory, MAPPED_KINDS),
        EACH(odd_ranges, MAPPED_KINDS),
        EACH(boundary, MAPPED_KINDS),
        EACH(documented_loop, MAPPED_KINDS),
        EACH(many_at_once, MAPPED_KINDS),
        EACH(both_environments, MAPPED_KINDS),
        EACH(largest_count, ALL_KINDS),
        EACH(descriptor_not_valid, ALL_KINDS),
        EACH(outlives_the_owner, SEGMENT_KINDS),
        EACH(opened_cannot, KIND_BIT(KIND_OPENED)),
    };
    return RUN_CASES("xm_mapin", cases);
}
