/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events: poll, select and epoll on the device "ready" among pipes.
 */
#include "other_program.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#ifdef __i386__
#define NUMBER_SELECT SYS__newselect
#else
#define NUMBER_SELECT SYS_select
#endif

static int device;
static int pipes[2];

static void begin(void)
{
    device = open_device("ready", O_RDWR);
    CHECK(pipe(pipes) == 0);
    CHECK(ioctl(device, REQUEST_DRAIN, 0) == 0);
}

static void end(void)
{
    close(device);
    close(pipes[0]);
    close(pipes[1]);
}

static void write_to_pipe(void)
{
    CHECK(write(pipes[1], "x", 1) == 1);
}

static void take(int fd)
{
    char byte;
    CHECK(read(fd, &byte, 1) == 1);
}

/* ---------------------------------------------------------------- poll ----------------- */

void case_poll(void)
{
    begin();
    int plain = open_device("plain", O_RDWR);
    struct pollfd set[4] = {
        {device, POLLIN, 0}, {pipes[0], POLLIN, 0}, {-5, POLLIN, 7}, {99, 0, 0}};
    CHECK(poll(set, 3, 0) == 0 && set[0].revents == 0 && set[2].revents == 0);
    double start = seconds();
    CHECK(poll(set, 1, 60) == 0 && seconds() - start >= 0.059);
    start = seconds();
    CHECK(poll(set, 2, 60) == 0 && seconds() - start >= 0.059);
    set[0].events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    CHECK(poll(set, 2, -1) == 1 && set[0].revents == (POLLOUT | POLLWRNORM));
    set[0].events = POLLIN;
    CHECK(poll(set, 4, -1) == 1 && set[3].revents == POLLNVAL && set[0].revents == 0);
    /* The device becomes ready, alone and among others. */
    for (nfds_t count = 1; count <= 2; count++) {
        CHECK(ioctl(device, REQUEST_READY_IN, 50) == 0);
        CHECK(poll(set, count, 20000) == 1 && set[0].revents == POLLIN && set[1].revents == 0);
        take(device);
        CHECK(poll(set, count, 0) == 0);
    }
    /* A pipe does. */
    later(50, write_to_pipe);
    CHECK(poll(set, 2, 20000) == 1 && set[1].revents == POLLIN && set[0].revents == 0);
    later_join();
    CHECK(write(device, "x", 1) == 1);
    CHECK(poll(set, 2, -1) == 2);
    take(device);
    take(pipes[0]);
    /* A device that knows no waiting is always ready. */
    set[1] = (struct pollfd){plain, POLLIN | POLLOUT, 0};
    CHECK(poll(set, 2, -1) == 1 && set[1].revents == (POLLIN | POLLOUT));
    CHECK(ioctl(device, REQUEST_BLOCK_OUT, 1) == 0);
    set[0].events = POLLOUT;
    CHECK(poll(set, 1, 0) == 0);
    CHECK(ioctl(device, REQUEST_BLOCK_OUT, 0) == 0);
    CHECK(poll(set, 1, 0) == 1 && set[0].revents == POLLOUT);
    struct timespec limit = {0, 30000000};
    set[0].events = POLLIN;
    CHECK(ppoll(set, 1, &limit, NULL) == 0);
    close(plain);
    end();
}

/* ---------------------------------------------------------------- select --------------- */

