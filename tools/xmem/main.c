/* SPDX-License-Identifier: MIT */
/*
 * xmem: the command.  It finds the subcommand.
 */
#include "tool.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: xmem run --extension FILE [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "       xmem check\n"
    "       xmem --help | --version\n"
    "\n"
    "  run        run a program with the devices of kernel extensions (xmem run --help)\n"
    "  check      tell whether programs can be run so on this machine\n"
    "  --help     print this\n"
    "  --version  print the version\n"
    "\n"
    "Manual pages: xmem(1), xmem-run(1); xmem(7) for the libraries.\n";

static const char *command = "";

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "xmem %s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* Where a standard descriptor is closed, one of our own would become what drivers and we print to.
 * The program finds it closed all the same. */
static void occupy_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int print(const char *text)
{
    fputs(text, stdout);
    return fflush(stdout) == 0 ? 0 : EXIT_OWN_FAILURE;
}

int main(int count, char **arguments)
{
    occupy_standard_descriptors();
    if (count < 2) {
        fputs(usage, stderr);
        return EXIT_OWN_FAILURE;
    }
    command = arguments[1];
    if (strcmp(command, "run") == 0)
        return run(count - 1, arguments + 1);
    if (strcmp(command, "check") == 0)
        return check(count - 1, arguments + 1);
    if (strcmp(command, "--help") == 0)
        return print(usage);
    if (strcmp(command, "--version") == 0)
        return print("xmem " XMEM_VERSION "\n");
    fprintf(stderr, "xmem: there is no command '%s'\n%s", command, usage);
    return EXIT_OWN_FAILURE;
}
