/* SPDX-License-Identifier: MIT */
/*
 * SIGSEGV and SIGBUS: faults that are not ours reach the handler that was there before, in every
 * form; ours do not; the handlers are given back; and a program may keep the signals to itself.
 */
#include "../support/check.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE UINT64_C(0x50000000)

static volatile sig_atomic_t seen_signal, seen_count, seen_code;
static void *volatile seen_address;
static unsigned char *page;

/* A page that faults: PROT_NONE for SIGSEGV, behind the end of its file for SIGBUS. */
static int page_file;

static void repair(int signal)
{
    if (!page)
        return;
    if (signal == SIGSEGV)
        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    else if (ftruncate(page_file, PAGE) != 0)
        _exit(3);
}

static void with_information(int signal, siginfo_t *information, void *context)
{
    (void)context;
    seen_signal = signal;
    seen_code = information->si_code;
    seen_address = information->si_addr;
    seen_count++;
    repair(signal);
}

static void plain(int signal)
{
    seen_signal = signal;
    seen_count++;
    repair(signal);
}

static void make_page(int signal)
{
    page_file = memfd_create("faulting", MFD_CLOEXEC);
    assert_int_equal(ftruncate(page_file, signal == SIGSEGV ? (off_t)PAGE : 0), 0);
    page = mmap(NULL, PAGE, signal == SIGSEGV ? PROT_NONE : PROT_READ | PROT_WRITE, MAP_SHARED,
                page_file, 0);
    assert_true(page != MAP_FAILED);
    seen_signal = seen_count = seen_code = 0;
}

static void drop_page(void)
{
    munmap(page, PAGE);
    close(page_file);
    page = NULL;
}

static void install(int signal, int informed)
{
    struct sigaction action = {0};
    if (informed) {
        action.sa_sigaction = with_information;
        action.sa_flags = SA_SIGINFO;
    } else {
        action.sa_handler = plain;
    }
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(signal, &action, NULL), 0);
}

/* A move through imported memory whose file is cut off: a fault that is ours. */
static void own_fault(void)
{
    struct xmem_process *process;
    char byte = 0;
    int file = memfd_create("import", MFD_CLOEXEC);
    assert_int_equal(ftruncate(file, PAGE), 0);
    must(xmem_process_create(64, &process));
    must(xmem_process_map_fd(process, BASE, PAGE, PROT_READ | PROT_WRITE, file, 0));
    assert_int_equal(ftruncate(file, 0), 0);
    for (int round = 0; round < 100; round++) {
        must_fail(xmem_copy_in(process, BASE + 9, &byte, 1, NULL), EIO);
        must_fail(xmem_copy_out(process, &byte, BASE + 9, 1, NULL), EIO);
    }
    must(xmem_process_close(process));
    close(file);
}

static void reaches_the_handler_before(int signal, int informed)
{
    install(signal, informed);
    must(xmem_start(NULL));
    make_page(signal);
    own_fault();
    assert_int_equal(seen_count, 0);
    ((volatile unsigned char *)page)[7] = 1; /* not ours */
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen_signal, signal);
    if (informed) {
        assert_ptr_equal(seen_address, page + 7);
        assert_int_equal(seen_code, signal == SIGSEGV ? SEGV_ACCERR : BUS_ADRERR);
    }
    drop_page();
    own_fault();
    assert_int_equal(seen_count, 1);
    raise(signal); /* sent, not a fault */
    assert_int_equal(seen_count, 2);
    must(xmem_stop());
    struct sigaction after;
    assert_int_equal(sigaction(signal, NULL, &after), 0);
    if (informed)
        assert_true(after.sa_sigaction == with_information);
    else
        assert_true(after.sa_handler == plain);
}

static void chains(enum kind kind)
{
    (void)kind;
    for (int informed = 0; informed < 2; informed++) {
        reaches_the_handler_before(SIGSEGV, informed);
        reaches_the_handler_before(SIGBUS, informed);
    }
}

/* Ends a child by a fault of its own, with the default or an ignoring disposition before. */
static int status_of_fault(int signal, void (*disposition)(int))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = disposition};
        sigaction(signal, &action, NULL);
        if (xmem_start(NULL) != 0)
            _exit(4);
        page_file = memfd_create("faulting", MFD_CLOEXEC);
        page = mmap(NULL, PAGE, signal == SIGSEGV ? PROT_NONE : PROT_READ | PROT_WRITE, MAP_SHARED,
                    page_file, 0);
        ((volatile unsigned char *)page)[7] = 1;
        _exit(5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void default_still_ends_the_program(enum kind kind)
{
    (void)kind;
    static const int signals[] = {SIGSEGV, SIGBUS};
    for (int index = 0; index < 2; index++) {
        int status = status_of_fault(signals[index], SIG_DFL);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[index]);
        status = status_of_fault(signals[index], SIG_IGN);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[index]);
    }
}

/* ---------------------------------------------------------------- kept by the program -- */

static void asks_xmem_first(int signal, siginfo_t *information, void *context)
{
    if (xmem_fault_signal(signal, information, context))
        return;
    with_information(signal, information, context);
}

static void left_to_the_program(enum kind kind)
{
    (void)kind;
    struct sigaction action = {.sa_flags = SA_SIGINFO}, after;
    struct xmem_config config = {.size = sizeof config, .leave_fault_signals = 1};
    action.sa_sigaction = asks_xmem_first;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    must(xmem_start(&config));
    sigaction(SIGSEGV, NULL, &after);
    assert_true(after.sa_sigaction == asks_xmem_first);
    seen_count = 0;
    own_fault();
    assert_int_equal(seen_count, 0);
    static const int signals[] = {SIGSEGV, SIGBUS};
    for (int index = 0; index < 2; index++) {
        make_page(signals[index]);
        ((volatile unsigned char *)page)[7] = 1;
        assert_int_equal(seen_count, 1);
        drop_page();
    }
    must(xmem_stop());
}

/* The interrupt signal has a number of one's choice, and is given back. */
static void interrupt_signal(enum kind kind)
{
    (void)kind;
    struct sigaction before = {.sa_handler = plain}, during, after;
    int number = SIGRTMIN + 7;
    struct xmem_config config = {.size = sizeof config, .interrupt_signal = number};
    sigaction(number, &before, NULL);
    must(xmem_start(&config));
    sigaction(number, NULL, &during);
    assert_true(during.sa_handler != plain);
    must(xmem_stop());
    sigaction(number, NULL, &after);
    assert_true(after.sa_handler == plain);
}

static void still_counts(void *argument)
{
    ++*(int *)argument;
}

/* An interrupt runs even where its signal is blocked by the caller. */
static void blocked_signals(enum kind kind)
{
    (void)kind;
    sigset_t all, old, now;
    int runs = 0;
    must(xmem_start(NULL));
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int error = xmem_interrupt(XMEM_INTCLASS0, still_counts, &runs);
    pthread_sigmask(SIG_SETMASK, &old, &now);
    assert_int_equal(error, 0);
    assert_int_equal(runs, 1);
    assert_true(sigismember(&now, SIGUSR1)); /* the mask is the caller's again */
    must(xmem_stop());
}

int main(void)
{
    static const struct test_case cases[] = {
        BARE(chains),
        BARE(default_still_ends_the_program),
        BARE(left_to_the_program),
        BARE(interrupt_signal),
        BARE(blocked_signals),
    };
    return RUN_CASES("signals", cases);
}
