/* SPDX-License-Identifier: MIT */
/* The trapped side of the core's tests: many threads and processes, sudden deaths, and programs
 * whose kernel program dies. */
#include "core_program.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define LINE 64

/* ---------------------------------------------------------------- storms --------------- */

static void *storm_thread(void *argument)
{
    char line[LINE];
    char back[LINE];
    long at = (long)(intptr_t)argument;
    int fd = open_or_end(DISK, O_RDWR);
    for (unsigned round = 0; round < 20; round++) {
        memset(line, (int)(at + round), sizeof(line));
        CHECK(pwrite(fd, line, LINE, at * LINE) == LINE);
        CHECK(pread(fd, back, LINE, at * LINE) == LINE && memcmp(line, back, LINE) == 0);
    }
    CHECK(close(fd) == 0);
    return NULL;
}

void case_thread_storm(void)
{
    enum { THREADS = 40, ROUNDS = 5 };
    pthread_t threads[THREADS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (long index = 0; index < THREADS; index++)
            CHECK(pthread_create(&threads[index], NULL, storm_thread, (void *)index) == 0);
        for (unsigned index = 0; index < THREADS; index++)
            pthread_join(threads[index], NULL);
    }
}

/* Processes that come and go at once, with and without a descriptor from their parent. */
void case_fork_storm(void)
{
    enum { AT_ONCE = 20, ROUNDS = 10 };
    int shared = open_or_end(DISK, O_RDWR);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pid_t children[AT_ONCE];
        for (unsigned index = 0; index < AT_ONCE; index++) {
            char byte = (char)index;
            children[index] = fork();
            if (children[index] != 0)
                continue;
            int own = open_or_end(DISK, O_RDWR);
            CHECK(pwrite(shared, &byte, 1, index) == 1);
            CHECK(pread(own, &byte, 1, index) == 1 && byte == (char)index);
            _exit(failures != 0);
        }
        for (unsigned index = 0; index < AT_ONCE; index++)
            reap_well(children[index]);
    }
}

/* ---------------------------------------------------------------- deaths --------------- */

void case_kill_blocked(void)
{
    enum { CHILDREN = 8 };
    pid_t children[CHILDREN];
    int status;
    int before = ask(REQUEST_CLOSES, CORE_QUEUE);
    for (unsigned index = 0; index < CHILDREN; index++) {
        children[index] = fork();
        if (children[index] == 0) {
            char bytes[4];
            read(open_or_end(QUEUE, O_RDWR), bytes, 4);
            _exit(1);
        }
    }
    sleep_milliseconds(200);
    for (unsigned index = 0; index < CHILDREN; index++) {
        CHECK(kill(children[index], SIGKILL) == 0);
        CHECK(waitpid(children[index], &status, 0) == children[index] && WIFSIGNALED(status));
    }
    await_closes(CORE_QUEUE, before + CHILDREN);
}

/* Dies with its parent. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
}

/* One that may wait in the driver when its parent is killed. */
static void new_child(int fd)
{
    char bytes[4];
    pid_t parent = getpid();
    if (fork() != 0)
        return;
    die_with(parent);
    read(fd, bytes, sizeof(bytes));
    _exit(0);
}

static void *victim_thread(void *argument)
{
    char bytes[5000] = {0};
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (;;) {
        int fd = open(seed % 3 ? DISK : QUEUE, O_RDWR | (seed % 2 ? O_CLOEXEC : O_NONBLOCK));
        int copy = dup2(fd, 100 + (int)(seed % 50));
        write(copy, bytes, seed % sizeof(bytes));
        if (seed % 7 == 0)
            close(fd);
        pread(fd, bytes, sizeof(bytes), seed % DISK_BYTES);
        if (seed % 3 == 0 && seed % 11 == 0)
            read(copy, bytes, 4);
        if (seed % 23 == 0)
            new_child(copy);
        close(copy);
        close(fd);
        seed = seed * 1103515245u + 12345u;
    }
    return NULL;
}

static pid_t new_victim(unsigned seed)
{
    pthread_t thread;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    die_with(parent);
    if (seed % 2)
        pthread_create(&thread, NULL, victim_thread, (void *)(uintptr_t)(seed + 17));
    victim_thread((void *)(uintptr_t)seed);
    _exit(1);
}

/* Processes that do everything are killed at any point, so many times as asked for. */
void case_kill_at_random(void)
{
    enum { VICTIMS = 3 };
    pid_t victims[VICTIMS];
    long rounds = atol(core_arguments[0]);
    unsigned seed = (unsigned)atol(core_arguments[1]);
    for (unsigned index = 0; index < VICTIMS; index++)
        victims[index] = new_victim(seed + index);
    for (long round = 0; round < rounds; round++) {
        pid_t *victim = &victims[round % VICTIMS];
        seed = seed * 1103515245u + 12345u;
        struct timespec pause = {.tv_nsec = seed / 16 % 4000000};
        nanosleep(&pause, NULL);
        CHECK(kill(*victim, SIGKILL) == 0);
        CHECK(waitpid(*victim, NULL, 0) == *victim);
        *victim = new_victim(seed);
    }
    for (unsigned index = 0; index < VICTIMS; index++) {
        kill(victims[index], SIGKILL);
        CHECK(waitpid(victims[index], NULL, 0) == victims[index]);
    }
    /* All is still well. */
    CHECK(pwrite(open_or_end(DISK, O_RDWR), "x", 1, 0) == 1);
}

/* ---------------------------------------------------------------- without a kernel ----- */

/* Starts a process that waits in the driver, and waits, too: the kernel program is killed. */
void case_linger(void)
{
    char bytes[4];
    struct shared_page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
    CHECK(page != MAP_FAILED);
    int queue = open_or_end(QUEUE, O_RDWR);
    pid_t child = fork();
    if (child == 0) {
        __atomic_store_n(&page->second, getpid(), __ATOMIC_SEQ_CST);
        ssize_t got = read(queue, bytes, sizeof(bytes));
        __atomic_store_n(&page->result, got < 0 ? errno + 1 : 1, __ATOMIC_SEQ_CST);
        _exit(0);
    }
    sleep_milliseconds(100);
    __atomic_store_n(&page->first, getpid(), __ATOMIC_SEQ_CST);
    read(queue, bytes, sizeof(bytes));
    pause(); /* whether it sees the end of that call or not, it is killed */
    _exit(1);
}

void case_raise(void)
{
    raise(atoi(core_arguments[0]));
}

/* Ends at once; a child lives on for some time, with a device open or without. */
void case_left_behind(void)
{
    if (atoi(core_arguments[0]) != 0)
        open_or_end(DISK, O_RDWR);
    if (fork() != 0)
        return;
    sleep_milliseconds(700);
    _exit(0);
}

/* Opens many times, reads by each, closes half, and leaves the rest to its end. */
void case_many_opens(void)
{
    int opened[500];
    int count = atoi(core_arguments[0]);
    char byte;
    for (int at = 0; at < count; at++)
        opened[at] = open_or_end(DISK, O_RDONLY);
    for (int at = 0; at < count; at++)
        CHECK(pread(opened[at], &byte, 1, 0) == 1);
    for (int at = 0; at < count; at += 2)
        CHECK(close(opened[at]) == 0);
}
