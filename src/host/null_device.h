/* SPDX-License-Identifier: MIT */
/*
 * Open files of the null device, and the marks by which they are told apart: a lock of one byte
 * that belongs to the open file (not to a descriptor or a process), and goes with it.
 *
 * Functions that return int return 0 or errno.
 */
#ifndef XMEM_HOST_NULL_DEVICE_H
#define XMEM_HOST_NULL_DEVICE_H

#include "host/platform.h"

#include <sys/types.h>

/* A fresh open, close-on-exec.  flags: access mode, O_APPEND, O_NONBLOCK. */
int host_null_open(int flags, int *fd);
/* Whether the descriptor is one of the null device. */
bool host_null_is(int fd);

/* Marks the open file.  writer: it may be written to; else it may be read. */
int host_mark_set(int fd, bool writer, uint64_t place);
/* Whether an open file other than fd's has the mark. */
bool host_mark_exists(int fd, uint64_t place);
/* Whether an open file other than fd's surely has it. */
bool host_mark_is_elsewhere(int fd, uint64_t place);
/* O_RDONLY, O_WRONLY or O_RDWR, of any open file; -1: no descriptor. */
int host_access_mode(int fd);
/* The mark of the open file behind a descriptor of ours, or of a thread's.  ENOENT: none. */
int host_mark_of(int fd, uint64_t *place);
int host_mark_of_thread(pid_t thread, int number, uint64_t *place);

#endif
