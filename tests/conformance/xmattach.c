/* SPDX-License-Identifier: MIT */
/* Shows every statement about xmattach, xmattach64 and xmdetach, for each kind of memory. */
#include <limits.h>
#include <string.h>

#include "services.h"

#define PAGES 4

typedef int attacher(uint64_t address, int count, struct xmem *descriptor, int segflag);

static int plain(uint64_t address, int count, struct xmem *descriptor, int segflag)
{
    return xmattach(ADDRESS(address), count, descriptor, segflag);
}

static int wide(uint64_t address, int count, struct xmem *descriptor, int segflag)
{
    return xmattach64(address, count, descriptor, segflag);
}

static const struct form {
    const char *service;
    attacher *attach;
} forms[] = {{"xmattach", plain}, {"xmattach64", wide}};

#define EACH_FORM(form) for (const struct form *form = forms; form < forms + 2; form++)

static struct memory *enter_memory(enum kind kind, int64_t offset)
{
    struct memory *memory = memory_open_at(kind, PAGES, offset);
    if (kind != KIND_KERNEL)
        xmem_enter(memory_process(memory));
    return memory;
}

static void leave_memory(enum kind kind)
{
    if (kind != KIND_KERNEL)
        xmem_leave();
}

static void refused(const struct form *form, uint64_t address, int count, int segflag)
{
    struct xmem descriptor, before;
    garbage_descriptor(&descriptor, 0x77);
    before = descriptor;
    assert_int_equal(form->attach(address, count, &descriptor, segflag), XMEM_FAIL);
    assert_memory_equal(&descriptor, &before, sizeof before);
}

/* Attaches, moves the first and the last byte in and out, detaches. */
static void attaches(const struct form *form, struct memory *memory, uint64_t address, size_t n)
{
    struct xmem descriptor;
    char byte = 3, again = 0;
    garbage_descriptor(&descriptor, 0x88);
    assert_int_equal(form->attach(address, (int)n, &descriptor, segflag_of(memory_kind(memory))),
                     XMEM_SUCC);
    assert_int_not_equal(descriptor.aspace_id, XMEM_INVAL);
    for (uint64_t place = address; place<address + n; place += n> 1 ? n - 1 : 1) {
        assert_int_equal(xmemout(&byte, ADDRESS(place), 1, &descriptor), XMEM_SUCC);
        assert_int_equal(*memory_view(memory, place), 3);
        assert_int_equal(xmemin(ADDRESS(place), &again, 1, &descriptor), XMEM_SUCC);
        assert_int_equal(again, 3);
    }
    must_detach(&descriptor);
    assert_int_equal(xmemout(&byte, ADDRESS(address), 1, &descriptor), XMEM_FAIL);
}

