/* SPDX-License-Identifier: MIT */
/*
 * Trapped programs on a terminal: what its keys do to one that waits in the driver, seen as a shell
 * sees it that started the kernel program as a job.
 */
#include "core_devices.h"

#include "../support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define KEY_INTERRUPT "\003"
#define KEY_QUIT "\034"
#define KEY_STOP "\032"

static int master;

/* What went wrong in the shell; its exit status. */
#define SHELL_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* A kernel program that runs the case: the signal that ended the program, or 0. */
static int be_kernel(const char *name)
{
    if (xmem_start(NULL) != 0)
        return 99;
    core_devices_add();
    int status = core_run(name, NULL, NULL);
    core_devices_remove();
    if (xmem_stop() != 0)
        return 98;
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) ? 97 : 0;
}

static pid_t start_job(const char *name)
{
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        usleep(100000); /* until the shell has put it into the foreground */
        signal(SIGTTOU, SIG_DFL);
        _exit(be_kernel(name));
    }
    setpgid(job, job);
    SHELL_CHECK(tcsetpgrp(STDIN_FILENO, job) == 0);
    return job;
}

static int shell_ends_with(const char *key)
{
    int status = 0;
    pid_t job = start_job("wait_token");
    usleep(500000);
    SHELL_CHECK(write(master, key, 1) == 1);
    SHELL_CHECK(waitpid(job, &status, WUNTRACED) == job);
    SHELL_CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int shell_interrupt(void)
{
    return shell_ends_with(KEY_INTERRUPT);
}

static int shell_quit(void)
{
    return shell_ends_with(KEY_QUIT);
}

/* Stopped and continued twice, and the program has its token in the end. */
static int shell_stop(void)
{
    int status = 0;
    pid_t job = start_job("wait_late_token");
    usleep(500000);
    for (unsigned round = 0; round < 2; round++) {
        SHELL_CHECK(write(master, KEY_STOP, 1) == 1);
        SHELL_CHECK(waitpid(job, &status, WUNTRACED) == job);
        SHELL_CHECK(WIFSTOPPED(status));
        usleep(100000);
        SHELL_CHECK(tcsetpgrp(STDIN_FILENO, job) == 0);
        SHELL_CHECK(kill(-job, SIGCONT) == 0);
        usleep(300000);
    }
    SHELL_CHECK(waitpid(job, &status, WUNTRACED) == job);
    SHELL_CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A program that takes the stop signal for itself goes on, and so does the kernel program. */
static int shell_stop_handled(void)
{
    int status = 0;
    pid_t job = start_job("handle_stop");
    usleep(500000);
    SHELL_CHECK(write(master, KEY_STOP, 1) == 1);
    SHELL_CHECK(waitpid(job, &status, WUNTRACED) == job);
    SHELL_CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Without a shell that could continue it, Linux stops no program by the key: nor does the kernel
 * program, which takes the signal, stop itself. */
static int shell_is_kernel(void)
{
    pid_t typist = fork();
    if (typist == 0) {
        usleep(700000);
        _exit(write(master, KEY_STOP, 1) != 1);
    }
    int result = be_kernel("wait_late_token");
    SHELL_CHECK(waitpid(typist, NULL, 0) == typist);
    return result;
}

static void as_shell(int (*body)(void))
{
    const char *name = ptsname(master);
    SHELL_CHECK(setsid() > 0);
    int slave = open(name, O_RDWR);
    SHELL_CHECK(slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
    SHELL_CHECK(dup2(slave, STDIN_FILENO) == STDIN_FILENO);
    signal(SIGTTOU, SIG_IGN);
    alarm(40);
    _exit(body());
}

static int with_terminal(int (*body)(void))
{
    int status = -1;
    master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    pid_t shell = fork();
    if (shell == 0)
        as_shell(body);
    assert_int_equal(waitpid(shell, &status, 0), shell);
    assert_true(WIFEXITED(status));
    close(master);
    return WEXITSTATUS(status);
}

static void interrupt_key(enum kind kind)
{
    (void)kind;
    assert_int_equal(with_terminal(shell_interrupt), SIGINT);
}

static void quit_key(enum kind kind)
{
    (void)kind;
    assert_int_equal(with_terminal(shell_quit), SIGQUIT);
}

static void stop_key(enum kind kind)
{
    (void)kind;
    assert_int_equal(with_terminal(shell_stop), 0);
}

static void stop_key_handled(enum kind kind)
{
    (void)kind;
    assert_int_equal(with_terminal(shell_stop_handled), 0);
}

static void stop_key_orphaned(enum kind kind)
{
    (void)kind;
    assert_int_equal(with_terminal(shell_is_kernel), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        BARE(interrupt_key),    BARE(quit_key),          BARE(stop_key),
        BARE(stop_key_handled), BARE(stop_key_orphaned),
    };
    const char *refused = core_refused();
    if (refused) {
        fprintf(stderr, "trapped programs cannot be run here: %s\n", refused);
        return EXIT_SKIPPED;
    }
    return RUN_CASES("terminal", cases);
}
