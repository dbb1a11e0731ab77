/* SPDX-License-Identifier: MIT */
/*
 * Calls of trapped programs other than opening, closing and transferring: registers devices, and
 * runs the program of other_program.h on them for each of its cases, as a program of this machine's
 * width and, where there is one, as a 32-bit one.
 */
#include "../support/check.h"

#include "other_program.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <xmem/devices.h>

/* ---------------------------------------------------------------- the devices ---------- */

struct other_device {
    unsigned minor;
    unsigned char *bytes; /* of the disk */
    uint32_t readable;
    uint32_t blocked;
    uint32_t syncs;
    uint64_t argument;
    struct xmem_timer timer;
};

static struct other_device devices[9];

static int copy_to_user(const struct xmem_transfer *transfer, const void *bytes, size_t length,
                        uint64_t *done)
{
    struct iovec from = {(void *)(uintptr_t)bytes, length};
    size_t moved = 0;
    int error = xmem_copy_outv(NULL, &from, 1, transfer->ranges, transfer->count, &moved);
    *done = moved;
    return error;
}

static size_t part_of_disk(const struct xmem_transfer *transfer)
{
    if (transfer->offset >= DISK_SIZE)
        return 0;
    size_t left = (size_t)(DISK_SIZE - transfer->offset);
    return transfer->length < left ? (size_t)transfer->length : left;
}

static int device_read(void *pointer, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    struct other_device *device = pointer;
    transfer->done = 0;
    if (device->minor == MINOR_DISK)
        return copy_to_user(transfer, device->bytes + transfer->offset, part_of_disk(transfer),
                            &transfer->done);
    if (device->minor == MINOR_MULTI)
        return copy_to_user(transfer, file->rest, strlen(file->rest), &transfer->done);
    if (device->minor != MINOR_READY)
        return 0;
    if (!__atomic_exchange_n(&device->readable, 0, __ATOMIC_SEQ_CST))
        return EAGAIN;
    return copy_to_user(transfer, "x", 1, &transfer->done);
}

static int device_write(void *pointer, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    struct other_device *device = pointer;
    (void)file;
    transfer->done = transfer->length;
    if (device->minor == MINOR_READY) {
        __atomic_store_n(&device->readable, 1, __ATOMIC_SEQ_CST);
        xmem_device_ready(device, POLLIN);
    }
    if (device->minor != MINOR_DISK)
        return 0;
    size_t moved = 0;
    struct iovec to = {device->bytes + transfer->offset, part_of_disk(transfer)};
    int error = xmem_copy_inv(NULL, transfer->ranges, transfer->count, &to, 1, &moved);
    transfer->done = moved;
    return error;
}

static int device_poll(void *pointer, struct xmem_open_file *file, short events, int watch,
                       short *returned)
{
    struct other_device *device = pointer;
    short held = 0;
    (void)file;
    (void)watch;
    if (__atomic_load_n(&device->readable, __ATOMIC_SEQ_CST))
        held |= POLLIN;
    if (!__atomic_load_n(&device->blocked, __ATOMIC_SEQ_CST))
        held |= POLLOUT;
    *returned = (short)(held & events);
    return 0;
}

/* At interrupt level. */
static void time_is_up(void *pointer)
{
    struct other_device *device = pointer;
    __atomic_store_n(&device->readable, 1, __ATOMIC_SEQ_CST);
    xmem_device_ready(device, POLLIN);
}

static int echo(uint64_t argument, int *result)
{
    int number;
    int error = xmem_copy_in(NULL, argument, &number, sizeof(number), NULL);
    number++;
    if (!error)
        error = xmem_copy_out(NULL, &number, argument, sizeof(number), NULL);
    *result = 7;
    return error;
}

static int device_ioctl(void *pointer, struct xmem_open_file *file, unsigned request,
                        uint64_t argument, int *result)
{
    struct other_device *device = pointer;
    (void)file;
    switch (request) {
    case REQUEST_ECHO:
        return echo(argument, result);
    case REQUEST_FAIL:
        return (int)argument;
    case REQUEST_READY_IN:
        /* The last one's handler has run; what orders that before this call is the program, which
         * the thread sanitizer does not see. */
        __atomic_load_n(&device->readable, __ATOMIC_SEQ_CST);
        return xmem_timer_start(&device->timer, xmem_clock() + argument * 1000000);
    case REQUEST_DRAIN:
        __atomic_store_n(&device->readable, 0, __ATOMIC_SEQ_CST);
        return 0;
    case REQUEST_BLOCK_OUT:
        __atomic_store_n(&device->blocked, (uint32_t)argument, __ATOMIC_SEQ_CST);
        return 0;
    case REQUEST_SYNCS:
        *result = (int)device->syncs;
        return 0;
    case REQUEST_ARGUMENT:
        device->argument = argument;
        return 0;
    case REQUEST_ARGUMENT_LOW:
        *result = (int)device->argument;
        return 0;
    case REQUEST_ARGUMENT_HIGH:
        *result = (int)(device->argument >> 32);
        return 0;
    default:
        return ENOTTY;
    }
}

static int device_sync(void *pointer, struct xmem_open_file *file)
{
    struct other_device *device = pointer;
    (void)file;
    device->syncs++;
    return 0;
}

static int64_t device_extent(void *pointer, struct xmem_open_file *file)
{
    const struct other_device *device = pointer;
    (void)file;
    return device->minor == MINOR_STREAM ? XMEM_SEEK_NONE : DISK_SIZE;
}

static const struct xmem_device_operations full = {
    .size = sizeof(struct xmem_device_operations),
    .read = device_read,
    .write = device_write,
    .ioctl = device_ioctl,
    .poll = device_poll,
    .sync = device_sync,
    .extent = device_extent,
};

