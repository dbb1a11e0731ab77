/* SPDX-License-Identifier: MIT */
/* How a run ends that did not show what it should; see give_up.h. */
#include "give_up.h"
#include "serve.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <xmem/xmem.h>

void give_up(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "exchange: FAILED: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    server_remove_name();
    _exit(status);
}

static void watchdog(int signal)
{
    static const char words[] = "exchange: FAILED: something hangs\n";
    (void)signal;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0) {
        /* nobody can be told */
    }
    server_remove_name();
    _exit(1);
}

void watchdog_start(unsigned seconds)
{
    signal(SIGALRM, watchdog);
    alarm(seconds);
}

const char *why(void)
{
    return xmem_last_failure()->words;
}
