/* SPDX-License-Identifier: MIT */
/*
 * Running scenarios under faults; fault_run.h says how.
 */
#include "fault_run.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSITIONS_MOST 2000u
#define SPARSE_FROM 16u
#define SPARSE_STEP 6u
#define SECONDS_A_RUN 60u
#define ALLOCATIONS_KEPT 2 /* of the calling thread, which lives on */
#define BYSTANDER_PAGES 3u
#define BYSTANDER_ADDRESS (5 * REGION - PAGE)

/* Shared with the child. */
struct report {
    unsigned long hits;
    const char *first; /* a string of the program: at the same address in the child */
    long allocations;
    bool finished;
    char words[400];
};
static struct report *report;

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

void fail_run(const char *format, ...)
{
    va_list arguments;
    faults_disarm();
    va_start(arguments, format);
    vsnprintf(report->words, sizeof(report->words), format, arguments);
    va_end(arguments);
    end_child(1);
}

void must(int error, const char *what, int line)
{
    if (error)
        fail_run("line %d: without a fault, %s returned %d: %s", line, what, error,
                 xmem_last_failure()->words);
}

bool allow(int error, const char *what, const int *errors)
{
    if (error == 0)
        return true;
    const struct xmem_failure *failure = xmem_last_failure();
    /* A thread that could not be registered has no record of its own, and is told so. */
    bool no_record = failure->failure_class == XMEM_FAILURE_ENVIRONMENT && failure->error == EPERM;
    if (failure->error != error && !no_record)
        fail_run("%s returned %d, but the last failure is %d: %s", what, error, failure->error,
                 failure->words);
    for (; *errors; errors++)
        if (*errors == error)
            return false;
    fail_run("%s returned %d (%s), which is not documented: %s", what, error, strerror(error),
             failure->words);
}

