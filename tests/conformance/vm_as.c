/* SPDX-License-Identifier: MIT */
/* Shows every return of vm_handle, vm_att, vm_det and the as_*64 services. */
#include <errno.h>
#include <string.h>

#include "services.h"

#define PAGES 4
#define SEGMENT_BYTES (16 * PAGE)

static const char embedded_only[] = "regions of an opened process are its own business";
static const char not_kernel[] = "acts on the space of the current user process only";

static xmem_segment_t new_segment(void)
{
    xmem_segment_t segment;
    must(xmem_segment_create(SEGMENT_BYTES, &segment));
    assert_true(segment != 0);
    return segment;
}

static void handles(enum kind kind)
{
    xmem_segment_t segment = new_segment();
    vmhandle_t all = vm_handle(segment, 0), user = vm_handle(segment, 1);
    assert_true(all != 0 && user != 0 && all != user);
    assert_true(vm_handle(segment, 0) == all && vm_handle(segment, 1) == user);
    assert_true(xmem_handle_segment(all) == segment && xmem_handle_segment(user) == segment);
    assert_int_equal(xmem_handle_key(all), XMEM_KEY_ALL);
    assert_int_equal(xmem_handle_key(user), XMEM_KEY_USER);
    (void)vm_handle(12345, 0); /* always returns */
    must(xmem_segment_delete(segment));
    covers("vm_handle.returns", kind);
}

static void maps_objects(enum kind kind)
{
    xmem_segment_t segment = new_segment();
    vmhandle_t handle = vm_handle(segment, 0);
    caddr_t first = vm_att(handle, NULL);
    caddr_t second = vm_att(handle, ADDRESS(UINT64_C(0x70000000) + 100)); /* low 28 bits */
    first[100] = 42;
    assert_int_equal(second[0], 42);
    second[SEGMENT_BYTES - 101] = 43;
    assert_int_equal(first[SEGMENT_BYTES - 1], 43);
    vm_det(first + 50); /* any address inside */
    assert_int_equal(second[0], 42);
    must(xmem_segment_delete(segment)); /* what is mapped stays */
    assert_int_equal(second[0], 42);
    vm_det(second);
    covers("vm_att.maps", kind);
    covers("vm_det.unmaps", kind);
}

struct interrupted {
    vmhandle_t handle;
    int value;
};

static void map_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    caddr_t mapped = vm_att(call->handle, NULL);
    call->value = mapped[0];
    mapped[0] = 8;
    vm_det(mapped);
}

static void both_environments(enum kind kind)
{
    xmem_segment_t segment = new_segment();
    struct interrupted call = {vm_handle(segment, 0), 99};
    caddr_t mapped = vm_att(call.handle, NULL);
    mapped[0] = 7;
    at_interrupt(map_at_interrupt, &call);
    assert_int_equal(call.value, 7);
    assert_int_equal(mapped[0], 8);
    vm_det(mapped);
    must(xmem_segment_delete(segment));
    covers("vm_att.environments", kind);
    covers("vm_det.environments", kind);
}

/* The memory of a process by the handle inside its descriptor (subspace_id) and by as_geth64. */
static void object_of_a_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    owner_fill(memory, base, 9, 1);
    caddr_t mapped = vm_att((vmhandle_t)descriptor.subspace_id, ADDRESS(base));
    assert_int_equal(mapped[0], 9);
    mapped[1] = 10;
    assert_int_equal(*memory_view(memory, base + 1), 10);
    vm_det(mapped);
    must_detach(&descriptor);
    xmem_enter(memory_process(memory));
    vmhandle_t handle = as_geth64(base);
    assert_true(handle != INVLSID);
    mapped = vm_att(handle, ADDRESS(base));
    assert_int_equal(mapped[1], 10);
    vm_det(mapped);
    assert_int_equal(as_puth64(base, handle), 0);
    assert_int_equal(as_puth64(base, handle), EINVAL); /* unbalanced */
    handle = as_getsrval64(base);
    assert_true(handle != INVLSID);
    assert_int_equal(as_puth64(base, handle), EINVAL);
    xmem_leave();
    covers("vm_att.maps", kind);
    covers("as_geth64.handle", kind);
    covers("as_puth64.0", kind);
    covers("as_puth64.EINVAL", kind);
    covers("as_getsrval64.handle", kind);
}

