/* SPDX-License-Identifier: MIT */
/* The trapped side of the core's tests: read, write and their forms. */
#include "core_program.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static unsigned char pattern(size_t index)
{
    return (unsigned char)(index * 7 + index / 251);
}

static unsigned char *filled(size_t size)
{
    unsigned char *memory = malloc(size);
    for (size_t index = 0; index < size; index++)
        memory[index] = pattern(index);
    return memory;
}

void case_plain(void)
{
    unsigned char *all = filled(DISK_BYTES);
    unsigned char *back = calloc(1, DISK_BYTES + 1);
    int fd = open_or_end(DISK, O_RDWR);
    CHECK(write(fd, all, DISK_BYTES) == DISK_BYTES);
    CHECK_RAW(-ENOSPC, SYS_write, fd, all, 1);
    CHECK(read(fd, back, 1) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (size_t at = 0; at < DISK_BYTES; at += 4097) {
        size_t piece = at + 4097 <= DISK_BYTES ? 4097 : DISK_BYTES - at;
        CHECK(read(fd, back + at, 4097) == (ssize_t)piece);
    }
    CHECK(memcmp(all, back, DISK_BYTES) == 0);
    CHECK(pread(fd, back, 100, 5000) == 100 && memcmp(back, all + 5000, 100) == 0);
    CHECK(pwrite(fd, "abc", 3, 5001) == 3);
    CHECK(pread(fd, back, 5, 5000) == 5 && back[0] == pattern(5000) &&
          memcmp(back + 1, "abc", 3) == 0 && back[4] == pattern(5004));
    CHECK(pread(fd, back, 100, DISK_BYTES - 10) == 10);
    CHECK(read(fd, back, 0) == 0 && write(fd, back, 0) == 0);
    free(all);
    free(back);
}

void case_vectors(void)
{
    unsigned char *all = filled(100);
    unsigned char one[10] = {0};
    unsigned char two[200] = {0};
    struct iovec parts[4] = {{one, 10}, {NULL, 0}, {two, 50}, {all, 0}};
    struct iovec out = {all, 100};
    struct iovec many[IOV_MAX + 1];
    int fd = open_or_end(DISK, O_RDWR);
    CHECK(writev(fd, &out, 1) == 100);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(readv(fd, parts, 4) == 60);
    CHECK(memcmp(one, all, 10) == 0 && memcmp(two, all + 10, 50) == 0 && two[50] == 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 60);
    CHECK(preadv(fd, parts, 1, 20) == 10 && memcmp(one, all + 20, 10) == 0);
    CHECK(pwritev(fd, &out, 1, 1000) == 100);
    CHECK(preadv2(fd, parts, 1, 1050, 0) == 10 && memcmp(one, all + 50, 10) == 0);
    CHECK(preadv2(fd, parts, 1, -1, 0) == 10 && memcmp(one, all + 60, 10) == 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 70);
    CHECK(pwritev2(fd, &out, 1, 2000, RWF_SYNC | RWF_DSYNC | RWF_HIPRI) == 100);
    CHECK(pwritev2(fd, &out, 1, 0, RWF_APPEND) == -1 && errno == ENOSPC); /* at the very end */
    CHECK(preadv2(fd, parts, 1, 0, RWF_NOWAIT) == -1 && errno == EOPNOTSUPP);
    CHECK(preadv2(fd, parts, 1, 0, 0x4000) == -1 && errno == EOPNOTSUPP);
    for (unsigned index = 0; index <= IOV_MAX; index++)
        many[index] = (struct iovec){two + index % 8, 1};
    CHECK(preadv(fd, many, IOV_MAX, 0) == IOV_MAX);
    CHECK_RAW(-EINVAL, SYS_readv, fd, many, IOV_MAX + 1);
    CHECK_RAW(-EINVAL, SYS_readv, fd, many, -1L);
    CHECK_RAW(0, SYS_readv, fd, many, 0L);
    CHECK_RAW(0, SYS_readv, fd, 8L, 0L);
    CHECK_RAW(-EFAULT, SYS_readv, fd, 8L, 1L);
    many[1].iov_len = SIZE_MAX;
    CHECK_RAW(-EINVAL, SYS_readv, fd, many, 2L);
    CHECK(lseek(fd, 0, SEEK_CUR) == 70);
    free(all);
}

void case_positions(void)
{
    char bytes[8];
    int fd = open_or_end(DISK, O_RDWR);
    int copy = dup(fd);
    int other = open_or_end(DISK, O_RDWR);
    CHECK(write(fd, "01234567", 8) == 8);
    CHECK(lseek(copy, 0, SEEK_CUR) == 8);
    CHECK(lseek(other, 0, SEEK_CUR) == 0);
    CHECK(lseek(copy, 2, SEEK_SET) == 2);
    CHECK(read(fd, bytes, 2) == 2 && memcmp(bytes, "23", 2) == 0);
    CHECK(read(copy, bytes, 2) == 2 && memcmp(bytes, "45", 2) == 0);
    CHECK(read(other, bytes, 8) == 8 && memcmp(bytes, "01234567", 8) == 0);
    CHECK_RAW(-EINVAL, SYS_pread64, fd, bytes, 1, -1L);
    CHECK_RAW(-EINVAL, SYS_pread64, fd, bytes, 8, INT64_MAX);
    CHECK_RAW(0, SYS_pread64, fd, bytes, 8, INT64_MAX - 8);
    int end = open_or_end(DISK, O_WRONLY | O_APPEND);
    CHECK_RAW(-ENOSPC, SYS_write, end, "x", 1);
    CHECK(fcntl(end, F_SETFL, 0) == 0 && write(end, "x", 1) == 1);
    int stream = open_or_end(STREAM, O_RDWR);
    CHECK_RAW(-ESPIPE, SYS_pread64, stream, bytes, 1, 0L);
    CHECK_RAW(-ESPIPE, SYS_pwrite64, stream, bytes, 1, 0L);
    CHECK(write(stream, bytes, 5) == 5);
    struct iovec vector = {bytes, 1};
    CHECK(pwritev2(stream, &vector, 1, -1, 0) == 1);
}

void case_access(void)
{
    char byte = 0;
    int in = open_or_end(DISK, O_RDONLY);
    int out = open_or_end(DISK, O_WRONLY);
    int neither = open_or_end(DISK, O_ACCMODE);
    CHECK_RAW(-EBADF, SYS_write, in, &byte, 1);
    CHECK_RAW(-EBADF, SYS_pwrite64, in, &byte, 1, 0L);
    CHECK_RAW(-EBADF, SYS_read, out, &byte, 1);
    CHECK_RAW(-EBADF, SYS_read, out, &byte, 0);
    CHECK_RAW(-EBADF, SYS_read, neither, &byte, 1);
    CHECK_RAW(-EBADF, SYS_write, neither, &byte, 1);
    CHECK_RAW(-EBADF, SYS_read, 1000, &byte, 1);
    CHECK_RAW(-EBADF, SYS_read, -1, &byte, 1);
    CHECK_RAW(-EFAULT, SYS_read, in, &byte, -1L);
    CHECK_RAW(-EFAULT, SYS_write, out, &byte, INT64_MIN);
}

void case_bad_pointers(void)
{
    long page = sysconf(_SC_PAGESIZE);
    int fd = open_or_end(DISK, O_RDWR);
    char *memory =
        mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(munmap(memory + page, (size_t)page) == 0);
    CHECK_RAW(-EFAULT, SYS_read, fd, 8L, 10);
    CHECK_RAW(-EFAULT, SYS_write, fd, 8L, 10);
    CHECK_RAW(-EFAULT, SYS_read, fd, -4096L, 10);
    CHECK_RAW(-EFAULT, SYS_read, fd, memory + page, 10);
    CHECK(lseek(fd, 0, SEEK_CUR) == 0);
    /* Bytes before the hole count. */
    CHECK_RAW(6, SYS_read, fd, memory + page - 6, 10);
    CHECK_RAW(7, SYS_write, fd, memory + page - 7, 10);
    CHECK(lseek(fd, 0, SEEK_CUR) == 13);
    CHECK(mprotect(memory, (size_t)page, PROT_READ) == 0);
    CHECK_RAW(-EFAULT, SYS_read, fd, memory, 10);
    CHECK_RAW(10, SYS_write, fd, memory, 10);
    struct iovec vectors[2] = {{&page, 4}, {memory, 4}};
    CHECK_RAW(4, SYS_readv, fd, vectors, 2);
}

void case_errors(void)
{
    char bytes[32] = {0};
    int fd = open_or_end(FAULTY, O_RDWR);
    CHECK_RAW(-EIO, SYS_read, fd, bytes, 1);
    CHECK_RAW(FAULTY_TAKES, SYS_write, fd, bytes, 32); /* the error is for the next */
    CHECK_RAW(5, SYS_write, fd, bytes, 5);
    CHECK(lseek(fd, 0, SEEK_CUR) == FAULTY_TAKES + 5);
    int queue = open_or_end(QUEUE, O_RDWR | O_NONBLOCK);
    CHECK_RAW(-EAGAIN, SYS_read, queue, bytes, 4);
}
