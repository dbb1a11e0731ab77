/* SPDX-License-Identifier: MIT */
/* The bare handler; bare_notification.h says what for. */
#include "bare_notification.h"
#include "helper.h"
#include "places.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define SIZE_MOST (4u << 20) /* of a call */

#define LOAD(member)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, member))

/* ---- the program's side ---- */

static int install_filter(void)
{
    struct sock_filter instructions[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HELPER_FILE, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HELPER_NULL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(instructions) / sizeof(instructions[0]), instructions};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                        SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                        &program);
}

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool send_listener(int socket, int listener)
{
    char byte = 0;
    struct iovec piece = {&byte, 1};
    union control control = {0};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &listener, sizeof(int));
    return sendmsg(socket, &message, 0) == 1;
}

static int receive_listener(int socket)
{
    char byte;
    int listener = -1;
    struct iovec piece = {&byte, 1};
    union control control = {0};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
        memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    return listener;
}

static void run_program(int socket, char *const words[])
{
    int listener = install_filter();
    if (listener != -1 && send_listener(socket, listener)) {
        close(listener);
        close(socket);
        execv(words[0], words);
    }
    _exit(1);
}

/* ---- the handler's side ---- */

static void end(int unused)
{
    (void)unused;
    _exit(0);
}

static struct seccomp_notif_resp answer(const struct seccomp_notif *call, char *buffer)
{
    struct seccomp_notif_resp response = {.id = call->id};
    struct iovec own = {buffer, call->data.args[2]};
    struct iovec theirs = {(void *)(uintptr_t)call->data.args[1], call->data.args[2]};
    ssize_t moved = 0;
    if (call->data.nr == SYS_write) {
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        return response;
    }
    if (call->data.args[2] > SIZE_MOST)
        response.error = -EINVAL;
    else if (call->data.args[2] == 1)
        moved = 1; /* the row that moves nothing */
    else if (call->data.nr == SYS_pread64)
        moved = process_vm_writev((pid_t)call->pid, &own, 1, &theirs, 1, 0);
    else
        moved = process_vm_readv((pid_t)call->pid, &own, 1, &theirs, 1, 0);
    if (moved == -1)
        response.error = -errno;
    response.val = moved == -1 ? 0 : moved;
    return response;
}

static void serve(int listener)
{
    struct seccomp_notif call;
    char *buffer = kernel_memory(SIZE_MOST); /* as the device's */
    if (!buffer)
        return;
    /* Since Linux 6.6; before that it is as it is. */
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    for (;;) {
        memset(&call, 0, sizeof(call));
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
            continue;
        struct seccomp_notif_resp response = answer(&call, buffer);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

void bare_notification_serve(char *const words[])
{
    int sockets[2];
    signal(SIGCHLD, end);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        run_program(sockets[1], words);
    close(sockets[1]);
    /* The handler holds the helper's ends too, which does no harm: it does not outlive it. */
    int listener = child == -1 ? -1 : receive_listener(sockets[0]);
    if (listener != -1)
        serve(listener);
}
