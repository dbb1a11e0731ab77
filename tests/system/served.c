/* SPDX-License-Identifier: MIT */
/*
 * A thread that serves a trapped program: it runs on that program's behalf, and the program's
 * signals end its interruptible waits.  The supervisor is not there; the test plays its part.
 */
#include "system/caller.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int failed;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
            failed = 1;                                                                            \
        }                                                                                          \
    } while (0)

static int asked;

/* A signal comes while somebody looks for the third time. */
static int pending(void *argument)
{
    return ++asked >= *(int *)argument ? 15 : 0;
}

static struct xmem_caller at_interrupt;

static void look(void *argument)
{
    (void)argument;
    xmem_get_caller(&at_interrupt);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void the_caller_is_who_is_served(void)
{
    const struct xmem_caller served = {1234, 1235, 0};
    struct xmem_caller seen;
    caller_serve(&served, NULL, NULL);
    xmem_get_caller(&seen);
    EXPECT(seen.process == 1234 && seen.thread == 1235 && !seen.kernel);
    EXPECT(xmem_interrupt(XMEM_INTCLASS0, look, NULL) == 0);
    EXPECT(at_interrupt.process == 1234 && at_interrupt.thread == 1235);
    EXPECT(xmem_signal_pending() == 0);
    caller_done();
    xmem_get_caller(&seen);
    EXPECT(seen.process == 0 && seen.thread == gettid());
}

static void its_signals_end_waits(void)
{
    const struct xmem_caller served = {1234, 1235, 0};
    uint32_t word = 0;
    int third = 3, never = 1 << 30;
    caller_serve(&served, pending, &third);
    double begun = seconds_now();
    EXPECT(xmem_wait(&word, 0, XMEM_WAIT_INTERRUPTIBLE, 0) == EINTR);
    EXPECT(asked == 3 && seconds_now() - begun > 0.03);
    EXPECT(xmem_signal_pending() == 15);
    EXPECT(xmem_wait(&word, 1, XMEM_WAIT_INTERRUPTIBLE, 0) == 0); /* it happened already */
    EXPECT(xmem_wait(&word, 0, 0, 1000000) == ETIMEDOUT);         /* not interruptible */
    caller_done();
    EXPECT(xmem_signal_pending() == 0);
    EXPECT(xmem_wait(&word, 0, XMEM_WAIT_INTERRUPTIBLE, 1000000) == ETIMEDOUT);
    caller_serve(&served, pending, &never);
    begun = seconds_now();
    EXPECT(xmem_wait(&word, 0, XMEM_WAIT_INTERRUPTIBLE, 50000000) == ETIMEDOUT);
    EXPECT(seconds_now() - begun > 0.049);
    caller_done();
}

int main(void)
{
    EXPECT(xmem_start(NULL) == 0);
    the_caller_is_who_is_served();
    its_signals_end_waits();
    EXPECT(xmem_stop() == 0);
    return failed;
}
