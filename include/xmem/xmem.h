/* SPDX-License-Identifier: MIT */
/*
 * xmem: safe access to memory that belongs to somebody else.
 *
 * The program that links libxmem is the *kernel*.  It creates or opens *processes* (address
 * spaces that belong to somebody else) and moves bytes in and out of them.  Whatever the
 * owner of that memory does meanwhile -- unmap it, protect it, truncate the file under it,
 * exec, die -- the call that depended on it returns an error and nothing else happens.
 *
 * Rules for the whole header
 *
 * Return values.  Functions returning int return 0 on success and a positive errno value on
 * failure; they never touch errno.  xmem_last_failure() then says what went wrong in words.
 *   EFAULT     no such memory, no authority for it, or its segment was deleted
 *   EIO        the storage behind the memory failed (a truncated file, a disk error)
 *   ENOMEM     not enough memory; ENOSPC: not enough file or paging space
 *   ESRCH      the process has exited, or runs another program than the one opened
 *   ETIMEDOUT  the other side did not answer within its limit
 *   EINVAL     an argument that can never be right (a stale or forged descriptor, bad length)
 *   EPERM      not callable here: the interrupt environment, or a forked child
 *   ENOTSUP    this kind of memory cannot do that (see "Kinds" in docs/architecture.md)
 * Every `done` parameter may be NULL; otherwise it is always set, on failure too, to the exact
 * number of bytes moved from the start of the range.
 *
 * Context.  Each function names the environments it may be called in:
 *   process     an ordinary thread.  No announcement is needed; a thread is registered by its
 *               first call and forgotten when it ends (destructors of thread-specific data that
 *               run after that get EPERM).
 *               It must not block SIGSEGV or SIGBUS while it calls xmem (they are unblocked as it
 *               is registered): Linux ends a program that faults while they are blocked.
 *   interrupt   inside a handler that runs under xmem_interrupt().  Callable there means
 *               async-signal-safe: takes no lock, allocates nothing, never waits, never pages.
 * "Blocks": may wait for other threads or for a page; "allocates": may allocate memory.
 *
 * Addresses of a process are uint64_t; lengths are in bytes; pages are XMEM_PAGE_SIZE bytes.
 * Memory of the kernel program itself is passed as ordinary pointers, must be valid, and is
 * not checked.
 */
#ifndef XMEM_XMEM_H
#define XMEM_XMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XMEM_VERSION_MAJOR 0
#define XMEM_VERSION_MINOR 1
#define XMEM_VERSION_PATCH 0

#define XMEM_PAGE_SIZE 4096u
#define XMEM_REGION_SIZE (UINT64_C(1) << 28)

/* ---------------------------------------------------------------- start and stop ------- */

/* How favoured an interrupt is: smaller numbers are more favoured.  <sys/intr.h> has the AIX
 * names for the same values. */
enum xmem_priority {
    XMEM_INTMAX = 0,      /* all interrupts off */
    XMEM_INTPAGER = 1,    /* pagers */
    XMEM_INTIODONE = 2,   /* completion of I/O */
    XMEM_INTCLASS0 = 3,   /* devices, most to least urgent */
    XMEM_INTCLASS1 = 4,
    XMEM_INTCLASS2 = 5,
    XMEM_INTCLASS3 = 6,
    XMEM_INTOFFL0 = 7,    /* off-level work */
    XMEM_INTOFFL1 = 8,
    XMEM_INTOFFL2 = 9,
    XMEM_INTOFFL3 = 10,
    XMEM_INTBASE = 11     /* the process environment */
};

