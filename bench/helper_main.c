/* SPDX-License-Identifier: MIT */
/*
 * xmem-bench-helper FILE IN OUT: makes the system calls that questions on descriptor IN ask for,
 * and tells on OUT how long they took; helper.h says why.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MOST (4u << 20)

static char *buffer;

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool make(const struct helper_question *question)
{
    ssize_t size = (ssize_t)question->size;
    switch (question->call) {
    case HELPER_PREAD:
        return pread(HELPER_FILE, buffer, question->size, 0) == size;
    case HELPER_PWRITE:
        return pwrite(HELPER_FILE, buffer, question->size, 0) == size;
    case HELPER_BLOCK:
        return pread(HELPER_FILE, buffer, question->size, 0) == size &&
               write(HELPER_NULL, buffer, question->size) == size;
    case HELPER_GETPPID:
        return syscall(SYS_getppid) > 0;
    default:
        errno = EINVAL;
        return false;
    }
}

static struct helper_answer answer(const struct helper_question *question)
{
    struct helper_answer answer = {0};
    if (question->size > SIZE_MOST)
        return (struct helper_answer){.error = EINVAL};
    int64_t start = clock_now();
    errno = 0;
    for (uint64_t at = 0; at < question->count && answer.error == 0; at++)
        if (!make(question))
            answer.error = errno ? errno : EIO;
    answer.nanoseconds = clock_now() - start;
    return answer;
}

static bool place(int file, int number)
{
    return file != -1 && dup2(file, number) == number && close(file) == 0;
}

int main(int count, char **arguments)
{
    struct helper_question question;
    buffer = calloc(1, SIZE_MOST);
    if (count != 4 || !buffer)
        return 2;
    int in = atoi(arguments[2]), out = atoi(arguments[3]);
    for (size_t at = 0; at < SIZE_MOST; at += 4096)
        buffer[at] = 1;
    if (!place(open(arguments[1], O_RDWR), HELPER_FILE) ||
        !place(open("/dev/null", O_WRONLY), HELPER_NULL))
        return 1;
    while (read(in, &question, sizeof(question)) == sizeof(question)) {
        struct helper_answer result = answer(&question);
        if (write(out, &result, sizeof(result)) != sizeof(result))
            return 1;
    }
    return 0;
}
