/* SPDX-License-Identifier: MIT */
/*
 * open, openat, openat2 and creat.
 *
 * What Linux decides before it looks at the device (does it exist, is it a directory, may the
 * caller use it) is decided here in the same order; the device's open comes last.  The placeholder
 * is in the caller, and nowhere else any more, before the call is answered: a close that follows
 * at once is the last close.
 *
 * O_PATH opens no device: the descriptor only names it.
 */
#include "trapped/call.h"

#include "host/memory.h"
#include "trapped/paths.h"
#include "trapped/permission.h"
#include "trapped/processes.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/openat2.h>

#define FLAGS_OF_PATH (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct request {
    int directory;
    uint64_t path;
    int flags;
};

/* ---------------------------------------------------------------- a device ------------- */

static int wanted(int flags)
{
    static const int by_access[] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};
    int want = by_access[flags & O_ACCMODE];
    return flags & O_TRUNC ? want | W_OK : want;
}

static int refuse(const struct call *call, const struct device *device, int flags)
{
    if (!(flags & O_PATH) && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return EEXIST;
    if (flags & O_DIRECTORY)
        return ENOTDIR;
    return flags & O_PATH ? 0 : device_permission(device, call->thread, wanted(flags), false);
}

static int device_open(struct device_file *file)
{
    struct device *device = file->device;
    int error = 0;
    if (file->path_only)
        return 0;
    supervisor_may_wait();
    if (device->operations.open)
        error = device->operations.open(device->is.device, &file->file);
    file->opened = !error;
    return error;
}

/* Puts a placeholder into the caller. */
static int install(struct call *call, struct device_file *file, int *number)
{
    int fd;
    int error = placeholder_open(file, &fd);
    if (error)
        return error;
    error = call_install_fd(call, fd, (file->file.flags & O_CLOEXEC) != 0, number);
    host_close(fd);
    placeholder_check(file); /* the caller may have been killed while we had it, too */
    return error;
}

/* Who was killed while it used the device may still be at it, for as long as the driver takes to
 * see that: a real kernel has closed the device by the time that anybody knows of the death.  But
 * what a driver waits for without end, the next open may bring. */
static int await_closes(struct device *device)
{
    static const uint32_t never;
    const uint64_t pause = 500000;  /* nanoseconds */
    const uint64_t patience = 2000; /* milliseconds */
    uint64_t end = 0;
    placeholders_check();
    int error = device_closing_wait(device);
    while (!error && supervisor_serves_dead(device)) {
        if (!end)
            end = host_milliseconds() + patience;
        if (host_milliseconds() >= end)
            return 0;
        error = xmem_wait(&never, 0, XMEM_WAIT_INTERRUPTIBLE, pause);
        if (!error || error == ETIMEDOUT)
            error = device_closing_wait(device);
    }
    return error;
}

/* Takes the device's hold over. */
static struct answer open_device(struct call *call, struct device *device, const char *rest,
                                 int flags)
{
    struct device_file *file;
    int number;
    int error = refuse(call, device, flags);
    if (!error) {
        supervisor_serves(device);
        error = await_closes(device);
    }
    if (!error && !call_valid(call))
        error = EINTR; /* the driver must not see opens of the dead: nobody knows of them */
    if (!error && !device_count_open(device))
        error = ENXIO; /* it was removed this moment */
    if (error) {
        device_drop(device);
        return call_error(error);
    }
    error = device_file_new(device, flags, rest, &file);
    if (error) {
        device_count_close(device);
        device_drop(device);
        return call_error(error);
    }
    error = device_open(file);
    if (!error)
        error = install(call, file, &number);
    device_file_release(file);
    return error ? call_error(error) : call_value(number);
}

/* ---------------------------------------------------------------- a path --------------- */

static enum path_last last_of(int flags)
{
    bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    return (flags & O_NOFOLLOW) || exclusive ? PATH_STAY : PATH_FOLLOW;
}

/* /dev/fd/N and the like: a new open of the same device. */
static struct answer open_again(struct call *call, const struct path_found *found, int flags)
{
    bool own = found->owner == call->caller->group || found->owner == call->thread;
    struct device_file *file = own ? placeholder_of(call, found->descriptor)
                                   : placeholder_of_thread(found->owner, found->descriptor);
    if (!file)
        return call_continue();
    struct answer answer = open_device(call, device_hold(file->device), file->file.rest, flags);
    device_file_release(file);
    return answer;
}

static struct answer open_found(struct call *call, const struct path_found *found, int flags)
{
    const char *none;
    struct device *device;
    switch (found->kind) {
    case PATH_DEVICE:
        device = device_find(found->device, &none);
        return device ? open_device(call, device, found->rest, flags) : call_continue();
    case PATH_DESCRIPTOR:
        return open_again(call, found, flags);
    case PATH_REFUSED:
        return call_error(found->error);
    default:
        return call_continue();
    }
}

static struct answer open_path(struct call *call, const struct request *request)
{
    char path[PATH_MAX];
    struct path_found found;
    int flags = request->flags & O_PATH ? request->flags & FLAGS_OF_PATH : request->flags;
    if (!devices_exist() || call_string_in(call, request->path, path, sizeof(path)) ||
        path[0] == '\0')
        return call_continue();
    int error = process_of(call);
    if (error) {
        int refusal = path_unseen(path, error);
        return refusal ? call_error(refusal) : call_continue();
    }
    path_find(&(struct path_request){.process = call->caller->group,
                                     .thread = call->thread,
                                     .directory = request->directory,
                                     .path = path,
                                     .last = last_of(flags)},
              &found);
    if (found.kind == PATH_OTHER)
        return call_continue();
    call_begin(
        call); /* without it the device cannot reach the caller's memory, which it need not */
    return open_found(call, &found, flags);
}

/* ---------------------------------------------------------------- the calls ------------ */

static struct answer call_open(struct call *call)
{
    return open_path(call, &(struct request){AT_FDCWD, call->arguments[0], call_int(call, 1)});
}

static struct answer call_creat(struct call *call)
{
    return open_path(call,
                     &(struct request){AT_FDCWD, call->arguments[0], O_CREAT | O_WRONLY | O_TRUNC});
}

static struct answer call_openat(struct call *call)
{
    return open_path(call,
                     &(struct request){call_int(call, 0), call->arguments[1], call_int(call, 2)});
}

#if defined(__aarch64__)
#define FLAG_LARGEFILE 0400000
#else
#define FLAG_LARGEFILE 0100000
#endif

/* What Linux refuses before it looks at the path is left to it. */
static bool how_is_right(const struct open_how *how)
{
    const uint64_t flags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                           O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | FLAG_LARGEFILE |
                           O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH;
    if (how->flags & ~flags || (!(how->flags & O_CREAT) && how->mode))
        return false;
    return !(how->flags & O_PATH) || !(how->flags & ~(uint64_t)FLAGS_OF_PATH);
}

/* Bytes of a younger structure must be 0. */
static bool rest_is_zero(struct call *call)
{
    static const char zeros[64];
    uint64_t size = call->arguments[3];
    char rest[sizeof(zeros)];
    if (size > sizeof(struct open_how) + sizeof(rest))
        return false;
    size -= sizeof(struct open_how);
    return !call_copy_in(call, call->arguments[2] + sizeof(struct open_how), rest, size) &&
           memcmp(rest, zeros, size) == 0;
}

static struct answer call_openat2(struct call *call)
{
    struct open_how how;
    if (call->arguments[3] < sizeof(how) ||
        call_copy_in(call, call->arguments[2], &how, sizeof(how)) || !how_is_right(&how) ||
        !rest_is_zero(call))
        return call_continue();
    return open_path(call,
                     &(struct request){call_int(call, 0), call->arguments[1], (int)how.flags});
}

const struct call_row calls_open[] = {
#ifdef __NR_open
    CALL(open, 5, call_open),       CALL(creat, 8, call_creat),
#endif
    CALL(openat, 295, call_openat), CALL(openat2, 437, call_openat2), CALL_TABLE_END,
};
