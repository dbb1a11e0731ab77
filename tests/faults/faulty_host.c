/* SPDX-License-Identifier: MIT */
/*
 * The faulty host; faulty_host.h says what it does.  The list below and calls-that-fail.txt are
 * kept alike by check-list.py.
 */
#include "faulty_host.h"

#include "host/futex.h"
#include "host/guarded.h"
#include "host/memory.h"
#include "host/notify.h"
#include "host/null_device.h"
#include "host/objects.h"
#include "host/paths.h"
#include "host/process.h"
#include "host/programs.h"
#include "host/read_section.h"
#include "host/signals.h"
#include "host/threads.h"
#include "host/tracees.h"
#include "host/waits.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* X(type, name, parameters, arguments, value returned on failure) */
#define CALLS(X)                                                                                   \
    X(void *, host_allocate, (size_t size), (size), NULL)                                          \
    X(int, host_arena_create, (uint64_t size, int *descriptor), (size, descriptor), EMFILE)        \
    X(int, host_arena_map, (int descriptor, uint64_t offset, size_t size, char *at),               \
      (descriptor, offset, size, at), ENOMEM)                                                      \
    X(int, host_arena_punch, (int descriptor, uint64_t offset, uint64_t size),                     \
      (descriptor, offset, size), ENOMEM)                                                          \
    X(int, host_epoll_control, (int epoll, int operation, int fd, uint32_t events, uint64_t data), \
      (epoll, operation, fd, events, data), ENOSPC)                                                \
    X(int, host_event_create, (int *fd), (fd), EMFILE)                                             \
    X(int, host_file_hold, (int descriptor, bool write, uint64_t end, struct host_file *file),     \
      (descriptor, write, end, file), EMFILE)                                                      \
    X(int, host_file_map, (const struct host_file *file, uint64_t offset, size_t size, char *at),  \
      (file, offset, size, at), ENOMEM)                                                            \
    X(int, host_file_system, (const char *path, struct host_file_system *system), (path, system),  \
      ENOMEM)                                                                                      \
    X(int, host_handlers_install,                                                                  \
      (bool own_faults, int interrupt_signal, bool (*interrupt)(void)),                            \
      (own_faults, interrupt_signal, interrupt), EINVAL)                                           \
    X(int, host_identity, (pid_t thread, bool real, struct host_identity *identity),               \
      (thread, real, identity), ESRCH)                                                             \
    X(int, host_interrupt_raise, (void), (), EAGAIN)                                               \
    X(int, host_lock_memory, (char *at, size_t size), (at, size), ENOMEM)                          \
    X(int, host_object_entry, (void *object, void **address), (object, address), ENOENT)           \
    X(int, host_object_find, (void *object, const char *name, void **address),                     \
      (object, name, address), ENOENT)                                                             \
    X(int, host_object_look, (const char *path), (path), EACCES)                                   \
    X(int, host_object_open, (const char *path, void **object, char *words, size_t size),          \
      (path, object, words, size), not_opened(words, size))                                        \
    X(int, host_object_refer, (const char *path, void **object), (path, object), ENOENT)           \
    X(int, host_object_refer_to, (const void *address, void **object), (address, object), ENOMEM)  \
    X(int, host_on_fork, (void (*child)(void)), (child), ENOMEM)                                   \
    X(bool, host_own_memory_mapped, (uint64_t address, uint64_t size), (address, size), false)     \
    X(bool, host_pages_resident, (const char *at, size_t size), (at, size), false)                 \
    X(int, host_path_link, (int fd, char *text, size_t size), (fd, text, size), ENAMETOOLONG)      \
    X(int, host_path_look, (int directory, const char *path, bool follow, int *fd),                \
      (directory, path, follow, fd), EMFILE)                                                       \
    X(int, host_path_name, (int fd, char *text, size_t size), (fd, text, size), ENAMETOOLONG)      \
    X(int, host_path_node, (int fd, struct host_node *node), (fd, node), EIO)                      \
    X(int, host_path_own_node, (const char *path, struct host_node *node), (path, node), ENOMEM)   \
    X(int, host_path_step, (int directory, const char *name, bool jump, int *fd),                  \
      (directory, name, jump, fd), EMFILE)                                                         \
    X(int, host_poll,                                                                              \
      (struct pollfd * descriptors, size_t count, uint64_t nanoseconds, size_t * ready),           \
      (descriptors, count, nanoseconds, ready), ENOMEM)                                            \
    X(bool, host_process_alive, (const struct host_process *process), (process), false)            \
    X(int, host_process_open, (pid_t pid, struct host_process * process), (pid, process), EMFILE)  \
    X(int, host_process_transfer,                                                                  \
      (const struct host_process *process, enum host_transfer direction, const struct iovec *own,  \
       size_t owns, const struct iovec *theirs, size_t their_count, size_t *done),                 \
      (process, direction, own, owns, theirs, their_count, done), nothing_moved(done))             \
    X(int, host_random, (void *to, size_t size), (to, size), EIO)                                  \
    X(int, host_reserve, (size_t size, size_t alignment, char **base), (size, alignment, base),    \
      ENOMEM)                                                                                      \
    X(int, host_signal_create, (host_signal * signal), (signal), EINVAL)                           \
    X(int, host_stand_in_create, (struct host_stand_in * pair), (pair), EMFILE)                    \
    X(int, host_table_create, (size_t size, void **table), (size, table), ENOMEM)                  \
    X(int, host_thread_create, (pthread_t * thread, void *(*body)(void *), void *argument),        \
      (thread, body, argument), EAGAIN)                                                            \
    X(int, host_thread_exit_create, (void (*ended)(void *)), (ended), EAGAIN)                      \
    X(int, host_thread_signal, (pid_t thread, int signal), (thread, signal), ESRCH)                \
    X(int, host_thread_watch, (void *argument), (argument), ENOMEM)                                \
    X(int, host_unmap, (char *at, size_t size), (at, size), ENOMEM)                                \
    X(int, host_view_descriptor, (pid_t thread, int number, int *fd), (thread, number, fd),        \
      EMFILE)                                                                                      \
    X(int, host_view_directory, (pid_t thread, int *fd), (thread, fd), EMFILE)                     \
    X(int, host_view_own, (const char *path, int *fd), (path, fd), EMFILE)                         \
    X(int, host_view_root, (pid_t thread, int *fd), (thread, fd), EMFILE)                          \
    X(bool, host_view_same_root, (pid_t thread), (thread), false)                                  \
    X(int, host_wait_either,                                                                       \
      (const uint32_t *word, uint32_t expected, const uint32_t *other, uint32_t other_expected,    \
       uint64_t deadline),                                                                         \
      (word, expected, other, other_expected, deadline), ENOSYS)                                   \
    X(int, host_hold_begin, (pid_t thread), (thread), EPERM)                                       \
    X(int, host_mark_of, (int fd, uint64_t *place), (fd, place), EACCES)                           \
    X(int, host_mark_of_thread, (pid_t thread, int number, uint64_t *place),                       \
      (thread, number, place), ENOENT)                                                             \
    X(int, host_mark_set, (int fd, bool writer, uint64_t place), (fd, writer, place), ENOLCK)      \
    X(int, host_memory_in, (pid_t thread, uint64_t address, void *to, size_t size),                \
      (thread, address, to, size), EFAULT)                                                         \
    X(int, host_memory_out, (pid_t thread, const void *from, uint64_t address, size_t size),       \
      (thread, from, address, size), EFAULT)                                                       \
    X(int, host_memory_some, (pid_t thread, uint64_t address, void *to, size_t room, size_t *got), \
      (thread, address, to, room, got), nothing_moved(got))                                        \
    X(int, host_notify_add_fd,                                                                     \
      (int listener, uint64_t id, int fd, bool close_on_exec, int *number),                        \
      (listener, id, fd, close_on_exec, number), EMFILE)                                           \
    X(int, host_notify_answer, (int listener, uint64_t id, int64_t value, int error),              \
      (listener, id, value, error), ENOMEM)                                                        \
    X(int, host_notify_continue, (int listener, uint64_t id), (listener, id), ENOMEM)              \
    X(int, host_notify_prepare, (void), (), ENOSYS)                                                \
    X(int, host_notify_receive, (int listener, struct host_notification *notification),            \
      (listener, notification), ENOMEM)                                                            \
    X(int, host_notify_replace_fd,                                                                 \
      (int listener, uint64_t id, int fd, int number, bool close_on_exec),                         \
      (listener, id, fd, number, close_on_exec), EMFILE)                                           \
    X(int, host_null_open, (int flags, int *fd), (flags, fd), EMFILE)                              \
    X(int, host_pidfd_open, (pid_t pid, int *pidfd), (pid, pidfd), EMFILE)                         \
    X(int, host_pidfd_take, (int pidfd, int number, int *fd), (pidfd, number, fd), EPERM)          \
    X(int, host_program_start, (const struct host_program *program, struct host_started *started), \
      (program, started), EAGAIN)                                                                  \
    X(int, host_signals_look, (pid_t thread, struct host_signal_state * state), (thread, state),   \
      ESRCH)                                                                                       \
    X(int, host_signals_pass_on, (int pidfd, void (*stop_asked)(void), void (*end_asked)(void)),   \
      (pidfd, stop_asked, end_asked), EINVAL)                                                      \
    X(int, host_guard_start,                                                                       \
      (void (*child_run)(const void *) __attribute__((noreturn)), const void *argument,            \
       struct host_guard *guard),                                                                  \
      (child_run, argument, guard), EAGAIN)                                                        \
    X(int, host_thread_group, (pid_t thread, pid_t * group), (thread, group), ESRCH)               \
    X(int, host_watch_add, (int watch, int fd, uint64_t identity), (watch, fd, identity), ENOSPC)  \
    X(int, host_watch_add_end, (int watch, int fd, uint64_t identity), (watch, fd, identity),      \
      ENOSPC)                                                                                      \
    X(int, host_watch_create, (int *watch), (watch), EMFILE)                                       \
    X(bool, guarded_compare_exchange32,                                                            \
      (uint32_t * word, uint32_t expected, uint32_t desired, uint32_t * before,                    \
       struct guarded_fault * fault),                                                              \
      (word, expected, desired, before, fault), faulted(fault, word))                              \
    X(bool, guarded_compare_exchange64,                                                            \
      (uint64_t * word, uint64_t expected, uint64_t desired, uint64_t * before,                    \
       struct guarded_fault * fault),                                                              \
      (word, expected, desired, before, fault), faulted(fault, word))                              \
    X(size_t, guarded_copy,                                                                        \
      (void *to, const void *from, size_t n, bool stream, struct guarded_fault *fault),            \
      (to, from, n, stream, fault), nothing_copied(fault))                                         \
    X(bool, guarded_load32, (const uint32_t *word, uint32_t *value, struct guarded_fault *fault),  \
      (word, value, fault), faulted(fault, word))                                                  \
    X(bool, guarded_load64, (const uint64_t *word, uint64_t *value, struct guarded_fault *fault),  \
      (word, value, fault), faulted(fault, word))                                                  \
    X(int, read_section_register, (void), (), ENOMEM)                                              \
    X(bool, read_section_usable, (void), (), false)