/* The object stays until as_puth64, whatever its owner does. */
static void protected_from_deletion(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    xmem_enter(memory_process(memory));
    vmhandle_t handle = as_geth64(base);
    assert_true(handle != INVLSID);
    owner_fill(memory, base, 7, 1);
    memory_unmap(memory, base, PAGES * PAGE);
    caddr_t mapped = vm_att(handle, ADDRESS(base));
    assert_int_equal(mapped[0], 7);
    vm_det(mapped);
    assert_int_equal(as_puth64(base, handle), 0);
    xmem_leave();
    covers("as_geth64.protects", kind);
}

static void bad_handle_addresses(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    uint64_t limit = kind == KIND_EMBEDDED32 ? UINT64_C(1) << 32 : UINT64_C(1) << 60;
    const uint64_t bad[] = {limit, UINT64_MAX, base + 5 * REGION};
    xmem_enter(memory_process(memory));
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        assert_true(as_geth64(bad[index]) == INVLSID);
        assert_true(as_getsrval64(bad[index]) == INVLSID);
        assert_int_equal(as_puth64(bad[index], 1), EINVAL);
        assert_int_equal(as_det64(bad[index]), EINVAL);
    }
    xmem_leave();
    assert_true(as_geth64(base) == INVLSID); /* no current process */
    assert_true(as_getsrval64(base) == INVLSID);
    assert_int_equal(as_det64(base), EINVAL);
    covers("as_geth64.INVLSID", kind);
    covers("as_getsrval64.INVLSID", kind);
    covers("as_puth64.EINVAL", kind);
    covers("as_det64.EINVAL", kind);
}

static void attaches_objects(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES), *other = memory_open(kind, PAGES);
    xmem_segment_t segment = new_segment();
    vmhandle_t handle = vm_handle(segment, 0);
    char byte = 5, again = 0;
    xmem_enter(memory_process(memory));
    unsigned long long address = as_att64(handle, 0x70000000 + 40); /* low 28 bits */
    assert_true(address != 0 && address % REGION == 40);
    assert_int_equal(copyout64(&byte, address, 1), 0);
    unsigned long long second = as_att64(handle, 0);
    assert_true(second != 0 && second / REGION != address / REGION);
    assert_int_equal(copyin64(second + 40, &again, 1), 0);
    assert_int_equal(again, 5);
    assert_int_equal(copyin64(second + SEGMENT_BYTES, &again, 1), EFAULT);
    xmem_leave();
    xmem_enter(memory_process(other)); /* shared by two processes */
    unsigned long long third = as_att64(handle, 40);
    assert_int_equal(copyin64(third, &again, 1), 0);
    assert_int_equal(again, 5);
    assert_int_equal(as_det64(third), 0);
    assert_int_equal(copyin64(third, &again, 1), EFAULT);
    assert_int_equal(as_det64(third), EINVAL);
    xmem_leave();
    xmem_enter(memory_process(memory));
    assert_int_equal(as_det64(address + 1000), 0);
    assert_int_equal(copyin64(second + 40, &again, 1), 0);
    assert_int_equal(as_det64(second), 0);
    xmem_leave();
    must(xmem_segment_delete(segment));
    covers("as_att64.address", kind);
    covers("as_det64.0", kind);
}

static void attach_fails(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    xmem_enter(memory_process(memory));
    errno = 0;
    assert_true(as_att64(0, 0) == 0);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_true(as_att64(INVLSID, 0) == 0);
    assert_int_equal(errno, EINVAL);
    xmem_leave();
    covers("as_att64.EINVAL", kind);
}