struct xmem_config {
    size_t size;                /* sizeof(struct xmem_config); lets the structure grow */
    uint64_t real_memory;       /* limit on pageable frames, bytes; 0: none.  Other values are
                                   ENOTSUP until paging exists */
    const char *paging_space;   /* path of the paging file; NULL: none.  As above */
    uint64_t paging_space_size; /* bytes; as above */
    void (*panic)(const char *words);   /* called instead of abort(); must not return.  May run
                                           in a signal handler */
    void (*message)(const char *words); /* told what an administrator should know; NULL: stderr.
                                           Called in the process environment only */
    int interrupt_signal;       /* a real-time signal for xmem_interrupt(); 0: SIGRTMIN + 4 */
    int lock_memory;            /* nonzero: mlock working storage as it is mapped */
    int leave_fault_signals;    /* nonzero: SIGSEGV and SIGBUS stay the program's, whose handler
                                   calls xmem_fault_signal() first */
};

/*
 * Starts xmem for this program.  Counted: each successful start has its stop; a second start's
 * configuration is ignored.
 * config: NULL or a zero-filled structure with size set takes the defaults.
 * Returns 0; EINVAL: config->size is unknown or a signal number is not usable; ENOMEM; ENOTSUP:
 * a paging option; EPERM: called in the interrupt environment or in a forked child; ENOSYS: the
 * Linux kernel has no membarrier(2), or a sandbox forbids it.
 * Context: process.  Blocks, allocates.  Installs signal handlers, which chain to those present.
 */
int xmem_start(const struct xmem_config *config);

/*
 * Undoes one xmem_start(); the last one releases everything and restores signal handlers.  Kernel
 * processes get a second to end; timers and posted interrupts that have not begun are forgotten.
 * Returns 0; EBUSY: processes, descriptors, segments, map-ins, as_geth64 handles or kernel
 * processes are left (the failure's words count them) and xmem stays started; EINVAL: not started;
 * EPERM.
 * Context: process.  Blocks.
 */
int xmem_stop(void);

/* ---------------------------------------------------------------- failures ------------- */

enum xmem_failure_class {
    XMEM_FAILURE_NONE = 0,
    XMEM_FAILURE_NO_MAPPING,   /* nothing is mapped at the address */
    XMEM_FAILURE_NO_AUTHORITY, /* mapped, but the user may not do this with it */
    XMEM_FAILURE_DELETED,      /* the segment that held it was deleted */
    XMEM_FAILURE_NOT_RESIDENT, /* not in memory, and this caller may not wait for it */
    XMEM_FAILURE_IO,           /* the storage behind it failed */
    XMEM_FAILURE_NO_MEMORY,
    XMEM_FAILURE_NO_SPACE,
    XMEM_FAILURE_TIMED_OUT,
    XMEM_FAILURE_PEER_GONE,    /* the process exited or runs another program */
    XMEM_FAILURE_KIND,         /* this kind of memory cannot do that */
    XMEM_FAILURE_ARGUMENT,     /* an argument that can never be right */
    XMEM_FAILURE_DESCRIPTOR,   /* descriptor or handle: never attached, detached, or forged */
    XMEM_FAILURE_ENVIRONMENT,  /* not callable in this environment */
    XMEM_FAILURE_BUSY,         /* in use */
    XMEM_FAILURE_PERMISSION    /* the Linux kernel refused */
};

struct xmem_failure {
    enum xmem_failure_class failure_class;
    int error;         /* the errno value that was returned */
    uint64_t address;  /* first address that could not be reached; 0 where none applies */
    const char *words; /* what was tried, on what, why it failed, what to do; never NULL */
};

/*
 * The last failure of this thread at this level (a handler that interrupts the thread has a
 * record of its own).  A successful call leaves it as it was.  Never NULL; the words stay valid
 * until the next call of this function on this thread at this level.
 * Context: process, interrupt (where words may be shorter).
 */
const struct xmem_failure *xmem_last_failure(void);

/* ---------------------------------------------------------------- processes ------------ */

struct xmem_process; /* a user process: an address space of somebody else */

