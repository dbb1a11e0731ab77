/* SPDX-License-Identifier: MIT */
/*
 * Every error number that a driver may return, from every entry point, as the program that made the
 * system call sees it.  Run under `xmem run --extension errors.so`; reports by TAP.
 */
#include "../extensions/errors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ERRORS_MOST 133 /* EHWPOISON, Linux's last */
#define LENGTH 64

static int control;
static char data[LENGTH];
static struct iovec pieces[2] = {{data, LENGTH / 2}, {data + LENGTH / 2, LENGTH / 2}};

static void give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static void plan(enum errors_entry entry, int error, unsigned moved)
{
    struct errors_plan wanted = {.entry = entry, .error = (uint32_t)error, .moved = moved};
    if (ioctl(control, ERRORS_PLAN, &wanted) != 0)
        give_up("ERRORS_PLAN");
}

static uint64_t calls_of(enum errors_entry entry)
{
    struct errors_calls calls;
    if (ioctl(control, ERRORS_CALLS, &calls) != 0)
        give_up("ERRORS_CALLS");
    return calls.calls[entry];
}

static int open_device(void)
{
    int file = open(ERRORS_DEVICE, O_RDWR);
    if (file == -1)
        give_up(ERRORS_DEVICE);
    return file;
}

/* ---- calls: each is made on an open device, unless it opens one ---- */

static long do_open(int file)
{
    (void)file;
    return open(ERRORS_DEVICE, O_RDWR);
}

static long do_open_create(int file)
{
    (void)file;
    return open(ERRORS_DEVICE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static long do_open_channel(int file)
{
    (void)file;
    return open(ERRORS_CHANNELS "/name", O_RDWR);
}

static long do_close(int file)
{
    return close(dup2(file, file));
}

static long do_replace(int file)
{
    long result = dup2(control, file);
    return result == file ? 0 : result;
}

static long do_read(int file)
{
    return read(file, data, LENGTH);
}

static long do_pread(int file)
{
    return pread(file, data, LENGTH, 100);
}

static long do_readv(int file)
{
    return readv(file, pieces, 2);
}

static long do_preadv(int file)
{
    return preadv(file, pieces, 2, 100);
}

static long do_preadv2(int file)
{
    return syscall(SYS_preadv2, file, pieces, 2, 100, 0, 0); /* the library would try preadv, too */
}

static long do_write(int file)
{
    return write(file, data, LENGTH);
}

static long do_pwrite(int file)
{
    return pwrite(file, data, LENGTH, 100);
}

static long do_writev(int file)
{
    return writev(file, pieces, 2);
}

static long do_pwritev(int file)
{
    return pwritev(file, pieces, 2, 100);
}

static long do_pwritev2(int file)
{
    return syscall(SYS_pwritev2, file, pieces, 2, 100, 0, 0);
}

static long do_ioctl(int file)
{
    return ioctl(file, ERRORS_PLAN, NULL);
}

static long do_poll(int file)
{
    struct pollfd member = {.fd = file, .events = POLLIN};
    return poll(&member, 1, 1000);
}

static long do_select(int file)
{
    struct timeval second = {.tv_sec = 1};
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(file, &reading);
    return select(file + 1, &reading, NULL, NULL, &second);
}

static const struct {
    const char *name;
    enum errors_entry entry;
    long (*call)(int file);
    bool opens;  /* an open of its own */
    bool closes; /* the device afterwards */
} calls[] = {
    {"open", ERRORS_OPEN, do_open, true, false},
    {"open with O_CREAT", ERRORS_OPEN, do_open_create, true, false},
    {"open of a channel, refused by ddmpx", ERRORS_MPX, do_open_channel, true, false},
    {"open of a channel, refused by ddopen", ERRORS_OPEN, do_open_channel, true, false},
    {"close", ERRORS_CLOSE, do_close, false, true},
    {"read", ERRORS_READ, do_read, false, false},
    {"pread", ERRORS_READ, do_pread, false, false},
    {"readv", ERRORS_READ, do_readv, false, false},
    {"preadv", ERRORS_READ, do_preadv, false, false},
    {"preadv2", ERRORS_READ, do_preadv2, false, false},
    {"write", ERRORS_WRITE, do_write, false, false},
    {"pwrite", ERRORS_WRITE, do_pwrite, false, false},
    {"writev", ERRORS_WRITE, do_writev, false, false},
    {"pwritev", ERRORS_WRITE, do_pwritev, false, false},
    {"pwritev2", ERRORS_WRITE, do_pwritev2, false, false},
    {"ioctl", ERRORS_IOCTL, do_ioctl, false, false},
    {"poll", ERRORS_SELECT, do_poll, false, false},
    {"select", ERRORS_SELECT, do_select, false, false},
};
#define CALLS (sizeof calls / sizeof calls[0])

static unsigned cases, wrong;

static void report(bool good, const char *name)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++cases, name);
    wrong += !good;
}

