/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking.  Nothing is kept here: whoever waits does so in the Linux kernel, under the
 * word's address, so that a wake-up needs no lock and may come from any handler.
 *
 * What ends an interruptible wait is asked for in slices where it belongs to a trapped program,
 * whose signals nobody tells us of: after each, not before the first, since the question takes
 * longer than most waits.  A kernel process waits on its count of posted signals as well.
 * That count is read before the pending signals are looked at, so that one posted in between makes
 * the wait return.  Where Linux cannot wait on two words, slices do here, too.
 */
#include "engine/failure.h"
#include "engine/thread.h"
#include "host/futex.h"
#include "system/caller.h"
#include "system/kernel_process.h"
#include "xmem/kernel.h"

#include <errno.h>

#define SLICE UINT64_C(20000000)

static uint64_t deadline_after(uint64_t nanoseconds)
{
    uint64_t end;
    if (nanoseconds == 0 || __builtin_add_overflow(host_nanoseconds(), nanoseconds, &end))
        return 0;
    return end > INT64_MAX ? 0 : end;
}

/* The next time to look, at or before the deadline. */
static uint64_t slice_end(uint64_t deadline)
{
    uint64_t end = host_nanoseconds() + SLICE;
    return deadline && deadline < end ? deadline : end;
}

static int wait_a_slice(const uint32_t *word, uint32_t expected, uint64_t deadline, bool *over)
{
    uint64_t end = slice_end(deadline);
    int error = host_wait(word, expected, end);
    *over = error == 0 || end == deadline;
    return error;
}

static int wait_for_served(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
    for (;;) {
        bool over;
        int error = wait_a_slice(word, expected, deadline, &over);
        if (over)
            return error;
        if (xmem_signal_pending())
            return EINTR;
    }
}

static int wait_as_kernel_process(const struct kernel_process *process, const uint32_t *word,
                                  uint32_t expected, uint64_t deadline)
{
    uint32_t posted = load_strong(&process->posted);
    if (load_strong(&process->signals))
        return EINTR;
    int error = host_wait_either(word, expected, &process->posted, posted, deadline);
    if (error == ENOSYS)
        return wait_for_served(word, expected, deadline);
    return load_strong(&process->posted) != posted && load_strong(word) == expected ? EINTR : error;
}

static int wait_interruptibly(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
    const struct kernel_process *process = caller_kernel_process();
    if (process)
        return wait_as_kernel_process(process, word, expected, deadline);
    return caller_is_served() ? wait_for_served(word, expected, deadline)
                              : host_wait(word, expected, deadline);
}

static int recorded(const char *operation, int error)
{
    if (error == 0)
        return 0;
    return fail(operation,
                outcome_failure(XMEM_FAILURE_TIMED_OUT, error,
                                error == EINTR ? "a signal for whom this thread serves ended the "
                                                 "wait"
                                               : "nobody woke this thread in time"));
}

EXPORT int xmem_wait(const uint32_t *word, uint32_t expected, unsigned flags, uint64_t nanoseconds)
{
    static const char operation[] = "xmem_wait";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!word || flags & ~XMEM_WAIT_INTERRUPTIBLE)
        return fail_argument(operation, "there must be a word, and flags be 0 or "
                                        "XMEM_WAIT_INTERRUPTIBLE");
    if (load_strong(word) != expected)
        return 0;
    caller_waits();
    uint64_t deadline = deadline_after(nanoseconds);
    return recorded(operation, flags & XMEM_WAIT_INTERRUPTIBLE
                                   ? wait_interruptibly(word, expected, deadline)
                                   : host_wait(word, expected, deadline));
}

EXPORT void xmem_wake(const uint32_t *word, int most)
{
    host_wake(word, most);
}
