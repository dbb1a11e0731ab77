/* SPDX-License-Identifier: MIT */
/* How existing kernel extensions call these services: one case for each habit, by its number. */
#include <pthread.h>
#include <string.h>

#include "services.h"

#define PAGES 3

/* 1: only aspace_id is set before an attach. */
static void uninitialised_descriptor(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    char byte = 1;
    for (int garbage = 0; garbage < 256; garbage += 5) {
        memset(&descriptor, garbage, sizeof descriptor);
        descriptor.aspace_id = XMEM_INVAL;
        if (kind != KIND_KERNEL)
            xmem_enter(memory_process(memory));
        assert_int_equal(xmattach(ADDRESS(memory_base(memory)), 8, &descriptor, segflag_of(kind)),
                         XMEM_SUCC);
        if (kind != KIND_KERNEL)
            xmem_leave();
        assert_int_equal(xmemout(&byte, ADDRESS(memory_base(memory)), 1, &descriptor), XMEM_SUCC);
        must_detach(&descriptor);
    }
    covers("idiom.1", kind);
}

struct request {
    int before;
    struct xmem descriptor;
    int behind;
};

static struct request copy_of(const struct request *request)
{
    return *request;
}

/* 2: copied by assignment, the original gone; after the detach of any, none works. */
static void copied_by_assignment(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct request request = {1, {0}, 2}, queued[3];
    char byte = 4, seen = 0;
    must_attach(memory, base, PAGE, &request.descriptor);
    queued[0] = request;
    queued[1] = copy_of(&queued[0]);
    memmove(&queued[2], &queued[1], sizeof queued[1]);
    memset(&request, 0xEE, sizeof request);
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(xmemout(&byte, ADDRESS(base), 1, &queued[index].descriptor), XMEM_SUCC);
        assert_int_equal(xmemin(ADDRESS(base), &seen, 1, &queued[index].descriptor), XMEM_SUCC);
        assert_int_equal(seen, 4);
    }
    must_detach(&queued[1].descriptor);
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(xmemout(&byte, ADDRESS(base), 1, &queued[index].descriptor), XMEM_FAIL);
        assert_int_equal(xmdetach(&queued[index].descriptor), XMEM_FAIL);
    }
    covers("idiom.2", kind);
}

/* 3: subspace_id is compared, converted, and handed to vm_att. */
static void subspace_id_names_the_space(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES), *other = memory_open(kind, PAGES);
    struct xmem first, second, third;
    must_attach(memory, memory_base(memory), PAGE, &first);
    must_attach(memory, memory_base(memory) + PAGE, PAGE, &second);
    must_attach(other, memory_base(other), PAGE, &third);
    vmhandle_t handle = (vmhandle_t)first.subspace_id;
    assert_true(first.subspace_id == second.subspace_id);
    if (kind != KIND_KERNEL)
        assert_true(first.subspace_id != third.subspace_id);
    if (KIND_BIT(kind) & SEGMENT_KINDS) {
        owner_fill(memory, memory_base(memory), 3, 1);
        caddr_t mapped = vm_att(handle, ADDRESS(memory_base(memory)));
        assert_int_equal(mapped[0], 3);
        vm_det(mapped);
    }
    must_detach(&third);
    must_detach(&second);
    must_detach(&first);
    covers("idiom.3", kind);
}

/* 4 (without AIX's pin services, which come later): pins are released before or after the detach.
 * 7: many small objects on a page, pinned one by one. */
static void pins_in_either_order(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem_descriptor pinning, other;
    must(xmem_attach(memory_process(memory), base, PAGE, &pinning));
    must(xmem_attach(memory_process(memory), base, PAGE, &other));
    for (uint64_t object = 0; object < 64; object++)
        must(xmem_pin(&pinning, base + object * 64, 64));
    for (uint64_t object = 0; object < 63; object++)
        must(xmem_unpin(&pinning, base + object * 64, 64));
    must(xmem_detach(&pinning)); /* pinned still */
    must(xmem_unpin(&other, base, 8));
    must_fail(xmem_unpin(&other, base, 8), EINVAL); /* 6: never pinned: a harmless error */
    must(xmem_detach(&other));
    covers("idiom.4", kind);
    covers("idiom.7", kind);
}

