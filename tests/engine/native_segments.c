/* SPDX-License-Identifier: MIT */
/* Segments, handles and regions through the native interface. */
#include "../support/check.h"

#include <errno.h>
#include <string.h>

#define BASE UINT64_C(0x50000000)
#define BYTES (8 * PAGE)

static struct xmem_statistics statistics(void)
{
    struct xmem_statistics now = {.size = sizeof now};
    must(xmem_get_statistics(&now));
    return now;
}

static void creates_and_deletes(enum kind kind)
{
    (void)kind;
    xmem_segment_t segment = 9, second;
    uint64_t before = statistics().segments;
    must_fail(xmem_segment_create(0, &segment), EINVAL);
    must_fail(xmem_segment_create(REGION + 1, &segment), EINVAL);
    must_fail(xmem_segment_create(UINT64_MAX, &segment), EINVAL);
    must(xmem_segment_create(REGION, &segment));
    must(xmem_segment_create(1, &second)); /* a page */
    assert_true(segment != 0 && second != 0 && segment != second);
    assert_int_equal(statistics().segments, before + 2);
    must(xmem_segment_delete(segment));
    must_fail(xmem_segment_delete(segment), EINVAL);
    must(xmem_segment_delete(second));
    must_fail(xmem_segment_delete(0), EINVAL);
    must_fail(xmem_segment_delete(UINT64_MAX), EINVAL);
    assert_int_equal(statistics().segments, before);
}

static void segment_of_a_process_stays(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    xmem_handle_t handle;
    char byte;
    must(xmem_region_handle(memory_process(memory), memory_base(memory), 0, &handle));
    must_fail(xmem_segment_delete(xmem_handle_segment(handle)), EINVAL);
    must(xmem_copy_in(memory_process(memory), memory_base(memory), &byte, 1, NULL));
}

static void handles(enum kind kind)
{
    (void)kind;
    xmem_segment_t segment;
    must(xmem_segment_create(PAGE, &segment));
    for (int key = XMEM_KEY_ALL; key <= XMEM_KEY_USER; key++) {
        xmem_handle_t handle = xmem_handle(segment, key);
        assert_true(handle != 0 && handle != XMEM_NO_HANDLE);
        assert_true(xmem_handle_segment(handle) == segment);
        assert_int_equal(xmem_handle_key(handle), key);
    }
    must(xmem_segment_delete(segment));
}

static void maps_handles(enum kind kind)
{
    (void)kind;
    xmem_segment_t segment;
    void *first, *second = NULL;
    must(xmem_segment_create(BYTES, &segment));
    must(xmem_handle_map(xmem_handle(segment, XMEM_KEY_ALL), &first));
    must(xmem_handle_map(xmem_handle(segment, XMEM_KEY_USER), &second));
    memset(first, 7, BYTES);
    assert_int_equal(((char *)second)[BYTES - 1], 7);
    must(xmem_segment_delete(segment));
    must_fail(xmem_handle_map(xmem_handle(segment, 0), &(void *){NULL}), EINVAL);
    assert_int_equal(((char *)second)[0], 7);
    must(xmem_map_out(first));
    must(xmem_map_out((char *)second + BYTES - 1));
    must_fail(xmem_handle_map(0, &first), EINVAL);
    must_fail(xmem_handle_map(XMEM_NO_HANDLE, &first), EINVAL);
}

static void shares_between_processes(enum kind kind)
{
    struct xmem_process *one, *two;
    xmem_segment_t segment;
    uint64_t here, there;
    char byte = 6, seen = 0;
    must(xmem_process_create(kind_bits(kind), &one));
    must(xmem_process_create(kind_bits(kind), &two));
    must(xmem_segment_create(BYTES, &segment));
    xmem_handle_t handle = xmem_handle(segment, XMEM_KEY_ALL);
    must(xmem_region_attach(one, handle, &here));
    assert_int_equal(here % REGION, 0);
    must(xmem_region_attach_at(two, handle, BASE + 12345));
    there = BASE;
    must(xmem_copy_out(one, &byte, here + BYTES - 1, 1, NULL));
    must(xmem_copy_in(two, there + BYTES - 1, &seen, 1, NULL));
    assert_int_equal(seen, 6);
    must_fail(xmem_copy_in(two, there + BYTES, &seen, 1, NULL), EFAULT);
    must(xmem_segment_delete(segment)); /* deletion is at once, for everybody */
    must_fail(xmem_copy_in(one, here, &seen, 1, NULL), EFAULT);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_DELETED);
    must_fail(xmem_copy_in(two, there, &seen, 1, NULL), EFAULT);
    must(xmem_region_detach(one, here));
    must(xmem_process_close(one));
    must(xmem_process_close(two));
}

