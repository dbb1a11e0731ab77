/* SPDX-License-Identifier: MIT */
/*
 * The trapped side of the core's tests: signals of a caller that waits in the driver.  They have to
 * do what they do to one that sleeps interruptibly in a driver of the Linux kernel.
 */
#include "core_program.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
    handled = 0;
}

/* Sends the signal to the process (thread 0) or a thread after so many milliseconds, from a
 * child. */
static pid_t signal_later(unsigned milliseconds, int signal, pid_t thread)
{
    pid_t process = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    sleep_milliseconds(milliseconds);
    long sent = thread ? syscall(SYS_tgkill, process, thread, signal) : kill(process, signal);
    _exit(sent != 0);
}

/* What a read of the queue returns: a token's number, or -errno. */
static long take(int queue)
{
    uint32_t number = 0;
    ssize_t got = read(queue, &number, sizeof(number));
    return got < 0 ? -(long)errno : got == sizeof(number) ? (long)number : -1000;
}

void case_interrupted(void)
{
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGUSR1, 0);
    for (unsigned round = 0; round < 5; round++) {
        double before = seconds();
        pid_t child = signal_later(50, SIGUSR1, 0);
        CHECK(take(queue) == -EINTR);
        CHECK(handled == (int)round + 1);
        CHECK(seconds() - before < 5);
        reap_well(child);
    }
    pid_t child = signal_later(50, SIGUSR1, getpid());
    CHECK(take(queue) == -EINTR);
    reap_well(child);
    CHECK(ask(REQUEST_TOKENS, 0) == 0);
}

void case_restarted(void)
{
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGUSR1, SA_RESTART);
    pid_t child = signal_later(50, SIGUSR1, 0);
    pid_t giver = tokens_later(200, 1);
    CHECK(take(queue) == 1);
    CHECK(handled == 1);
    reap_well(child);
    reap_well(giver);
    CHECK(ask(REQUEST_TOKENS, 0) == 1);
}

/* Signals that do nothing end no wait: what is ignored, ignored by default, or blocked. */
void case_ignored(void)
{
    sigset_t blocked;
    int queue = open_or_end(QUEUE, O_RDWR);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    handle(SIGUSR2, 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    pid_t children[] = {signal_later(30, SIGUSR1, 0), signal_later(60, SIGWINCH, 0),
                        signal_later(90, SIGUSR2, 0), signal_later(110, SIGCONT, 0),
                        tokens_later(250, 1)};
    CHECK(take(queue) == 1);
    CHECK(handled == 0);
    for (unsigned index = 0; index < 5; index++)
        reap_well(children[index]);
    CHECK(sigprocmask(SIG_UNBLOCK, &blocked, NULL) == 0);
    CHECK(handled == 1);
}

/* A child that terminal stops stop: in a group of its own, whose parent is in the same session.
 * (Linux discards them in a group without one, which that of a test may be.) */
static pid_t fork_job(void)
{
    pid_t child = fork();
    if (child == 0)
        setpgid(0, 0);
    else
        setpgid(child, child);
    return child;
}

/* Stopped and continued in the wait, and nobody notices. */
void case_stopped(void)
{
    int status;
    pid_t child = fork_job();
    if (child == 0) {
        int queue = open_or_end(QUEUE, O_RDWR);
        CHECK(take(queue) == 1);
        _exit(failures != 0);
    }
    sleep_milliseconds(100);
    CHECK(kill(child, SIGTSTP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0);
    sleep_milliseconds(100);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    pid_t giver = tokens_later(0, 1);
    reap_well(giver);
    sleep_milliseconds(50);
    CHECK(kill(child, SIGCONT) == 0);
    reap_well(child);
    CHECK(ask(REQUEST_TOKENS, 0) == 1);
}

struct reader {
    pthread_t thread;
    int queue;
    pid_t number;
    long result;
};

static void *read_in_thread(void *argument)
{
    struct reader *reader = argument;
    __atomic_store_n(&reader->number, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    reader->result = take(reader->queue);
    return NULL;
}

static void start_reader(struct reader *reader, int queue)
{
    reader->queue = queue;
    reader->number = 0;
    CHECK(pthread_create(&reader->thread, NULL, read_in_thread, reader) == 0);
    while (__atomic_load_n(&reader->number, __ATOMIC_SEQ_CST) == 0)
        sleep_milliseconds(1);
    sleep_milliseconds(50);
}

/* The first thread takes the process's signals; the one that waits is left alone, but by its
 * own. */
void case_other_thread(void)
{
    struct reader reader;
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGUSR1, 0);
    start_reader(&reader, queue);
    for (unsigned round = 0; round < 10; round++) {
        CHECK(kill(getpid(), SIGUSR1) == 0);
        sleep_milliseconds(20);
    }
    CHECK(handled == 10);
    CHECK(write(queue, "t", 1) == 1);
    pthread_join(reader.thread, NULL);
    CHECK(reader.result == 1);
    start_reader(&reader, queue);
    CHECK(syscall(SYS_tgkill, getpid(), reader.number, SIGUSR1) == 0);
    pthread_join(reader.thread, NULL);
    CHECK(reader.result == -EINTR && handled == 11);
}

/* All threads wait: one takes the signal, whichever; the others go on waiting. */
void case_both_waiting(void)
{
    struct reader readers[3];
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGUSR1, 0);
    for (unsigned index = 0; index < 3; index++)
        start_reader(&readers[index], queue);
    pid_t child = signal_later(50, SIGUSR1, 0);
    pid_t giver = tokens_later(400, 3);
    long own = take(queue);
    unsigned interrupted = own == -EINTR;
    for (unsigned index = 0; index < 3; index++) {
        pthread_join(readers[index].thread, NULL);
        interrupted += readers[index].result == -EINTR;
        CHECK(readers[index].result > 0 || readers[index].result == -EINTR);
    }
    CHECK(own > 0 || own == -EINTR);
    CHECK(interrupted == 1 && handled == 1);
    CHECK(ask(REQUEST_TOKENS, 0) == 3);
    reap_well(child);
    reap_well(giver);
}

/* A process is stopped only when all its threads are. */
void case_group_stop(void)
{
    int status;
    pid_t child = fork_job();
    if (child == 0) {
        struct reader readers[2];
        int queue = open_or_end(QUEUE, O_RDWR);
        start_reader(&readers[0], queue);
        start_reader(&readers[1], queue);
        for (unsigned index = 0; index < 2; index++) {
            pthread_join(readers[index].thread, NULL);
            CHECK(readers[index].result > 0);
        }
        _exit(failures != 0);
    }
    sleep_milliseconds(300);
    for (unsigned round = 0; round < 3; round++) {
        CHECK(kill(child, SIGTSTP) == 0);
        CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        CHECK(kill(child, SIGCONT) == 0);
        sleep_milliseconds(60);
    }
    reap_well(tokens_later(0, 2));
    reap_well(child);
}

/* Signals that end the program, Ctrl-C's among them. */
void case_fatal(void)
{
    static const int fatal[] = {SIGTERM, SIGINT, SIGHUP, SIGKILL, SIGALRM};
    int before = ask(REQUEST_CLOSES, CORE_QUEUE);
    int opens = ask(REQUEST_OPENS, CORE_QUEUE);
    for (int index = 0; index < 5; index++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            int queue = open_or_end(QUEUE, O_RDWR);
            take(queue);
            _exit(1);
        }
        await_opens(CORE_QUEUE, opens + index + 1);
        sleep_milliseconds(60); /* it waits for a token then */
        CHECK(kill(child, fatal[index]) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == fatal[index]);
    }
    await_closes(CORE_QUEUE, before + 5);
}

