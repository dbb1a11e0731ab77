/* SPDX-License-Identifier: MIT */
/*
 * A handler of seccomp notifications that does nothing but what no handler can do without: it
 * receives the notification, moves the bytes with process_vm, and answers.  It trusts everybody,
 * and knows the device by its number.
 */
#ifndef BENCH_BARE_NOTIFICATION_H
#define BENCH_BARE_NOTIFICATION_H

/*
 * Runs the program and serves its preads and pwrites of HELPER_FILE, and its writes to HELPER_NULL,
 * which Linux then executes; returns, if at all, when it cannot, and ends this process with the
 * program.
 */
void bare_notification_serve(char *const words[]);

#endif
