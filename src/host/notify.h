/* SPDX-License-Identifier: MIT */
/*
 * The listener of a seccomp filter: notifications of calls that programs under the filter made, and
 * the answers to them.
 */
#ifndef XMEM_HOST_NOTIFY_H
#define XMEM_HOST_NOTIFY_H

#include "host/platform.h"

#include <sys/types.h>

/* A call as it was made. */
struct host_notification {
    uint64_t id;
    pid_t thread;
    uint32_t architecture; /* AUDIT_ARCH_* */
    int number;
    uint64_t arguments[6];
};

/* How large the Linux kernel's structures are: asked once, before the first receive.  0 or
 * errno. */
int host_notify_prepare(void);

/* Waits for a call.  0; ENOENT: its caller was killed meanwhile, or nobody is left under the
 * filter; EINTR: a signal, such as a kick (workers.h); other errno values. */
int host_notify_receive(int listener, struct host_notification *notification);

/* Whether nobody is left under the filter. */
bool host_notify_ended(int listener);

/* 0; ENOENT: the caller is gone.  error: a positive errno value, or 0 for the value. */
int host_notify_answer(int listener, uint64_t id, int64_t value, int error);
/* Lets Linux execute the call. */
int host_notify_continue(int listener, uint64_t id);
/* Whether the caller still waits for the answer. */
bool host_notify_valid(int listener, uint64_t id);

/* Puts a copy of fd into the caller, which waits on.  *number: what it is there.  0; EMFILE;
 * ENOENT; ... */
int host_notify_add_fd(int listener, uint64_t id, int fd, bool close_on_exec, int *number);
/* Puts it in the place of the caller's descriptor `number`. */
int host_notify_replace_fd(int listener, uint64_t id, int fd, int number, bool close_on_exec);

/* Wakes receivers and callers on the processor of the other, where Linux can. */
void host_notify_same_processor(int listener);

#endif