static void regions(enum kind kind)
{
    struct xmem_process *process;
    xmem_segment_t segment;
    uint64_t address;
    uint64_t limit = kind == KIND_EMBEDDED32 ? UINT64_C(1) << 32 : UINT64_C(1) << 60;
    char byte;
    must(xmem_process_create(kind_bits(kind), &process));
    must(xmem_process_map(process, BASE, PAGE, PROT_READ));
    must(xmem_segment_create(BYTES, &segment));
    xmem_handle_t handle = xmem_handle(segment, XMEM_KEY_ALL);
    must_fail(xmem_region_attach(process, 0, &address), EINVAL);
    must_fail(xmem_region_attach(process, XMEM_NO_HANDLE, &address), EINVAL);
    must_fail(xmem_region_attach(NULL, handle, &address), EINVAL); /* no current process */
    must_fail(xmem_region_attach_at(process, handle, limit), EINVAL);
    must_fail(xmem_region_attach_at(process, 0, BASE), EINVAL);
    must(xmem_copy_in(process, BASE, &byte, 1, NULL));    /* a failed attach unmaps nothing */
    must_fail(xmem_region_detach(process, BASE), EINVAL); /* the process's own */
    must_fail(xmem_region_detach(process, BASE + 3 * REGION), EINVAL);
    must_fail(xmem_region_detach(process, limit), EINVAL);
    must_fail(xmem_process_map(process, UINT64_MAX - PAGE + 1, PAGE, PROT_READ), EINVAL);
    must(xmem_region_attach_at(process, handle, BASE)); /* what was mapped there is unmapped */
    must_fail(xmem_process_map(process, BASE, PAGE, PROT_READ), EEXIST);
    must(xmem_region_detach(process, BASE + REGION - 1));
    must_fail(xmem_copy_in(process, BASE, &byte, 1, NULL), EFAULT);
    must(xmem_process_map(process, BASE, PAGE, PROT_READ)); /* free again */
    must(xmem_process_close(process));
    must(xmem_segment_delete(segment));
}

static void holds(enum kind kind)
{
    struct memory *memory = memory_open(kind, 2);
    struct xmem_process *process = memory_process(memory);
    uint64_t base = memory_base(memory), before = statistics().holds;
    xmem_handle_t handle = 0, second = 0;
    void *mapped;
    must_fail(xmem_region_handle(process, base + 5 * REGION, 0, &handle), EINVAL);
    must_fail(xmem_region_handle(process, UINT64_MAX, 1, &handle), EINVAL);
    must(xmem_region_handle(process, base, 1, &handle));
    must(xmem_region_handle(process, base, 1, &second));
    assert_true(handle == second);
    assert_int_equal(statistics().holds, before + 2);
    owner_fill(memory, base, 8, 1);
    must(xmem_region_release(base, handle));
    memory_exit(memory);
    must(xmem_handle_map(handle, &mapped)); /* its deletion waits */
    assert_int_equal(((char *)mapped)[base % REGION], 8);
    must(xmem_map_out(mapped));
    must_fail(xmem_region_release(base + 1, handle), EINVAL);
    must(xmem_region_release(base, handle));
    must_fail(xmem_region_release(base, handle), EINVAL);
    assert_int_equal(statistics().holds, before);
    (void)kind;
}

static void opened_has_none(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    xmem_segment_t segment;
    uint64_t address;
    must(xmem_segment_create(PAGE, &segment));
    must_fail(xmem_region_attach(memory_process(memory), xmem_handle(segment, 0), &address),
              ENOTSUP);
    must_fail(xmem_region_attach_at(memory_process(memory), xmem_handle(segment, 0), BASE),
              ENOTSUP);
    must(xmem_segment_delete(segment));
}

/* A descriptor of a segment's range in a process follows the segment, not the region. */
static void descriptor_of_attached_region(enum kind kind)
{
    struct xmem_process *process;
    struct xmem_descriptor descriptor;
    xmem_segment_t segment;
    uint64_t address;
    char byte = 3;
    must(xmem_process_create(kind_bits(kind), &process));
    must(xmem_segment_create(BYTES, &segment));
    must(xmem_region_attach(process, xmem_handle(segment, XMEM_KEY_ALL), &address));
    must(xmem_attach(process, address, BYTES, &descriptor));
    must(xmem_move_out(&descriptor, &byte, address, 1, NULL));
    must(xmem_region_detach(process, address)); /* merely unmapped: it still exists */
    must(xmem_move_out(&descriptor, &byte, address + 1, 1, NULL));
    must(xmem_process_close(process));
    int error = xmem_move_out(&descriptor, &byte, address + 1, 1, NULL);
    assert_true(error == 0 || error == EFAULT || error == ESRCH);
    must(xmem_segment_delete(segment));
    assert_true(xmem_move_out(&descriptor, &byte, address + 1, 1, NULL) != 0);
    must(xmem_detach(&descriptor));
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(creates_and_deletes, ONCE),
        EACH(segment_of_a_process_stays, SEGMENT_KINDS),
        EACH(handles, ONCE),
        EACH(maps_handles, ONCE),
        EACH(shares_between_processes, EMBEDDED_KINDS),
        EACH(regions, EMBEDDED_KINDS),
        EACH(holds, SEGMENT_KINDS),
        EACH(opened_has_none, KIND_BIT(KIND_OPENED)),
        EACH(descriptor_of_attached_region, EMBEDDED_KINDS),
    };
    return RUN_CASES("native_segments", cases);
}