static void attaches_ranges(enum kind kind)
{
    struct memory *memory = enter_memory(kind, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    EACH_FORM(form)
    {
        attaches(form, memory, base, PAGES * PAGE); /* spans a region boundary */
        attaches(form, memory, base, 1);
        attaches(form, memory, base + PAGES * PAGE - 1, 1);
        attaches(form, memory, base + 2 * PAGE - 1, 2);
        attaches(form, memory, base + 123, 4567);
        covers_of(form->service, "SUCC", kind);
    }
    covers("xmattach.spans", kind);
    leave_memory(kind);
}

static void count_not_positive(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    EACH_FORM(form)
    {
        refused(form, memory_base(memory), 0, segflag_of(kind));
        refused(form, memory_base(memory), -1, segflag_of(kind));
        refused(form, memory_base(memory), INT_MIN, segflag_of(kind));
        covers_of(form->service, "FAIL.count", kind);
    }
    leave_memory(kind);
}

static void in_use(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    uint64_t base = memory_base(memory);
    char byte = 5;
    EACH_FORM(form)
    {
        struct xmem descriptor, before;
        must_attach(memory, base, PAGE, &descriptor);
        before = descriptor;
        assert_int_equal(form->attach(base, 8, &descriptor, segflag_of(kind)), XMEM_FAIL);
        assert_int_equal(form->attach(base, 0, &descriptor, segflag_of(kind)), XMEM_FAIL);
        assert_memory_equal(&descriptor, &before, sizeof before);
        assert_int_equal(xmemout(&byte, ADDRESS(base + PAGE - 1), 1, &descriptor), XMEM_SUCC);
        must_detach(&descriptor);
        must_attach(memory, base, PAGE, &descriptor); /* can be used again */
        must_detach(&descriptor);
        covers_of(form->service, "FAIL.in-use", kind);
    }
    leave_memory(kind);
}

static void not_defined(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    uint64_t base = memory_base(memory);
    EACH_FORM(form)
    {
        refused(form, UINT64_MAX, 1, segflag_of(kind));
        refused(form, UINT64_MAX - 99, 200, segflag_of(kind));
        refused(form, UINT64_MAX - PAGE, INT_MAX, segflag_of(kind));
        uint64_t limit = UINT64_C(1) << (KIND_BIT(kind) & SEGMENT_KINDS ? 60 : 63);
        refused(form, limit - 1, 2, segflag_of(kind));
        refused(form, limit, 2, segflag_of(kind));
        covers_of(form->service, "FAIL.range", kind);
    }
    memory_unmap(memory, base + 2 * PAGE, PAGE);
    EACH_FORM(form)
    {
        if (kind == KIND_OPENED) {
            struct xmem descriptor;
            char byte;
            must_attach(memory, base, PAGES * PAGE, &descriptor);
            assert_int_equal(xmemin(ADDRESS(base + 2 * PAGE), &byte, 1, &descriptor), XMEM_FAIL);
            must_detach(&descriptor);
            not_applicable_of(form->service, "FAIL.not-defined", kind,
                              "what an opened process has mapped is known to itself; a hole is "
                              "found by the move");
            continue;
        }
        refused(form, base + 2 * PAGE, 1, segflag_of(kind));
        refused(form, base + 3 * PAGE - 1, 1, segflag_of(kind));
        refused(form, base, PAGES * PAGE, segflag_of(kind));
        refused(form, base + 2 * PAGE - 1, 2, segflag_of(kind));
        attaches(form, memory, base, 2 * PAGE);
        covers_of(form->service, "FAIL.not-defined", kind);
    }
    leave_memory(kind);
}

/* Authority is a matter of the moves. */
static void authority_not_needed(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    struct xmem descriptor;
    char byte = 1;
    memory_protect(memory, memory_base(memory), PAGES * PAGE, PROT_NONE);
    EACH_FORM(form)
    {
        garbage_descriptor(&descriptor, 1);
        assert_int_equal(form->attach(memory_base(memory), PAGE, &descriptor, segflag_of(kind)),
                         XMEM_SUCC);
        assert_int_equal(xmemout(&byte, ADDRESS(memory_base(memory)), 1, &descriptor), XMEM_FAIL);
        must_detach(&descriptor);
    }
    leave_memory(kind);
}

static void segflags(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    uint64_t base = memory_base(memory);
    static const int unknown[] = {-1, 4, 5, 99, INT_MAX, INT_MIN, 0x10000};
    struct xmem descriptor;
    EACH_FORM(form)
    {
        for (size_t index = 0; index < sizeof unknown / sizeof *unknown; index++)
            refused(form, base, 8, unknown[index]);
        garbage_descriptor(&descriptor, 0xFF);
        int other = kind == KIND_KERNEL ? SYS_ADSPACE_ASSIGN_KEYSET : USERI_ADSPACE;
        assert_int_equal(form->attach(base, 8, &descriptor, other), XMEM_SUCC);
        assert_int_equal(descriptor.aspace_id, kind == KIND_KERNEL ? XMEM_GLOBAL : XMEM_PROC);
        must_detach(&descriptor);
        assert_int_equal(form->attach(base, 8, NULL, segflag_of(kind)), XMEM_FAIL);
        covers_of(form->service, "segflag", kind);
    }
    leave_memory(kind);
}

static void no_current_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    EACH_FORM(form)
    {
        refused(form, memory_base(memory), 8, USER_ADSPACE);
        refused(form, memory_base(memory), 8, USERI_ADSPACE);
        covers_of(form->service, "process-only", kind);
    }
}

struct interrupted {
    const struct form *form;
    uint64_t address;
    struct xmem *descriptor;
    int segflag, attached, detached;
};

static void attach_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->attached = call->form->attach(call->address, 8, call->descriptor, call->segflag);
}

static void detach_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->detached = xmdetach(call->descriptor);
}