static const char *const names[] = {
#define X(type, name, parameters, arguments, failure) #name,
    CALLS(X)
#undef X
};
#define CALLS_COUNT (sizeof(names) / sizeof(*names))

/* armed is read by every call; the others are set before it and left alone while it is. */
static bool armed;
static const char *armed_call;
static unsigned long armed_n;
static enum fault_mode armed_mode;
static unsigned long uses;
static unsigned long hits;
static const char **first_hit;
static long allocations;

void faults_arm(const char *call, unsigned long n, enum fault_mode mode)
{
    faults_disarm();
    armed_call = call;
    armed_n = n;
    armed_mode = mode;
    __atomic_store_n(&uses, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&hits, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&first_hit, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&armed, true, __ATOMIC_SEQ_CST);
}

void faults_disarm(void)
{
    __atomic_store_n(&armed, false, __ATOMIC_SEQ_CST);
}

unsigned long faults_hit(void)
{
    return __atomic_load_n(&hits, __ATOMIC_SEQ_CST);
}

void faults_tell(const char **first)
{
    __atomic_store_n(&first_hit, first, __ATOMIC_SEQ_CST);
}

long faults_allocations(void)
{
    return __atomic_load_n(&allocations, __ATOMIC_SEQ_CST);
}

const char *faults_call(unsigned index)
{
    return index < CALLS_COUNT ? names[index] : NULL;
}

