/* SPDX-License-Identifier: MIT */
/* Runs the cases of a test program; see check.h. */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES_MAX 1024
#define CASE_LIMIT_SECONDS 50 /* beyond the default lengths a hang; longer runs add to it */

struct run {
    const struct test_case *test;
    enum kind kind;
    char name[96];
};

static const char *program_name;

void must_return(int returned, int expected, const char *call, const char *file, int line)
{
    if (returned == expected && (expected == 0 || xmem_last_failure()->error == expected))
        return;
    print_error("%s\n  returned %d (%s), expected %d (%s); the last failure is %d: %s\n", call,
                returned, strerror(returned), expected, strerror(expected),
                xmem_last_failure()->error, xmem_last_failure()->words);
    _fail(file, line);
}

void at_interrupt(void (*function)(void *), void *argument)
{
    must(xmem_interrupt(XMEM_INTCLASS1, function, argument));
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double test_seconds(double default_seconds)
{
    const char *words = getenv("XMEM_TEST_SECONDS");
    return words ? atof(words) : default_seconds;
}

long test_rounds(long default_rounds)
{
    const char *words = getenv("XMEM_TEST_ROUNDS");
    return words ? atol(words) : default_rounds;
}

/* ---------------------------------------------------------------- one case ------------- */

static void run_body(void **state)
{
    const struct run *run = *state;
    int bare = run->test->flags & CASE_BARE;
    statements_begin(program_name, run->test->name);
    if (!bare)
        must(xmem_start(NULL));
    run->test->body(run->kind);
    if (!bare) {
        memory_close_all();
        must(xmem_stop());
    }
    statements_passed();
}

/* The one cmocka test of the child process. */
static int run_child(struct run *run)
{
    struct CMUnitTest test = {run->name, run_body, NULL, NULL, run};
    unsigned limit = CASE_LIMIT_SECONDS;
    if (getenv("XMEM_TEST_SECONDS"))
        limit += 4 * (unsigned)atoi(getenv("XMEM_TEST_SECONDS"));
    if (getenv("XMEM_TEST_ROUNDS"))
        limit += 3600;
    if (getenv("XMEM_TEST_SLOW"))
        limit *= 10;
    alarm(limit);
    return _cmocka_run_group_tests(run->name, &test, 1, NULL, NULL);
}

static int quiet_child(struct run *run, FILE *report)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(report), STDOUT_FILENO);
        dup2(fileno(report), STDERR_FILENO);
        cmocka_set_test_filter(NULL);
        exit(run_child(run) != 0);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void show(FILE *report)
{
    char line[1024];
    rewind(report);
    while (fgets(line, sizeof line, report))
        print_error("    %s", line);
}

static void run_in_child(void **state)
{
    struct run *run = *state;
    FILE *report = tmpfile();
    assert_non_null(report);
    int status = quiet_child(run, report);
    if (status != 0) {
        show(report);
        if (WIFSIGNALED(status))
            print_error("%s: ended by signal %d (%s)\n", run->name, WTERMSIG(status),
                        strsignal(WTERMSIG(status)));
    }
    fclose(report);
    assert_int_equal(status, 0);
}

/* ---------------------------------------------------------------- all cases ------------ */

static size_t add_run(struct run *runs, size_t count, const struct test_case *test, enum kind kind)
{
    struct run *run = &runs[count];
    if (count == CASES_MAX) {
        fprintf(stderr, "%s: too many cases\n", program_name);
        exit(1);
    }
    run->test = test;
    run->kind = kind;
    snprintf(run->name, sizeof run->name, kind == KIND_NONE ? "%s%s" : "%s/%s", test->name,
             kind == KIND_NONE ? "" : kind_name(kind));
    return count + 1;
}

static size_t list_runs(struct run *runs, const struct test_case *cases, size_t count)
{
    size_t listed = 0;
    for (size_t index = 0; index < count; index++) {
        if (cases[index].kinds == ONCE)
            listed = add_run(runs, listed, &cases[index], KIND_NONE);
        for (enum kind kind = 0; kind < KIND_COUNT; kind++)
            if (cases[index].kinds & KIND_BIT(kind))
                listed = add_run(runs, listed, &cases[index], kind);
    }
    return listed;
}

/* Which looks for leaks at the end of each process, at length: there all cases share one. */
static int under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

int run_cases(const char *program, const struct test_case *cases, size_t count)
{
    static struct run runs[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX];
    int fork_each = getenv("XMEM_TEST_NO_FORK") == NULL && !under_valgrind();
    program_name = program;
    statements_start(program);
    size_t listed = list_runs(runs, cases, count);
    for (size_t index = 0; index < listed; index++)
        tests[index] = (struct CMUnitTest){runs[index].name, fork_each ? run_in_child : run_body,
                                           NULL, NULL, &runs[index]};
    if (getenv("XMEM_TEST_FILTER") && *getenv("XMEM_TEST_FILTER"))
        cmocka_set_test_filter(getenv("XMEM_TEST_FILTER"));
    return _cmocka_run_group_tests(program, tests, listed, NULL, NULL) != 0;
}
