/* SPDX-License-Identifier: MIT */
/*
 * Random programs of services, performed by the library and by the reference model, compared step
 * by step.
 *
 *   model-test                        a few hundred programs, or XMEM_TEST_SECONDS of them
 *   model-test --seed N [--steps M]   one program
 *   model-test --programs P           that many, from --seed on
 *   model-test --counts               says how often each operation was called, and went well
 *   model-test --self-test            shows that a wrong result would be found
 *
 * Programs run in child processes, several in a row in each, so that a crash or a hang is a finding
 * like any other and what one program leaves behind meets the next.  A program that fails is made
 * smaller by leaving out steps as long as it still fails, and printed from its start.
 */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_MOST 4096u
#define PROGRAMS_A_CHILD 8u
#define SECONDS_A_CHILD 40u
#define SECONDS_A_PROGRAM 5u /* while a program is made smaller */
#define SHRINK_RUNS 600u
#define SHRINK_SECONDS 60.0
#define SECONDS_BY_DEFAULT 20.0 /* slow builds perform fewer programs */

/* Shared with the child: how far it has come, and what it found. */
struct report {
    uint64_t seed;
    unsigned steps; /* recorded so far; the last one may be the culprit */
    bool failed;
    unsigned long performed;
    unsigned long called[OP_COUNT];
    unsigned long succeeded[OP_COUNT];
    char words[512];
    struct step program[STEPS_MOST];
};

static struct report *report;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- in the child ---- */

static void note_failure(const struct world *world)
{
    report->failed = true;
    memcpy(report->words, world->words, sizeof(report->words));
}

/* Makes the program as it goes. */
static bool run_seed(uint64_t seed, unsigned steps, int lie_at)
{
    struct world world;
    struct numbers numbers = {seed};
    report->seed = seed;
    report->steps = 0;
    bool good = world_open(&world);
    world.lie_at = lie_at;
    while (good && report->steps < steps) {
        struct step step = step_generate(&numbers, world.model);
        report->program[report->steps++] = step;
        good = world_step(&world, &step);
        report->performed++;
    }
    for (unsigned operation = 0; operation < OP_COUNT; operation++) {
        report->called[operation] += world.called[operation];
        report->succeeded[operation] += world.succeeded[operation];
    }
    good = good && world_close(&world);
    if (!good)
        note_failure(&world);
    return good;
}

static bool run_program(const struct step *program, unsigned steps, int lie_at)
{
    struct world world;
    bool good = world_open(&world);
    world.lie_at = lie_at;
    for (unsigned at = 0; good && at < steps; at++) {
        report->steps = at + 1;
        good = world_step(&world, &program[at]);
    }
    good = good && world_close(&world);
    if (!good)
        note_failure(&world);
    return good;
}

/* ---- children ---- */

struct job {
    uint64_t first_seed;
    unsigned programs;
    unsigned steps;
    const struct step *program; /* instead of seeds */
    int lie_at;
};

/* Ends a child.  Nothing of the parent's is to be flushed or run, except, where coverage is
 * counted, what writes it down. */
static void end_child(int status) __attribute__((noreturn));

static void end_child(int status)
{
#ifdef XMEM_COVERAGE
    exit(status);
#else
    _exit(status);
#endif
}

static void child(const struct job *job)
{
    alarm(job->program ? SECONDS_A_PROGRAM : SECONDS_A_CHILD);
    bool good = true;
    if (job->program)
        good = run_program(job->program, job->steps, job->lie_at);
    for (unsigned at = 0; !job->program && good && at < job->programs; at++)
        good = run_seed(job->first_seed + at, job->steps, job->lie_at);
    fflush(stdout);
    end_child(good ? 0 : 1);
}

/* Runs the job in a child.  True: all went well; otherwise report->words says what did not. */
static bool run_job(const struct job *job)
{
    report->failed = false;
    report->words[0] = 0;
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(99);
    }
    if (pid == 0)
        child(job);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        snprintf(report->words, sizeof(report->words), "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (!report->failed)
        snprintf(report->words, sizeof(report->words), "exited with status %d",
                 WEXITSTATUS(status));
    return false;
}

/* ---- making a failing program smaller ---- */

static unsigned shrink_runs;
static double shrink_end;

static bool still_fails(const struct step *program, unsigned steps, int lie_at)
{
    struct job job = {.program = program, .steps = steps, .lie_at = lie_at};
    return shrink_runs++ < SHRINK_RUNS && seconds_now() < shrink_end && !run_job(&job);
}

/* Leaves out `width` steps at a time wherever the program fails without them. */
static unsigned leave_out(struct step *program, unsigned steps, unsigned width, int lie_at)
{
    struct step *without = malloc(steps * sizeof(*without));
    for (unsigned at = 0; without && at < steps;) {
        unsigned gone = width < steps - at ? width : steps - at;
        memcpy(without, program, at * sizeof(*without));
        memcpy(without + at, program + at + gone, (steps - at - gone) * sizeof(*without));
        if (!still_fails(without, steps - gone, lie_at)) {
            at += width;
            continue;
        }
        steps -= gone;
        memcpy(program, without, steps * sizeof(*without));
    }
    free(without);
    return steps;
}

