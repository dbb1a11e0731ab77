/* SPDX-License-Identifier: MIT */
/*
 * Open files of the full device, and the marks by which they are told apart: a lock of one byte
 * that belongs to the open file (not to a descriptor or a process), and goes with it.
 *
 * Functions that return int return 0 or errno.
 */
#ifndef XMEM_HOST_FULL_DEVICE_H
#define XMEM_HOST_FULL_DEVICE_H

#include "host/platform.h"

#include <sys/types.h>

/* A fresh open, close-on-exec.  flags: access mode, O_APPEND, O_NONBLOCK. */
int host_full_open(int flags, int *fd);
/* Whether the descriptor is one of the full device. */
bool host_full_is(int fd);

/* Marks the open file.  writer: it may be written to; else it may be read. */
int host_mark_set(int fd, bool writer, uint64_t place);
/* Whether an open file other than fd's has one of the marks from a place on. */
bool host_mark_exists(int fd, uint64_t place, uint64_t places);
/* The mark of the open file behind a descriptor of ours, or of a thread's.  ENOENT: none. */
int host_mark_of(int fd, uint64_t *place);
int host_mark_of_thread(pid_t thread, int number, uint64_t *place);

#endif
