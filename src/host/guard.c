/* SPDX-License-Identifier: MIT */
/*
 * The guard; guard.h says what it is for.
 */
#include "host/guard.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the guard's children -- */

struct directory_entry { /* of getdents64(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

/* The number that the digits make, and what is behind them. */
static pid_t number_at(const char *digits, const char **behind)
{
    pid_t number = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        number = number * 10 + (*digits - '0');
    *behind = digits;
    return number;
}

/* 0: it is no process's directory. */
static pid_t process_of(const char *name)
{
    const char *behind;
    pid_t number = number_at(name, &behind);
    return *behind ? 0 : number;
}

/* 0: it is gone. */
static pid_t parent_of(int proc, const char *name)
{
    char path[32] = {0};
    char text[512];
    size_t length = strlen(name);
    if (length > 16)
        return 0;
    memcpy(path, name, length);
    memcpy(path + length, "/stat", sizeof("/stat"));
    if (text_of_file(proc, path, text, sizeof(text)))
        return 0;
    const char *at = stat_behind_name(text);
    return at && strlen(at) >= 5 ? number_at(at + strlen(") S "), &at) : 0;
}

static void kill_children(void)
{
    char room[4096] __attribute__((aligned(8)));
    pid_t self = getpid();
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long got;
    while (proc >= 0 && (got = syscall(SYS_getdents64, proc, room, sizeof(room))) > 0) {
        for (long at = 0; at < got;) {
            const struct directory_entry *entry = (const struct directory_entry *)(room + at);
            at += entry->size;
            pid_t pid = process_of(entry->name);
            if (pid > 0 && parent_of(proc, entry->name) == self)
                kill(pid, SIGKILL);
        }
    }
    if (proc >= 0)
        close(proc);
}

/* What a child leaves behind becomes ours and has its turn, until there is nobody. */
static void kill_all(pid_t child)
{
    if (child > 0)
        kill(child, SIGKILL);
    for (;;) {
        kill_children();
        pid_t ended = waitpid(-1, NULL, WNOHANG | __WALL);
        if (ended < 0 && errno != EINTR)
            return;
        if (ended == 0)
            poll(NULL, 0, 1);
    }
}

/* ---------------------------------------------------------------- the guard ------------ */

/* Once each: which process the child is, and how it ended. */
static void say(int line, int value)
{
    while (send(line, &value, sizeof(value), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

/* True: the child was among those that ended; its status is in *status. */
static bool reap(pid_t child, int *status)
{
    bool found = false;
    int one;
    pid_t ended;
    while ((ended = waitpid(-1, &one, WNOHANG | __WALL)) > 0) {
        if (ended != child)
            continue;
        *status = one;
        found = true;
    }
    return found;
}

static void close_but(int line)
{
    if (line > 0)
        syscall(SYS_close_range, 0u, (unsigned)line - 1, 0u);
    syscall(SYS_close_range, (unsigned)line + 1, ~0u, 0u);
}

/* Other children of the program may have a copy of its end of the line, so its process is watched,
 * too. */
static void watch_over(pid_t program, pid_t child, int line) __attribute__((noreturn));
static void watch_over(pid_t program, pid_t child, int line)
{
    sigset_t child_signal;
    int status;
    close_but(line);
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    struct pollfd look[3] = {{.fd = line, .events = 0},
                             {.fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN},
                             {.fd = signalfd(-1, &child_signal, SFD_CLOEXEC), .events = POLLIN}};
    bool over = look[2].fd < 0 || getppid() != program;
    while (!over) {
        struct signalfd_siginfo ended;
        if (reap(child, &status)) {
            say(line, status);
            child = 0;
        }
        poll(look, 3, -1);
        if (look[2].revents)
            while (read(look[2].fd, &ended, sizeof(ended)) < 0 && errno == EINTR) {
            }
        over = look[0].revents || look[1].revents;
    }
    kill_all(child);
    _exit(0);
}

static void guard_run(void (*child_run)(const void *) __attribute__((noreturn)),
                      const void *argument, pid_t program, int line) __attribute__((noreturn));
static void guard_run(void (*child_run)(const void *) __attribute__((noreturn)),
                      const void *argument, pid_t program, int line)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction before;
    sigaction(SIGCHLD, &usual, &before); /* ignored, children would be thrown away unseen */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t self = getpid();
    pid_t child = fork();
    if (child == 0) {
        close(line);
        sigaction(SIGCHLD, &before, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != self)
            _exit(127);
        child_run(argument);
    }
    say(line, child > 0 ? child : -errno);
    if (child < 0)
        _exit(1);
    prctl(PR_SET_NAME, "xmem-guard", 0, 0, 0);
    watch_over(program, child, line);
}

/* ---------------------------------------------------------------- this program --------- */

/* False: the guard is gone. */
static bool hear(int line, int *value)
{
    ssize_t got;
    do
        got = recv(line, value, sizeof(*value), 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(*value);
}

static pid_t fork_guard(void (*child_run)(const void *) __attribute__((noreturn)),
                        const void *argument, const int *sockets)
{
    sigset_t all;
    sigset_t mask;
    pid_t self = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    pid_t pid = fork();
    if (pid == 0) {
        close(sockets[0]); /* or the child would keep it from being hung up */
        guard_run(child_run, argument, self, sockets[1]);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    errno = error;
    return pid;
}

int host_guard_start(void (*child_run)(const void *argument) __attribute__((noreturn)),
                     const void *argument, struct host_guard *guard)
{
    int sockets[2];
    int value = -EAGAIN;
    *guard = (struct host_guard){.guard = -1, .child = -1, .line = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return errno;
    guard->guard = fork_guard(child_run, argument, sockets);
    int error = guard->guard < 0 ? errno : 0;
    close(sockets[1]);
    guard->line = sockets[0];
    if (!error && (!hear(guard->line, &value) || value < 0))
        error = value < 0 ? -value : EAGAIN;
    if (error)
        host_guard_end(guard);
    else
        guard->child = value;
    return error;
}

void host_guard_child_status(const struct host_guard *guard, int *status)
{
    if (!hear(guard->line, status))
        *status = SIGKILL;
}

void host_guard_end(struct host_guard *guard)
{
    if (guard->line >= 0) {
        shutdown(guard->line, SHUT_RDWR); /* whoever else has a copy */
        close(guard->line);
    }
    guard->line = -1;
    while (guard->guard > 0 && waitpid(guard->guard, NULL, 0) < 0 && errno == EINTR) {
    }
    guard->guard = -1;
}
