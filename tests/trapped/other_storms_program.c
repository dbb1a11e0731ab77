/* SPDX-License-Identifier: MIT */
/*
 * Waiting for events, many times and by many: no event is lost, whatever way it is waited for, and
 * those who are killed or stopped in a wait leave the others alone.  Waits have no limit: a lost
 * event is a hang, which the alarm of main() ends.
 */
#include "other_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>

#define ROUNDS 200
#define WAITERS 12

static int device;
static int tokens[2]; /* from who waits to who writes */
static int quiet[2];  /* nothing comes */
static int epolls[2]; /* level and edge */

static void begin(void)
{
    struct epoll_event level = {.events = EPOLLIN};
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET};
    device = open_device("ready", O_RDWR);
    CHECK(pipe(tokens) == 0 && pipe(quiet) == 0);
    CHECK(ioctl(device, REQUEST_DRAIN, 0) == 0);
    epolls[0] = epoll_create1(0);
    epolls[1] = epoll_create1(0);
    CHECK(epoll_ctl(epolls[0], EPOLL_CTL_ADD, device, &level) == 0);
    CHECK(epoll_ctl(epolls[1], EPOLL_CTL_ADD, device, &edge) == 0);
}

/* Answers each token by a byte on the device. */
static void answer_tokens(void)
{
    char byte;
    while (read(tokens[0], &byte, 1) == 1)
        if (write(device, "x", 1) != 1)
            _exit(1);
    _exit(0);
}

static bool wait_by_poll(nfds_t count)
{
    struct pollfd set[2] = {{device, POLLIN, 0}, {quiet[0], POLLIN, 0}};
    return poll(set, count, -1) == 1 && set[0].revents == POLLIN;
}

static bool wait_by_select(void)
{
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(device, &reading);
    FD_SET(quiet[0], &reading);
    int most = device > quiet[0] ? device : quiet[0];
    return select(most + 1, &reading, NULL, NULL, NULL) == 1 && FD_ISSET(device, &reading);
}

static bool wait_by_epoll(int epoll)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, -1) == 1;
}

static bool wait_some_way(int way)
{
    switch (way) {
    case 0:
        return wait_by_poll(1);
    case 1:
        return wait_by_poll(2);
    case 2:
        return wait_by_select();
    default:
        return wait_by_epoll(epolls[way - 3]);
    }
}

void case_wakes(void)
{
    begin();
    pid_t writer = fork();
    if (writer == 0) {
        close(tokens[1]);
        answer_tokens();
    }
    for (int way = 0; way < 5; way++) {
        double start = seconds();
        int round = 0;
        while (round < ROUNDS) {
            char byte;
            CHECK(write(tokens[1], "x", 1) == 1);
            if (!wait_some_way(way))
                break;
            /* An edge may be older than what is there to be read. */
            while (read(device, &byte, 1) != 1) {
                CHECK(way == 4 && errno == EAGAIN);
                CHECK(wait_some_way(way));
            }
            round++;
        }
        CHECK(round == ROUNDS);
        if (round != ROUNDS)
            printf("way %d, round %d, %.1f seconds\n", way, round, seconds() - start);
    }
    close(tokens[1]);
    int status = -1;
    CHECK(waitpid(writer, &status, 0) == writer && status == 0);
}

/* ---------------------------------------------------------------- many ----------------- */

static pid_t waiters[WAITERS];

static void start_waiters(void)
{
    for (int index = 0; index < WAITERS; index++) {
        waiters[index] = fork();
        if (waiters[index] == 0)
            _exit(wait_some_way(index % 4) ? 0 : 1);
    }
}

void case_many_waiters(void)
{
    begin();
    for (int round = 0; round < 5; round++) {
        int status;
        start_waiters();
        if (round % 2)
            usleep(20000);
        CHECK(ioctl(device, REQUEST_READY_IN, 10) == 0);
        for (int index = 0; index < WAITERS; index++)
            CHECK(waitpid(waiters[index], &status, 0) == waiters[index] && status == 0);
        CHECK(ioctl(device, REQUEST_DRAIN, 0) == 0);
    }
}

void case_killed_waiters(void)
{
    begin();
    for (int round = 0; round < 20; round++) {
        start_waiters();
        usleep((useconds_t)(round * 2000));
        for (int index = 0; index < WAITERS; index++)
            CHECK(kill(waiters[index], SIGKILL) == 0);
        for (int index = 0; index < WAITERS; index++) {
            int status;
            CHECK(waitpid(waiters[index], &status, 0) == waiters[index]);
            CHECK(WIFSIGNALED(status));
        }
    }
    CHECK(write(device, "x", 1) == 1);
    CHECK(wait_by_poll(2));
}

/* ---------------------------------------------------------------- stops ---------------- */

/* A wait goes on after a stop (but Linux's own epoll_wait, which never does). */
void case_stopped(void)
{
    begin();
    for (int way = 0; way < 3; way++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(wait_some_way(way) ? 0 : 1);
        usleep(50000);
        CHECK(kill(child, SIGSTOP) == 0);
        CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        CHECK(write(device, "x", 1) == 1);
        usleep(20000);
        CHECK(kill(child, SIGCONT) == 0);
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        CHECK(ioctl(device, REQUEST_DRAIN, 0) == 0);
    }
}
