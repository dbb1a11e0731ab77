/* SPDX-License-Identifier: MIT */
/*
 * The trapped side of the core's tests: its cases, and what they share.  Uses no part of xmem.
 */
#ifndef XMEM_TEST_TRAPPED_CORE_PROGRAM_H
#define XMEM_TEST_TRAPPED_CORE_PROGRAM_H

#include "core.h"
#include "other_program.h" /* CHECK, CHECK_RAW */

#include <sys/types.h>

extern char **core_arguments; /* after the case's name */

/* Asks DISK (REQUEST_*), on a descriptor of its own. */
int ask(unsigned request, int device);
/* Waits until it has been closed so often. */
void await_opens(enum core_device device, int count);
void await_closes(enum core_device device, int count);
int open_or_end(const char *path, int flags);
/* The child's exit status is asserted to be 0. */
void reap_well(pid_t child);
void sleep_milliseconds(unsigned milliseconds);
/* Puts tokens into QUEUE after so many milliseconds, from a child. */
pid_t tokens_later(unsigned milliseconds, unsigned count);
/* Executes this program for another case, the descriptor's number being its argument. */
void execute(const char *name, int fd) __attribute__((noreturn));

/* core_program.c */
void case_open(void);
void case_open_errors(void);
void case_permission_core(void);
void case_removed(void);
/* core_transfer_program.c */
void case_plain(void);
void case_vectors(void);
void case_positions(void);
void case_access(void);
void case_bad_pointers(void);
void case_errors(void);
/* core_identity_program.c */
void case_duplicates(void);
void case_replaced(void);
void case_ranges(void);
void case_close_error(void);
void case_inherited(void);
void case_executed(void);
void case_after_exec(void);
void case_after_close_on_exec(void);
void case_passed(void);
void case_shared_by_threads(void);
void case_own_tables(void);
void case_exclusive(void);
void case_reopened(void);
void case_not_ours(void);
/* core_signals_program.c */
void case_interrupted(void);
void case_restarted(void);
void case_ignored(void);
void case_stopped(void);
void case_other_thread(void);
void case_both_waiting(void);
void case_group_stop(void);
void case_fatal(void);
void case_never_twice(void);
void case_slow_driver(void);
void case_wait_token(void);
void case_wait_late_token(void);
void case_handle_stop(void);
/* core_storm_program.c */
void case_thread_storm(void);
void case_fork_storm(void);
void case_kill_blocked(void);
void case_kill_at_random(void);
void case_linger(void);
void case_raise(void);
void case_left_behind(void);
void case_many_opens(void);

#endif