void case_select(void)
{
    fd_set reading;
    fd_set writing;
    begin();
    int most = (device > pipes[1] ? device : pipes[1]) + 1;
    struct timeval limit = {0, 40000};
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(device, &reading);
    FD_SET(pipes[0], &reading);
    double start = seconds();
    CHECK_RAW(0, NUMBER_SELECT, most, &reading, 0L, 0L, &limit);
    CHECK(seconds() - start >= 0.039 && limit.tv_sec == 0 && limit.tv_usec == 0);
    CHECK(!FD_ISSET(device, &reading) && !FD_ISSET(pipes[0], &reading));
    FD_SET(device, &reading);
    FD_SET(device, &writing);
    FD_SET(pipes[1], &writing);
    CHECK(select(most, &reading, &writing, NULL, NULL) == 2);
    CHECK(!FD_ISSET(device, &reading) && FD_ISSET(device, &writing) &&
          FD_ISSET(pipes[1], &writing));
    FD_SET(device, &reading);
    FD_SET(pipes[0], &reading);
    limit = (struct timeval){20, 0};
    CHECK(ioctl(device, REQUEST_READY_IN, 50) == 0);
    CHECK_RAW(1, NUMBER_SELECT, most, &reading, 0L, 0L, &limit);
    CHECK(FD_ISSET(device, &reading) && !FD_ISSET(pipes[0], &reading));
    CHECK(limit.tv_sec < 20);
    take(device);
    struct timespec short_limit = {0, 1000000};
    FD_SET(device, &reading);
    CHECK(pselect(most, &reading, NULL, NULL, &short_limit, NULL) == 0);
    FD_SET(device, &reading);
    FD_SET(99, &reading);
    CHECK(dup2(0, 99) == 99 && close(99) == 0);
    CHECK(select(100, &reading, NULL, NULL, &limit) == -1 && errno == EBADF);
    CHECK(FD_ISSET(device, &reading) && FD_ISSET(99, &reading));
#ifdef __i386__
    struct {
        int most;
        fd_set *reading, *writing, *except;
        struct timeval *limit;
    } arguments = {most, &reading, NULL, NULL, &limit};
    limit = (struct timeval){0, 1000};
    CHECK_RAW(0, SYS_select, &arguments);
    CHECK(!FD_ISSET(device, &reading));
    long long wide_limit[2] = {0, 1000000};
    FD_SET(device, &reading);
    CHECK_RAW(0, 413L /* pselect6_time64 */, most, &reading, 0L, 0L, wide_limit, 0L);
    CHECK(!FD_ISSET(device, &reading));
    struct pollfd entry = {device, POLLIN, 0};
    CHECK_RAW(0, 414L /* ppoll_time64 */, &entry, 1L, wide_limit, 0L, 8L);
#endif
    end();
}

/* ---------------------------------------------------------------- epoll ---------------- */

static int wait_one(int epoll, int milliseconds, uint64_t *data)
{
    struct epoll_event events[4];
    int count = epoll_wait(epoll, events, 4, milliseconds);
    if (count > 0)
        *data = events[0].data.u64;
    return count > 0 ? (int)events[0].events : count;
}

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, operation, fd, &event) ? -errno : 0;
}

void case_epoll(void)
{
    uint64_t data = 0;
    begin();
    int epoll = epoll_create1(0);
    int other = epoll_create1(0);
    CHECK(control(epoll, EPOLL_CTL_ADD, device, EPOLLIN, 0x123456789a) == 0);
    CHECK(control(epoll, EPOLL_CTL_ADD, device, EPOLLIN, 1) == -EEXIST);
    CHECK(control(other, EPOLL_CTL_MOD, device, EPOLLIN, 1) == -ENOENT);
    CHECK(control(other, EPOLL_CTL_DEL, device, 0, 0) == -ENOENT);
    CHECK(control(epoll, EPOLL_CTL_ADD, pipes[0], EPOLLIN, 2) == 0);
    CHECK(control(other, EPOLL_CTL_ADD, device, EPOLLIN | EPOLLOUT, 3) == 0);
    CHECK(wait_one(epoll, 0, &data) == 0);
    CHECK(wait_one(other, 0, &data) == EPOLLOUT && data == 3);
    CHECK(ioctl(device, REQUEST_READY_IN, 50) == 0);
    CHECK(wait_one(epoll, 20000, &data) == EPOLLIN && data == 0x123456789a);
    CHECK(wait_one(epoll, 0, &data) == EPOLLIN); /* as long as it can be read */
    CHECK(wait_one(other, 0, &data) == (EPOLLIN | EPOLLOUT));
    take(device);
    CHECK(wait_one(epoll, 0, &data) == 0);
    CHECK(wait_one(other, 0, &data) == EPOLLOUT);
    CHECK(ioctl(device, REQUEST_BLOCK_OUT, 1) == 0);
    CHECK(wait_one(other, 0, &data) == 0);
    CHECK(ioctl(device, REQUEST_BLOCK_OUT, 0) == 0);
    CHECK(wait_one(other, 0, &data) == EPOLLOUT);
    write_to_pipe();
    CHECK(wait_one(epoll, 0, &data) == EPOLLIN && data == 2);
    take(pipes[0]);
    CHECK(control(epoll, EPOLL_CTL_MOD, device, EPOLLOUT, 9) == 0);
    CHECK(wait_one(epoll, 0, &data) == EPOLLOUT && data == 9);
    CHECK(control(epoll, EPOLL_CTL_DEL, device, 0, 0) == 0);
    CHECK(control(epoll, EPOLL_CTL_DEL, device, 0, 0) == -ENOENT);
    CHECK(wait_one(epoll, 0, &data) == 0);
    /* A closed one leaves by itself. */
    int copy = open_device("ready", O_RDWR);
    CHECK(control(epoll, EPOLL_CTL_ADD, copy, EPOLLOUT, 4) == 0);
    CHECK(wait_one(epoll, 0, &data) == EPOLLOUT && data == 4);
    close(copy);
    CHECK(wait_one(epoll, 0, &data) == 0);
    int plain = open_device("plain", O_RDWR);
    int null_device = open("/dev/null", O_RDWR);
    CHECK(control(epoll, EPOLL_CTL_ADD, plain, EPOLLIN, 1) == -EPERM);
    CHECK(control(epoll, EPOLL_CTL_ADD, null_device, EPOLLIN, 1) == -EPERM);
    CHECK(control(pipes[0], EPOLL_CTL_ADD, device, EPOLLIN, 1) == -EINVAL);
    CHECK(control(98, EPOLL_CTL_ADD, device, EPOLLIN, 1) == -EBADF);
    for (enum bad kind = 0; kind < BAD_TO_READ; kind++)
        CHECK_RAW(-EFAULT, SYS_epoll_ctl, epoll, (long)EPOLL_CTL_ADD, device,
                  bad_address(kind, sizeof(struct epoll_event)));
    close(null_device);
    close(plain);
    close(other);
    close(epoll);
    end();
}

