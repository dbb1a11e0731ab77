/* SPDX-License-Identifier: MIT */
/*
 * The core of trapped programs: opening, closing, transferring, identity of descriptors, signals
 * and deaths.  Each case runs the program of core_program.h; what it sees it checks itself.
 */
#include "core_devices.h"

#include "../support/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A case that is nothing but a run of the program. */
#define PROGRAM(name)                                                                              \
    static void run_##name(enum kind kind)                                                         \
    {                                                                                              \
        (void)kind;                                                                                \
        core_devices_add();                                                                        \
        core_run_well(#name, NULL, NULL);                                                          \
        core_devices_remove();                                                                     \
    }

PROGRAM(open)
PROGRAM(open_errors)
PROGRAM(permission)
PROGRAM(plain)
PROGRAM(vectors)
PROGRAM(positions)
PROGRAM(access)
PROGRAM(bad_pointers)
PROGRAM(errors)
PROGRAM(duplicates)
PROGRAM(replaced)
PROGRAM(ranges)
PROGRAM(close_error)
PROGRAM(inherited)
PROGRAM(executed)
PROGRAM(passed)
PROGRAM(shared_by_threads)
PROGRAM(own_tables)
PROGRAM(exclusive)
PROGRAM(reopened)
PROGRAM(not_ours)
PROGRAM(interrupted)
PROGRAM(restarted)
PROGRAM(ignored)
PROGRAM(stopped)
PROGRAM(other_thread)
PROGRAM(both_waiting)
PROGRAM(group_stop)
PROGRAM(fatal)
PROGRAM(never_twice)
PROGRAM(slow_driver)
PROGRAM(thread_storm)
PROGRAM(fork_storm)
PROGRAM(kill_blocked)

/* ---------------------------------------------------------------- running -------------- */

static int try_to_run(const char *path, int *status)
{
    const char *arguments[] = {path, NULL};
    struct xmem_program program = {
        .size = sizeof(program), .path = path, .arguments = (char *const *)(uintptr_t)arguments};
    return xmem_run(&program, status);
}

static void results(enum kind kind)
{
    int status = -1;
    (void)kind;
    must(try_to_run("true", &status));
    assert_int_equal(status, 0);
    must(try_to_run("false", &status));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    core_devices_add();
    status = core_run("raise", "9", NULL);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    status = core_run("raise", "15", NULL);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    core_devices_remove();
}

static void cannot_start(enum kind kind)
{
    int status;
    char path[] = "/tmp/xmem-test-XXXXXX";
    struct xmem_program program = {.size = sizeof(program) + 1, .path = "true"};
    (void)kind;
    must_fail(try_to_run("/no/such/program", &status), ENOENT);
    must_fail(try_to_run("no-such-program-anywhere", &status), ENOENT);
    must_fail(try_to_run("/", &status), EACCES);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && fchmod(fd, 0600) == 0);
    close(fd);
    must_fail(try_to_run(path, &status), EACCES);
    unlink(path);
    must_fail(xmem_run(&program, &status), EINVAL);
    program.size--;
    must_fail(xmem_run(&program, &status), EINVAL);
    must_fail(xmem_run(NULL, &status), EINVAL);
}

static void not_started(enum kind kind)
{
    int status;
    (void)kind;
    must(xmem_start(NULL));
    must(xmem_stop());
    must_fail(try_to_run("true", &status), EPERM);
    struct xmem_device_operations operations = {.size = sizeof(operations)};
    struct xmem_device device = {
        .size = sizeof(device), .path = "/dev/x", .mode = S_IFCHR, .operations = &operations};
    must_fail(xmem_device_add(&device), EPERM);
}

/* Whoever is left keeps the run going, with a device or without. */
static void left_behind(enum kind kind)
{
    (void)kind;
    core_devices_add();
    double begin = seconds_now();
    core_run_well("left_behind", "1", NULL);
    double middle = seconds_now();
    assert_true(middle - begin > 0.6);
    assert_int_equal(core_counts[CORE_DISK].closes, 1);
    core_run_well("left_behind", "0", NULL);
    assert_true(seconds_now() - middle > 0.6);
    core_devices_remove();
}