static void pins_cannot(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_descriptor descriptor;
    must(xmem_attach(memory_process(memory), memory_base(memory), PAGE, &descriptor));
    must_fail(xmem_pin(&descriptor, memory_base(memory), 8), ENOTSUP);
    must(xmem_detach(&descriptor));
    not_applicable("idiom.4", kind, "its pages cannot be pinned");
    not_applicable("idiom.7", kind, "its pages cannot be pinned");
}

/* 5: a length rounded up to 512 past the end of the buffer lies on the buffer's own page. */
static void rounded_length(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    uint64_t end = memory_base(memory) + PAGE;
    struct xmem descriptor;
    char byte = 1;
    must_attach(memory, end - 512, (100 + 511) & ~511, &descriptor);
    assert_int_equal(xmemout(&byte, ADDRESS(end - 1), 1, &descriptor), XMEM_SUCC);
    assert_int_equal(xmemout(&byte, ADDRESS(end), 1, &descriptor), XMEM_FAIL);
    must_detach(&descriptor);
    covers("idiom.5", kind);
}

/* 8: xmattach(SYS_ADSPACE) of what vm_att returned holds the segment. */
static void attach_of_mapped_memory(enum kind kind)
{
    xmem_segment_t segment;
    struct xmem descriptor;
    char byte = 3, seen = 0;
    must(xmem_segment_create(PAGE, &segment));
    caddr_t mapped = vm_att(vm_handle(segment, 0), NULL);
    descriptor.aspace_id = XMEM_INVAL;
    assert_int_equal(xmattach(mapped, PAGE, &descriptor, SYS_ADSPACE), XMEM_SUCC);
    assert_int_equal(xmemout(&byte, mapped + 9, 1, &descriptor), XMEM_SUCC);
    assert_int_equal(mapped[9], 3);
    mapped[9] = 4;
    assert_int_equal(xmemin(mapped + 9, &seen, 1, &descriptor), XMEM_SUCC);
    assert_int_equal(seen, 4);
    must_detach(&descriptor);
    vm_det(mapped);
    must(xmem_segment_delete(segment));
    covers("idiom.8", kind);
}

static void *detach_in_thread(void *argument)
{
    vm_det(argument);
    return NULL;
}

