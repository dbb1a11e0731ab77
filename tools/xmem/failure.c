/* SPDX-License-Identifier: MIT */
/*
 * Whether programs can be run at all, and in words why one was not.
 */
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xmem/devices.h>

int program_failure(const char *program, int error)
{
    switch (error) {
    case ENOENT:
        complain("%s: not found%s", program, strchr(program, '/') ? "" : " in PATH");
        return EXIT_NOT_FOUND;
    case ENOSYS:
        complain(
            "%s was not started: system calls cannot be watched, which is how devices are "
            "served.  It takes Linux 6.1 with CONFIG_SECCOMP_FILTER, and a sandbox or container "
            "that allows seccomp(2) with SECCOMP_FILTER_FLAG_NEW_LISTENER (docker: "
            "--security-opt seccomp=unconfined)",
            program);
        return EXIT_OWN_FAILURE;
    case EBUSY:
    case EPERM:
    case ENOMEM:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        complain("%s was not started: %s", program,
                 xmem_last_failure()->words[0] ? xmem_last_failure()->words : strerror(error));
        return EXIT_OWN_FAILURE;
    default:
        complain("%s cannot be run: %s", program, strerror(error));
        return EXIT_NOT_RUNNABLE;
    }
}

void complain_of_start(int error)
{
    if (error == ENOMEM) /* there may be no room for words of xmem's own either */
        complain("xmem cannot start: no memory, address space, descriptor or thread is left "
                 "(ulimit -v, -n, -u)");
    else if (error == ENOSYS)
        complain("xmem cannot start: Linux offers no membarrier(2), or a sandbox forbids it");
    else
        complain("xmem cannot start: %s", xmem_last_failure()->words);
}

/* The least program shows it. */
static int run_true(void)
{
    static char name[] = "true";
    char *const words[] = {name, NULL};
    struct xmem_program program = {.size = sizeof program, .path = name, .arguments = words};
    int status = 0;
    int error = xmem_run(&program, &status);
    if (error) {
        int failure = program_failure(name, error);
        return error == ENOSYS || error == EBUSY ? EXIT_NOT_HERE : failure;
    }
    if (status == 0)
        return 0;
    complain("%s ended with the status %d, which it should not", name, status);
    return EXIT_OWN_FAILURE;
}

int check(int count, char **arguments)
{
    (void)arguments;
    if (count != 1) {
        complain("takes no arguments");
        return EXIT_OWN_FAILURE;
    }
    int error = xmem_start(NULL);
    if (error) {
        complain_of_start(error);
        return EXIT_OWN_FAILURE;
    }
    int status = run_true();
    if (xmem_stop() != 0)
        complain("xmem cannot stop: %s", xmem_last_failure()->words);
    if (status == 0)
        puts("programs can be run with devices of kernel extensions here");
    return status;
}
