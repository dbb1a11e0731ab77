/* SPDX-License-Identifier: MIT */
/*
 * A running 32-bit process: its address space is known to be one, addresses beyond it are refused
 * (copyin64.4), and its bytes move.
 */
#include "../support/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sys/xmem.h>
#include <unistd.h>

#define CANNOT_EXEC 77

static pid_t child;

/* Starts the program; where its buffer is.  0: this machine does not run 32-bit programs. */
static uint64_t start_narrow(void)
{
    int ends[2];
    uint32_t address = 0;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(XMEM_TEST_NARROW_PATH, "xmem-test-narrow", NULL);
        _exit(CANNOT_EXEC);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &address, sizeof(address));
    close(ends[0]);
    return got == (ssize_t)sizeof(address) ? address : 0;
}

static void stop_narrow(void)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void copies(uint64_t buffer)
{
    char text[16] = {0};
    char wide[] = "wide";
    uint actual = 0;
    assert_int_equal(copyinstr64(buffer, text, sizeof(text), &actual), 0);
    assert_string_equal(text, "narrow");
    assert_int_equal(actual, sizeof("narrow"));
    assert_int_equal(copyout64(wide, buffer, sizeof(wide)), 0);
    assert_int_equal(copyin64(buffer, text, 5), 0);
    assert_string_equal(text, "wide");
}

/* The same low bits in a 64-bit address are no address of the process. */
static void addresses_beyond(uint64_t buffer)
{
    char text[5];
    size_t done = 1;
    assert_int_equal(copyin64(buffer | UINT64_C(1) << 32, text, sizeof(text)), EFAULT);
    must_fail(xmem_copy_in(NULL, buffer | UINT64_C(1) << 32, text, sizeof(text), &done), EFAULT);
    assert_int_equal(done, 0);
    must_fail(xmem_copy_in(NULL, UINT32_MAX - 1, text, sizeof(text), &done), EFAULT);
    struct xmem_descriptor descriptor;
    must_fail(xmem_attach(NULL, UINT32_MAX - 1, sizeof(text), &descriptor), EFAULT);
}

static void opened_32_bit(enum kind kind)
{
    (void)kind;
    struct xmem_process *process;
    uint64_t buffer = start_narrow();
    if (!buffer) {
        stop_narrow();
        print_message("left out: this machine does not run 32-bit programs\n");
        return;
    }
    must(xmem_process_open(child, &process));
    assert_int_equal(xmem_process_bits(process), 32);
    xmem_enter(process);
    assert_int_equal(IS64U, 0);
    copies(buffer);
    addresses_beyond(buffer);
    xmem_leave();
    must(xmem_process_close(process));
    stop_narrow();
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(opened_32_bit, ONCE),
    };
    return RUN_CASES("narrow", cases);
}
