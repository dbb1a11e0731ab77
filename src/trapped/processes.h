/* SPDX-License-Identifier: MIT */
/*
 * Who makes calls: trapped processes and their threads, and what is remembered about them.
 *
 *   1. A notification names a thread.  While it is valid the number is that thread's, so what was
 *      looked up by it is right if the notification is valid afterwards.
 *   2. What was looked up is trusted for some ten milliseconds (TRUSTED_TICKS).  Numbers are handed
 *      out in turn, so one cannot be used again within that time; and an end of a process is
 *      noticed by its pidfd.
 *   3. A process is known by its pidfd until that reports its end.  Its memory is opened when first
 *      needed, and anew after an exec: between the call of execve and the next call of that thread
 *      (`execs` is not 0), or until a new program was found, each use looks whether the program was
 *      replaced, and no identity of a descriptor is remembered.
 *      It may be forgotten before, where descriptors are short; the end of one that was is noticed
 *      as late as that of one that never made a call.
 *   4. A thread's descriptors are those of its process, unless `own_descriptors`.
 *   5. Identities of descriptors are remembered per thread, and only if identities_generation is
 *      the same before the look and after it.  It goes up after each change of a descriptor's
 *      place that held a placeholder (placeholders.c has the argument that we know of all).
 * Locks: the processes mutex nests inside nothing.  A process's memory mutex is taken without it.
 */
#ifndef XMEM_TRAPPED_PROCESSES_H
#define XMEM_TRAPPED_PROCESSES_H

#include "host/threads.h"
#include "trapped/call.h"

struct trapped_process {
    pid_t group;
    int pidfd;
    uint64_t identity;
    uint32_t references;
    uint32_t execs;       /* execve calls that have not come back */
    bool replaced;        /* one came back: the memory may be another program's */
    bool own_descriptors; /* its threads do not all share one table */
    host_mutex memory_mutex;
    struct xmem_process *memory; /* NULL: not opened yet */
    struct trapped_process *next;
};

/* Fills call->caller, held for the call.  0; ESRCH; EMFILE, ENOMEM ... */
int process_of(struct call *call);
void process_release(struct trapped_process *process);
/* Descriptors are short: forgets some processes that have no call under way, and gives theirs back.
 * False: there are none. */
bool processes_shed(void);
/* Its memory, as it is now.  0; ESRCH; EPERM, EACCES; EMFILE, ENOMEM. */
int process_memory(struct trapped_process *process, struct xmem_process **memory);

/* Whether the thread's descriptors have to be looked at by the thread. */
bool process_own_descriptors(struct call *call);
/* Threads of the process may have different tables from now on. */
void process_descriptors_differ(struct call *call);
/* The caller's execve is about to run. */
void process_exec(struct call *call);

/* What is remembered of a caller's descriptor: its open file, held; then call->caller is filled,
 * and call->known_memory, if it is certain.  NULL: nothing.  One lock, no system call. */
struct device_file *identity_recall(struct call *call, int fd);
/* Remembering. */
uint64_t identities_generation(void);
void identities_changed(void);
void identity_remember(struct call *call, int fd, struct device_file *file, uint64_t generation);

/* `watch` (host/programs.h) tells of ends, with the processes' identities. */
void processes_begin(int watch);
void process_ended(uint64_t identity);
/* Forgets threads that have not called for some time. */
void processes_tidy(void);
void processes_end(void);

#endif
