/* SPDX-License-Identifier: MIT */
/* Shows every return of copyinstr and copyinstr64, for each kind of memory with a user. */
#include <string.h>

#include "services.h"

#define PAGES 3

typedef int copier(uint64_t from, char *to, uint max, uint *actual);

static int plain(uint64_t from, char *to, uint max, uint *actual)
{
    return copyinstr(ADDRESS(from), to, max, actual);
}

static int wide(uint64_t from, char *to, uint max, uint *actual)
{
    return copyinstr64(from, to, max, actual);
}

static const struct {
    const char *service;
    copier *copy;
} forms[] = {{"copyinstr", plain}, {"copyinstr64", wide}};

#define FORMS (sizeof forms / sizeof *forms)

static void shows(size_t form, const char *number, enum kind kind)
{
    covers_of(forms[form].service, number, kind);
}

static struct memory *enter_memory(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -(int64_t)PAGE);
    xmem_enter(memory_process(memory));
    return memory;
}

/* Copies into room for max bytes and checks what was stored and what was not. */
static void copies(size_t form, uint64_t from, uint max, int result, const char *stored, uint count)
{
    uint actual = 12345;
    char *to = (char *)guarded_new(max);
    assert_int_equal(forms[form].copy(from, to, max, &actual), result);
    assert_int_equal(actual, count);
    assert_memory_equal(to, stored, count);
    for (uint index = count; index < max; index++)
        assert_int_equal((unsigned char)to[index], 0xA5);
    guarded_free((unsigned char *)to);
}

static void put(struct memory *memory, uint64_t address, const char *string)
{
    owner_store(memory, address, string, strlen(string) + 1);
}

static void copies_strings(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory);
    for (size_t form = 0; form < FORMS; form++) {
        put(memory, base, "abc");
        copies(form, base, 100, 0, "abc", 4);
        copies(form, base, 4, 0, "abc", 4); /* fits exactly */
        copies(form, base + 3, 100, 0, "", 1);
        copies(form, base + 3, 1, 0, "", 1);
        put(memory, base + PAGE - 2, "across a region boundary");
        copies(form, base + PAGE - 2, 100, 0, "across a region boundary", 25);
        uint actual = 0;
        char byte;
        assert_int_equal(forms[form].copy(base + 3, &byte, 1, NULL), 0);
        assert_int_equal(forms[form].copy(base, &byte, 1, &actual), E2BIG);
        shows(form, "0", kind);
    }
    xmem_leave();
}

static void every_length_and_place(enum kind kind)
{
    static char string[70], expected[70];
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory);
    pattern_fill(string, sizeof string, 1);
    owner_fill(memory, base, 'x', PAGES * PAGE);
    for (size_t length = 0; length < 40; length++) {
        for (uint64_t offset = 0; offset < 10; offset++) {
            memcpy(expected, string, length);
            expected[length] = 0;
            owner_store(memory, base + offset, expected, length + 1);
            copies(offset % FORMS, base + offset, 64, 0, expected, (uint)length + 1);
            copies(offset % FORMS, base + offset, (uint)length + 1, 0, expected, (uint)length + 1);
            copies(offset % FORMS, base + offset, (uint)length, E2BIG, expected, (uint)length);
        }
    }
    xmem_leave();
}

static void too_big(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory);
    put(memory, base, "abcdef");
    for (size_t form = 0; form < FORMS; form++) {
        copies(form, base, 6, E2BIG, "abcdef", 6);
        copies(form, base, 3, E2BIG, "abc", 3);
        copies(form, base, 0, E2BIG, "", 0);
        copies(form, 0, 0, E2BIG, "", 0);
        shows(form, "E2BIG", kind);
    }
    xmem_leave();
}

/* What lies behind the zero is not touched: the next page may be out of reach. */
static void stops_at_the_zero(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t end = memory_base(memory) + PAGES * PAGE;
    put(memory, end - 4, "abc");
    for (size_t form = 0; form < FORMS; form++)
        copies(form, end - 4, 2000, 0, "abc", 4);
    memory_protect(memory, end - PAGE, PAGE, PROT_NONE);
    put(memory, end - PAGE - 20, "near the end of page");
    owner_fill(memory, end - PAGE - 1, 0, 1);
    for (size_t form = 0; form < FORMS; form++) {
        copies(form, end - PAGE - 20, 2000, 0, "near the end of pag", 20);
        shows(form, "0", kind);
    }
    xmem_leave();
}