/* 16 regions of a 32-bit space; a 64-bit space has too many to fill in a test. */
static void no_region_free(enum kind kind)
{
    struct memory *memory = memory_open(KIND_EMBEDDED32, PAGES);
    xmem_segment_t segment = new_segment();
    vmhandle_t handle = vm_handle(segment, 0);
    unsigned long long addresses[17];
    size_t count = 0;
    xmem_enter(memory_process(memory));
    errno = 0;
    while (count < 17 && (addresses[count] = as_att64(handle, 0)) != 0)
        count++;
    assert_int_equal(errno, ENOMEM);
    assert_in_range(count, 8, 15);
    while (count > 0)
        assert_int_equal(as_det64(addresses[--count]), 0);
    xmem_leave();
    must(xmem_segment_delete(segment));
    (void)kind;
    covers("as_att64.ENOMEM", KIND_EMBEDDED32);
    not_applicable("as_att64.ENOMEM", KIND_EMBEDDED64, "2^32 regions cannot be filled in a test");
    not_applicable("as_att64.ENOMEM", KIND_IMPORTED, "2^32 regions cannot be filled in a test");
}

static void own_memory_stays(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    unsigned char byte;
    xmem_enter(memory_process(memory));
    assert_int_equal(as_det64(memory_base(memory)), EINVAL);
    assert_int_equal(copyin64(memory_base(memory), &byte, 1), 0);
    if (kind == KIND_EMBEDDED32)
        for (uint64_t region = 0; region < 16; region++)
            assert_int_equal(as_det64(region * REGION), EINVAL);
    xmem_leave();
    covers("as_det64.EINVAL", kind);
}

