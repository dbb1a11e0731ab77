/* SPDX-License-Identifier: MIT */
/*
 * Starting programs under a filter; programs.h says what each function promises.
 *
 * The child runs in a copy of a program with several threads: between fork and exec it calls
 * nothing that is not async-signal-safe.  Once it has the filter, its calls may wait for an answer,
 * so that all it does then is sendmsg, which no filter of ours stops, and execve.
 */
#include "host/programs.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* What the child reports: how far it came, and with the first message the listener. */
struct report {
    int error;
};

static struct rlimit limit_before;
static bool limit_raised;

/* ---------------------------------------------------------------- the child ------------ */

static void child_report(int socket, int error, int listener)
{
    struct report report = {error};
    struct iovec vector = {&report, sizeof(report)};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (listener >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.room);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &listener, sizeof(int));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

/* Handlers are this program's code: the child must not run them. */
static void child_forget_handlers(void)
{
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
            action.sa_handler != SIG_DFL) {
            action = (struct sigaction){.sa_handler = SIG_DFL};
            sigaction(signal, &action, NULL);
        }
    }
}

static int child_take_filter(const struct host_program *program)
{
    struct sock_fprog filter = {.len = program->filter_length,
                                .filter = (struct sock_filter *)(uintptr_t)program->filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    int listener = (int)syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
    if (listener >= 0)
        return listener;
    return errno == EINVAL || errno == EACCES || errno == EPERM ? -ENOSYS : -errno;
}

struct child {
    const struct host_program *program;
    int socket;
    sigset_t mask; /* the program's */
};

/* In the child of the guard; every signal is blocked. */
static void child_run(const void *argument) __attribute__((noreturn));
static void child_run(const void *argument)
{
    const struct child *child = argument;
    const struct host_program *program = child->program;
    int socket = child->socket;
    child_forget_handlers();
    if (limit_raised)
        setrlimit(RLIMIT_NOFILE, &limit_before);
    int listener = child_take_filter(program);
    child_report(socket, listener < 0 ? -listener : 0, listener);
    if (listener < 0)
        _exit(127);
    sigprocmask(SIG_SETMASK, &child->mask, NULL);
    /* Not execvp(), before which a build that measures coverage writes its counts, through the
     * filter. */
    execvpe(program->path, program->arguments,
            program->environment ? program->environment : environ);
    child_report(socket, errno, -1);
    _exit(127);
}

/* ---------------------------------------------------------------- the parent ----------- */

/* One report.  *listener: -1 if none came along.  False: the child has closed its end. */
static bool receive_report(int socket, struct report *report, int *listener)
{
    struct iovec vector = {report, sizeof(*report)};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.room)};
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    *listener = -1;
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(listener, CMSG_DATA(header), sizeof(int));
    return got == (ssize_t)sizeof(*report);
}

/* Until the child reports or has executed the program.  False: it never will. */
static bool await_exec(const struct host_program *program, int socket)
{
    struct pollfd look = {.fd = socket, .events = POLLIN};
    const int patience = 50;
    while (poll(&look, 1, patience) <= 0)
        if (program->hopeless())
            return false;
    return true;
}

/* The child's life up to the exec.  *handed: `ready` has the listener. */
static int follow_child(const struct host_program *program, int socket,
                        struct host_started *started, bool *handed)
{
    struct report report;
    int none;
    if (!receive_report(socket, &report, &started->listener))
        return EAGAIN; /* killed before it began */
    if (report.error)
        return report.error;
    if (started->listener < 0)
        return EMFILE;
    int error = program->ready(started);
    if (error)
        return error;
    *handed = true;
    if (!await_exec(program, socket))
        return EAGAIN;
    return receive_report(socket, &report, &none) ? report.error : 0;
}