static void bad_addresses(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory), end = base + PAGES * PAGE;
    owner_fill(memory, base, 'a', PAGES * PAGE);
    for (size_t form = 0; form < FORMS; form++) {
        copies(form, 0, 9, EFAULT, "", 0);
        copies(form, base - 1, 9, EFAULT, "", 0);
        copies(form, end, 9, EFAULT, "", 0);
        copies(form, UINT64_MAX, 9, EFAULT, "", 0);
        copies(form, UINT64_C(1) << 63, 9, EFAULT, "", 0);
        copies(form, end - 3, 9, EFAULT, "aaa", 3); /* no zero before the memory ends */
        copies(form, end - 9, 9, E2BIG, "aaaaaaaaa", 9);
        memory_protect(memory, base + PAGE, PAGE, PROT_NONE);
        copies(form, base + PAGE, 9, EFAULT, "", 0);
        copies(form, base + PAGE - 2, 9, EFAULT, "aa", 2);
        memory_protect(memory, base + PAGE, PAGE, PROT_READ);
        copies(form, base + PAGE, 2, E2BIG, "aa", 2);
        memory_protect(memory, base + PAGE, PAGE, PROT_READ | PROT_WRITE);
        shows(form, "EFAULT", kind);
    }
    xmem_leave();
    /* Without a current process the addresses are the kernel's own, which cannot be as large. */
    for (size_t form = 0; kind == KIND_EMBEDDED64 && form < FORMS; form++)
        copies(form, base, 9, EFAULT, "", 0);
}

static void storage_fails(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory);
    owner_fill(memory, base, 'a', PAGES * PAGE);
    memory_truncate(memory, 1);
    for (size_t form = 0; form < FORMS; form++) {
        if (kind == KIND_OPENED) {
            copies(form, base + PAGE - 2, 9, EFAULT, "aa", 2);
            not_applicable_of(forms[form].service, "EIO", kind,
                              "Linux tells a failed page of another process from a bad address "
                              "only to that process; the copy returns EFAULT");
        } else {
            copies(form, base + PAGE - 2, 9, EIO, "aa", 2);
            shows(form, "EIO", kind);
        }
    }
    xmem_leave();
}

struct interrupted {
    uint64_t from;
    size_t form;
    char to[8];
    uint actual;
    int result;
};

static void copy_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->result = forms[call->form].copy(call->from, call->to, 8, &call->actual);
}

static void process_environment_only(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    for (size_t form = 0; form < FORMS; form++) {
        struct interrupted call = {memory_base(memory), form, "intact", 77, 99};
        at_interrupt(copy_at_interrupt, &call);
        assert_int_equal(call.result, EFAULT);
        assert_string_equal(call.to, "intact");
        shows(form, "process-only", kind);
    }
    xmem_leave();
}

/* A size_t behind the last argument is filled whole, a uint is not overrun. */
static void type_of_actual(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    put(memory, memory_base(memory), "abc");
    char to[8];
    struct {
        uint before, actual, behind;
    } narrow = {1, 2, 3};
    struct {
        size_t before, actual, behind;
    } broad = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    assert_int_equal(copyinstr(ADDRESS(memory_base(memory)), to, 8, &narrow.actual), 0);
    assert_int_equal(narrow.before, 1);
    assert_int_equal(narrow.actual, 4);
    assert_int_equal(narrow.behind, 3);
    assert_int_equal(copyinstr(ADDRESS(memory_base(memory)), to, 8, &broad.actual), 0);
    assert_true(broad.before == SIZE_MAX && broad.actual == 4 && broad.behind == SIZE_MAX);
    xmem_leave();
    covers("copyinstr.type-of-actual", kind);
}

/* A thread without a current process is a kernel process, whose source may be the kernel's. */
static void kernel_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t end = memory_base(memory) + PAGES * PAGE;
    put(memory, end - 4, "abc");
    for (size_t form = 0; form < FORMS; form++) {
        copies(form, end - 4, 100, 0, "abc", 4);
        copies(form, end - 4, 2, E2BIG, "ab", 2);
        memory_protect(memory, end - PAGE, PAGE, PROT_NONE);
        copies(form, end - 4, 100, EFAULT, "", 0);
        memory_protect(memory, end - PAGE, PAGE, PROT_READ);
        shows(form, "kernel-process", kind);
    }
}

static void needs_paging(enum kind kind)
{
    for (size_t form = 0; form < FORMS; form++) {
        not_applicable_of(forms[form].service, "ENOSPC", kind,
                          "takes paging, which does not exist yet");
        if (KIND_BIT(kind) & EMBEDDED_KINDS)
            not_applicable_of(forms[form].service, "EIO", kind,
                              "takes paging, which does not exist yet");
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(copies_strings, USER_KINDS),
        EACH(every_length_and_place, USER_KINDS),
        EACH(too_big, USER_KINDS),
        EACH(stops_at_the_zero, USER_KINDS),
        EACH(bad_addresses, USER_KINDS),
        EACH(storage_fails, KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED)),
        EACH(process_environment_only, USER_KINDS),
        EACH(type_of_actual, USER_KINDS),
        EACH(kernel_process, KIND_BIT(KIND_KERNEL)),
        EACH(needs_paging, USER_KINDS),
    };
    return RUN_CASES("copyinstr", cases);
}