/* More than are asked for one by one before each open. */
static void many_opens(enum kind kind)
{
    (void)kind;
    core_devices_add();
    core_run_well("many_opens", "300", NULL);
    core_run_well("many_opens", "300", NULL);
    assert_int_equal(core_counts[CORE_DISK].opens, 600);
    assert_int_equal(core_counts[CORE_DISK].closes, 600);
    core_devices_remove();
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Nothing is left of a run: no descriptor, no thread, no child. */
static void run_again(enum kind kind)
{
    (void)kind;
    core_devices_add();
    core_run_well("access", NULL, NULL);
    unsigned descriptors = entries("/proc/self/fd");
    unsigned threads = entries("/proc/self/task");
    for (unsigned round = 0; round < 30; round++)
        core_run_well(round % 10 ? "access" : "kill_blocked", NULL, NULL);
    assert_int_equal(entries("/proc/self/fd"), descriptors);
    assert_int_equal(entries("/proc/self/task"), threads);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    core_devices_remove();
}

static void *run_beside(void *argument)
{
    int status;
    (void)argument;
    usleep(200000);
    must_fail(try_to_run("true", &status), EBUSY);
    return NULL;
}

static void one_at_a_time(enum kind kind)
{
    pthread_t thread;
    (void)kind;
    core_devices_add();
    assert_int_equal(pthread_create(&thread, NULL, run_beside, NULL), 0);
    core_run_well("left_behind", "1", NULL);
    pthread_join(thread, NULL);
    core_devices_remove();
}

/* A device that a program has open cannot be removed; one that is free can, and is gone then. */
static void *remove_beside(void *argument)
{
    (void)argument;
    usleep(300000);
    must_fail(xmem_device_remove(DISK), EBUSY);
    must(xmem_device_remove(STREAM));
    return NULL;
}

static void remove_while_running(enum kind kind)
{
    pthread_t thread;
    (void)kind;
    core_devices_add();
    assert_int_equal(pthread_create(&thread, NULL, remove_beside, NULL), 0);
    core_run_well("removed", NULL, NULL);
    pthread_join(thread, NULL);
    core_devices_remove_but(CORE_STREAM);
}

/* ---------------------------------------------------------------- devices -------------- */

static void add_and_remove(enum kind kind)
{
    struct xmem_device_operations operations = {.size = sizeof(operations)};
    struct xmem_device device = {.size = sizeof(device),
                                 .path = "/dev/xmem-test/one",
                                 .mode = S_IFCHR | 0666,
                                 .operations = &operations};
    (void)kind;
    must(xmem_device_add(&device));
    must_fail(xmem_device_add(&device), EEXIST);
    must(xmem_device_remove("/dev/xmem-test/one"));
    must_fail(xmem_device_remove("/dev/xmem-test/one"), ENOENT);
    must_fail(xmem_device_remove(NULL), EINVAL);
    must_fail(xmem_device_add(NULL), EINVAL);
    struct xmem_device wrong = device;
    wrong.size--;
    must_fail(xmem_device_add(&wrong), EINVAL);
    wrong = device;
    wrong.mode = S_IFREG | 0666;
    must_fail(xmem_device_add(&wrong), EINVAL);
    wrong = device;
    wrong.operations = NULL;
    must_fail(xmem_device_add(&wrong), EINVAL);
    static const char *const paths[] = {"dev/one", "", "/dev//one", "/dev/./one", "/dev/../one"};
    for (unsigned index = 0; index < 5; index++) {
        wrong = device;
        wrong.path = paths[index];
        must_fail(xmem_device_add(&wrong), EINVAL);
    }
}

/* ---------------------------------------------------------------- deaths --------------- */

static void kill_at_random(enum kind kind)
{
    const long most = 20000; /* some minutes */
    long asked = test_rounds(300);
    char rounds[32];
    char seed[32];
    (void)kind;
    snprintf(rounds, sizeof(rounds), "%ld", asked < most ? asked : most);
    snprintf(seed, sizeof(seed), "%ld", (long)getpid());
    print_message("seed %s\n", seed);
    core_devices_add();
    core_run_well("kill_at_random", rounds, seed);
    core_devices_remove();
}

static void await_number(const int *number)
{
    for (unsigned round = 0; round < 1000 && *(const volatile int *)number == 0; round++)
        usleep(10000);
    assert_int_not_equal(*(const volatile int *)number, 0);
}

/* The kernel program is killed while two programs wait in its driver: nobody is stuck. */
static void kernel_killed(enum kind kind)
{
    int memory = memfd_create("xmem-test", 0);
    (void)kind;
    assert_true(memory >= 0 && ftruncate(memory, 4096) == 0);
    struct shared_page *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t kernel = fork();
    if (kernel == 0) {
        dup2(memory, SHARED_FD);
        if (xmem_start(NULL) == 0)
            core_devices_add();
        core_run("linger", NULL, NULL);
        _exit(1);
    }
    await_number(&page->first);
    await_number(&page->second);
    usleep(100000);
    assert_int_equal(kill(kernel, SIGKILL), 0);
    assert_int_equal(waitpid(kernel, NULL, 0), kernel);
    while (waitpid(-1, NULL, 0) > 0) { /* the guard, or whom it left behind */
    }
    assert_int_equal(kill(page->first, 0), -1);
    assert_int_equal(kill(page->second, 0), -1);
}

/* What somebody sends to the kernel program alone reaches the program. */
static void passed_on(enum kind kind)
{
    static const int passed[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    (void)kind;
    for (unsigned index = 0; index < 4; index++) {
        int status = 0;
        pid_t kernel = fork();
        if (kernel == 0) {
            const char *arguments[] = {"sleep", "30", NULL};
            struct xmem_program program = {.size = sizeof(program),
                                           .path = "sleep",
                                           .arguments = (char *const *)(uintptr_t)arguments};
            if (xmem_start(NULL) || xmem_run(&program, &status) || xmem_stop())
                _exit(99);
            _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 98);
        }
        usleep(300000);
        assert_int_equal(kill(kernel, passed[index]), 0);
        assert_int_equal(waitpid(kernel, &status, 0), kernel);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), passed[index]);
    }
}