static unsigned shrink(struct step *program, unsigned steps, int lie_at)
{
    for (unsigned width = steps / 2 ? steps / 2 : 1; width; width /= 2)
        steps = leave_out(program, steps, width, lie_at);
    return leave_out(program, steps, 1, lie_at);
}

static void print_program(const struct step *program, unsigned steps)
{
    for (unsigned at = 0; at < steps; at++)
        step_print(&program[at], at + 1);
}

static void explain(unsigned steps, int lie_at)
{
    uint64_t seed = report->seed;
    unsigned reached = report->steps;
    struct step *program = malloc((reached + 1) * sizeof(*program));
    if (!program)
        exit(99);
    memcpy(program, report->program, reached * sizeof(*program));
    printf("FAIL: seed %llu, after %u steps: %s\n  again: model-test --seed %llu --steps %u\n",
           (unsigned long long)seed, reached, report->words, (unsigned long long)seed, steps);
    fflush(stdout);
    shrink_runs = 0;
    shrink_end = seconds_now() + SHRINK_SECONDS;
    if (!still_fails(program, reached, lie_at)) {
        printf("It fails only after the programs before it; all of its steps:\n");
        print_program(program, reached);
        free(program);
        return;
    }
    unsigned fewer = shrink(program, reached, lie_at);
    shrink_runs = 0;
    shrink_end = seconds_now() + SHRINK_SECONDS;
    if (still_fails(program, fewer, lie_at))
        printf("Smaller, %u steps (%s):\n", fewer, report->words);
    print_program(program, fewer);
    free(program);
}

/* ---- the program ---- */

struct options {
    uint64_t seed;
    unsigned steps;
    unsigned programs;
    bool self_test;
    bool counts;
    double seconds;
    bool to_the_end; /* so many programs, however long it takes */
};

static unsigned long number_of(const char *words)
{
    char *end;
    unsigned long number = strtoul(words, &end, 0);
    if (*words == 0 || *end != 0) {
        fprintf(stderr, "not a number: %s\n", words);
        exit(2);
    }
    return number;
}

static struct options options_of(int count, char **words)
{
    struct options options = {.seed = 1, .steps = 60, .programs = 320};
    const char *seconds = getenv("XMEM_TEST_SECONDS");
    if (seconds)
        options.seconds = strtod(seconds, NULL);
    for (int at = 1; at < count; at++) {
        if (strcmp(words[at], "--self-test") == 0) {
            options.self_test = true;
        } else if (strcmp(words[at], "--counts") == 0) {
            options.counts = true;
        } else if (strcmp(words[at], "--seed") == 0 && at + 1 < count) {
            options.seed = number_of(words[++at]);
            if (!options.to_the_end)
                options.programs = 1;
            options.to_the_end = true;
        } else if (strcmp(words[at], "--steps") == 0 && at + 1 < count) {
            options.steps = (unsigned)number_of(words[++at]);
        } else if (strcmp(words[at], "--programs") == 0 && at + 1 < count) {
            options.programs = (unsigned)number_of(words[++at]);
            options.to_the_end = true;
        } else {
            fprintf(stderr,
                    "usage: %s [--seed N] [--steps M] [--programs P] [--counts] [--self-test]\n",
                    words[0]);
            exit(2);
        }
    }
    if (options.steps > STEPS_MOST)
        options.steps = STEPS_MOST;
    return options;
}

/* The library's results are changed here and there; each change must be found. */
static int self_test(const struct options *options)
{
    unsigned lies = 0;
    for (int lie_at = 3; lie_at < 40; lie_at += 4) {
        struct job job = {options->seed, 8, options->steps, NULL, lie_at};
        if (!run_job(&job))
            lies++;
    }
    printf("%u of 10 wrong results were found\n", lies);
    return lies == 10 ? 0 : 1;
}

static bool more(const struct options *options, unsigned done, double seconds)
{
    if (done < options->programs && (options->to_the_end || seconds < SECONDS_BY_DEFAULT))
        return true;
    return options->programs > 1 && seconds < options->seconds;
}

static int run_all(const struct options *options)
{
    double start = seconds_now();
    uint64_t seed = options->seed;
    unsigned done = 0;
    while (more(options, done, seconds_now() - start)) {
        unsigned some = options->programs == 1 ? 1 : PROGRAMS_A_CHILD;
        struct job job = {seed, some, options->steps, NULL, -1};
        if (!run_job(&job)) {
            explain(options->steps, -1);
            return 1;
        }
        seed += some;
        done += some;
    }
    printf("seeds %llu to %llu: %u programs of %u steps, %lu steps, %.1f s\n",
           (unsigned long long)options->seed, (unsigned long long)seed - 1, done, options->steps,
           report->performed, seconds_now() - start);
    return 0;
}

static void print_counts(void)
{
    for (unsigned operation = 0; operation < OP_COUNT; operation++)
        printf("%-18s %8lu calls, %8lu went well\n", operation_name((enum operation)operation),
               report->called[operation], report->succeeded[operation]);
}

int main(int count, char **words)
{
    struct options options = options_of(count, words);
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        perror("mmap");
        return 99;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int status = options.self_test ? self_test(&options) : run_all(&options);
    if (options.counts)
        print_counts();
    return status;
}
