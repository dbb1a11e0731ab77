/* SPDX-License-Identifier: MIT */
/* The trapped side of the core's tests: what a descriptor is, whatever its number, and last
 * closes. */
#include "core_program.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static int closes(enum core_device device)
{
    return ask(REQUEST_CLOSES, device);
}

/* A descriptor on the disk with known bytes. */
static int marked_disk(void)
{
    int fd = open_or_end(DISK, O_RDWR);
    CHECK(pwrite(fd, "identity", 8, 0) == 8);
    return fd;
}

static void is_the_disk(int fd)
{
    char bytes[8] = {0};
    CHECK(pread(fd, bytes, 8, 0) == 8 && memcmp(bytes, "identity", 8) == 0);
}

static void is_plain(int fd)
{
    char bytes[8];
    CHECK(pread(fd, bytes, 4, 0) == 4 && memcmp(bytes, "\177ELF", 4) == 0);
}

void case_duplicates(void)
{
    int before = closes(CORE_ONLY);
    int disk = marked_disk();
    int fd = open_or_end(ONLY, O_RDWR);
    CHECK(dup2(disk, 0) == 0);
    is_the_disk(0);
    int copies[3] = {dup(fd), fcntl(fd, F_DUPFD, 50), dup3(fd, 60, O_CLOEXEC)};
    CHECK(copies[0] >= 0 && copies[1] == 50 && copies[2] == 60);
    CHECK(close(fd) == 0);
    CHECK(close(copies[0]) == 0 && close(copies[1]) == 0);
    CHECK(closes(CORE_ONLY) == before);
    CHECK(write(copies[2], "x", 1) == 1);
    CHECK(close(copies[2]) == 0);
    CHECK(closes(CORE_ONLY) == before + 1); /* at once */
    CHECK_RAW(-EBADF, SYS_close, copies[2]);
    is_the_disk(0);
    CHECK(close(disk) == 0);
    is_the_disk(0);
}

void case_replaced(void)
{
    int plain = open_or_end("/proc/self/exe", O_RDONLY);
    int fd = open_or_end(ONLY, O_RDWR);
    int before = closes(CORE_ONLY);
    for (unsigned round = 0; round < 20; round++) {
        CHECK(write(fd, "x", 1) == 1); /* so that its identity is remembered */
        CHECK(dup2(plain, fd) == fd);
        is_plain(fd);
        CHECK(closes(CORE_ONLY) == before + 1 + (int)round);
        int again = open_or_end(ONLY, O_RDWR);
        CHECK(dup3(again, fd, 0) == fd);
        CHECK(close(again) == 0);
    }
    CHECK(dup2(fd, fd) == fd);
    CHECK_RAW(-EBADF, SYS_dup2, 1000, fd);
    CHECK_RAW(-EINVAL, SYS_dup3, fd, fd, 0);
    CHECK(closes(CORE_ONLY) == before + 20);
    CHECK(close(fd) == 0);
    CHECK(open("/proc/self/exe", O_RDONLY) == fd);
    is_plain(fd);
}

void case_ranges(void)
{
    int before = closes(CORE_STREAM);
    int first = fcntl(open_or_end(STREAM, O_RDWR), F_DUPFD, 100);
    for (int number = first + 1; number < first + 10; number++)
        CHECK(dup2(open_or_end(STREAM, O_RDWR), number) == number);
    CHECK_RAW(0, SYS_close_range, 3, 99, 0);
    CHECK(closes(CORE_STREAM) == before);
    CHECK_RAW(0, SYS_close_range, first, first + 4, 0);
    CHECK(closes(CORE_STREAM) == before + 5);
    CHECK_RAW(0, SYS_close_range, first, first + 8, CLOSE_RANGE_CLOEXEC);
    CHECK(write(first + 5, "x", 1) == 1);
    CHECK(fcntl(first + 5, F_GETFD) == FD_CLOEXEC && fcntl(first + 9, F_GETFD) == 0);
    CHECK_RAW(-EINVAL, SYS_close_range, 20, 10, 0);
    CHECK_RAW(0, SYS_close_range, first, ~0U, 0);
    CHECK(closes(CORE_STREAM) == before + 10);
}