static bool is_to_fail(const char *name)
{
    if (!__atomic_load_n(&armed, __ATOMIC_SEQ_CST))
        return false;
    if (armed_call && strcmp(armed_call, name) != 0)
        return false;
    unsigned long use = __atomic_add_fetch(&uses, 1, __ATOMIC_SEQ_CST);
    if (armed_mode == FAULT_ONCE ? use != armed_n : use < armed_n)
        return false;
    __atomic_add_fetch(&hits, 1, __ATOMIC_SEQ_CST);
    const char **first = __atomic_exchange_n(&first_hit, NULL, __ATOMIC_SEQ_CST);
    if (first)
        *first = name;
    return true;
}

/* ---- failures with more than a value ---- */

static int nothing_moved(size_t *done)
{
    *done = 0;
    return EFAULT;
}

static int not_opened(char *words, size_t size)
{
    if (size)
        *words = 0;
    return ENOEXEC;
}

static bool faulted(struct guarded_fault *fault, const void *word)
{
    fault->signal = SIGBUS;
    fault->address = (uintptr_t)word;
    return false;
}

/* The processor did not say where, so that nobody takes the kernel's side for the culprit. */
static size_t nothing_copied(struct guarded_fault *fault)
{
    fault->signal = SIGBUS;
    fault->address = 0;
    return 0;
}

/* ---- the wrappers ---- */

/* The only pointers that are returned are those of host_allocate(). */
static void *counted_allocation(void *pointer)
{
    if (pointer)
        __atomic_add_fetch(&allocations, 1, __ATOMIC_SEQ_CST);
    return pointer;
}

static int counted_int(int result)
{
    return result;
}

static bool counted_bool(bool result)
{
    return result;
}

static size_t counted_size(size_t result)
{
    return result;
}

#define counted(result)                                                                            \
    _Generic((result), void *: counted_allocation, int: counted_int, bool: counted_bool,           \
             size_t: counted_size)(result)

#define X(type, name, parameters, arguments, failure)                                              \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (is_to_fail(#name))                                                                     \
            return failure;                                                                        \
        return counted(__real_##name arguments);                                                   \
    }

CALLS(X)
#undef X

void __real_host_free(void *pointer);
void __wrap_host_free(void *pointer);
void __wrap_host_free(void *pointer)
{
    if (pointer)
        __atomic_sub_fetch(&allocations, 1, __ATOMIC_SEQ_CST);
    __real_host_free(pointer);
}
