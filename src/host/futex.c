/* SPDX-License-Identifier: MIT */
/*
 * Waiting on words, by futexes; futex.h says what each function promises.
 */
#include "host/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Linux 5.16; not in every C library's headers. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct waited_word {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

#define WORD_IS_32_BITS 2u /* FUTEX_32 */

uint64_t host_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct timespec time_of(uint64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / 1000000000u),
                             .tv_nsec = (long)(nanoseconds % 1000000000u)};
}

int host_wait(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
    int saved = errno;
    struct timespec end = time_of(deadline);
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                          deadline ? &end : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
    int error = result < 0 && errno == ETIMEDOUT ? ETIMEDOUT : 0;
    errno = saved;
    return error;
}

int host_wait_either(const uint32_t *word, uint32_t expected, const uint32_t *other,
                     uint32_t other_expected, uint64_t deadline)
{
    static bool refused; /* once is enough */
    if (load_relaxed(&refused))
        return ENOSYS;
    int saved = errno;
    struct timespec end = time_of(deadline);
    struct waited_word words[] = {
        {expected, (uintptr_t)word, WORD_IS_32_BITS | FUTEX_PRIVATE_FLAG, 0},
        {other_expected, (uintptr_t)other, WORD_IS_32_BITS | FUTEX_PRIVATE_FLAG, 0}};
    long result = syscall(SYS_futex_waitv, words, 2u, 0u, deadline ? &end : NULL, CLOCK_MONOTONIC);
    int error = result < 0 ? errno : 0;
    errno = saved;
    switch (error) {
    case 0:
    case EAGAIN:
    case EINTR:
        return 0;
    case ETIMEDOUT:
        return ETIMEDOUT;
    default:
        store_relaxed(&refused, true);
        return ENOSYS;
    }
}

void host_wake(const uint32_t *word, int most)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, most, NULL, NULL, 0);
    errno = saved;
}

void host_yield(void)
{
    int saved = errno;
    sched_yield();
    errno = saved;
}

pid_t host_thread_number(void)
{
    return gettid();
}

void host_thread_name(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

bool host_thread_is_ours(pid_t thread)
{
    int saved = errno;
    bool ours = syscall(SYS_tgkill, getpid(), thread, 0) == 0;
    errno = saved;
    return ours;
}

int host_thread_signal(pid_t thread, int signal)
{
    int saved = errno;
    int error = syscall(SYS_tkill, thread, signal) == 0 ? 0 : errno;
    errno = saved;
    return error;
}
