/* SPDX-License-Identifier: MIT */
/* What the parts of the tool share: how it ends, and how it complains. */
#ifndef XMEM_TOOL_H
#define XMEM_TOOL_H

/* Exit statuses of failures of its own, as env(1) has them.  All others are the program's. */
#define EXIT_OWN_FAILURE 125 /* usage, an extension, or what Linux does not allow */
#define EXIT_NOT_RUNNABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_HERE 1 /* of `check`: Linux does not allow it here */

/* Prints "xmem COMMAND: ..." and a newline to standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The subcommands; arguments[0] is the name.  They return an exit status. */
int run(int count, char **arguments);
int check(int count, char **arguments);

/* Says why xmem_start() failed. */
void complain_of_start(int error);

/* Says why xmem_run() of program failed, and what can be done.  Returns the exit status. */
int program_failure(const char *program, int error);

#endif
