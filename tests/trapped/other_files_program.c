/* SPDX-License-Identifier: MIT */
/*
 * Calls on an open device: positions, ioctl, flags and locks, and data that moves between
 * descriptors.
 */
#include "other_program.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>

#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

/* ---------------------------------------------------------------- lseek ---------------- */

/* Beside a regular file as long as the device. */
static void same_seek(int device, int file, off64_t offset, int whence)
{
    errno = 0;
    off64_t got = lseek64(device, offset, whence);
    int error = got < 0 ? errno : 0;
    off64_t like = lseek64(file, offset, whence);
    int like_error = like < 0 ? errno : 0;
    if (got == like && error == like_error)
        return;
    failures++;
    printf("lseek(%lld, %d): %lld (%s), a file: %lld (%s)\n", (long long)offset, whence,
           (long long)got, strerror(error), (long long)like, strerror(like_error));
}

void case_seek(void)
{
    static const off64_t offsets[] = {0,
                                      1,
                                      100,
                                      -1,
                                      DISK_SIZE - 1,
                                      DISK_SIZE,
                                      DISK_SIZE + 1,
                                      -50,
                                      INT32_MAX,
                                      (off64_t)INT32_MAX + 1,
                                      -DISK_SIZE,
                                      -DISK_SIZE - 1,
                                      (off64_t)1 << 40,
                                      INT64_MIN};
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    const char *path = in_directory("file");
    int device = open_device("disk", O_RDWR);
    int file = open(path, O_CREAT | O_RDWR, 0600);
    CHECK(file >= 0 && unlink(path) == 0);
    char *bytes = calloc(1, DISK_SIZE);
    CHECK(write(file, bytes, DISK_SIZE) == DISK_SIZE);
    free(bytes);
    CHECK(lseek64(file, 0, SEEK_SET) == 0);
    for (size_t index = 0; index < sizeof(offsets) / sizeof(offsets[0]); index++)
        for (int whence = 0; whence < 3; whence++)
            same_seek(device, file, offsets[index], whences[whence]);
    same_seek(device, file, 5, SEEK_DATA);
    same_seek(device, file, 5, SEEK_HOLE);
    same_seek(device, file, DISK_SIZE, SEEK_DATA);
    same_seek(device, file, DISK_SIZE, SEEK_HOLE);
    same_seek(device, file, 0, 77);
    CHECK(lseek64(device, 10, SEEK_SET) == 10);
    CHECK(lseek64(device, INT64_MAX, SEEK_CUR) == -1 && errno == EOVERFLOW);
    CHECK(lseek64(device, 0, SEEK_CUR) == 10);
#ifdef __i386__
    long long position = -1;
    CHECK_RAW(0, SYS__llseek, device, 1L, 2L, &position, (long)SEEK_SET);
    CHECK(position == (1LL << 32) + 2);
    CHECK_RAW(-EOVERFLOW, SYS_lseek, device, 0L, (long)SEEK_CUR);
    for (enum bad kind = 0; kind < BAD_KINDS; kind++)
        CHECK_RAW(-EFAULT, SYS__llseek, device, 0L, 0L, bad_address(kind, 8), (long)SEEK_SET);
#endif
    int copy = dup(device);
    CHECK(lseek(copy, 3, SEEK_SET) == 3 && lseek(device, 0, SEEK_CUR) == 3);
    int stream = open_device("stream", O_RDONLY);
    for (int whence = 0; whence < 3; whence++)
        CHECK(lseek(stream, 0, whences[whence]) == -1 && errno == ESPIPE);
    close(stream);
    close(copy);
    close(device);
    close(file);
}

/* ---------------------------------------------------------------- ioctl ---------------- */