/*
 * Creates an embedded process: an address space inside this program.
 * bits: 32 (addresses below 2^32) or 64 (below 2^60).
 * On success *process is the caller's until xmem_process_close(); on failure it is NULL.
 * Returns 0; EINVAL: bits; ENOMEM; EPERM.  Context: process.  Blocks, allocates.
 */
int xmem_process_create(unsigned bits, struct xmem_process **process);

/*
 * Opens a running Linux process.  Exit and exec are noticed: later calls return ESRCH.
 * Returns 0; ESRCH: no such process; EACCES or EPERM: the Linux kernel refuses, and the failure's
 * words say which rule does and what to change; EMFILE; ENOMEM.
 * Context: process.  Blocks, allocates.  Holds two file descriptors (close-on-exec).
 */
int xmem_process_open(pid_t pid, struct xmem_process **process);

/*
 * The process exits: its segments are deleted (those that are held, as the hold ends; attached ones
 * are not its own), moves through their descriptors fail from here on,
 * and no move that began before is still running on return.  (A move into an opened process whose
 * own page-fault handler does not answer is waited for one second at most.)  Descriptors stay to
 * be detached.  The pointer is no longer the caller's.
 * Returns 0; EINVAL: not an open process; EPERM.  Context: process.  Blocks.
 */
int xmem_process_close(struct xmem_process *process);

/* The pseudo-process of this program's own memory (AIX: SYS_ADSPACE), for xmem_attach(), the copy
 * calls and nothing else.  Always valid while xmem is started; never closed. */
struct xmem_process *xmem_process_kernel(void);

/* 32 or 64; 0 for NULL without a current process.  NULL: the current process; at interrupt level
 * that of the interrupted thread.  Context: process, interrupt. */
unsigned xmem_process_bits(const struct xmem_process *process);

/* The pid given to xmem_process_open(), or 0 for other kinds. */
pid_t xmem_process_pid(const struct xmem_process *process);

/* relaxed nonzero: moves of this opened process no longer check that it still runs the program it
 * ran when it was opened (0.6 to 1.2 us a move).  For callers that know by other means.
 * Returns 0; EINVAL.  Context: process. */
int xmem_process_relax(struct xmem_process *process, int relaxed);

/*
 * Maps zero-filled working storage.  The user's authority is prot (PROT_NONE, PROT_READ,
 * PROT_READ | PROT_WRITE of <sys/mman.h>; PROT_EXEC counts as PROT_READ).
 * address, length: multiples of XMEM_PAGE_SIZE, length > 0.  All or nothing.
 * Returns 0; EINVAL: alignment, length, prot or the end of the address space; EEXIST: a page of
 * the range is mapped, or a segment is attached over it; ENOTSUP: an opened or the kernel process;
 * ENOMEM; EMFILE; ESRCH; EPERM (with lock_memory also EAGAIN, EPERM: mlock refused).
 * Context: process.  Blocks, allocates.
 */
int xmem_process_map(struct xmem_process *process, uint64_t address, uint64_t length, int prot);

/*
 * Maps pages of an open file or memfd (imported memory).  The file may be truncated or fail at any
 * time: a move that touches such a page returns EIO (ENOSPC when its file system is full).
 * fd stays the caller's; a duplicate is held.  offset: a multiple of XMEM_PAGE_SIZE.
 * Works for embedded and opened processes; in an opened one it replaces what is at the addresses.
 * Returns as xmem_process_map(), and EACCES: fd does not allow prot; EBADF; ENODEV: not mappable;
 * EMFILE; ENOTSUP also: a file on FUSE, whose server could keep us waiting for ever, or of huge
 * pages, of which no part can be mapped.
 * At interrupt level pages of a file on a disk that are not in memory are refused
 * (XMEM_FAILURE_NOT_RESIDENT).
 * Context: process.  Blocks, allocates.
 */
int xmem_process_map_fd(struct xmem_process *process, uint64_t address, uint64_t length, int prot,
                        int fd, uint64_t offset);

