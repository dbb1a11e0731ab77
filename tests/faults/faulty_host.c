/* SPDX-License-Identifier: MIT */
/*
 * The faulty host; faulty_host.h says what it does.  The list below and calls-that-fail.txt are
 * kept alike by check-list.py.
 */
#include "faulty_host.h"

#include "host/guarded.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/read_section.h"
#include "host/signals.h"
#include "host/threads.h"

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
    X(int, host_file_hold, (int descriptor, bool write, uint64_t end, struct host_file *file),     \
      (descriptor, write, end, file), EMFILE)                                                      \
    X(int, host_file_map, (const struct host_file *file, uint64_t offset, size_t size, char *at),  \
      (file, offset, size, at), ENOMEM)                                                            \
    X(int, host_handlers_install,                                                                  \
      (bool own_faults, int interrupt_signal, bool (*interrupt)(void)),                            \
      (own_faults, interrupt_signal, interrupt), EINVAL)                                           \
    X(int, host_interrupt_raise, (void), (), EAGAIN)                                               \
    X(int, host_lock_memory, (char *at, size_t size), (at, size), ENOMEM)                          \
    X(int, host_on_fork, (void (*child)(void)), (child), ENOMEM)                                   \
    X(bool, host_own_memory_mapped, (uint64_t address, uint64_t size), (address, size), false)     \
    X(bool, host_pages_resident, (const char *at, size_t size), (at, size), false)                 \
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
    X(int, host_table_create, (size_t size, void **table), (size, table), ENOMEM)                  \
    X(int, host_thread_create, (pthread_t * thread, void *(*body)(void *), void *argument),        \
      (thread, body, argument), EAGAIN)                                                            \
    X(int, host_thread_exit_create, (void (*ended)(void *)), (ended), EAGAIN)                      \
    X(int, host_thread_watch, (void *argument), (argument), ENOMEM)                                \
    X(int, host_unmap, (char *at, size_t size), (at, size), ENOMEM)                                \
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
