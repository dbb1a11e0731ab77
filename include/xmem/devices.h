/* SPDX-License-Identifier: MIT */
/*
 * xmem: devices for unmodified programs.
 *
 * The kernel registers devices under path names, then runs a program.  The program and everything
 * it starts sees them as character or block devices; its system calls on them arrive here as calls
 * of the device's operations, whatever else it does is between it and Linux.
 *
 * The operations run on threads of the library, with the calling process entered (so that
 * copies with a NULL process reach its memory) and xmem_get_caller() telling who called.  They may
 * block, by xmem_wait(); interruptible waits end when the caller gets a signal.  Each returns 0 or
 * a positive errno value, which the caller gets; EINTR with nothing transferred restarts the call
 * where the signal's handler asked for that (SA_RESTART).  An operation that is NULL does what the
 * comment says.
 *
 * The rules at the top of <xmem/xmem.h> hold here too.
 */
#ifndef XMEM_DEVICES_H
#define XMEM_DEVICES_H

#include <fcntl.h>
#include <sys/stat.h>
#include <xmem/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One transfer between the calling process's memory and the device. */
struct xmem_transfer {
    const struct xmem_range *ranges; /* the caller's buffers, none empty */
    size_t count;
    uint64_t length; /* bytes in all of them */
    int64_t offset;  /* on the device */
    int flags;       /* O_* of the open file at this moment (O_NONBLOCK, O_APPEND ...) */
    uint64_t done;   /* set by the operation, on failure too */
};

/* An open of a device.  dup and fork share it. */
struct xmem_open_file {
    int flags;             /* O_* as given to open */
    const char *rest;      /* what followed the device's path and a "/", "" if nothing did */
    void *data;            /* the operations' own */
};

#define XMEM_SEEK_NONE INT64_MIN /* xmem_device.size: not seekable, lseek fails with ESPIPE */

struct xmem_device_operations {
    size_t size; /* sizeof(struct xmem_device_operations) */
    /* Default: succeeds. */
    int (*open)(void *device, struct xmem_open_file *file);
    /* When the last descriptor of the open file is gone. */
    int (*close)(void *device, struct xmem_open_file *file);
    /* Default: ENODEV. */
    int (*read)(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer);
    int (*write)(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer);
    /* argument is the caller's third one as it is.  *result is what ioctl returns on success, 0 at
     * first.  Default: ENOTTY. */
    int (*ioctl)(void *device, struct xmem_open_file *file, unsigned request, uint64_t argument,
                 int *result);
    /* Which of `events` (POLLIN, POLLOUT, POLLPRI) hold; if none does and watch is nonzero, calls
     * xmem_device_ready() once one may.  Default: all hold. */
    int (*poll)(void *device, struct xmem_open_file *file, short events, int watch,
                short *returned);
    /* fsync, fdatasync.  Default: succeeds. */
    int (*sync)(void *device, struct xmem_open_file *file);
    /* What lseek(SEEK_END) counts from; XMEM_SEEK_NONE: not seekable.  Default: size 0. */
    int64_t (*extent)(void *device, struct xmem_open_file *file);
};

struct xmem_device {
    size_t size;      /* sizeof(struct xmem_device) */
    const char *path; /* absolute, without symbolic links, such as "/dev/rd0"; need not exist */
    mode_t mode;      /* S_IFCHR or S_IFBLK, and permissions */
    uid_t owner;
    gid_t group;
    unsigned major; /* what stat tells */
    unsigned minor;
    int suffixes; /* nonzero: path/anything opens the device too (a multiplexed one) */
    const struct xmem_device_operations *operations;
    void *device; /* handed to the operations */
};

/*
 * Makes a device known; the structure, path and operations are copied.
 * Returns 0; EINVAL; EEXIST: the path is taken; ENOMEM; EPERM.
 * Context: process.  Allocates.
 */
int xmem_device_add(const struct xmem_device *device);

/* Returns 0; ENOENT; EBUSY: it is open; EPERM.  Context: process.  Blocks. */
int xmem_device_remove(const char *path);

/* Events may hold now on a device (of all its open files): wakes those who poll it.
 * Context: process, interrupt; never blocks or allocates. */
void xmem_device_ready(void *device, short events);

struct xmem_program {
    size_t size;             /* sizeof(struct xmem_program) */
    const char *path;        /* found by PATH as execvp does */
    char *const *arguments;  /* as for execve */
    char *const *environment; /* NULL: this program's */
};

/*
 * Runs a program, and everything it starts, with the devices added so far and later; returns when
 * the program has ended and nobody is left of what it started: processes that it leaves behind are
 * served until they end.
 * status: becomes what waitpid() tells.  Its standard descriptors, terminal, process group and
 * working directory are this program's.  Signals that a terminal sends to the group reach it by
 * themselves; SIGTERM, SIGHUP, SIGINT and SIGQUIT that somebody sends to the kernel program alone
 * are passed on.  After the program's end each of them, the terminal's too, kills what is left, and
 * the call returns.
 * The program's parent is a process of the library, the guard.  It kills everything that the
 * program started when the kernel program ends, however that comes.  While xmem_run() is in
 * progress the kernel program must not wait for just any child: it would take the ends of others.
 * Returns 0; ENOENT, EACCES, ENOEXEC ...: it could not be started (nothing ran); ENOSYS: this
 * kernel has no seccomp user notification, or a sandbox forbids it; EBUSY: one runs already;
 * ENOMEM; EPERM.
 * Context: process.  Blocks, allocates.  The program can gain no privileges (no_new_privs).
 */
int xmem_run(const struct xmem_program *program, int *status);

#ifdef __cplusplus
}
#endif

#endif
