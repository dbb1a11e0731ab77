/* SPDX-License-Identifier: MIT */
/*
 * The listener of a seccomp filter; notify.h says what each function promises.
 */
#include "host/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/seccomp.h>

/* Younger than the headers of Linux 6.1. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* Room for structures that grew. */
#define ROOM 512
_Static_assert(sizeof(struct seccomp_notif) <= ROOM, "room for a notification");

static size_t notification_size = sizeof(struct seccomp_notif);
static size_t answer_size = sizeof(struct seccomp_notif_resp);

int host_notify_prepare(void)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
        return errno == EINVAL ? ENOSYS : errno;
    if (sizes.seccomp_notif > ROOM || sizes.seccomp_notif_resp > ROOM)
        return ENOSYS;
    notification_size = sizes.seccomp_notif;
    answer_size = sizes.seccomp_notif_resp;
    if (notification_size < sizeof(struct seccomp_notif))
        notification_size = sizeof(struct seccomp_notif);
    if (answer_size < sizeof(struct seccomp_notif_resp))
        answer_size = sizeof(struct seccomp_notif_resp);
    return 0;
}

HOT int host_notify_receive(int listener, struct host_notification *notification)
{
    union {
        struct seccomp_notif notif;
        char room[ROOM];
    } buffer;
    memset(&buffer, 0, notification_size); /* Linux refuses one that is not */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer) != 0)
        return errno;
    notification->id = buffer.notif.id;
    notification->thread = (pid_t)buffer.notif.pid;
    notification->architecture = buffer.notif.data.arch;
    notification->number = buffer.notif.data.nr;
    for (unsigned index = 0; index < 6; index++)
        notification->arguments[index] = buffer.notif.data.args[index];
    return 0;
}

bool host_notify_ended(int listener)
{
    struct pollfd look = {.fd = listener};
    return poll(&look, 1, 0) == 1 && (look.revents & POLLHUP);
}

HOT static int answer(int listener, uint64_t id, int64_t value, int error, uint32_t flags)
{
    union {
        struct seccomp_notif_resp response;
        char room[ROOM];
    } buffer;
    memset(&buffer, 0, answer_size);
    buffer.response.id = id;
    buffer.response.val = error ? 0 : value;
    buffer.response.error = -error;
    buffer.response.flags = flags;
    while (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &buffer) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

HOT int host_notify_answer(int listener, uint64_t id, int64_t value, int error)
{
    return answer(listener, id, value, error, 0);
}

int host_notify_continue(int listener, uint64_t id)
{
    return answer(listener, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

bool host_notify_valid(int listener, uint64_t id)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int add_fd(int listener, struct seccomp_notif_addfd *request, int *number)
{
    do
        *number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, request);
    while (*number < 0 && errno == EINTR);
    if (*number >= 0)
        return 0;
    return errno == EINPROGRESS ? ENOENT : errno;
}

int host_notify_add_fd(int listener, uint64_t id, int fd, bool close_on_exec, int *number)
{
    struct seccomp_notif_addfd request = {
        .id = id, .srcfd = (uint32_t)fd, .newfd_flags = close_on_exec ? O_CLOEXEC : 0};
    return add_fd(listener, &request, number);
}

int host_notify_replace_fd(int listener, uint64_t id, int fd, int number, bool close_on_exec)
{
    int added;
    struct seccomp_notif_addfd request = {.id = id,
                                          .flags = SECCOMP_ADDFD_FLAG_SETFD,
                                          .srcfd = (uint32_t)fd,
                                          .newfd = (uint32_t)number,
                                          .newfd_flags = close_on_exec ? O_CLOEXEC : 0};
    return add_fd(listener, &request, &added);
}

void host_notify_same_processor(int listener)
{
    /* The flags are the argument itself; Linux before 6.6 knows none, and goes without. */
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}