void fill_pattern(unsigned char *bytes, size_t n, unsigned seed)
{
    for (size_t at = 0; at < n; at++)
        bytes[at] = (unsigned char)(1 + (at + seed * 17 + at / PAGE) % 251);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return -1;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* ---- the bystander: a process that has no part in what happens ---- */

static void bystander_open(struct stage *stage)
{
    unsigned char bytes[BYSTANDER_PAGES * PAGE];
    fill_pattern(bytes, sizeof(bytes), 99);
    MUST(xmem_process_create(64, &stage->bystander));
    MUST(xmem_process_map(stage->bystander, BYSTANDER_ADDRESS, sizeof(bytes),
                          PROT_READ | PROT_WRITE));
    MUST(xmem_copy_out(stage->bystander, bytes, BYSTANDER_ADDRESS, sizeof(bytes), NULL));
    MUST(xmem_attach(stage->bystander, BYSTANDER_ADDRESS + 1, sizeof(bytes) - 1,
                     &stage->bystander_descriptor));
}

static void bystander_close(struct stage *stage)
{
    unsigned char bytes[BYSTANDER_PAGES * PAGE];
    unsigned char wanted[BYSTANDER_PAGES * PAGE];
    fill_pattern(wanted, sizeof(wanted), 99);
    MUST(xmem_copy_in(stage->bystander, BYSTANDER_ADDRESS, bytes, sizeof(bytes), NULL));
    EXPECT(memcmp(bytes, wanted, sizeof(bytes)) == 0);
    memset(bytes, 0, sizeof(bytes));
    MUST(xmem_move_in(&stage->bystander_descriptor, BYSTANDER_ADDRESS + 1, bytes + 1,
                      sizeof(bytes) - 1, NULL));
    EXPECT(memcmp(bytes + 1, wanted + 1, sizeof(bytes) - 1) == 0);
    MUST(xmem_detach(&stage->bystander_descriptor));
    MUST(xmem_process_close(stage->bystander));
}

/* ---- one run ---- */

static void quiet(const char *words)
{
    (void)words;
}

static void expect_nothing_left(void)
{
    struct xmem_statistics left = {.size = sizeof(left)};
    MUST(xmem_get_statistics(&left));
    EXPECT(left.processes == 0);
    EXPECT(left.descriptors == 0);
    EXPECT(left.mapped_in == 0);
    EXPECT(left.holds == 0);
    EXPECT(left.segments == 0);
    EXPECT(left.mapped_bytes == 0);
}

static void start(struct stage *stage)
{
    struct xmem_config config = {.size = sizeof(config), .message = quiet};
    MUST(xmem_start(&config));
    bystander_open(stage);
}

static void stop(struct stage *stage)
{
    bystander_close(stage);
    expect_nothing_left();
    MUST(xmem_stop());
}

static void child(const struct scenario *scenario, const char *call, unsigned long n,
                  enum fault_mode mode)
{
    static struct stage stage;
    alarm(SECONDS_A_RUN);
    int descriptors = open_descriptors();
    stage.file = -1;
    if (!(scenario->flags & SCENARIO_BARE))
        start(&stage);
    if (scenario->prepare)
        scenario->prepare(&stage);
    faults_arm(call, n, mode);
    faults_tell(&report->first);
    scenario->body(&stage);
    faults_disarm();
    report->hits = faults_hit();
    if (scenario->cleanup)
        scenario->cleanup(&stage);
    if (!(scenario->flags & SCENARIO_BARE))
        stop(&stage);
    EXPECT(open_descriptors() == descriptors);
    report->allocations = faults_allocations();
    report->finished = true;
    end_child(0);
}

static bool run_child(const struct scenario *scenario, const char *call, unsigned long n,
                      enum fault_mode mode)
{
    memset(report, 0, sizeof(*report));
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(99);
    }
    if (pid == 0)
        child(scenario, call, n, mode);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        snprintf(report->words, sizeof(report->words), "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && report->finished;
}

static int complain(const struct scenario *scenario, const char *call, unsigned long n,
                    enum fault_mode mode, const char *words)
{
    printf("FAIL: %s: %s number %lu failed%s (the first to fail: %s): %s\n", scenario->name,
           call ? call : "host call", n, mode == FAULT_ONCE ? "" : " and all after it",
           report->first ? report->first : "?", words);
    return 1;
}

/* Whether this one is left out.  Other runs of the test take others. */
static bool skips(const struct scenario *scenario, unsigned long n)
{
    if (!(scenario->flags & SCENARIO_SPARSE) || n < SPARSE_FROM || getenv("XMEM_TEST_ROUNDS"))
        return false;
    return (n + (unsigned long)getpid()) % SPARSE_STEP != 0;
}

/* All positions of one call, or of any.  What a run without faults leaves is the measure. */
static int run_positions(const struct scenario *scenario, const char *call, enum fault_mode mode,
                         const struct report *clean, unsigned long *runs)
{
    for (unsigned long n = 1; n < POSITIONS_MOST; n++) {
        if (skips(scenario, n))
            continue;
        bool good = run_child(scenario, call, n, mode);
        ++*runs;
        if (!good)
            return complain(scenario, call, n, mode, report->words);
        if (report->allocations > clean->allocations)
            return complain(scenario, call, n, mode, "memory was not freed");
        if (report->hits == 0)
            return 0;
    }
    return complain(scenario, call, POSITIONS_MOST, mode, "the positions have no end");
}

int faults_run(const struct scenario *scenario)
{
    if (!report)
        report =
            mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        perror("mmap");
        return 99;
    }
    if (!run_child(scenario, NULL, 0, FAULT_ONCE)) {
        printf("FAIL: %s, without a fault: %s\n", scenario->name, report->words);
        return 1;
    }
    struct report clean = *report;
    if (clean.allocations > ALLOCATIONS_KEPT) {
        printf("FAIL: %s, without a fault: %ld allocations are left\n", scenario->name,
               clean.allocations);
        return 1;
    }
    unsigned long runs = 1;
    int failed = run_positions(scenario, NULL, FAULT_ONCE, &clean, &runs);
    failed |= run_positions(scenario, NULL, FAULT_FROM_THEN_ON, &clean, &runs);
    /* One kind of call failing for good while all others work: what undoes things works, too, or
     * is the very thing that does not. */
    for (unsigned index = 0; faults_call(index); index++)
        failed |= run_positions(scenario, faults_call(index), FAULT_FROM_THEN_ON, &clean, &runs);
    printf("%s: %lu runs%s\n", scenario->name, runs, failed ? ", some failed" : "");
    return failed;
}