void case_ioctl(void)
{
    int device = open_device("ready", O_RDWR);
    int plain = open_device("plain", O_RDWR);
    int like = open("/dev/null", O_RDWR);
    int number = 41;
    struct termios terminal;
    CHECK(ioctl(device, REQUEST_ECHO, &number) == 7 && number == 42);
    for (enum bad kind = 0; kind < BAD_KINDS; kind++)
        CHECK_RAW(-EFAULT, SYS_ioctl, device, REQUEST_ECHO, bad_address(kind, sizeof(int)));
    CHECK_RAW(-EBUSY, SYS_ioctl, device, REQUEST_FAIL, (long)EBUSY);
    CHECK_RAW(0, SYS_ioctl, device, REQUEST_ARGUMENT, -2L);
    CHECK_RAW(-2, SYS_ioctl, device, REQUEST_ARGUMENT_LOW, 0L);
    CHECK(ioctl(device, REQUEST_ARGUMENT_HIGH, 0) == (sizeof(long) == 4 ? 0 : -1));
    CHECK(ioctl(plain, TCGETS, &terminal) == -1 && errno == ENOTTY);
    CHECK(isatty(plain) == 0);
    CHECK(ioctl(plain, 0x1234, 0) == -1 && errno == ENOTTY);
    /* What Linux answers for every file. */
    number = 1;
    CHECK(ioctl(plain, FIONBIO, &number) == 0 && (fcntl(plain, F_GETFL) & O_NONBLOCK));
    number = 0;
    CHECK(ioctl(plain, FIONBIO, &number) == 0 && !(fcntl(plain, F_GETFL) & O_NONBLOCK));
    CHECK(ioctl(plain, FIOCLEX) == 0 && fcntl(plain, F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(plain, FIONCLEX) == 0 && fcntl(plain, F_GETFD) == 0);
    for (enum bad kind = 0; kind < BAD_TO_READ; kind++)
        CHECK_RAW(-EFAULT, SYS_ioctl, plain, FIONBIO, bad_address(kind, sizeof(int)));
    CHECK(raw(SYS_ioctl, plain, 0x40049409, (long)like) ==
          raw(SYS_ioctl, like, 0x40049409, (long)plain)); /* FICLONE */
    CHECK(ioctl(plain, 0x40049409, like) == -1);
    CHECK_RAW(-EBADF, SYS_ioctl, 99L, REQUEST_ECHO, &number);
    close(like);
    close(plain);
    close(device);
}

/* ---------------------------------------------------------------- flags and locks ------ */

void case_flags(void)
{
    int device = open_device("plain", O_WRONLY | O_APPEND);
    int like = open("/dev/null", O_WRONLY | O_APPEND);
    CHECK(fcntl(device, F_GETFL) == fcntl(like, F_GETFL));
    CHECK(fcntl(device, F_SETFL, O_NONBLOCK) == 0 && fcntl(like, F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(device, F_GETFL) == fcntl(like, F_GETFL));
    CHECK(fcntl(device, F_SETFL, O_ASYNC | O_APPEND) == 0 &&
          fcntl(like, F_SETFL, O_ASYNC | O_APPEND) == 0);
    CHECK(fcntl(device, F_GETFL) == fcntl(like, F_GETFL));
    int copy = fcntl(device, F_DUPFD_CLOEXEC, 50);
    CHECK(copy >= 50 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(copy, F_SETFL, O_DIRECT) == 0);
    CHECK((fcntl(device, F_GETFL) & (O_DIRECT | O_NONBLOCK)) == O_DIRECT);
    CHECK(fcntl(copy, F_SETFL, 0) == 0);
    CHECK((fcntl(device, F_GETFL) & (O_DIRECT | O_NONBLOCK)) == 0);
    struct flock lock = {.l_type = F_WRLCK};
    static const int commands[] = {F_GETLK, F_SETLK, F_SETLKW, 36, 37, 38};
    for (size_t index = 0; index < sizeof(commands) / sizeof(commands[0]); index++)
        CHECK(fcntl(device, commands[index], &lock) == -1 && errno == EINVAL);
    CHECK(fcntl(device, F_SETLEASE, F_WRLCK) == -1);
    CHECK(flock(device, LOCK_EX) == 0 && flock(device, LOCK_UN) == 0);
    close(copy);
    close(device);
    device = open_device("plain", O_RDONLY | O_CLOEXEC);
    CHECK(fcntl(device, F_GETFD) == FD_CLOEXEC);
    CHECK((fcntl(device, F_GETFL) & O_ACCMODE) == O_RDONLY);
    close(device);
    close(like);
    device = open_device("ready", O_RDWR);
    int before = ioctl(device, REQUEST_SYNCS, 0);
    CHECK(fsync(device) == 0 && fdatasync(device) == 0);
    CHECK(ioctl(device, REQUEST_SYNCS, 0) == before + 2);
    close(device);
}

/* ---------------------------------------------------------------- between descriptors -- */

void case_between(void)
{
    int ends[2];
    const char *path = in_directory("file");
    int device = open_device("disk", O_RDWR);
    int file = open(path, O_CREAT | O_RDWR, 0600);
    char bytes[16] = "sixteen bytes...";
    CHECK(pipe(ends) == 0 && unlink(path) == 0);
    CHECK(write(file, bytes, 16) == 16 && write(ends[1], bytes, 16) == 16);
    CHECK(sendfile(device, file, NULL, 16) == -1 && errno == EINVAL);
    CHECK(sendfile(ends[1], device, NULL, 16) == -1 && errno == EINVAL);
    CHECK(splice(ends[0], NULL, device, NULL, 16, 0) == -1 && errno == EINVAL);
    CHECK(splice(device, NULL, ends[1], NULL, 16, 0) == -1 && errno == EINVAL);
    CHECK(tee(ends[0], device, 16, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(file, NULL, device, NULL, 16, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(device, NULL, file, NULL, 16, 0) == -1 && errno == EINVAL);
    /* The pipe and the file have lost nothing. */
    CHECK(read(ends[0], bytes, 16) == 16);
    CHECK(lseek(file, 0, SEEK_CUR) == 16);
    aio_context_t context = 0;
    if (raw(SYS_io_setup, 1L, &context) == 0) {
        struct iocb block = {.aio_fildes = (uint32_t)device,
                             .aio_lio_opcode = IOCB_CMD_PREAD,
                             .aio_buf = (uintptr_t)bytes,
                             .aio_nbytes = 16};
        struct iocb *blocks[] = {&block};
        CHECK_RAW(-EINVAL, SYS_io_submit, context, 1L, blocks);
        block.aio_fildes = (uint32_t)file;
        CHECK_RAW(1, SYS_io_submit, context, 1L, blocks);
        CHECK_RAW(0, SYS_io_destroy, context);
    }
    close(ends[0]);
    close(ends[1]);
    close(file);
    close(device);
}

/* Counts and addresses that Linux refuses at sight, beside a null device's answers. */
static void same_counts(void)
{
    static char
        bytes[16]; /* far from the end of the address space, which not all Linuxes respect */
    char *const addresses[] = {bytes, (char *)-1L, (char *)-4096L};
    static const size_t counts[] = {0, 1, (size_t)INT32_MAX + 1, SIZE_MAX / 2 + 1, SIZE_MAX};
    int device = open_device("plain", O_RDWR);
    int null = open("/dev/null", O_RDWR);
    for (size_t place = 0; place < sizeof(addresses) / sizeof(addresses[0]); place++)
        for (size_t index = 0; index < sizeof(counts) / sizeof(counts[0]); index++) {
            char *address = addresses[place];
            size_t count = counts[index];
            CHECK_RAW(raw(SYS_read, null, address, count), SYS_read, device, address, count);
            CHECK_RAW(raw(SYS_write, null, bytes, count), SYS_write, device, bytes, count);
        }
    close(null);
    close(device);
}

/* What the placeholder answers as any device does. */
void case_natural(void)
{
    int device = open_device("disk", O_RDWR);
    struct statfs system;
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED && errno == ENODEV);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, device, 0) == MAP_FAILED && errno == ENODEV);
    CHECK(ftruncate(device, 0) == -1 && errno == EINVAL);
    CHECK(fallocate(device, 0, 0, 4096) == -1 && errno == ENODEV);
    CHECK(posix_fadvise(device, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
    CHECK(readahead(device, 0, 4096) == -1 && errno == EINVAL);
    CHECK(fstatfs(device, &system) == 0);
    CHECK(fchdir(device) == -1 && errno == ENOTDIR);
    CHECK_RAW(-ENOSYS, SYS_io_uring_setup, 1L, 0L);
    close(device);
    same_counts();
}