static const struct xmem_device_operations simple = {
    .size = sizeof(struct xmem_device_operations),
    .read = device_read,
    .write = device_write,
};

static const struct {
    const char *name;
    unsigned minor;
    mode_t mode;
    const struct xmem_device_operations *operations;
} made[] = {
    {"plain", MINOR_PLAIN, S_IFCHR | 0666, &simple},
    {"disk", MINOR_DISK, S_IFCHR | 0666, &full},
    {"ready", MINOR_READY, S_IFCHR | 0666, &full},
    {"stream", MINOR_STREAM, S_IFCHR | 0666, &full},
    {"block", MINOR_BLOCK, S_IFBLK | 0660, &simple},
    {"multi", MINOR_MULTI, S_IFCHR | 0666, &simple},
    {"guarded", MINOR_GUARDED, S_IFCHR | 0600, &simple},
    {"owned", MINOR_OWNED, S_IFCHR | 0640, &simple},
};
#define MADE (sizeof(made) / sizeof(made[0]))

static char directory[64];

static void device_path(size_t index, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", directory, made[index].name);
}

static void add_devices(void)
{
    char path[128];
    strcpy(directory, "/tmp/xmem-other-XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0755), 0);
    for (size_t index = 0; index < MADE; index++) {
        struct other_device *device = &devices[made[index].minor];
        *device = (struct other_device){
            .minor = made[index].minor,
            .timer.work = {.handler = time_is_up, .argument = device, .priority = XMEM_INTCLASS1},
        };
        device_path(index, path, sizeof(path));
        must(xmem_device_add(&(struct xmem_device){
            .size = sizeof(struct xmem_device),
            .path = path,
            .mode = made[index].mode,
            .owner = made[index].minor == MINOR_OWNED ? OWNER : geteuid(),
            .group = made[index].minor == MINOR_OWNED ? GROUP : getegid(),
            .major = DEVICE_MAJOR,
            .minor = made[index].minor,
            .suffixes = made[index].minor == MINOR_MULTI,
            .operations = made[index].operations,
            .device = device,
        }));
    }
    devices[MINOR_DISK].bytes = calloc(1, DISK_SIZE);
    assert_non_null(devices[MINOR_DISK].bytes);
}

static void remove_devices(void)
{
    char path[128];
    for (size_t index = 0; index < MADE; index++) {
        device_path(index, path, sizeof(path));
        must(xmem_device_remove(path));
    }
    free(devices[MINOR_DISK].bytes);
    assert_int_equal(rmdir(directory), 0); /* nothing was left behind */
}

/* ---------------------------------------------------------------- the cases ------------ */

static void run_program(const char *program, const char *name)
{
    char *const arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)name, directory,
                               NULL};
    int status = -1;
    add_devices();
    int error = xmem_run(&(struct xmem_program){.size = sizeof(struct xmem_program),
                                                .path = program,
                                                .arguments = arguments},
                         &status);
    if (error == ENOSYS) {
        print_message("left out: %s\n", xmem_last_failure()->words);
    } else {
        assert_int_equal(error, 0);
        assert_int_equal(status, 0);
    }
    remove_devices();
}

/* Whether this machine runs 32-bit programs. */
static bool narrow_runs(const char *program)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, NULL);
        _exit(126);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) != 126;
}

static void run_both(const char *name)
{
    run_program(XMEM_TEST_OTHER_PATH, name);
#ifdef XMEM_TEST_OTHER_NARROW_PATH
    if (narrow_runs(XMEM_TEST_OTHER_NARROW_PATH))
        run_program(XMEM_TEST_OTHER_NARROW_PATH, name);
    else
        print_message("left out: this machine does not run 32-bit programs\n");
#else
    (void)narrow_runs;
#endif
}

#define BOTH(name)                                                                                 \
    static void name(enum kind kind)                                                               \
    {                                                                                              \
        (void)kind;                                                                                \
        run_both(&#name[4]); /* without "run_" */                                                  \
    }

BOTH(run_status)
BOTH(run_permission)
BOTH(run_names)
BOTH(run_links)
BOTH(run_bad_paths)
BOTH(run_bad_buffers)
BOTH(run_seek)
BOTH(run_ioctl)
BOTH(run_flags)
BOTH(run_between)
BOTH(run_natural)
BOTH(run_poll)
BOTH(run_select)
BOTH(run_epoll)
BOTH(run_epoll_edges)
BOTH(run_wait_signals)
BOTH(run_masked_signals)
BOTH(run_poll_bad)
BOTH(run_wakes)
BOTH(run_many_waiters)
BOTH(run_killed_waiters)
BOTH(run_stopped)

int main(void)
{
    static const struct test_case cases[] = {
        EACH(run_status, ONCE),         EACH(run_permission, ONCE),
        EACH(run_names, ONCE),          EACH(run_links, ONCE),
        EACH(run_bad_paths, ONCE),      EACH(run_bad_buffers, ONCE),
        EACH(run_seek, ONCE),           EACH(run_ioctl, ONCE),
        EACH(run_flags, ONCE),          EACH(run_between, ONCE),
        EACH(run_natural, ONCE),        EACH(run_poll, ONCE),
        EACH(run_select, ONCE),         EACH(run_epoll, ONCE),
        EACH(run_epoll_edges, ONCE),    EACH(run_wait_signals, ONCE),
        EACH(run_masked_signals, ONCE), EACH(run_poll_bad, ONCE),
        EACH(run_wakes, ONCE),          EACH(run_many_waiters, ONCE),
        EACH(run_killed_waiters, ONCE), EACH(run_stopped, ONCE),
    };
    return RUN_CASES("other", cases);
}
