/* SPDX-License-Identifier: MIT */
/* Shows every return of fubyte, fuword, subyte, suword and their 64 forms, for each kind of memory
 * with a user. */
#include <string.h>

#include "services.h"

#define PAGES 3

static int fubyte_plain(uint64_t address, int value)
{
    (void)value;
    return fubyte(ADDRESS(address));
}

static int fubyte_wide(uint64_t address, int value)
{
    (void)value;
    return fubyte64(address);
}

static int fuword_plain(uint64_t address, int value)
{
    (void)value;
    return fuword(ADDRESS(address));
}

static int fuword_wide(uint64_t address, int value)
{
    (void)value;
    return fuword64(address);
}

static int subyte_plain(uint64_t address, int value)
{
    return subyte(ADDRESS(address), (uchar)value);
}

static int subyte_wide(uint64_t address, int value)
{
    return subyte64(address, (char)value);
}

static int suword_plain(uint64_t address, int value)
{
    return suword(ADDRESS(address), value);
}

static int suword_wide(uint64_t address, int value)
{
    return suword64(address, value);
}

static const struct form {
    const char *service;
    int (*call)(uint64_t address, int value);
    size_t width;
    int store;
} forms[] = {
    {"fubyte", fubyte_plain, 1, 0}, {"fubyte64", fubyte_wide, 1, 0},
    {"fuword", fuword_plain, 4, 0}, {"fuword64", fuword_wide, 4, 0},
    {"subyte", subyte_plain, 1, 1}, {"subyte64", subyte_wide, 1, 1},
    {"suword", suword_plain, 4, 1}, {"suword64", suword_wide, 4, 1},
};

#define FORMS (sizeof forms / sizeof *forms)
#define EACH_FORM(form) for (const struct form *form = forms; form < forms + FORMS; form++)

static struct memory *enter_memory(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -(int64_t)PAGE);
    xmem_enter(memory_process(memory));
    return memory;
}

static void works(const struct form *form, struct memory *memory, uint64_t address, int value)
{
    unsigned char stored[4] = {0};
    int expected = form->width == 1 ? (unsigned char)value : value;
    unsigned char *before;
    if (form->store) {
        before = snapshot(memory);
        assert_int_equal(form->call(address, value), 0);
        unchanged_except(memory, before, address, form->width);
        owner_load(memory, address, stored, form->width);
        assert_memory_equal(stored, &value, form->width);
    } else {
        owner_store(memory, address, &value, form->width);
        before = snapshot(memory);
        assert_int_equal(form->call(address, 0), expected);
        unchanged(memory, before);
    }
}

static void fails(const struct form *form, struct memory *memory, uint64_t address)
{
    unsigned char *before = snapshot(memory);
    assert_int_equal(form->call(address, 0x41424344), -1);
    unchanged(memory, before);
}

static void moves_values(enum kind kind)
{
    static const int values[] = {0, 1, 0x7F, 0x80, 0xFF, 0x12345678, INT32_MAX, INT32_MIN, -2};
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory);
    EACH_FORM(form)
    {
        for (size_t index = 0; index < sizeof values / sizeof *values; index++)
            for (uint64_t offset = 0; offset < 9; offset++) /* any alignment, and the boundary */
                works(form, memory, base + PAGE - 8 + offset, values[index]);
        works(form, memory, base, -1); /* fuword: cannot be told from the failure */
        works(form, memory, base + PAGES * PAGE - form->width, 5);
        covers_of(form->service, "0", kind);
    }
    xmem_leave();
}

/* A word of which only the first byte is out of reach.  Of an opened process the rest may have been
 * stored, since both pages are written by one system call. */
static void before_the_memory(const struct form *form, struct memory *memory, uint64_t address)
{
    unsigned char *before = snapshot(memory);
    size_t may = memory_kind(memory) == KIND_OPENED && form->store ? form->width - 1 : 0;
    assert_int_equal(form->call(address, 0x41424344), -1);
    unchanged_except(memory, before, address + 1, may);
}

static void bad_addresses(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t base = memory_base(memory), end = base + PAGES * PAGE;
    EACH_FORM(form)
    {
        fails(form, memory, 0);
        before_the_memory(form, memory, base - 1);
        fails(form, memory, end);
        fails(form, memory, UINT64_MAX);
        fails(form, memory, UINT64_C(1) << 62);
        if (form->width > 1)
            fails(form, memory, end - 2); /* straddles the end: nothing stored */
        if (kind == KIND_EMBEDDED32 && strstr(form->service, "64"))
            fails(form, memory, base + (UINT64_C(1) << 32));
        covers_of(form->service, "-1.address", kind);
    }
    xmem_leave();
    EACH_FORM(form)
    fails(form, memory, base); /* no current process */
}

static void no_authority(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    uint64_t page = memory_base(memory) + PAGE;
    EACH_FORM(form)
    {
        memory_protect(memory, page, PAGE, PROT_NONE);
        fails(form, memory, page);
        if (form->width > 1)
            fails(form, memory, page - 2);
        memory_protect(memory, page, PAGE, PROT_READ);
        if (form->store)
            fails(form, memory, page);
        else
            works(form, memory, page, 7);
        memory_protect(memory, page, PAGE, PROT_READ | PROT_WRITE);
        works(form, memory, page, 9);
        covers_of(form->service, "-1.authority", kind);
    }
    xmem_leave();
}

static void storage_fails(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    memory_truncate(memory, 1);
    EACH_FORM(form)
    {
        assert_int_equal(form->call(memory_base(memory) + PAGE, 1), -1);
        covers_of(form->service, "-1.io", kind);
    }
    xmem_leave();
}

static void storage_cannot_fail(enum kind kind)
{
    EACH_FORM(form)
    not_applicable_of(form->service, "-1.io", kind, "takes paging, which does not exist yet");
}

struct interrupted {
    const struct form *form;
    uint64_t address;
    int result;
};

static void call_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->result = call->form->call(call->address, 5);
}

static void process_environment_only(enum kind kind)
{
    struct memory *memory = enter_memory(kind);
    owner_fill(memory, memory_base(memory), 1, PAGE);
    EACH_FORM(form)
    {
        struct interrupted call = {form, memory_base(memory), 99};
        unsigned char *before = snapshot(memory);
        at_interrupt(call_at_interrupt, &call);
        assert_int_equal(call.result, -1);
        unchanged(memory, before);
        covers_of(form->service, "process-only", kind);
    }
    xmem_leave();
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(moves_values, USER_KINDS),
        EACH(bad_addresses, USER_KINDS),
        EACH(no_authority, USER_KINDS),
        EACH(storage_fails, KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED)),
        EACH(storage_cannot_fail, EMBEDDED_KINDS),
        EACH(process_environment_only, USER_KINDS),
    };
    return RUN_CASES("fu_su", cases);
}