/* A line of diagnostics; false, for its caller to return. */
static bool __attribute__((format(printf, 1, 2))) differs(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("#   ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    return false;
}

static bool gives(size_t at, int file, int error)
{
    uint64_t before = calls_of(calls[at].entry);
    plan(calls[at].entry, error, 0);
    errno = 0;
    long result = calls[at].call(file);
    int got = errno;
    plan(calls[at].entry, 0, 0);
    if (result != -1 || got != error)
        return differs("wanted -1 and %d, got %ld and %d", error, result, got);
    uint64_t made = calls_of(calls[at].entry) - before;
    return made == 1 ||
           differs("error %d: the driver was called %llu times", error, (unsigned long long)made);
}

static void every_error(size_t at)
{
    bool good = true;
    int file = calls[at].opens ? -1 : open_device();
    for (int error = 1; error <= ERRORS_MOST; error++) {
        good &= gives(at, file, error);
        if (calls[at].closes && (close(file) == 0 || errno != EBADF))
            good = differs("a close that failed did not close");
        if (calls[at].closes)
            file = open_device();
    }
    if (file != -1)
        close(file);
    report(good, calls[at].name);
}

/* ---- and what else there is to see ---- */

/* The implicit close of dup2() has nobody to tell; the number changes hands all the same. */
static bool replaced(void)
{
    int file = open_device();
    plan(ERRORS_CLOSE, EIO, 0);
    uint64_t before = calls_of(ERRORS_CLOSE);
    long result = do_replace(file);
    plan(ERRORS_CLOSE, 0, 0);
    bool told = result == -1 && errno == EIO, done = result == 0;
    uint64_t closes = calls_of(ERRORS_CLOSE) - before;
    close(file);
    return (told || done) && (closes == 1 || differs("%llu closes", (unsigned long long)closes));
}

static bool moved(ssize_t (*move)(int, void *, size_t), enum errors_entry entry, unsigned bytes,
                  int error, ssize_t wanted)
{
    int file = open_device();
    plan(entry, error, bytes);
    errno = 0;
    ssize_t result = move(file, data, LENGTH);
    int got = errno;
    plan(entry, 0, 0);
    close(file);
    if (result != wanted || (result == -1 && got != error))
        return differs("%u bytes, then %d: %zd and %d", bytes, error, result, got);
    return true;
}

static ssize_t write_from(int file, void *from, size_t length)
{
    return write(file, from, length);
}

static bool partial_transfers(void)
{
    return moved(read, ERRORS_READ, 0, 0, 0) && moved(read, ERRORS_READ, 10, 0, 10) &&
           moved(read, ERRORS_READ, LENGTH, 0, LENGTH) &&
           moved(write_from, ERRORS_WRITE, 10, 0, 10) &&
           moved(write_from, ERRORS_WRITE, LENGTH, 0, LENGTH);
}

/* An entry point that returns an error number fails, whatever it has moved. */
static bool errors_after_bytes(void)
{
    return moved(read, ERRORS_READ, 10, EIO, -1) && moved(write_from, ERRORS_WRITE, 10, EIO, -1);
}

static bool offsets(void)
{
    int file = open_device();
    plan(ERRORS_READ, 0, 10);
    bool good = read(file, data, LENGTH) == 10 && lseek(file, 0, SEEK_CUR) == 10;
    plan(ERRORS_READ, EIO, 10);
    good = good && read(file, data, LENGTH) == -1 && lseek(file, 0, SEEK_CUR) == 10;
    plan(ERRORS_READ, 0, 10);
    good = good && pread(file, data, LENGTH, 1000) == 10;
    plan(ERRORS_READ, 0, 0);
    close(file);
    return good;
}

static bool closes_once(void)
{
    int file = open_device(), copy = dup(file);
    uint64_t before = calls_of(ERRORS_CLOSE);
    bool good = close(file) == 0 && calls_of(ERRORS_CLOSE) == before;
    return good && close(copy) == 0 && calls_of(ERRORS_CLOSE) == before + 1;
}

static bool failed_open_is_closed(void)
{
    uint64_t before = calls_of(ERRORS_CLOSE);
    plan(ERRORS_OPEN, EIO, 0);
    int file = open(ERRORS_DEVICE, O_RDWR);
    plan(ERRORS_OPEN, 0, 0);
    return file == -1 && calls_of(ERRORS_CLOSE) == before + 1;
}

int main(void)
{
    control = open(ERRORS_CONTROL, O_RDWR | O_CLOEXEC);
    if (control == -1)
        give_up(ERRORS_CONTROL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t at = 0; at < CALLS; at++)
        every_error(at);
    report(replaced(), "dup2 over a device whose close fails");
    report(partial_transfers(), "transfers that end early");
    report(errors_after_bytes(), "errors after some bytes");
    report(offsets(), "offsets");
    report(closes_once(), "the last close, and only that, is the driver's");
    report(failed_open_is_closed(), "ddclose after a first open that failed");
    printf("1..%u\n", cases);
    return wrong != 0;
}