/* 9: several attaches at once; attached in one thread, detached in another; any pointer type. */
static void attaches_of_objects(enum kind kind)
{
    xmem_segment_t segment;
    pthread_t thread;
    must(xmem_segment_create(4 * PAGE, &segment));
    vmhandle_t handle = vm_handle(segment, 0);
    struct {
        void *address;
    } buffer = {(void *)(uintptr_t)(3 * PAGE)};
    void *saved = buffer.address;
    buffer.address = vm_att(handle, buffer.address); /* replaces the address, as in struct buf */
    caddr_t first = vm_att(handle, 0), second = vm_att(handle, 0);
    first[3 * PAGE] = 77;
    assert_int_equal(*(char *)buffer.address, 77);
    assert_int_equal(pthread_create(&thread, NULL, detach_in_thread, first), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(second[3 * PAGE], 77);
    vm_det(second);
    vm_det(buffer.address);
    buffer.address = saved;
    must(xmem_segment_delete(segment));
    covers("idiom.9", kind);
}

/* 10: the output of xm_mapin goes through a char **, its result is ignored. */
static void map_in_unlooked_at(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    char *mapped = NULL;
    must_attach(memory, memory_base(memory), PAGE, &descriptor);
    (void)xm_mapin(&descriptor, ADDRESS(memory_base(memory)), PAGE, &mapped);
    assert_non_null(mapped);
    mapped[0] = 1;
    assert_int_equal(*memory_view(memory, memory_base(memory)), 1);
    xm_det(mapped, &descriptor);
    must_detach(&descriptor);
    covers("idiom.10", kind);
}

static void map_in_cannot(enum kind kind)
{
    not_applicable("idiom.10", kind, "the pages of an opened process cannot be mapped in");
}

struct user_request {
    uint64_t buffer;
    uint32_t length;
};

/* 11: user pointers inside copied structures; errno passed on, or any non-zero taken as EFAULT. */
static void pointers_in_structures(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct user_request request = {base + PAGE + 5, 6}, copied;
    char bytes[6];
    uint actual = 0;
    owner_store(memory, base, &request, sizeof request);
    owner_store(memory, base + PAGE + 5, "inside", 6);
    xmem_enter(memory_process(memory));
    assert_int_equal(copyin(ADDRESS(base), &copied, sizeof copied), 0);
    assert_int_equal(copyin(ADDRESS(copied.buffer), bytes, (int)copied.length), 0);
    assert_memory_equal(bytes, "inside", 6);
    assert_int_equal(copyinstr(ADDRESS(copied.buffer), bytes, 6, &actual), E2BIG);
    assert_true(copyin(ADDRESS(base - 1), bytes, 1) != 0);
    xmem_leave();
    covers("idiom.11", kind);
}

/* 13: UIO_* and *_ADSPACE are used interchangeably. */
static void flags_are_the_same(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    assert_int_equal(UIO_USERSPACE, USER_ADSPACE);
    assert_int_equal(UIO_SYSSPACE, SYS_ADSPACE);
    assert_true(UIO_XMEM != USER_ADSPACE && UIO_XMEM != SYS_ADSPACE);
    garbage_descriptor(&descriptor, 9);
    if (kind != KIND_KERNEL)
        xmem_enter(memory_process(memory));
    assert_int_equal(xmattach(ADDRESS(memory_base(memory)), 8, &descriptor,
                              kind == KIND_KERNEL ? UIO_SYSSPACE : UIO_USERSPACE),
                     XMEM_SUCC);
    if (kind != KIND_KERNEL)
        xmem_leave();
    must_detach(&descriptor);
    covers("idiom.13", kind);
}

/* 15 in part: 0 and NULL are no segment and no handle. */
static void zero_is_nothing(enum kind kind)
{
    vmhandle_t handle = 0;
    vmid_t object = 0;
    xmem_segment_t segment;
    must(xmem_segment_create(1, &segment));
    assert_true(segment != object && vm_handle(segment, 0) != handle);
    assert_true(vm_handle(segment, 1) != handle);
    must_fail(xmem_segment_delete(0), EINVAL);
    must(xmem_segment_delete(segment));
    must_fail(xmem_segment_delete(segment), EINVAL);
    covers("idiom.15", kind);
}

int main(void)
{
    const unsigned unpinned = KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL);
    const struct test_case cases[] = {
        EACH(uninitialised_descriptor, ALL_KINDS),
        EACH(copied_by_assignment, ALL_KINDS),
        EACH(subspace_id_names_the_space, ALL_KINDS),
        EACH(pins_in_either_order, SEGMENT_KINDS),
        EACH(pins_cannot, unpinned),
        EACH(rounded_length, ALL_KINDS),
        EACH(attach_of_mapped_memory, ONCE),
        EACH(attaches_of_objects, ONCE),
        EACH(map_in_unlooked_at, MAPPED_KINDS),
        EACH(map_in_cannot, KIND_BIT(KIND_OPENED)),
        EACH(pointers_in_structures, USER_KINDS),
        EACH(flags_are_the_same, ALL_KINDS),
        EACH(zero_is_nothing, ONCE),
    };
    return RUN_CASES("idioms", cases);
}
