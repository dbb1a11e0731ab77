/* SPDX-License-Identifier: MIT */
/*
 * epoll_ctl on a device: a stand-in goes into the caller's epoll instance (readiness.h), and
 * everything else about epoll is between the caller and Linux.
 *
 * A device without a poll operation, and a block device, cannot be waited for: EPERM, as for a null
 * device and a regular file.
 */
#include "trapped/call.h"

#include "host/memory.h"
#include "host/programs.h"
#include "trapped/processes.h"
#include "trapped/readiness.h"
#include "trapped/tables.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/stat.h>

static bool can_be_waited_for(const struct device *device)
{
    return S_ISCHR(device->is.mode) && device->operations.poll;
}

static int control(struct call *call, struct device_file *file)
{
    struct epoll_event event = {0};
    int operation = call_int(call, 1);
    int epoll;
    if (file->path_only)
        return EBADF;
    if (operation != EPOLL_CTL_DEL && call_copy_in(call, call->arguments[3], &event, sizeof(event)))
        return EFAULT;
    int error = host_pidfd_take(call->caller->pidfd, call_int(call, 0), &epoll);
    if (error)
        return error;
    error = EPERM;
    if (can_be_waited_for(file->device))
        error = readiness_control(file, call_int(call, 2), epoll, operation, event.events,
                                  event.data.u64);
    host_close(epoll);
    return error;
}

static struct answer call_epoll_ctl(struct call *call)
{
    struct device_file *file = call_device_file(call, call_int(call, 2));
    if (!file)
        return call_continue();
    int error = call_begin(call);
    if (!error)
        error = control(call, file);
    device_file_release(file);
    if (error == EMFILE || error == ENFILE || error == EAGAIN) /* it is we who lack them */
        error = ENOMEM;
    return error ? call_error(error) : call_value(0);
}

const struct call_row calls_epoll[] = {
    CALL(epoll_ctl, 255, call_epoll_ctl),
    CALL_TABLE_END,
};