void case_epoll_edges(void)
{
    uint64_t data = 0;
    begin();
    int epoll = epoll_create1(0);
    CHECK(control(epoll, EPOLL_CTL_ADD, device, EPOLLIN | EPOLLET, 1) == 0);
    CHECK(wait_one(epoll, 0, &data) == 0);
    for (int round = 0; round < 3; round++) {
        /* Still readable from before, a new event comes all the same. */
        CHECK(ioctl(device, REQUEST_READY_IN, 20) == 0);
        CHECK(wait_one(epoll, 20000, &data) == EPOLLIN);
        CHECK(wait_one(epoll, 30, &data) == 0);
    }
    CHECK(ioctl(device, REQUEST_DRAIN, 0) == 0);
    CHECK(control(epoll, EPOLL_CTL_MOD, device, EPOLLIN | EPOLLONESHOT, 2) == 0);
    CHECK(ioctl(device, REQUEST_READY_IN, 20) == 0);
    CHECK(wait_one(epoll, 20000, &data) == EPOLLIN && data == 2);
    CHECK(wait_one(epoll, 0, &data) == 0);
    close(epoll);
    end();
}

/* ---------------------------------------------------------------- signals -------------- */

static volatile sig_atomic_t handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void catch_signal(int signal, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

/* Again and again: the first may come before the wait. */
static void alarm_every(unsigned milliseconds)
{
    struct timeval time = {0, (suseconds_t)milliseconds * 1000};
    struct itimerval timer = {.it_value = time, .it_interval = time};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void alarm_off(void)
{
    struct itimerval timer = {.it_value = {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void alarm_in(unsigned milliseconds)
{
    struct itimerval timer = {.it_value = {0, (suseconds_t)milliseconds * 1000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Waits are ended by handlers, and never begun anew, whatever SA_RESTART says. */
static void end_waits(int flags)
{
    fd_set reading;
    struct pollfd set[2] = {{device, POLLIN, 0}, {pipes[0], POLLIN, 0}};
    struct timeval limit = {20, 0};
    catch_signal(SIGALRM, flags);
    for (nfds_t count = 1; count <= 2; count++) {
        handled = 0;
        alarm_every(50);
        CHECK(poll(set, count, 20000) == -1 && errno == EINTR && handled >= 1);
        alarm_off();
    }
    FD_ZERO(&reading);
    FD_SET(device, &reading);
    handled = 0;
    alarm_every(50);
    CHECK_RAW(-EINTR, NUMBER_SELECT, device + 1, &reading, 0L, 0L, &limit);
    alarm_off();
    CHECK(handled >= 1 && limit.tv_sec < 20 && FD_ISSET(device, &reading));
}

/* One that is ignored does not end them. */
static void ignore_in_waits(void)
{
    struct pollfd set[2] = {{device, POLLIN, 0}, {pipes[0], POLLIN, 0}};
    signal(SIGALRM, SIG_IGN);
    for (nfds_t count = 1; count <= 2; count++) {
        alarm_in(20);
        CHECK(poll(set, count, 100) == 0);
    }
}

static void *sleep_deaf(void *done)
{
    char byte;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    CHECK(read(*(int *)done, &byte, 1) == 0);
    return NULL;
}

/* In a program of one thread, and in one of two, of which the other takes no signals. */
void case_wait_signals(void)
{
    int done[2];
    pthread_t other = 0;
    begin();
    end_waits(0);
    end_waits(SA_RESTART);
    ignore_in_waits();
    CHECK(pipe(done) == 0 && pthread_create(&other, NULL, sleep_deaf, &done[0]) == 0);
    end_waits(0);
    end_waits(SA_RESTART);
    ignore_in_waits();
    close(done[1]);
    pthread_join(other, NULL);
    close(done[0]);
    end();
}

/* A signal that is blocked but for the wait ends the wait, and its handler has run. */
void case_masked_signals(void)
{
    sigset_t blocked;
    sigset_t open_mask;
    fd_set reading;
    begin();
    struct pollfd set[2] = {{device, POLLIN, 0}, {pipes[0], POLLIN, 0}};
    catch_signal(SIGALRM, 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, &open_mask) == 0);
    struct timespec limit = {20, 0};
    for (nfds_t count = 1; count <= 2; count++) {
        handled = 0;
        alarm_in(50);
        CHECK(ppoll(set, count, &limit, &open_mask) == -1 && errno == EINTR && handled == 1);
        CHECK(set[0].fd == device && set[1].fd == pipes[0]);
    }
    FD_ZERO(&reading);
    FD_SET(device, &reading);
    handled = 0;
    alarm_in(50);
    CHECK(pselect(device + 1, &reading, NULL, NULL, &limit, &open_mask) == -1 && errno == EINTR);
    CHECK(handled == 1 && FD_ISSET(device, &reading));
    /* And one that only the wait blocks does not. */
    CHECK(sigprocmask(SIG_SETMASK, &open_mask, NULL) == 0);
    handled = 0;
    alarm_in(20);
    limit = (struct timespec){0, 100000000};
    CHECK(ppoll(set, 1, &limit, &blocked) == 0 && handled == 1);
    end();
}

/* ---------------------------------------------------------------- bad pointers --------- */

void case_poll_bad(void)
{
    begin();
    struct timespec now = {0, 0};
    struct pollfd entry = {device, POLLIN, 0};
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(device, &reading);
    for (enum bad kind = 0; kind < BAD_TO_READ; kind++) {
        CHECK_RAW(-EFAULT, SYS_poll, bad_address(kind, 8), 1L, 0L);
        CHECK_RAW(-EFAULT, SYS_ppoll, bad_address(kind, 8), 1L, &now, 0L, 8L);
        if (kind == BAD_NULL)
            continue;
        CHECK_RAW(-EFAULT, SYS_ppoll, &entry, 1L, bad_address(kind, sizeof(now)), 0L, 8L);
        CHECK_RAW(-EFAULT, SYS_ppoll, &entry, 1L, &now, bad_address(kind, 8), 8L);
        for (int place = 1; place <= 3; place++)
            CHECK_RAW(-EFAULT, NUMBER_SELECT, device + 1,
                      place == 1 ? bad_address(kind, sizeof(long)) : (void *)&reading,
                      place == 2 ? bad_address(kind, sizeof(long)) : NULL,
                      place == 3 ? bad_address(kind, sizeof(long)) : NULL, 0L);
        CHECK_RAW(-EFAULT, NUMBER_SELECT, device + 1, &reading, 0L, 0L,
                  bad_address(kind, sizeof(struct timeval)));
        CHECK_RAW(-EFAULT, SYS_pselect6, device + 1, &reading, 0L, 0L, &now,
                  bad_address(kind, 2 * sizeof(long)));
    }
    CHECK(ioctl(device, REQUEST_READY_IN, 0) == 0);
    usleep(50000);
    struct pollfd *readable = bad_address(BAD_READABLE, 8);
    CHECK_RAW(0, SYS_ppoll, readable, 0L, &now, 0L, 8L);
    CHECK_RAW(-EINVAL, SYS_ppoll, &entry, 1L, &now, &now, 7L);
    now.tv_nsec = -1;
    CHECK_RAW(-EINVAL, SYS_ppoll, &entry, 1L, &now, 0L, 8L);
    CHECK_RAW(-EINVAL, NUMBER_SELECT, -1L, &reading, 0L, 0L, 0L);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_RAW(-EINVAL, SYS_poll, &entry, (long)limit.rlim_cur + 1, 0L);
    /* All is well after that. */
    CHECK(poll(&entry, 1, 0) == 1 && entry.revents == POLLIN);
    take(device);
    end();
}
