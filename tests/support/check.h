/* SPDX-License-Identifier: MIT */
/*
 * The frame of every test program: cases, each over some kinds of memory, each in a child process
 * of its own, so that a crash, a hang or a leak of one case is that case's failure alone.
 *
 * A case's body runs with xmem started (unless CASE_BARE) and must leave nothing behind: after it
 * all memories are closed and xmem_stop() must succeed, which counts what is left.
 *
 * Environment: XMEM_TEST_FILTER=words runs the cases whose names match (a cmocka pattern),
 * XMEM_TEST_NO_FORK=1 runs them in the program itself, for a debugger, XMEM_TEST_SECONDS and
 * XMEM_TEST_ROUNDS lengthen the stress tests.
 */
#ifndef XMEM_TEST_CHECK_H
#define XMEM_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kinds.h"
#include "statements.h"

enum case_flags { CASE_BARE = 1 /* the body starts and stops xmem itself */ };

struct test_case {
    const char *name;
    void (*body)(enum kind kind);
    unsigned kinds; /* ONCE, or KIND_BIT()s */
    unsigned flags;
};

#define EACH(body, kinds)                                                                          \
    {                                                                                              \
#body, body, kinds, 0                                                                      \
    }
#define BARE(body)                                                                                 \
    {                                                                                              \
#body, body, ONCE, CASE_BARE                                                               \
    }

int run_cases(const char *program, const struct test_case *cases, size_t count);
#define RUN_CASES(program, cases) run_cases(program, cases, sizeof(cases) / sizeof((cases)[0]))

/* Asserts that a native call succeeded; its words otherwise. */
#define must(call) must_return(call, 0, #call, __FILE__, __LINE__)
/* Asserts that it returned this errno value, and that the record of the failure agrees. */
#define must_fail(call, error) must_return(call, error, #call, __FILE__, __LINE__)
void must_return(int returned, int expected, const char *call, const char *file, int line);

/* Runs function(argument) in the interrupt environment.  Assertions inside would jump out of a
 * signal handler: store results and assert outside. */
void at_interrupt(void (*function)(void *), void *argument);

/* The thread sanitizer runs handlers with every signal blocked, so that a fault inside one ends the
 * program before anybody can recover from it; and it loses the mask to restore when one handler
 * interrupts another, so that no signal arrives any more. */
#ifdef __SANITIZE_THREAD__
#define HANDLERS_ARE_REAL 0
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define HANDLERS_ARE_REAL 0
#endif
#endif
#ifndef HANDLERS_ARE_REAL
#define HANDLERS_ARE_REAL 1
#endif
#define EXIT_SKIPPED 77

double seconds_now(void);
double test_seconds(double default_seconds); /* XMEM_TEST_SECONDS or the default */
long test_rounds(long default_rounds);       /* XMEM_TEST_ROUNDS or the default */

#endif