/* Under a rain of signals every token is handed out once, and none is lost. */
void case_never_twice(void)
{
    enum { TOKENS = 60 };
    struct itimerval every = {{0, 7000}, {0, 7000}};
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGALRM, 0);
    pid_t giver = fork();
    if (giver == 0) {
        for (unsigned index = 0; index < TOKENS; index++) {
            CHECK(write(queue, "t", 1) == 1);
            sleep_milliseconds(index % 3 * 10);
        }
        _exit(failures != 0);
    }
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (long expected = 1; expected <= TOKENS;) {
        long got = take(queue);
        if (got == -EINTR)
            continue;
        CHECK(got == expected);
        expected++;
    }
    every = (struct itimerval){{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    reap_well(giver);
    CHECK(ask(REQUEST_TOKENS, 0) == TOKENS);
    CHECK(handled > 0);
}

static void *read_slow(void *argument)
{
    char byte;
    CHECK(read(*(int *)argument, &byte, 1) == 0);
    return NULL;
}

/* A driver that sleeps where nobody sees it does not keep the others from being served. */
void case_slow_driver(void)
{
    pthread_t threads[6];
    int slow = open_or_end(SLOW, O_RDWR);
    int disk = open_or_end(DISK, O_RDWR);
    double begin = seconds();
    for (unsigned index = 0; index < 6; index++)
        CHECK(pthread_create(&threads[index], NULL, read_slow, &slow) == 0);
    char byte = 0;
    CHECK(pwrite(disk, &byte, 1, 0) == 1);
    double served = seconds();
    for (unsigned index = 0; index < 6; index++)
        pthread_join(threads[index], NULL);
    double end = seconds();
    CHECK(served - begin < SLOW_MILLISECONDS / 1000.0 + 2);
    CHECK(end - begin < 5 * SLOW_MILLISECONDS / 1000.0); /* all at a time */
}

/* ---------------------------------------------------------------- for terminal.c ------- */

void case_wait_token(void)
{
    take(open_or_end(QUEUE, O_RDWR));
    CHECK(0); /* nobody gives one: a key ends it */
}

void case_wait_late_token(void)
{
    pid_t giver = tokens_later(2500, 1);
    CHECK(take(open_or_end(QUEUE, O_RDWR)) == 1);
    reap_well(giver);
}

void case_handle_stop(void)
{
    int queue = open_or_end(QUEUE, O_RDWR);
    handle(SIGTSTP, 0);
    CHECK(take(queue) == -EINTR);
    CHECK(handled == 1);
    pid_t giver = tokens_later(1500, 1);
    CHECK(take(queue) == 1);
    reap_well(giver);
}