int host_program_start(const struct host_program *program, struct host_started *started)
{
    int sockets[2];
    bool handed = false;
    *started = (struct host_started){.pid = -1, .pidfd = -1, .listener = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return errno;
    struct child child = {.program = program, .socket = sockets[1]};
    pthread_sigmask(SIG_BLOCK, NULL, &child.mask);
    int error = host_guard_start(child_run, &child, &started->guard);
    close(sockets[1]);
    if (!error) {
        started->pid = started->guard.child;
        error = host_pidfd_open(started->pid, &started->pidfd);
        if (!error)
            error = follow_child(program, sockets[0], started, &handed);
        if (error)
            host_guard_end(&started->guard);
        if (error && started->pidfd >= 0)
            close(started->pidfd);
        if (error && !handed && started->listener >= 0)
            close(started->listener);
    }
    close(sockets[0]);
    return error;
}

/* ---------------------------------------------------------------- stops ---------------- */

bool host_process_stopped(pid_t pid)
{
    char path[64];
    char text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (text_of_file(AT_FDCWD, path, text, sizeof(text)))
        return false;
    const char *behind = stat_behind_name(text);
    return behind && strncmp(behind, ") T", 3) == 0;
}

bool host_in_foreground(void)
{
    int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (terminal < 0)
        return false;
    pid_t group = tcgetpgrp(terminal);
    close(terminal);
    return group == getpgrp();
}

void host_stop_with_child(pid_t child)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction before;
    sigset_t stop;
    sigset_t mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    /* Not SIGSTOP: in a group that nobody could continue Linux lets SIGTSTP do nothing. */
    sigaction(SIGTSTP, &usual, &before);
    pthread_sigmask(SIG_UNBLOCK, &stop, &mask);
    raise(SIGTSTP);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTSTP, &before, NULL);
    /* Whoever continued this program's group has continued the child. */
    if (host_process_stopped(child))
        kill(child, SIGCONT);
}

/* ---------------------------------------------------------------- signals -------------- */

static const int passed_on[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP};
#define PASSED_ON (sizeof(passed_on) / sizeof(passed_on[0]))

static struct {
    int pidfd;
    void (*stop_asked)(void);
    void (*end_asked)(void);
    struct sigaction before[PASSED_ON];
    bool installed[PASSED_ON];
} passing;

static void pass_on(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    (void)context;
    bool sent = info->si_code <= 0; /* by a program; the terminal's are the kernel's */
    if (signal == SIGTSTP)
        passing.stop_asked();
    else if (syscall(SYS_pidfd_send_signal, passing.pidfd, sent ? signal : 0, NULL, 0) != 0)
        passing.end_asked();
    errno = saved;
}

int host_signals_pass_on(int pidfd, void (*stop_asked)(void), void (*end_asked)(void))
{
    struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigfillset(&action.sa_mask);
    passing.pidfd = pidfd;
    passing.stop_asked = stop_asked;
    passing.end_asked = end_asked;
    for (size_t index = 0; index < PASSED_ON; index++) {
        int signal = passed_on[index];
        passing.installed[index] = false;
        if (sigaction(signal, NULL, &passing.before[index]) != 0)
            return errno;
        if (passing.before[index].sa_handler == SIG_IGN)
            continue;
        if (sigaction(signal, &action, NULL) != 0)
            return errno;
        passing.installed[index] = true;
    }
    return 0;
}

void host_signals_pass_on_end(void)
{
    for (size_t index = 0; index < PASSED_ON; index++)
        if (passing.installed[index])
            sigaction(passed_on[index], &passing.before[index], NULL);
}

/* ---------------------------------------------------------------- descriptors ---------- */

void host_descriptors_many(void)
{
    struct rlimit limit;
    if (limit_raised || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit_before = limit;
    limit.rlim_cur = limit.rlim_max;
    limit_raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int host_pidfd_open(pid_t pid, int *pidfd)
{
    *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*pidfd >= 0)
        return 0;
    /* Since Linux 6.9 a thread that leads no process is ENOENT. */
    return errno == ENOENT ? EINVAL : errno;
}

bool host_pidfd_ended(int pidfd)
{
    struct pollfd look = {.fd = pidfd, .events = POLLIN};
    return poll(&look, 1, 0) != 0;
}

int host_pidfd_take(int pidfd, int number, int *fd)
{
    *fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    return *fd >= 0 ? 0 : errno;
}

int host_watch_create(int *watch)
{
    *watch = epoll_create1(EPOLL_CLOEXEC);
    return *watch >= 0 ? 0 : errno;
}

int host_watch_add(int watch, int fd, uint64_t identity)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = identity};
    return epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int host_watch_add_end(int watch, int fd, uint64_t identity)
{
    struct epoll_event event = {.data.u64 = identity}; /* EPOLLHUP comes unasked */
    return epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void host_watch_remove(int watch, int fd)
{
    epoll_ctl(watch, EPOLL_CTL_DEL, fd, NULL);
}

bool host_watch_wait(int watch, int milliseconds, uint64_t *identity)
{
    struct epoll_event event;
    int count;
    do
        count = epoll_wait(watch, &event, 1, milliseconds);
    while (count < 0 && errno == EINTR);
    if (count == 1)
        *identity = event.data.u64;
    return count == 1;
}
