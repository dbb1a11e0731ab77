/* SPDX-License-Identifier: MIT */
/*
 * Other Linux processes: opening them, moving their bytes, noticing that they are gone.
 *
 * Identity.  A pid names whatever runs under it now.  The descriptor on /proc/PID/mem is bound to
 * the address space that was there at the open: it reads 0 bytes once that is gone, by exit or by
 * exec.  It is the authority on whether a move touched the program that was opened.
 */
#ifndef XMEM_HOST_PROCESS_H
#define XMEM_HOST_PROCESS_H

#include "host/platform.h"

#include <sys/types.h>
#include <sys/uio.h>

struct host_process {
    pid_t pid;
    int pidfd;
    int memory; /* /proc/PID/mem */
    unsigned bits;
};

/* 0, or errno.  On failure nothing is held. */
int host_process_open(pid_t pid, struct host_process *process);
void host_process_close(struct host_process *process);

/* Whether the address space that was opened still exists. */
bool host_process_alive(const struct host_process *process);

enum host_transfer { HOST_FROM_PROCESS, HOST_TO_PROCESS };

/* One system call.  *done: bytes moved.  0; EFAULT: the next byte cannot be reached; ESRCH;
 * EPERM; ENOMEM.  At most 64 vectors on each side. */
int host_process_transfer(const struct host_process *process, enum host_transfer direction,
                          const struct iovec *own, size_t owns, const struct iovec *theirs,
                          size_t their_count, size_t *done);

/* Whether the process has anything mapped at the address, as /proc says: for messages only. */
bool host_process_page_mapped(pid_t pid, uint64_t address);

/* What a refused open means and what to change, in words. */
void host_process_explain(pid_t pid, int error, char *words, size_t size);

#endif
