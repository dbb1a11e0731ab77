/* SPDX-License-Identifier: MIT */
/*
 * Other Linux processes; process.h says what each function promises.
 */
#include "host/process.h"

#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_in_proc(pid_t pid, const char *name, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return open(path, flags | O_CLOEXEC);
}

/* The ELF class of the program says how wide its addresses are; one that cannot be read counts as
 * 64-bit, where the Linux kernel checks every address. */
static unsigned program_bits(pid_t pid)
{
    unsigned char identity[5] = {0};
    int fd = open_in_proc(pid, "exe", O_RDONLY);
    if (fd < 0)
        return 64;
    ssize_t got = read(fd, identity, sizeof(identity));
    close(fd);
    bool narrow =
        got == (ssize_t)sizeof(identity) && memcmp(identity, "\177ELF", 4) == 0 && identity[4] == 1;
    return narrow ? 32 : 64;
}

/* The process's directory is bound to the process, not to its number: what is opened through it is
 * of that process whatever happens to the pid. */
static int open_memory(pid_t pid, int *memory)
{
    int directory = open_in_proc(pid, "", O_PATH | O_DIRECTORY);
    if (directory < 0)
        return errno == ENOENT ? ESRCH : errno;
    *memory = openat(directory, "mem", O_RDONLY | O_CLOEXEC);
    int error = *memory < 0 ? errno : 0;
    close(directory);
    return error == ENOENT ? ESRCH : error;
}

/* -1 where the Linux kernel has none (or valgrind does not know them). */
static int open_pidfd(pid_t pid, int *pidfd)
{
    *pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*pidfd >= 0 || errno == ENOSYS)
        return 0;
    return errno == EINVAL ? ESRCH : errno;
}

int host_process_open(pid_t pid, struct host_process *process)
{
    if (pid <= 0)
        return ESRCH;
    process->pid = pid;
    int error = open_pidfd(pid, &process->pidfd);
    if (error)
        return error;
    error = open_memory(pid, &process->memory);
    if (error) {
        if (process->pidfd >= 0)
            close(process->pidfd);
        return error;
    }
    process->bits = program_bits(pid);
    if (host_process_alive(process))
        return 0;
    host_process_close(process);
    return ESRCH;
}

void host_process_close(struct host_process *process)
{
    close(process->memory);
    if (process->pidfd >= 0)
        close(process->pidfd);
}

bool host_process_alive(const struct host_process *process)
{
    /* Address 0 is hardly ever mapped: EIO then says that the address space is there. */
    char byte;
    int saved = errno;
    bool alive = pread(process->memory, &byte, 1, 0) != 0;
    errno = saved;
    return alive;
}

int host_process_transfer(const struct host_process *process, enum host_transfer direction,
                          const struct iovec *own, size_t owns, const struct iovec *theirs,
                          size_t their_count, size_t *done)
{
    int saved = errno;
    ssize_t moved = direction == HOST_FROM_PROCESS
                        ? process_vm_readv(process->pid, own, owns, theirs, their_count, 0)
                        : process_vm_writev(process->pid, own, owns, theirs, their_count, 0);
    int error = moved < 0 ? errno : 0;
    errno = saved;
    *done = moved < 0 ? 0 : (size_t)moved;
    return error;
}

/* The value after "Name:" in /proc/PID/status, or -1. */
static long status_value(pid_t pid, const char *name)
{
    char line[256];
    char path[64];
    long value = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    size_t length = strlen(name);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            value = strtol(line + length + 1, NULL, 10);
            break;
        }
    }
    fclose(file);
    return value;
}

static long number_in_file(const char *path)
{
    char text[32];
    bool read = text_of_file(AT_FDCWD, path, text, sizeof(text)) == 0 && text[0] != '\0';
    return read ? strtol(text, NULL, 10) : -1;
}

static bool other_user_namespace(pid_t pid)
{
    char path[64];
    char own[64] = {0};
    char theirs[64] = {0};
    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    return readlink("/proc/self/ns/user", own, sizeof(own) - 1) > 0 &&
           readlink(path, theirs, sizeof(theirs) - 1) > 0 && strcmp(own, theirs) != 0;
}

static void explain_refusal(pid_t pid, char *words, size_t size)
{
    long uid = status_value(pid, "Uid");
    if (status_value(getpid(), "Seccomp") == 2) {
        snprintf(words, size,
                 "a seccomp filter is active for this program; if it denies process_vm_readv or "
                 "ptrace, run outside that sandbox or allow those calls");
    } else if (uid >= 0 && uid != (long)geteuid() && geteuid() != 0) {
        snprintf(words, size,
                 "the process belongs to uid %ld and this program runs as uid %ld; run as the "
                 "same user or with CAP_SYS_PTRACE",
                 uid, (long)geteuid());
    } else if (other_user_namespace(pid)) {
        snprintf(words, size,
                 "the process lives in another user namespace; CAP_SYS_PTRACE is needed in that "
                 "namespace");
    } else if (number_in_file("/proc/sys/kernel/yama/ptrace_scope") > 0) {
        snprintf(words, size,
                 "kernel.yama.ptrace_scope is %ld, which allows descendants only; let the process "
                 "call prctl(PR_SET_PTRACER), or set the sysctl to 0, or use CAP_SYS_PTRACE",
                 number_in_file("/proc/sys/kernel/yama/ptrace_scope"));
    } else {
        snprintf(words, size,
                 "the process is not dumpable (it changed its user, or runs a set-user-ID or "
                 "unreadable program), or a security module forbids it; CAP_SYS_PTRACE is needed");
    }
}

bool host_process_page_mapped(pid_t pid, uint64_t address)
{
    char line[512];
    bool mapped = false;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (!mapped && fgets(line, sizeof(line), file)) {
        char *end;
        uint64_t from = strtoull(line, &end, 16);
        if (*end == '-')
            mapped = address >= from && address < strtoull(end + 1, NULL, 16);
    }
    fclose(file);
    return mapped;
}

void host_process_explain(pid_t pid, int error, char *words, size_t size)
{
    if (error == EACCES || error == EPERM)
        explain_refusal(pid, words, size);
    else if (error == ESRCH)
        snprintf(words, size, "no such process, or it is exiting");
    else if (error == EMFILE || error == ENFILE)
        snprintf(words, size, "no file descriptor is free; raise RLIMIT_NOFILE");
    else
        snprintf(words, size, "the Linux kernel says: %s", strerrordesc_np(error));
}
