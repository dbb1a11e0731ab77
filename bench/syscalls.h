/* SPDX-License-Identifier: MIT */
/*
 * Counts the system calls of a piece of code, by Linux's syscall user dispatch: each becomes a
 * SIGSYS, whose handler counts it and makes it.
 */
#ifndef BENCH_SYSCALLS_H
#define BENCH_SYSCALLS_H

/* How often one run (of one call) makes the system call of this number; -1: that cannot be told on
 * this machine. */
long count_syscalls(void (*run)(void *context, unsigned long count), void *context, long number);

#endif
