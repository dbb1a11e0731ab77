/* SPDX-License-Identifier: MIT */
/*
 * The filter, as the Linux kernel would run it: an interpreter of the few instructions that it uses
 * gives each number its action, for the calls that are really handled and for sets made at random.
 */
#include "trapped/filter.h"

#include "trapped/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define IO_URING_SETUP 425
#define ABSENT ((uint32_t)(SECCOMP_RET_ERRNO | ENOSYS))
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
/* A seventh of the time of a call that does nothing would be seen. */
#define STEPS_MOST 20

static struct sock_filter program[FILTER_ROOM];
static unsigned short length;
static bool chosen[CALL_ARCHITECTURES][CALL_NUMBERS];

static bool is_chosen(enum call_architecture architecture, int number)
{
    return chosen[architecture][number];
}

static uint32_t action(uint32_t architecture, uint32_t number, unsigned *steps)
{
    uint32_t value = 0;
    *steps = 0;
    for (unsigned at = 0; at < length; at++, (*steps)++) {
        const struct sock_filter *step = &program[at];
        switch (step->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            value = step->k == offsetof(struct seccomp_data, nr) ? number : architecture;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += value == step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += value >= step->k ? step->jt : step->jf;
            break;
        case BPF_JMP | BPF_JA:
            at += step->k;
            break;
        case BPF_RET | BPF_K:
            return step->k;
        default:
            fail_msg("an instruction that nobody expects: %#x", step->code);
        }
    }
    fail_msg("the program runs over its end");
    return 0;
}

static void check_numbers(uint32_t code, enum call_architecture architecture,
                          bool (*handled)(enum call_architecture, int))
{
    unsigned steps;
    for (int number = 0; number < CALL_NUMBERS + 100; number++) {
        uint32_t expected = SECCOMP_RET_ALLOW;
        if (number == IO_URING_SETUP)
            expected = ABSENT;
        else if (number < CALL_NUMBERS && handled(architecture, number))
            expected = SECCOMP_RET_USER_NOTIF;
        assert_int_equal(action(code, (uint32_t)number, &steps), expected);
        assert_true(handled == is_chosen || steps <= STEPS_MOST);
    }
    /* x32, no number at all, and what a tracer has skipped. */
    assert_int_equal(action(code, 0x40000000, &steps), ABSENT);
    assert_int_equal(action(code, 0x40000000 | 1, &steps), ABSENT);
    assert_int_equal(action(code, 0xfffffffe, &steps), ABSENT);
    assert_int_equal(action(code, 0xffffffff, &steps), SECCOMP_RET_ALLOW);
}

static void check_all(bool (*handled)(enum call_architecture, int))
{
    unsigned steps;
    length = filter_build(handled, program);
    assert_true(length < BPF_MAXINSNS);
    check_numbers(NATIVE, CALL_ARCHITECTURE_NATIVE, handled);
#if defined(__x86_64__)
    check_numbers(AUDIT_ARCH_I386, CALL_ARCHITECTURE_I386, handled);
#endif
    assert_int_equal(action(AUDIT_ARCH_PPC64, 3, &steps), ABSENT);
}

static void handled_calls(void **state)
{
    (void)state;
    calls_prepare();
    check_all(calls_handled);
    assert_non_null(calls_find(CALL_ARCHITECTURE_NATIVE, SYS_read));
    assert_null(calls_find(CALL_ARCHITECTURE_NATIVE, SYS_getpid));
    assert_null(calls_find(CALL_ARCHITECTURE_NATIVE, -1));
    assert_null(calls_find(CALL_ARCHITECTURE_NATIVE, CALL_NUMBERS));
    assert_null(calls_find(CALL_ARCHITECTURES, SYS_read));
}

static void random_sets(void **state)
{
    static const int percents[] = {0, 1, 10, 30, 50, 100};
    (void)state;
    srand(1);
    for (unsigned index = 0; index < sizeof(percents) / sizeof(percents[0]); index++) {
        for (unsigned number = 0; number < CALL_NUMBERS; number++)
            for (unsigned which = 0; which < CALL_ARCHITECTURES; which++)
                chosen[which][number] = number < 470 && rand() % 100 < percents[index];
        check_all(is_chosen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handled_calls),
        cmocka_unit_test(random_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