/* Changes the user's authority for mapped pages.  All or nothing.  On return no move that began
 * under the old authority is still running.
 * Returns 0; EINVAL (also: a segment is attached over a page of the range); EFAULT: a page of the
 * range is not mapped; EACCES: prot has PROT_WRITE and an imported page's file is read-only;
 * ENOTSUP; ESRCH; EPERM.  Context: process.  Blocks. */
int xmem_process_protect(struct xmem_process *process, uint64_t address, uint64_t length, int prot);

/* Unmaps pages; a region's last page takes the segment with it.  All or nothing.  Complete on
 * return as xmem_process_protect() is.
 * Returns 0; EINVAL (also: a segment is attached over a page of the range); EFAULT: a page of the
 * range is not mapped; ENOMEM; ENOTSUP; ESRCH; EPERM.  Context: process.  Blocks, allocates. */
int xmem_process_unmap(struct xmem_process *process, uint64_t address, uint64_t length);

/* From here to the matching xmem_leave() this thread runs under process (NULL: under none).
 * Nests, 16 deep without allocating (beyond that, no memory is a panic).  The process may be closed
 * meanwhile; calls that need it then fail.
 * Context: process; at interrupt level, and for a leave without its enter, it is counted as a usage
 * error and ignored. */
void xmem_enter(struct xmem_process *process);
void xmem_leave(void);

/* The process this thread runs under; NULL: none, and always NULL in the interrupt environment. */
struct xmem_process *xmem_current(void);

/* ---------------------------------------------------------------- environments --------- */

/*
 * Runs handler(argument) on this thread in the interrupt environment, inside a real signal
 * handler, and returns when it has run.
 * A thread that holds the priority off (xmem_interrupts_hold() in <xmem/kernel.h>; services called
 * under their own locks do) puts it off: then this returns 0 at once, and the handler runs in the
 * xmem_interrupts_restore() that lets it through, the most favoured first.  So argument must stay
 * valid until the handler has run.
 * Returns 0; EINVAL: priority is not XMEM_INTMAX .. XMEM_INTOFFL3, or handler NULL; EBUSY: the
 * thread is in a handler that is as favoured or more; EAGAIN: 32 are put off already, or the Linux
 * kernel queues no more signals (RLIMIT_SIGPENDING); ENOSYS: somebody put another handler over
 * xmem's; EPERM: not started, or forked child.
 * Context: process, interrupt, and any signal handler on a thread that has called xmem before.
 */
int xmem_interrupt(int priority, void (*handler)(void *), void *argument);

/* Nonzero inside a handler that runs under xmem_interrupt().  Context: any. */
int xmem_in_interrupt(void);

/* Registers this thread now instead of at its first call: for threads whose first call would come
 * from a signal handler.  Returns 0; ENOMEM; EPERM.  Context: process. */
int xmem_thread_prepare(void);

/* For programs that set leave_fault_signals: call first in a handler for SIGSEGV and SIGBUS (one
 * installed with SA_SIGINFO).  Nonzero: the fault was ours and is dealt with; return at once. */
int xmem_fault_signal(int signal, void *siginfo, void *context);

/* ---------------------------------------------------------------- moving bytes --------- */
/*
 * copy_* act on a process, with the authority that its user has at the moment of each page's
 * access.  process NULL: the current process.  Context: process.  May block on a page.
 *
 * move_* act through a descriptor, from any thread.  Context: process, interrupt (opened processes:
 * process only).
 *
 * All may run concurrently with anything, allocate nothing, and return
 *   0; EFAULT; EIO; ENOMEM; ENOSPC; ESRCH; ETIMEDOUT; EPERM (environment); EINVAL (no current
 *   process, invalid descriptor).
 * n == 0 succeeds without looking at an address.
 */
int xmem_copy_in(struct xmem_process *process, uint64_t from, void *to, size_t n, size_t *done);
int xmem_copy_out(struct xmem_process *process, const void *from, uint64_t to, size_t n,
                  size_t *done);