void case_close_error(void)
{
    int before = closes(CORE_FAULTY);
    int fd = open_or_end(FAULTY, O_RDWR);
    int copy = dup(fd);
    CHECK(close(fd) == 0);
    CHECK_RAW(-EIO, SYS_close, copy);
    CHECK_RAW(-EBADF, SYS_close, copy); /* closed all the same */
    CHECK(closes(CORE_FAULTY) == before + 1);
    fd = open_or_end(FAULTY, O_RDWR);
    CHECK(dup2(1, fd) == fd); /* drops it */
    CHECK(closes(CORE_FAULTY) == before + 2);
}

void case_inherited(void)
{
    int before = closes(CORE_ONLY);
    int disk = marked_disk();
    int fd = open_or_end(ONLY, O_RDWR);
    pid_t child = fork();
    if (child == 0) {
        is_the_disk(disk);
        CHECK(lseek(disk, 100, SEEK_SET) == 100);
        sleep_milliseconds(100);
        CHECK(write(fd, "x", 1) == 1);
        _exit(failures != 0);
    }
    CHECK(close(fd) == 0);
    CHECK(closes(CORE_ONLY) == before);
    reap_well(child);
    CHECK(lseek(disk, 0, SEEK_CUR) == 100);
    await_closes(CORE_ONLY, before + 1);
}

void case_after_exec(void)
{
    int fd = atoi(core_arguments[0]);
    is_the_disk(fd);
    is_the_disk(0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5);
}

void case_after_close_on_exec(void)
{
    int fd = atoi(core_arguments[0]);
    char byte;
    CHECK_RAW(-EBADF, SYS_read, fd, &byte, 1);
    CHECK(open("/proc/self/exe", O_RDONLY) == fd);
    is_plain(fd);
}

