/* SPDX-License-Identifier: MIT */
/*
 * A system call of a trapped program: what its handler is given, and how it answers.
 *
 * The filter stops the calls that have a row in one of the tables below; a thread of the
 * supervisor receives each one and runs the row's handler, which returns the answer.  Meanwhile
 * the caller waits in the Linux kernel, where only SIGKILL ends its wait.
 *
 *   1. A handler answers exactly once, by what it returns: call_continue(), call_value(),
 *      call_error(), or CALL_SENT after call_send() answered already.
 *   2. Handlers block as they like; each call has a thread of its own.  A wait that a signal of the
 *      caller shall end is an interruptible xmem_wait().
 *   3. call_begin() makes this thread run on the caller's behalf: its memory is the current
 *      process, xmem_get_caller() tells who called.  Everything below that needs that calls it by
 *      itself, and a device's operation may be called whenever call_device_file() gave a file or
 *      call_begin() returned 0.  The loop undoes it after the handler.
 *   4. A call that is not about a device is answered by call_continue(): Linux then executes it
 *      as if nobody had looked.  It reads its arguments from memory again, so that what was looked
 *      at must decide nothing that Linux would refuse.
 *   5. Errors are positive errno values, as everywhere in xmem.
 *
 * Rows.  Each file with handlers has a table of them, ended by a row without a name, and listed in
 * call_tables[] (calls.c).  The same handler may serve both architectures; call->narrow tells an
 * i386 caller, whose pointers, longs and structures are the 32-bit ones.  On it, arguments are
 * zero-extended: use call_signed() for int and long arguments.
 */
#ifndef XMEM_TRAPPED_CALL_H
#define XMEM_TRAPPED_CALL_H

#include "host/platform.h"
#include "trapped/devices.h"
#include "trapped/old_calls.h"
#include "trapped/placeholders.h"
#include "xmem/kernel.h"

#include <sys/types.h>

struct call;
struct trapped_process;

/* ---------------------------------------------------------------- answers -------------- */

enum answer_kind { ANSWER_CONTINUE, ANSWER_VALUE, ANSWER_ERROR, ANSWER_SENT };

struct answer {
    enum answer_kind kind;
    int64_t value; /* ANSWER_ERROR: a positive errno value */
};

static inline struct answer call_continue(void)
{
    return (struct answer){ANSWER_CONTINUE, 0};
}

static inline struct answer call_value(int64_t value)
{
    return (struct answer){ANSWER_VALUE, value};
}

/* EINTR: nothing was done, because a signal of the caller's came (what an interruptible wait that
 * returned EINTR leads to).  The call is then restarted where the signal's handler asks for it, or
 * fails with EINTR.  For calls that Linux never restarts (poll, select, epoll_wait ...) return
 * call_interrupted(false). */
static inline struct answer call_error(int error)
{
    return (struct answer){ANSWER_ERROR, error};
}

#define CALL_SENT ((struct answer){ANSWER_SENT, 0})

/* What an answer of EINTR leads to: restart or the plain EINTR.  The codes are Linux's own; no
 * program gets to see them, since a signal is pending. */
#define CALL_RESTART_SYS 512    /* ERESTARTSYS: restarted if the handler has SA_RESTART */
#define CALL_RESTART_NOHAND 514 /* ERESTARTNOHAND: restarted only if no handler runs */

static inline struct answer call_interrupted(bool restarts)
{
    return call_error(restarts ? CALL_RESTART_SYS : CALL_RESTART_NOHAND);
}

/* ---------------------------------------------------------------- the call ------------- */

struct call_row {
    const char *name; /* Linux's name; NULL ends a table */
    int native;       /* number on this machine's own architecture; -1: not there */
    int i386;         /* number on i386; -1: not there */
    struct answer (*handle)(struct call *);
};

/* A call of both architectures, with Linux's name for the native one: CALL(read, 3, call_read). */
#define CALL(name, i386_number, handler)                                                           \
    {                                                                                              \
#name, __NR_##name, i386_number, handler                                                   \
    }
#define CALL_NATIVE(name, handler) CALL(name, -1, handler)
#define CALL_I386(name, i386_number, handler)                                                      \
    {                                                                                              \
#name, -1, i386_number, handler                                                            \
    }
