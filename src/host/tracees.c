/* SPDX-License-Identifier: MIT */
/*
 * Other programs' threads; tracees.h says what each function promises.
 *
 * Holding.  PTRACE_SEIZE changes nothing for the thread; PTRACE_INTERRUPT, while it waits for an
 * answer, makes it stop when it is about to return to its program, and makes Linux look whether
 * the call is to be restarted, as a signal would.  Its parent and its debugger-to-be see nothing:
 * the tracer is told alone, and lets go at once.  Whether it has stopped is asked of ptrace, not
 * of waitpid: others in this program may wait for children, and take the news away.
 */
#include "host/tracees.h"

#include "host/text.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/kcmp.h>

/* ---------------------------------------------------------------- holding -------------- */

#if defined(__x86_64__)
static void set_result(struct user_regs_struct *registers, long value)
{
    registers->rax = (unsigned long long)value;
}
#elif defined(__aarch64__)
static void set_result(struct user_regs_struct *registers, long value)
{
    registers->regs[0] = (unsigned long long)value;
}
#endif

int host_hold_begin(pid_t thread)
{
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
        return errno;
    /* It fails only for a thread that is being killed. */
    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
    return 0;
}

/* True: it stands. */
static bool registers_of(pid_t thread, struct user_regs_struct *registers)
{
    struct iovec vector = {registers, sizeof(*registers)};
    return ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &vector) == 0;
}

/* An ended thread must be waited for, or its parent is not told. */
static bool has_ended(pid_t thread)
{
    siginfo_t info = {0};
    int options = WEXITED | WNOHANG | WNOWAIT | __WALL;
    if (waitid(P_PID, (id_t)thread, &info, options) != 0)
        return true;
    if (info.si_pid == 0 || info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)
        return false;
    waitpid(thread, NULL, __WALL | WNOHANG);
    return true;
}

/* Longer from time to time. */
static void pause_before(unsigned round)
{
    const unsigned yields = 64;
    struct timespec pause = {.tv_nsec = round < 2 * yields ? 20000 : 500000};
    if (round < yields)
        sched_yield();
    else
        nanosleep(&pause, NULL);
}

bool host_hold_wait(pid_t thread)
{
    struct user_regs_struct registers;
    for (unsigned round = 0; !registers_of(thread, &registers); round++) {
        if (has_ended(thread))
            return false;
        pause_before(round);
    }
    return true;
}

void host_hold_fail(pid_t thread, int error)
{
    struct user_regs_struct registers;
    struct iovec vector = {&registers, sizeof(registers)};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &vector) != 0)
        return;
    set_result(&registers, -error);
    ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &vector);
}

/* One that was killed while it stood is still ours until it has ended. */
void host_hold_end(pid_t thread)
{
    if (ptrace(PTRACE_DETACH, thread, NULL, NULL) == 0)
        return;
    for (unsigned round = 0; !has_ended(thread); round++)
        pause_before(round);
}

/* ---------------------------------------------------------------- looking -------------- */

/* A file of /proc, with a null byte; false: the thread is gone, or must not be looked at. */
static bool read_status(const char *path, char *text, size_t room)
{
    return text_of_file(AT_FDCWD, path, text, room) == 0 && text[0] != '\0';
}

/* What follows "\nName:" in a status file. */
static const char *status_field(const char *text, const char *name)
{
    char needle[32];
    snprintf(needle, sizeof(needle), "\n%s:", name);
    const char *found = strstr(text, needle);
    return found ? found + strlen(needle) : NULL;
}

static uint64_t status_number(const char *text, const char *name, int base)
{
    const char *field = status_field(text, name);
    return field ? strtoull(field, NULL, base) : 0;
}

int host_thread_group(pid_t thread, pid_t *group)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
    if (!read_status(path, text, sizeof(text)))
        return ESRCH;
    *group = (pid_t)status_number(text, "Tgid", 10);
    return *group > 0 ? 0 : ESRCH;
}

bool host_same_descriptors(pid_t thread, pid_t other)
{
    return syscall(SYS_kcmp, thread, other, KCMP_FILES, 0, 0) == 0;
}

int host_signals_look(pid_t thread, struct host_signal_state *state)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
    if (!read_status(path, text, sizeof(text)))
        return ESRCH;
    state->own = status_number(text, "SigPnd", 16);
    state->shared = status_number(text, "ShdPnd", 16);
    state->blocked = status_number(text, "SigBlk", 16);
    state->ignored = status_number(text, "SigIgn", 16);
    state->caught = status_number(text, "SigCgt", 16);
    state->threads = (unsigned)status_number(text, "Threads", 10);
    return 0;
}

static bool thread_stopped(pid_t group, const char *thread)
{
    char path[80];
    char text[4096];
    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/status", (int)group, thread);
    if (!read_status(path, text, sizeof(text)))
        return false;
    const char *state = status_field(text, "State");
    return state && strncmp(state, "\tT", 2) == 0;
}

bool host_others_stopped(pid_t group, pid_t thread)
{
    char path[64];
    bool stopped = false;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)group);
    DIR *directory = opendir(path);
    if (!directory)
        return false;
    for (struct dirent *entry; !stopped && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != thread)
            stopped = thread_stopped(group, entry->d_name);
    closedir(directory);
    return stopped;
}

/* ---------------------------------------------------------------- memory --------------- */

int host_memory_some(pid_t thread, uint64_t address, void *to, size_t room, size_t *got)
{
    struct iovec own = {to, room};
    struct iovec theirs = {(void *)(uintptr_t)address, room};
    ssize_t moved = process_vm_readv(thread, &own, 1, &theirs, 1, 0);
    *got = moved > 0 ? (size_t)moved : 0;
    return moved > 0 || room == 0 ? 0 : moved < 0 ? errno : EFAULT;
}

int host_memory_in(pid_t thread, uint64_t address, void *to, size_t size)
{
    size_t got;
    int error = host_memory_some(thread, address, to, size, &got);
    return error ? error : got == size ? 0 : EFAULT;
}

int host_memory_out(pid_t thread, const void *from, uint64_t address, size_t size)
{
    struct iovec own = {(void *)(uintptr_t)from, size};
    struct iovec theirs = {(void *)(uintptr_t)address, size};
    ssize_t moved = process_vm_writev(thread, &own, 1, &theirs, 1, 0);
    if (moved < 0)
        return errno;
    return (size_t)moved == size ? 0 : EFAULT;
}
