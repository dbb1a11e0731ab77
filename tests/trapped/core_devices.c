/* SPDX-License-Identifier: MIT */
/* The devices of the core's tests; core_devices.h says what each function does. */
#include "core_devices.h"

#include "../support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct core_counts core_counts[CORE_DEVICES];

static unsigned char *bytes;
static pthread_mutex_t disk_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t tokens;      /* in the queue: what its readers wait for */
static uint32_t tokens_made; /* numbers of those handed out */

#define ME ((enum core_device)(uintptr_t)device)

static void count(uint32_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* ---------------------------------------------------------------- operations ----------- */

static int device_open(void *device, struct xmem_open_file *file)
{
    (void)file;
    if (ME == CORE_REFUSING)
        return ENXIO;
    if (ME == CORE_ONLY && core_counts[ME].opens != core_counts[ME].closes)
        return EBUSY;
    count(&core_counts[ME].opens);
    return 0;
}

static int device_close(void *device, struct xmem_open_file *file)
{
    (void)file;
    if (ME == CORE_ONLY) { /* so that who opens at once has to wait */
        struct timespec pause = {.tv_nsec = 200000};
        nanosleep(&pause, NULL);
    }
    count(&core_counts[ME].closes);
    return ME == CORE_FAULTY ? EIO : 0;
}

static struct iovec part_of_disk(const struct xmem_transfer *transfer)
{
    uint64_t length = 0;
    if (transfer->offset < DISK_BYTES)
        length = (uint64_t)(DISK_BYTES - transfer->offset);
    if (length > transfer->length)
        length = transfer->length;
    return (struct iovec){bytes + (length ? transfer->offset : 0), length};
}

static int read_token(struct xmem_transfer *transfer)
{
    size_t moved = 0;
    for (;;) {
        uint32_t there = __atomic_load_n(&tokens, __ATOMIC_SEQ_CST);
        if (there && __atomic_compare_exchange_n(&tokens, &there, there - 1, false,
                                                 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            break;
        if (there)
            continue;
        if (transfer->flags & O_NONBLOCK)
            return EAGAIN;
        int error = xmem_wait(&tokens, 0, XMEM_WAIT_INTERRUPTIBLE, 0);
        if (error == EINTR)
            count(&core_counts[CORE_QUEUE].interrupted);
        if (error)
            return error;
    }
    uint32_t number = __atomic_add_fetch(&tokens_made, 1, __ATOMIC_SEQ_CST);
    struct iovec from = {&number, sizeof(number)};
    int error = xmem_copy_outv(NULL, &from, 1, transfer->ranges, transfer->count, &moved);
    transfer->done = moved;
    return error;
}

static int device_read(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    size_t moved = 0;
    int error = 0;
    struct timespec pause = {.tv_nsec = SLOW_MILLISECONDS * 1000000L};
    struct iovec part = part_of_disk(transfer);
    (void)file;
    switch (ME) {
    case CORE_DISK:
        pthread_mutex_lock(&disk_mutex);
        error = xmem_copy_outv(NULL, &part, 1, transfer->ranges, transfer->count, &moved);
        pthread_mutex_unlock(&disk_mutex);
        transfer->done = moved;
        return error;
    case CORE_QUEUE:
        return read_token(transfer);
    case CORE_FAULTY:
        return EIO;
    case CORE_SLOW:
        nanosleep(&pause, NULL);
        return 0;
    default:
        return 0;
    }
}

static int device_write(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    size_t moved = 0;
    int error;
    struct iovec part = part_of_disk(transfer);
    (void)file;
    switch (ME) {
    case CORE_DISK:
        if (part.iov_len == 0)
            return ENOSPC;
        pthread_mutex_lock(&disk_mutex);
        error = xmem_copy_inv(NULL, transfer->ranges, transfer->count, &part, 1, &moved);
        pthread_mutex_unlock(&disk_mutex);
        transfer->done = moved;
        return error;
    case CORE_QUEUE:
        __atomic_add_fetch(&tokens, (uint32_t)transfer->length, __ATOMIC_SEQ_CST);
        xmem_wake(&tokens, INT_MAX);
        break;
    case CORE_FAULTY:
        transfer->done = transfer->length < FAULTY_TAKES ? transfer->length : FAULTY_TAKES;
        return transfer->length > FAULTY_TAKES ? ENOSPC : 0;
    default:
        break;
    }
    transfer->done = transfer->length;
    return 0;
}

static int device_ioctl(void *device, struct xmem_open_file *file, unsigned request,
                        uint64_t argument, int *result)
{
    (void)file;
    if (ME != CORE_DISK || argument >= CORE_DEVICES)
        return ENOTTY;
    if (request == REQUEST_OPENS)
        *result = (int)__atomic_load_n(&core_counts[argument].opens, __ATOMIC_SEQ_CST);
    else if (request == REQUEST_CLOSES)
        *result = (int)__atomic_load_n(&core_counts[argument].closes, __ATOMIC_SEQ_CST);
    else if (request == REQUEST_TOKENS)
        *result = (int)__atomic_load_n(&tokens_made, __ATOMIC_SEQ_CST);
    else
        return ENOTTY;
    return 0;
}

static int64_t device_extent(void *device, struct xmem_open_file *file)
{
    (void)file;
    return ME == CORE_STREAM ? XMEM_SEEK_NONE : DISK_BYTES;
}

/* ---------------------------------------------------------------- the devices ---------- */

static const char *const paths[CORE_DEVICES] = {DISK, QUEUE,   FAULTY, SLOW,
                                                ONLY, GUARDED, STREAM, REFUSING};

void core_devices_add(void)
{
    static const struct xmem_device_operations operations = {
        .size = sizeof(operations),
        .open = device_open,
        .close = device_close,
        .read = device_read,
        .write = device_write,
        .ioctl = device_ioctl,
        .extent = device_extent,
    };
    bytes = calloc(1, DISK_BYTES);
    assert_non_null(bytes);
    for (unsigned index = 0; index < CORE_DEVICES; index++) {
        struct xmem_device device = {
            .size = sizeof(device),
            .path = paths[index],
            .mode = S_IFCHR | (index == CORE_GUARDED ? 0640 : 0666),
            .major = 240,
            .minor = index,
            .operations = &operations,
            .device = (void *)(uintptr_t)index,
        };
        must(xmem_device_add(&device));
    }
}

void core_devices_remove_but(unsigned gone)
{
    for (unsigned index = 0; index < CORE_DEVICES; index++) {
        if (index != gone)
            must(xmem_device_remove(paths[index]));
        if (core_counts[index].opens != core_counts[index].closes)
            print_error("%s\n", paths[index]);
        assert_int_equal(core_counts[index].opens, core_counts[index].closes);
    }
    free(bytes);
}

void core_devices_remove(void)
{
    core_devices_remove_but(CORE_DEVICES);
}

/* ---------------------------------------------------------------- running -------------- */

static int run_program(const char *const *arguments, int *status)
{
    struct xmem_program program = {
        .size = sizeof(program),
        .path = arguments[0],
        .arguments = (char *const *)(uintptr_t)arguments,
    };
    return xmem_run(&program, status);
}

int core_run(const char *name, const char *first, const char *second)
{
    int status = -1;
    const char *arguments[] = {XMEM_TEST_CORE_PATH, name, first, second, NULL};
    must(run_program(arguments, &status));
    return status;
}

void core_run_well(const char *name, const char *first, const char *second)
{
    int status = core_run(name, first, second);
    if (status != 0)
        print_error("%s: %s %d\n", name, WIFSIGNALED(status) ? "signal" : "exit status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    assert_int_equal(status, 0);
}

const char *core_refused(void)
{
    static char words[512];
    const char *arguments[] = {"true", NULL};
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0)
        return "no pipe";
    pid_t child = fork();
    if (child == 0) {
        int status;
        int error = xmem_start(NULL);
        if (!error)
            error = run_program(arguments, &status);
        const char *why = error ? xmem_last_failure()->words : "";
        _exit(write(pipe_ends[1], why, strlen(why)) < 0 || error);
    }
    close(pipe_ends[1]);
    ssize_t got = read(pipe_ends[0], words, sizeof(words) - 1);
    close(pipe_ends[0]);
    waitpid(child, NULL, 0);
    return got > 0 ? words : NULL;
}