static void environments(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    struct xmem descriptor, before;
    EACH_FORM(form)
    {
        struct interrupted call = {form, memory_base(memory), &descriptor, segflag_of(kind), 99,
                                   99};
        garbage_descriptor(&descriptor, 0x33);
        before = descriptor;
        at_interrupt(attach_at_interrupt, &call);
        assert_int_equal(call.attached, XMEM_FAIL);
        assert_memory_equal(&descriptor, &before, sizeof before);
        covers_of(form->service, "process-only", kind);

        must_attach(memory, memory_base(memory), 8, &descriptor);
        before = descriptor;
        at_interrupt(detach_at_interrupt, &call);
        assert_int_equal(call.detached, XMEM_SUCC);
        assert_int_equal(descriptor.aspace_id, XMEM_INVAL);
        char byte;
        assert_int_equal(xmemin(ADDRESS(memory_base(memory)), &byte, 1, &before), XMEM_FAIL);
        at_interrupt(detach_at_interrupt, &call);
        assert_int_equal(call.detached, XMEM_FAIL);
        covers("xmdetach.environments", kind);
    }
    leave_memory(kind);
}

static void detaches_once(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    struct xmem descriptor, copy, garbage;
    must_attach(memory, memory_base(memory), 8, &descriptor);
    copy = descriptor;
    must_detach(&copy); /* any copy will do */
    assert_int_equal(xmdetach(&descriptor), XMEM_FAIL);
    assert_int_equal(xmdetach(&copy), XMEM_FAIL);
    assert_int_equal(xmdetach(NULL), XMEM_FAIL);
    for (int byte = 0; byte < 256; byte++) {
        memset(&garbage, byte, sizeof garbage);
        assert_int_equal(xmdetach(&garbage), XMEM_FAIL);
        garbage_descriptor(&garbage, byte);
        assert_int_equal(xmdetach(&garbage), XMEM_FAIL);
        assert_int_equal(garbage.aspace_id, XMEM_INVAL);
    }
    leave_memory(kind);
    covers("xmdetach.SUCC", kind);
    covers("xmdetach.FAIL", kind);
    covers("idiom.6", kind);
}

/* Several descriptors of the same bytes; the storage stays until the last one is detached. */
static void storage_stays_until_the_last(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    struct xmem_statistics now = {.size = sizeof now};
    uint64_t base = memory_base(memory);
    struct xmem first, second;
    char byte = 1;
    must_attach(memory, base, PAGES * PAGE, &first);
    must_attach(memory, base, PAGES * PAGE, &second);
    assert_int_equal(xmemout(&byte, ADDRESS(base), 1, &second), XMEM_SUCC);
    leave_memory(kind);
    if (kind != KIND_KERNEL)
        memory_exit(memory);
    if (KIND_BIT(kind) & SEGMENT_KINDS) {
        must(xmem_get_statistics(&now));
        assert_true(now.segments >= 1);
    }
    must_detach(&first);
    assert_int_equal(xmemout(&byte, ADDRESS(base), 1, &second),
                     kind == KIND_KERNEL ? XMEM_SUCC : XMEM_FAIL);
    must_detach(&second);
    memory_close(memory);
    must(xmem_get_statistics(&now));
    assert_int_equal(now.descriptors, 0);
    assert_int_equal(now.segments, 0);
    covers("xmattach.several", kind);
    covers("xmdetach.after-exit", kind);
}

static void width_of_addresses(enum kind kind)
{
    struct memory *memory = enter_memory(kind, 0);
    uint64_t base = memory_base(memory);
    if (kind == KIND_EMBEDDED32)
        EACH_FORM(form)
    refused(form, base + (UINT64_C(1) << 32), 8, USER_ADSPACE);
    else EACH_FORM(form) attaches(form, memory, base, 8);
    leave_memory(kind);
    covers("xmattach64.width", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(attaches_ranges, ALL_KINDS),
        EACH(count_not_positive, ALL_KINDS),
        EACH(in_use, ALL_KINDS),
        EACH(not_defined, ALL_KINDS),
        EACH(authority_not_needed, ALL_KINDS),
        EACH(segflags, ALL_KINDS),
        EACH(no_current_process, USER_KINDS),
        EACH(environments, ALL_KINDS),
        EACH(detaches_once, ALL_KINDS),
        EACH(storage_stays_until_the_last, ALL_KINDS),
        EACH(width_of_addresses, ALL_KINDS),
    };
    return RUN_CASES("xmattach", cases);
}