static void fixed_address(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    xmem_segment_t segment = new_segment();
    vmhandle_t handle = vm_handle(segment, 0);
    char byte = 6, again = 0;
    struct xmem descriptor;
    must_attach(memory, base, PAGE, &descriptor);
    xmem_enter(memory_process(memory));
    assert_int_equal(as_seth64(base + REGION + 5, handle), 0);
    uint64_t start = (base + REGION) / REGION * REGION;
    assert_int_equal(copyout64(&byte, start, 1), 0);
    assert_int_equal(as_seth64(base + 1, handle), 0); /* what was there is unmapped first */
    assert_int_equal(copyin64(base / REGION * REGION, &again, 1), 0);
    assert_int_equal(again, 6);
    assert_int_equal(xmemin(ADDRESS(base), &again, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(as_seth64(UINT64_MAX, handle), EINVAL);
    assert_int_equal(as_seth64(UINT64_C(1) << 60, handle), EINVAL);
    if (kind == KIND_EMBEDDED32)
        assert_int_equal(as_seth64(UINT64_C(1) << 32, handle), EINVAL);
    assert_int_equal(as_det64(base), 0);
    assert_int_equal(as_det64(start), 0);
    xmem_leave();
    assert_int_equal(as_seth64(base, handle), EINVAL); /* no current process */
    must_detach(&descriptor);
    must(xmem_segment_delete(segment));
    covers("as_seth64.0", kind);
    covers("as_seth64.EINVAL", kind);
}

/* A limited key leaves it to each page's authority; all of a working segment is read-write. */
static void access_keys(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES), *other = memory_open(kind, 1);
    uint64_t base = memory_base(memory);
    char byte = 1;
    memory_protect(memory, base, PAGE, PROT_NONE);
    memory_protect(memory, base + PAGE, PAGE, PROT_READ);
    xmem_enter(memory_process(memory));
    vmhandle_t handle = as_geth64(base);
    xmem_leave();
    xmem_segment_t segment = xmem_handle_segment(handle);
    xmem_enter(memory_process(other));
    unsigned long long limited = as_att64(vm_handle(segment, 1), (int)(base % REGION));
    unsigned long long all = as_att64(vm_handle(segment, 0), (int)(base % REGION));
    assert_true(limited != 0 && all != 0);
    assert_int_equal(copyin64(limited, &byte, 1), EFAULT);
    assert_int_equal(copyin64(limited + PAGE, &byte, 1), 0);
    assert_int_equal(copyout64(&byte, limited + PAGE, 1), EFAULT);
    assert_int_equal(copyout64(&byte, limited + 2 * PAGE, 1), 0);
    assert_int_equal(copyin64(all, &byte, 1), 0);
    assert_int_equal(as_det64(limited), 0);
    assert_int_equal(as_det64(all), 0);
    xmem_leave();
    xmem_enter(memory_process(memory));
    assert_int_equal(as_puth64(base, handle), 0);
    xmem_leave();
    covers("vm_handle.keys", kind);
}

struct all_services {
    uint64_t base;
    vmhandle_t handle;
    unsigned long long attached;
    vmhandle_t held, looked_up;
    int detached, fixed, released;
};

static void as_at_interrupt(void *argument)
{
    struct all_services *call = argument;
    call->attached = as_att64(call->handle, 0);
    call->detached = as_det64(call->base);
    call->fixed = as_seth64(call->base, call->handle);
    call->held = as_geth64(call->base);
    call->looked_up = as_getsrval64(call->base);
    call->released = as_puth64(call->base, call->handle);
}

static void process_environment_only(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    xmem_segment_t segment = new_segment();
    struct all_services call = {.base = memory_base(memory), .handle = vm_handle(segment, 0)};
    unsigned char byte;
    xmem_enter(memory_process(memory));
    at_interrupt(as_at_interrupt, &call);
    assert_true(call.attached == 0 && call.held == INVLSID);
    if (kind == KIND_EMBEDDED32) { /* the one that may be called there */
        assert_true(call.looked_up != INVLSID);
        covers("as_getsrval64.interrupt", kind);
    } else {
        assert_true(call.looked_up == INVLSID);
        not_applicable("as_getsrval64.interrupt", kind, "a 64-bit process: process-level only");
    }
    assert_int_equal(call.detached, EINVAL);
    assert_int_equal(call.fixed, EINVAL);
    assert_int_equal(call.released, EINVAL);
    assert_int_equal(copyin64(memory_base(memory), &byte, 1), 0);
    xmem_leave();
    must(xmem_segment_delete(segment));
    covers("as.process-only", kind);
}

static void not_these_kinds(enum kind kind)
{
    static const char *const statements[] = {
        "as_att64.address",   "as_att64.EINVAL",      "as_att64.ENOMEM",
        "as_det64.0",         "as_det64.EINVAL",      "as_seth64.0",
        "as_seth64.EINVAL",   "as_geth64.handle",     "as_geth64.INVLSID",
        "as_geth64.protects", "as_getsrval64.handle", "as_getsrval64.INVLSID",
        "as_puth64.0",        "as_puth64.EINVAL",     "as_getsrval64.interrupt",
        "as.process-only",    "vm_handle.keys",       "vm_att.maps"};
    for (size_t index = 0; index < sizeof statements / sizeof *statements; index++)
        not_applicable(statements[index], kind, kind == KIND_KERNEL ? not_kernel : embedded_only);
}

static void opened_fails(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    xmem_segment_t segment = new_segment();
    vmhandle_t handle = vm_handle(segment, 0);
    xmem_enter(memory_process(memory));
    assert_true(as_att64(handle, 0) == 0);
    assert_int_equal(as_seth64(memory_base(memory), handle), EINVAL);
    assert_int_equal(as_det64(memory_base(memory)), EINVAL);
    assert_true(as_geth64(memory_base(memory)) == INVLSID);
    assert_true(as_getsrval64(memory_base(memory)) == INVLSID);
    xmem_leave();
    must(xmem_segment_delete(segment));
    not_these_kinds(kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(handles, ONCE),
        EACH(maps_objects, ONCE),
        EACH(both_environments, ONCE),
        EACH(object_of_a_process, SEGMENT_KINDS),
        EACH(protected_from_deletion, SEGMENT_KINDS),
        EACH(bad_handle_addresses, SEGMENT_KINDS),
        EACH(attaches_objects, SEGMENT_KINDS),
        EACH(attach_fails, SEGMENT_KINDS),
        EACH(no_region_free, ONCE),
        EACH(own_memory_stays, SEGMENT_KINDS),
        EACH(fixed_address, SEGMENT_KINDS),
        EACH(access_keys, SEGMENT_KINDS),
        EACH(process_environment_only, SEGMENT_KINDS),
        EACH(opened_fails, KIND_BIT(KIND_OPENED)),
        EACH(not_these_kinds, KIND_BIT(KIND_KERNEL)),
    };
    return RUN_CASES("vm_as", cases);
}