#define CALL_TABLE_END                                                                             \
    {                                                                                              \
        NULL, -1, -1, NULL                                                                         \
    }

struct call {
    uint64_t id;  /* the notification's */
    pid_t thread; /* of the caller */
    bool narrow;  /* an i386 call */
    const struct call_row *row;
    uint64_t arguments[6];             /* as in the registers; i386: zero-extended */
    struct trapped_process *caller;    /* after call_begin() or call_device_file(): processes.h */
    struct xmem_process *process;      /* after call_begin(): the caller's memory, entered */
    struct xmem_process *known_memory; /* the same, before it: processes.h */
    /* Of signals.c: */
    uint64_t looked_at; /* when we last looked for signals, in milliseconds */
    bool shared_seen;   /* one that another thread may take was there */
    bool interrupted;   /* a wait was told to end */
    bool answered;
    bool held; /* answered, but kept from returning to its program */
};

extern const struct call_row calls_open[];     /* calls_open.c */
extern const struct call_row calls_close[];    /* calls_close.c */
extern const struct call_row calls_transfer[]; /* calls_transfer.c */

/* An int or long argument. */
static inline int64_t call_signed(const struct call *call, unsigned index)
{
    return call->narrow ? (int32_t)call->arguments[index] : (int64_t)call->arguments[index];
}

/* An int argument: Linux ignores the upper half of the register. */
static inline int call_int(const struct call *call, unsigned index)
{
    return (int)(uint32_t)call->arguments[index];
}

/* 64-bit value in two registers of an i386 call, the low half first. */
static inline int64_t call_pair(const struct call *call, unsigned low)
{
    return (int64_t)((call->arguments[low] & UINT32_MAX) | call->arguments[low + 1] << 32);
}

/* Begins to act on the caller's behalf.  0; else the caller's memory cannot be had: ESRCH: it is
 * gone; EPERM or EACCES: it must not be looked at; EMFILE, ENOMEM.  Answer call_continue() then,
 * unless a device is certain to be meant. */
int call_begin(struct call *call);

/* Whether the caller still waits for the answer. */
bool call_valid(const struct call *call);

/* The open device behind one of the caller's descriptors, held: device_file_release() it at the
 * end. NULL: none (then the call is Linux's).  Quick when no device is open.  Begins the call; if
 * that fails, what needs the caller's memory will. */
struct device_file *call_device_file(struct call *call, int fd);

/* ---------------------------------------------------------------- the caller's memory -- */

/* 0, or EFAULT. */
int call_copy_in(struct call *call, uint64_t address, void *to, size_t size);
int call_copy_out(struct call *call, const void *from, uint64_t address, size_t size);
/* 0; EFAULT; ENAMETOOLONG: no zero among the first `room` bytes. */
int call_string_in(struct call *call, uint64_t address, char *to, size_t room);

/* The ranges of an array of struct iovec (the caller's), checked as Linux does: EINVAL for count
 * beyond 1024 or a negative length; cut at 0x7ffff000 bytes; empty ones left out.  Ends with
 * call_ranges_free(), after success only.  0; EINVAL; EFAULT; ENOMEM. */
#define CALL_RANGES_INSIDE 8
struct call_ranges {
    struct xmem_range *ranges;
    size_t count;
    uint64_t length;
    struct xmem_range inside[CALL_RANGES_INSIDE];
};
int call_ranges_in(struct call *call, uint64_t address, int64_t count, struct call_ranges *ranges);
void call_ranges_free(struct call_ranges *ranges);

/* ---------------------------------------------------------------- answering early ------ */

/* Puts fd into the caller at the lowest free number, *number, without an answer.  0; EMFILE: no
 * number is free there; ENOENT: the caller is gone. */
int call_install_fd(struct call *call, int fd, bool close_on_exec, int *number);
/* Puts fd in the place of the caller's descriptor `number` (which must be in use), without an
 * answer.  0; ENOENT; another errno value. */
int call_replace_fd(struct call *call, int fd, int number, bool close_on_exec);

/* The loop's: undoes call_begin(). */
void call_end(struct call *call);

/* Answers now.  0; ENOENT: the caller is gone, and did not get it. */
int call_send(struct call *call, struct answer answer);

#endif