void case_executed(void)
{
    int before = closes(CORE_ONLY);
    int disk = marked_disk();
    CHECK(lseek(disk, 5, SEEK_SET) == 5 && dup2(disk, 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(execl("/no/such/program", "x", (char *)NULL) == -1); /* and goes on */
        is_the_disk(disk);
        execute("after_exec", disk);
    }
    reap_well(child);
    child = fork();
    if (child == 0) {
        close(0);
        CHECK(close(disk) == 0);
        int fd = open_or_end(ONLY, O_RDWR | O_CLOEXEC);
        CHECK(write(fd, "x", 1) == 1);
        execute("after_close_on_exec", fd);
    }
    reap_well(child);
    await_closes(CORE_ONLY, before + 1);
    is_the_disk(disk);
}

static void send_fd(int socket, int fd)
{
    char byte = 'f';
    struct iovec vector = {&byte, 1};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
    CHECK(sendmsg(socket, &message, 0) == 1);
}

static int receive_fd(int socket)
{
    char byte;
    int fd = -1;
    struct iovec vector = {&byte, 1};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    CHECK(recvmsg(socket, &message, 0) == 1);
    if (CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return fd;
}

void case_passed(void)
{
    int sockets[2];
    int before = closes(CORE_ONLY);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    int fd = open_or_end(ONLY, O_RDWR);
    send_fd(sockets[0], fd);
    CHECK(close(fd) == 0);
    sleep_milliseconds(1200); /* longer than the watcher's round: it is nowhere but in the socket */
    CHECK(closes(CORE_ONLY) == before);
    pid_t child = fork();
    if (child == 0) {
        int received = receive_fd(sockets[1]);
        CHECK(write(received, "x", 1) == 1);
        CHECK(closes(CORE_ONLY) == before);
        CHECK(close(received) == 0);
        CHECK(closes(CORE_ONLY) == before + 1);
        _exit(failures != 0);
    }
    reap_well(child);
    /* One that nobody ever takes goes with the socket. */
    fd = open_or_end(ONLY, O_RDWR);
    send_fd(sockets[0], fd);
    CHECK(close(fd) == 0 && close(sockets[0]) == 0);
    CHECK(closes(CORE_ONLY) == before + 1);
    CHECK(close(sockets[1]) == 0);
    await_closes(CORE_ONLY, before + 2);
}

static void *use_descriptor(void *argument)
{
    int fd = *(int *)argument;
    for (unsigned round = 0; round < 50; round++)
        is_the_disk(fd);
    return NULL;
}

void case_shared_by_threads(void)
{
    pthread_t threads[8];
    int fd = marked_disk();
    for (unsigned index = 0; index < 8; index++)
        CHECK(pthread_create(&threads[index], NULL, use_descriptor, &fd) == 0);
    for (unsigned index = 0; index < 8; index++)
        pthread_join(threads[index], NULL);
    CHECK(close(fd) == 0);
}

struct table {
    int fd;
    int stage;
};

/* This thread takes a table of its own, in which the number comes to mean something else. */
static void *unshare_table(void *argument)
{
    struct table *table = argument;
    int plain = open_or_end("/proc/self/exe", O_RDONLY);
    is_the_disk(table->fd);
    CHECK(unshare(CLONE_FILES) == 0);
    is_the_disk(table->fd);
    CHECK(dup2(plain, table->fd) == table->fd);
    is_plain(table->fd);
    __atomic_store_n(&table->stage, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&table->stage, __ATOMIC_SEQ_CST) == 1)
        sched_yield();
    is_plain(table->fd);
    return NULL;
}

void case_own_tables(void)
{
    pthread_t thread;
    struct table table = {marked_disk(), 0};
    is_the_disk(table.fd);
    CHECK(pthread_create(&thread, NULL, unshare_table, &table) == 0);
    while (__atomic_load_n(&table.stage, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    is_the_disk(table.fd);
    __atomic_store_n(&table.stage, 2, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    is_the_disk(table.fd);
}

void case_exclusive(void)
{
    for (unsigned round = 0; round < 100; round++) {
        pid_t child = fork();
        if (child == 0)
            _exit(write(open_or_end(ONLY, O_RDWR), "x", 1) != 1);
        reap_well(child); /* who ended before has closed */
        int fd = open_or_end(ONLY, O_RDWR);
        CHECK_RAW(-EBUSY, SYS_openat, AT_FDCWD, ONLY, O_RDWR);
        CHECK(close(fd) == 0);
    }
}

void case_reopened(void)
{
    char path[64];
    int fd = marked_disk();
    CHECK(lseek(fd, 3, SEEK_SET) == 3);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0);
    is_the_disk(again);
    CHECK(lseek(again, 0, SEEK_CUR) == 0 && lseek(fd, 0, SEEK_CUR) == 3);
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    is_the_disk(open(path, O_RDWR));
    CHECK(dup2(fd, 0) == 0);
    is_the_disk(open("/dev/stdin", O_RDONLY));
}

/* A null device is no device of ours, though a placeholder is one. */
void case_not_ours(void)
{
    char bytes[4] = "abc";
    int disk = marked_disk();
    int null = open_or_end("/dev/null", O_RDWR);
    CHECK(read(null, bytes, 4) == 0 && write(null, bytes, 4) == 4);
    is_the_disk(disk);
    int zero = open_or_end("/dev/zero", O_RDONLY);
    CHECK(read(zero, bytes, 4) == 4 && bytes[0] == 0);
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0 && write(pipe_ends[1], "pq", 2) == 2);
    CHECK(read(pipe_ends[0], bytes, 4) == 2 && bytes[0] == 'p');
    /* The same number, by turns. */
    for (unsigned round = 0; round < 50; round++) {
        CHECK(close(disk) == 0);
        CHECK(open("/proc/self/exe", O_RDONLY) == disk);
        is_plain(disk);
        CHECK(close(disk) == 0);
        CHECK(open(DISK, O_RDWR) == disk);
        is_the_disk(disk);
    }
}