/*
 * Copies a string with its terminating zero, max bytes at most.  Nothing behind the zero is
 * touched, except that an opened process is read up to the end of the page.  *done: bytes stored
 * in `to`, the zero included.
 * Returns also E2BIG: no zero among the first max bytes, which have been stored.
 */
int xmem_string_in(struct xmem_process *process, uint64_t from, char *to, size_t max, size_t *done);

/* A range of a process's memory, for the vectored forms. */
struct xmem_range {
    uint64_t address;
    uint64_t length;
};

/* Vectored forms: the bytes of the ranges in order, from or to those of the iovecs in order; as
 * many as the shorter side has.  An opened process takes 64 ranges a system call.  *done counts
 * over all ranges.  EINVAL: a total beyond SIZE_MAX. */
int xmem_copy_inv(struct xmem_process *process, const struct xmem_range *from, size_t ranges,
                  const struct iovec *to, size_t vectors, size_t *done);
int xmem_copy_outv(struct xmem_process *process, const struct iovec *from, size_t vectors,
                   const struct xmem_range *to, size_t ranges, size_t *done);

/* Atomic operations on naturally aligned words of user memory.  LOAD needs read authority, all
 * others read and write. */
enum xmem_atomic {
    XMEM_ATOMIC_LOAD,             /* *before = word */
    XMEM_ATOMIC_EXCHANGE,         /* *before = word; word = operand */
    XMEM_ATOMIC_ADD,              /* *before = word; word += operand */
    XMEM_ATOMIC_AND,
    XMEM_ATOMIC_OR,
    XMEM_ATOMIC_XOR,
    XMEM_ATOMIC_COMPARE_EXCHANGE  /* *before = word; if word == compare, word = operand */
};

/* One sequentially consistent operation.  before may be NULL.
 * Returns 0; EINVAL: alignment or operation; ENOTSUP: an opened process, or (not on x86-64)
 * imported or kernel memory; else as copies.
 * Context: process for the process forms; process and interrupt for the descriptor forms. */
int xmem_atomic32(struct xmem_process *process, uint64_t address, enum xmem_atomic operation,
                  uint32_t operand, uint32_t compare, uint32_t *before);
int xmem_atomic64(struct xmem_process *process, uint64_t address, enum xmem_atomic operation,
                  uint64_t operand, uint64_t compare, uint64_t *before);

/* ---------------------------------------------------------------- descriptors ---------- */
/*
 * A cross-memory descriptor: a plain value.  A copy *is* the descriptor until it is detached;
 * afterwards every copy fails.  The members are read-only for callers.
 */
struct xmem_descriptor {
    int32_t kind;         /* enum xmem_descriptor_kind */
    uint32_t index;
    uint64_t handle;      /* names the first segment (or the opened process); see xmem_handle_map */
    uint64_t generation;
    uint64_t check;
};

enum xmem_descriptor_kind {
    XMEM_DESCRIPTOR_INVALID = -1,
    XMEM_DESCRIPTOR_PROCESS = 1, /* memory of a user process */
    XMEM_DESCRIPTOR_KERNEL = 2   /* memory of the kernel program */
};

/*
 * Attaches the n bytes at address of process and fills *descriptor (what was in it does not
 * matter).  The segments stay in existence until it is detached.  The bounds are the exact bytes.
 * process NULL: the current process.
 * Returns 0; EINVAL: n == 0, no current process; EFAULT: the range wraps, leaves the address space,
 * or (embedded and kernel processes) has a page that is not mapped; ENOMEM; ESRCH; EPERM.
 * On failure descriptor->kind is XMEM_DESCRIPTOR_INVALID.  Context: process.  Allocates.
 */
int xmem_attach(struct xmem_process *process, uint64_t address, size_t n,
                struct xmem_descriptor *descriptor);

