/* SPDX-License-Identifier: MIT */
/*
 * Shows the error of a system call: what setuerror and getuerror do, thread by thread, and what the
 * caller of a system call that an extension adds finds in errno.
 */
#include <errno.h>
#include <pthread.h>

#include "services.h"

static void *has_its_own(void *argument)
{
    int *before = argument;
    *before = getuerror();
    setuerror(ENOSPC);
    return NULL;
}

static void each_thread_has_one(enum kind kind)
{
    pthread_t thread;
    int before = -1;
    assert_int_equal(setuerror(EXDEV), EXDEV);
    assert_int_equal(getuerror(), EXDEV);
    assert_int_equal(pthread_create(&thread, NULL, has_its_own, &before), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(before, 0);
    assert_int_equal(getuerror(), EXDEV);
    assert_int_equal(setuerror(-5), -5);
    assert_int_equal(getuerror(), -5);
    assert_int_equal(setuerror(0), 0);
    assert_int_equal(getuerror(), 0);
    covers("setuerror.1", kind);
    covers("setuerror.2", kind);
    covers("getuerror.1", kind);
}

static void errno_is_left_alone(enum kind kind)
{
    errno = EDOM;
    setuerror(EFBIG);
    (void)getuerror();
    assert_int_equal(errno, EDOM);
    setuerror(0);
    covers("setuerror.errno", kind);
}

/* System calls of an extension. */
static int fails(int error)
{
    setuerror(error);
    return -1;
}

static int succeeds(int value)
{
    return getuerror() == 0 ? value : -100;
}

static int warns(int value)
{
    setuerror(E2BIG);
    return value;
}

/* A routine of the extension calls the function without the handler, and asks getuerror. */
static int calls_another(void)
{
    return fails(EISDIR) == -1 && getuerror() == EISDIR ? warns(3) : -100;
}

static void system_calls(enum kind kind)
{
    errno = 0;
    assert_int_equal(XMEM_AIX_SYSTEM_CALL(fails(EMLINK)), -1);
    assert_int_equal(errno, EMLINK);
    errno = EDOM;
    assert_int_equal(XMEM_AIX_SYSTEM_CALL(succeeds(7)), 7); /* the error of before is gone */
    assert_int_equal(errno, EDOM);
    assert_int_equal(XMEM_AIX_SYSTEM_CALL(warns(12)), 12);
    assert_int_equal(errno, E2BIG);
    assert_int_equal(XMEM_AIX_SYSTEM_CALL(calls_another()), 3);
    assert_int_equal(errno, E2BIG);
    covers("system-call.begins", kind);
    covers("system-call.errno", kind);
    covers("system-call.direct", kind);
}

static void set_at_interrupt(void *argument)
{
    int *results = argument;
    results[0] = setuerror(EIO);
    results[1] = getuerror();
}

static void refuses(enum kind kind)
{
    int results[2] = {-1, -1};
    uint64_t before = usage_errors_counted();
    setuerror(EROFS);
    at_interrupt(set_at_interrupt, results);
    assert_int_equal(results[0], EIO);
    assert_int_equal(results[1], 0);
    assert_int_equal(getuerror(), EROFS);
    assert_int_equal(usage_errors_counted(), before + 2);
    covers("uerror.interrupt", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(each_thread_has_one, ONCE),
        EACH(errno_is_left_alone, ONCE),
        EACH(system_calls, ONCE),
        EACH(refuses, ONCE),
    };
    return RUN_CASES("errors", cases);
}