#define RUN(name)                                                                                  \
    {                                                                                              \
#name, run_##name, ONCE, 0                                                                 \
    }

int main(void)
{
    static const struct test_case cases[] = {
        RUN(open),
        RUN(open_errors),
        RUN(permission),
        RUN(plain),
        RUN(vectors),
        RUN(positions),
        RUN(access),
        RUN(bad_pointers),
        RUN(errors),
        RUN(duplicates),
        RUN(replaced),
        RUN(ranges),
        RUN(close_error),
        RUN(inherited),
        RUN(executed),
        RUN(passed),
        RUN(shared_by_threads),
        RUN(own_tables),
        RUN(exclusive),
        RUN(reopened),
        RUN(not_ours),
        RUN(interrupted),
        RUN(restarted),
        RUN(ignored),
        RUN(stopped),
        RUN(other_thread),
        RUN(both_waiting),
        RUN(group_stop),
        RUN(fatal),
        RUN(never_twice),
        RUN(slow_driver),
        RUN(thread_storm),
        RUN(fork_storm),
        RUN(kill_blocked),
        EACH(results, ONCE),
        EACH(cannot_start, ONCE),
        BARE(not_started),
        EACH(left_behind, ONCE),
        EACH(many_opens, ONCE),
        EACH(run_again, ONCE),
        EACH(one_at_a_time, ONCE),
        EACH(remove_while_running, ONCE),
        EACH(add_and_remove, ONCE),
        EACH(kill_at_random, ONCE),
        BARE(kernel_killed),
        BARE(passed_on),
    };
    const char *refused = core_refused();
    if (refused) {
        fprintf(stderr, "trapped programs cannot be run here: %s\n", refused);
        return EXIT_SKIPPED;
    }
    return RUN_CASES("core", cases);
}