/* Detaches: every copy of the descriptor fails from here on, and no move through one is running
 * on return (interrupt level: runs to its end unwaited).  descriptor->kind becomes
 * XMEM_DESCRIPTOR_INVALID.  Returns 0; EINVAL: not a valid descriptor.
 * Context: process (may block), interrupt. */
int xmem_detach(struct xmem_descriptor *descriptor);

int xmem_move_in(const struct xmem_descriptor *descriptor, uint64_t from, void *to, size_t n,
                 size_t *done);
int xmem_move_out(const struct xmem_descriptor *descriptor, const void *from, uint64_t to, size_t n,
                  size_t *done);
int xmem_move_inv(const struct xmem_descriptor *descriptor, const struct xmem_range *from,
                  size_t ranges, const struct iovec *to, size_t vectors, size_t *done);
int xmem_move_outv(const struct xmem_descriptor *descriptor, const struct iovec *from,
                   size_t vectors, const struct xmem_range *to, size_t ranges, size_t *done);
int xmem_move_zero(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                   size_t *done);
int xmem_move_atomic32(const struct xmem_descriptor *descriptor, uint64_t address,
                       enum xmem_atomic operation, uint32_t operand, uint32_t compare,
                       uint32_t *before);
int xmem_move_atomic64(const struct xmem_descriptor *descriptor, uint64_t address,
                       enum xmem_atomic operation, uint64_t operand, uint64_t compare,
                       uint64_t *before);

/* *n: the largest count that xmem_map_in() accepts at address: up to the end of the segment or of
 * the attached bytes.  0; EINVAL: descriptor; EFAULT: address outside it.
 * Context: process, interrupt. */
int xmem_map_limit(const struct xmem_descriptor *descriptor, uint64_t address, size_t *n);

/*
 * Maps in: *mapped is where the n bytes at address of the descriptor's process can be loaded and
 * stored directly.  It is the same memory.  Each success is undone by xmem_map_out(); until then
 * the memory stays in existence, even when the segment is deleted meanwhile.
 * Loads and stores there are the kernel's own: authority is not checked, and a page whose file was
 * truncated raises SIGBUS.
 * Returns 0; EINVAL: descriptor, or n == 0; EAGAIN: the range crosses a region boundary, nothing is
 * mapped; EFAULT: outside the attached bytes, not mapped, or deleted; ENOTSUP: an opened process.
 * On failure *mapped is unchanged.  Context: process, interrupt.
 */
int xmem_map_in(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                void **mapped);

/* Undoes one xmem_map_in() or xmem_handle_map(); mapped: any address in what was mapped.  Map-ins
 * of kernel memory, which is its own mapping, are only counted.
 * Returns 0; EINVAL: nothing is mapped in there.  Context: process, interrupt. */
int xmem_map_out(void *mapped);

/* Number of bytes of the smallest page in the range.  0; EINVAL; EFAULT.
 * Context: process, interrupt. */
int xmem_page_size(const struct xmem_descriptor *descriptor, uint64_t address, size_t n,
                   size_t *size);

/* Pins the pages of the range: they stay in memory.  Nests per page; all or nothing.
 * Returns 0; EINVAL: descriptor, n == 0; EFAULT: outside the attached bytes, or not mapped; ENOMEM;
 * ENOTSUP: an opened process or kernel memory.  Context: process.  Allocates. */
int xmem_pin(const struct xmem_descriptor *descriptor, uint64_t address, size_t n);

/* Undoes one xmem_pin().  Stops with EINVAL at the first page that is not pinned; pages before it
 * stay unpinned.  Context: process. */
int xmem_unpin(const struct xmem_descriptor *descriptor, uint64_t address, size_t n);

/* Pages out.  ENOTSUP until paging exists. */
int xmem_page_out(struct xmem_process *process, uint64_t address, uint64_t length);

