/* SPDX-License-Identifier: MIT */
/*
 * xmem run: starts the extensions, runs the program, stops the extensions, and ends as the program
 * ended.
 */
#include "options.h"
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <xmem/devices.h>

/* Returns how many of them have started. */
static size_t start_extensions(const struct run_options *options)
{
    size_t started = 0;
    while (started < options->count && extension_start(&options->extensions[started]))
        started++;
    return started;
}

/* Whoever started xmem is to see how the program ended, signals included, as with timeout(1) and
 * sudo(8); without a second core file. */
static int end_as(int status)
{
    const struct rlimit no_core = {0, 0};
    sigset_t only;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int number = WTERMSIG(status);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
    return 128 + number;
}

static int run_program(char **words)
{
    struct xmem_program program = {.size = sizeof program, .path = words[0], .arguments = words};
    int status;
    int error = xmem_run(&program, &status);
    return error ? W_EXITCODE(program_failure(words[0], error), 0) : status;
}

static int run_with(const struct run_options *options)
{
    int status = W_EXITCODE(EXIT_OWN_FAILURE, 0);
    int error = xmem_start(NULL);
    if (error) {
        complain_of_start(error);
        return status;
    }
    size_t started = start_extensions(options);
    if (started == options->count)
        status = run_program(options->program);
    while (started > 0)
        extension_stop(&options->extensions[--started]);
    (void)xmem_stop(); /* EBUSY: a driver keeps something; it ends with this program */
    return status;
}

static int print_usage(void)
{
    bool printed = fputs(run_usage, stdout) >= 0 && fflush(stdout) == 0;
    return printed ? 0 : W_EXITCODE(EXIT_OWN_FAILURE, 0);
}

int run(int count, char **arguments)
{
    struct run_options options;
    int status = W_EXITCODE(EXIT_OWN_FAILURE, 0);
    if (options_parse(&options, count, arguments))
        status = options.help ? print_usage() : run_with(&options);
    options_free(&options);
    return end_as(status);
}
