/* SPDX-License-Identifier: MIT */
/*
 * Starting a program under a seccomp filter, and being its parent: its end, its stops, signals that
 * are meant for it.
 *
 * Functions that return int return 0 or errno.
 */
#ifndef XMEM_HOST_PROGRAMS_H
#define XMEM_HOST_PROGRAMS_H

#include "host/guard.h"
#include "host/platform.h"

#include <sys/types.h>

struct sock_filter;
struct host_started;

struct host_program {
    const char *path; /* found by PATH */
    char *const *arguments;
    char *const *environment; /* NULL: this program's */
    const struct sock_filter *filter;
    unsigned short filter_length;
    /* Called (in this program) once the listener is there: from then on calls under the filter must
     * be answered.  If it fails, the child is killed. */
    int (*ready)(const struct host_started *);
    /* Asked from time to time until the program runs: whether they cannot be answered. */
    bool (*hopeless)(void);
};

struct host_started {
    struct host_guard guard; /* the program's parent */
    pid_t pid;
    int pidfd;
    int listener;
};

/*
 * Starts a guard and under it the child, which takes the filter, hands the listener over, and
 * executes the program.  It has this thread's signal mask, and the default action for signals that
 * this program catches.
 * 0; ENOSYS: no seccomp user notification, or a sandbox forbids it; EBUSY: this program is itself
 * under such a filter; what execve reported; what `ready` returned; ENOMEM, EAGAIN, EMFILE.  On
 * failure child and guard are gone and the pidfd is closed; the listener is closed unless `ready`
 * was called and succeeded.
 */
int host_program_start(const struct host_program *program, struct host_started *started);

/* Whether a signal stopped the process. */
bool host_process_stopped(pid_t pid);
/* Whether this program's process group is the one in the foreground of its terminal. */
bool host_in_foreground(void);
/* Stops this whole program until it is continued, and then continues the child if that is still
 * stopped. */
void host_stop_with_child(pid_t child);

/*
 * From here to the end, SIGTERM, SIGHUP, SIGINT and SIGQUIT that a program sends to this one are
 * passed on to the process, and those of a terminal, which it gets by itself, do nothing here; once
 * it has ended, each of them calls `end_asked` instead.  SIGTSTP only calls `stop_asked`.  Both are
 * called in a signal handler.  What is ignored stays ignored.
 */
int host_signals_pass_on(int pidfd, void (*stop_asked)(void), void (*end_asked)(void));
void host_signals_pass_on_end(void);

/* Raises this program's limit of descriptors as far as it may; what it starts by
 * host_program_start() has the limit of before. */
void host_descriptors_many(void);

/* ---------------------------------------------------------------- pidfds --------------- */

/* ESRCH; EINVAL: a thread that does not lead its process. */
int host_pidfd_open(pid_t pid, int *pidfd);
bool host_pidfd_ended(int pidfd);
/* A duplicate of the process's descriptor.  EBADF: it has none of that number. */
int host_pidfd_take(int pidfd, int number, int *fd);

/* Watches descriptors until they are readable (pidfds: until their process ends), each with an
 * identity that comes back. */
int host_watch_create(int *watch);
int host_watch_add(int watch, int fd, uint64_t identity);
/* The same for its end alone: nobody is left at the other side. */
int host_watch_add_end(int watch, int fd, uint64_t identity);
void host_watch_remove(int watch, int fd);
/* False: the time is over.  milliseconds: -1: no limit. */
bool host_watch_wait(int watch, int milliseconds, uint64_t *identity);

#endif