/* ---------------------------------------------------------------- segments ------------- */
/*
 * A segment is a memory object of at most XMEM_REGION_SIZE bytes that exists by itself and can be
 * attached to regions of several processes.  A handle is a segment and an access key: with
 * XMEM_KEY_ALL a mapping may read all and write all that can be written; with XMEM_KEY_USER each
 * page's authority decides.  0 is never a segment or a handle.
 */
typedef uint64_t xmem_segment_t;
typedef uint64_t xmem_handle_t;
#define XMEM_KEY_ALL 0
#define XMEM_KEY_USER 1
#define XMEM_NO_HANDLE UINT64_MAX

/* Creates a zero-filled working segment of length bytes (rounded up to pages), every page readable
 * and writable.  0; EINVAL: length; ENOMEM; EPERM.  Context: process. */
int xmem_segment_create(uint64_t length, xmem_segment_t *segment);

/* Deletes it: moves through its descriptors and regions fail from here on; storage goes with the
 * last holder.  0; EINVAL: no such segment, or one that belongs to a process.  Context: process,
 * blocks. */
int xmem_segment_delete(xmem_segment_t segment);

/* Pure arithmetic; checks nothing.  Context: any. */
xmem_handle_t xmem_handle(xmem_segment_t segment, int key);
xmem_segment_t xmem_handle_segment(xmem_handle_t handle);
int xmem_handle_key(xmem_handle_t handle);

/* Attaches to a free region of an embedded process and stores the region's first address.
 * process NULL: the current process.  0; EINVAL: handle; ENOMEM: no region free; ENOTSUP: not an
 * embedded process; EPERM; ESRCH.  Context: process, blocks, allocates. */
int xmem_region_attach(struct xmem_process *process, xmem_handle_t handle, uint64_t *address);

/* Attaches over the region that holds address; what was mapped there is unmapped first. */
int xmem_region_attach_at(struct xmem_process *process, xmem_handle_t handle, uint64_t address);

/* Detaches the region that holds address.  EINVAL: not one that was attached. */
int xmem_region_detach(struct xmem_process *process, uint64_t address);

/* The handle of what is mapped at address.  hold nonzero: its deletion waits for
 * xmem_region_release().  0; EINVAL: address out of range or nothing mapped; ENOMEM; EPERM.
 * Context: process; without hold also interrupt, where process NULL is that of the interrupted
 * thread. */
int xmem_region_handle(struct xmem_process *process, uint64_t address, int hold,
                       xmem_handle_t *handle);

/* Ends one hold; address and handle as they were.  0; EINVAL: no such hold.  Context: process. */
int xmem_region_release(uint64_t address, xmem_handle_t handle);

/* Maps a whole segment into this program: *mapped is the address of its first byte.  Undone by
 * xmem_map_out().  0; EINVAL: handle.  Context: process, interrupt. */
int xmem_handle_map(xmem_handle_t handle, void **mapped);

/* ---------------------------------------------------------------- diagnosis ------------ */

struct xmem_statistics {
    size_t size;             /* set by the caller to sizeof(struct xmem_statistics) */
    uint64_t processes;      /* live now */
    uint64_t segments;       /* live or waiting for their last holder */
    uint64_t descriptors;    /* attached now */
    uint64_t mapped_in;      /* live map-ins */
    uint64_t holds;          /* handles held by xmem_region_handle() */
    uint64_t usage_errors;   /* process-only services called at interrupt level */
    uint64_t mapped_bytes;   /* pages mapped into processes and segments, imported ones included */
    uint64_t kernel_processes; /* not yet ended (<xmem/kernel.h>) */
};

/* 0; EINVAL: size.  Context: process. */
int xmem_get_statistics(struct xmem_statistics *statistics);

/* Counts a usage error; for layers that put services of their own on top.  Context: any. */
void xmem_count_usage_error(void);

/* Ends the program as an internal inconsistency does: through config->panic or abort(). */
void xmem_panic(const char *words) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
