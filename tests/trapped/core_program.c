/* SPDX-License-Identifier: MIT */
/* The trapped side of the core's tests: its frame, and opening.  core.h says what it runs on. */
#include "core_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/openat2.h>

unsigned failures;
char **core_arguments;

int open_or_end(const char *path, int flags)
{
    int fd = open(path, flags);
    if (fd < 0) {
        printf("%s cannot be opened: %s\n", path, strerror(errno));
        exit(2);
    }
    return fd;
}

int ask(unsigned request, int device)
{
    int disk = open_or_end(DISK, O_RDONLY);
    int answer = ioctl(disk, request, (long)device);
    CHECK(answer >= 0);
    close(disk);
    return answer;
}

void sleep_milliseconds(unsigned milliseconds)
{
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}

double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void await_count(unsigned request, enum core_device device, int count)
{
    for (unsigned round = 0; round < 500 && ask(request, device) < count; round++)
        sleep_milliseconds(10);
    CHECK(ask(request, device) == count);
}

void await_opens(enum core_device device, int count)
{
    await_count(REQUEST_OPENS, device, count);
}

void await_closes(enum core_device device, int count)
{
    await_count(REQUEST_CLOSES, device, count);
}

void reap_well(pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK(status == 0);
}

pid_t tokens_later(unsigned milliseconds, unsigned count)
{
    static const char many[64];
    pid_t child = fork();
    if (child != 0)
        return child;
    sleep_milliseconds(milliseconds);
    int queue = open_or_end(QUEUE, O_WRONLY);
    _exit(write(queue, many, count) != (ssize_t)count);
}

void execute(const char *name, int fd)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", fd);
    execl("/proc/self/exe", "core", name, number, (char *)NULL);
    perror("exec");
    _exit(3);
}

/* ---------------------------------------------------------------- opening -------------- */

static void check_flags(int flags)
{
    int fd = open_or_end(DISK, flags);
    int kept = O_ACCMODE | O_APPEND | O_NONBLOCK;
    CHECK((fcntl(fd, F_GETFL) & kept) == (flags & kept));
    CHECK(fcntl(fd, F_GETFD) == (flags & O_CLOEXEC ? FD_CLOEXEC : 0));
    CHECK(close(fd) == 0);
}

void case_open(void)
{
    struct stat status;
    struct open_how how = {.flags = O_RDWR};
    check_flags(O_RDONLY);
    check_flags(O_WRONLY | O_CLOEXEC);
    check_flags(O_RDWR | O_APPEND | O_NONBLOCK);
    check_flags(O_RDWR | O_CREAT | O_TRUNC | O_NOCTTY | O_NOFOLLOW);
    int fd = openat(AT_FDCWD, DISK, O_RDONLY);
    CHECK(fd >= 0 && dup(fd) == fd + 1); /* the lowest number */
    CHECK(fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev != 0x103);
    CHECK(creat(DISK, 0644) == fd + 2);
    CHECK_RAW(fd + 3, SYS_openat2, AT_FDCWD, DISK, &how, sizeof(how));
    int path = open(DISK, O_PATH | O_CREAT);
    CHECK(path >= 0);
    CHECK(read(path, &status, 1) == -1 && errno == EBADF);
    CHECK(write(path, &status, 1) == -1 && errno == EBADF);
    CHECK(fstat(path, &status) == 0 && S_ISCHR(status.st_mode));
    CHECK(close(path) == 0);
    int before = ask(REQUEST_OPENS, CORE_QUEUE);
    CHECK(close(open(QUEUE, O_PATH)) == 0);
    CHECK(ask(REQUEST_OPENS, CORE_QUEUE) == before);
}

void case_open_errors(void)
{
    char name[5000];
    struct open_how how = {.flags = O_RDWR};
    CHECK_RAW(-EEXIST, SYS_openat, AT_FDCWD, DISK, O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK_RAW(-ENOTDIR, SYS_openat, AT_FDCWD, DISK, O_RDONLY | O_DIRECTORY);
    CHECK_RAW(-ENOTDIR, SYS_openat, AT_FDCWD, DISK, O_PATH | O_DIRECTORY);
    CHECK_RAW(-ENOTDIR, SYS_openat, AT_FDCWD, DISK "/below", O_RDONLY);
    CHECK_RAW(-ENOENT, SYS_openat, AT_FDCWD, DISK "x", O_RDONLY);
    CHECK_RAW(-ENXIO, SYS_openat, AT_FDCWD, REFUSING, O_RDONLY);
    CHECK_RAW(-EFAULT, SYS_openat, AT_FDCWD, 8L, O_RDONLY);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    CHECK_RAW(-ENAMETOOLONG, SYS_openat, AT_FDCWD, name, O_RDONLY);
    how.flags |= UINT64_C(1) << 40;
    CHECK_RAW(-EINVAL, SYS_openat2, AT_FDCWD, DISK, &how, sizeof(how));
    how = (struct open_how){.flags = O_RDWR, .mode = 1};
    CHECK_RAW(-EINVAL, SYS_openat2, AT_FDCWD, DISK, &how, sizeof(how));
    how.mode = 0;
    CHECK_RAW(-EINVAL, SYS_openat2, AT_FDCWD, DISK, &how, sizeof(how) - 1);
    CHECK_RAW(-EFAULT, SYS_openat2, AT_FDCWD, DISK, 8L, sizeof(how));
    struct {
        struct open_how how;
        long more;
    } larger = {how, 0};
    int fd = (int)raw(SYS_openat2, AT_FDCWD, DISK, &larger, sizeof(larger));
    CHECK(fd >= 0);
    larger.more = 1;
    CHECK_RAW(-E2BIG, SYS_openat2, AT_FDCWD, DISK, &larger, sizeof(larger));

    /* No number is free: the device is opened and closed again. */
    struct rlimit limit = {(rlim_t)fd + 1, (rlim_t)fd + 1};
    int opens = ask(REQUEST_OPENS, CORE_STREAM);
    int closes = ask(REQUEST_CLOSES, CORE_STREAM);
    CHECK(dup2(fd, fd + 1) == fd + 1);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_RAW(-EMFILE, SYS_openat, AT_FDCWD, STREAM, O_RDONLY);
    CHECK(ioctl(fd, REQUEST_OPENS, (long)CORE_STREAM) - opens ==
          ioctl(fd, REQUEST_CLOSES, (long)CORE_STREAM) - closes);
}

void case_permission_core(void)
{
    int fd = open(GUARDED, O_RDWR);
    if (geteuid() == 0)
        CHECK(fd >= 0);
    else
        CHECK(fd == -1 && errno == EACCES);
    if (geteuid() != 0)
        return;
    CHECK(setegid(0) == 0 && seteuid(65534) == 0);
    CHECK_RAW(-EACCES, SYS_openat, AT_FDCWD, GUARDED, O_RDWR);
    CHECK(open(GUARDED, O_RDONLY) >= 0); /* by its group */
    CHECK_RAW(-EACCES, SYS_openat, AT_FDCWD, GUARDED, O_RDONLY | O_TRUNC);
    CHECK(read(fd, &fd, 0) == 0); /* what is open stays open */
}

/* STREAM is removed meanwhile, DISK is not. */
void case_removed(void)
{
    int fd = open_or_end(DISK, O_RDWR);
    CHECK(close(open_or_end(STREAM, O_RDWR)) == 0);
    sleep_milliseconds(700);
    CHECK_RAW(-ENOENT, SYS_openat, AT_FDCWD, STREAM, O_RDWR);
    CHECK(write(fd, "x", 1) == 1);
}

/* ---------------------------------------------------------------- the frame ------------ */

static const struct {
    const char *name;
    void (*body)(void);
} cases[] = {
    {"open", case_open},
    {"open_errors", case_open_errors},
    {"permission", case_permission_core},
    {"removed", case_removed},
    {"plain", case_plain},
    {"vectors", case_vectors},
    {"positions", case_positions},
    {"access", case_access},
    {"bad_pointers", case_bad_pointers},
    {"errors", case_errors},
    {"duplicates", case_duplicates},
    {"replaced", case_replaced},
    {"ranges", case_ranges},
    {"close_error", case_close_error},
    {"inherited", case_inherited},
    {"executed", case_executed},
    {"after_exec", case_after_exec},
    {"after_close_on_exec", case_after_close_on_exec},
    {"passed", case_passed},
    {"shared_by_threads", case_shared_by_threads},
    {"own_tables", case_own_tables},
    {"exclusive", case_exclusive},
    {"reopened", case_reopened},
    {"not_ours", case_not_ours},
    {"interrupted", case_interrupted},
    {"restarted", case_restarted},
    {"ignored", case_ignored},
    {"stopped", case_stopped},
    {"other_thread", case_other_thread},
    {"both_waiting", case_both_waiting},
    {"group_stop", case_group_stop},
    {"fatal", case_fatal},
    {"never_twice", case_never_twice},
    {"slow_driver", case_slow_driver},
    {"wait_token", case_wait_token},
    {"wait_late_token", case_wait_late_token},
    {"handle_stop", case_handle_stop},
    {"thread_storm", case_thread_storm},
    {"fork_storm", case_fork_storm},
    {"kill_blocked", case_kill_blocked},
    {"kill_at_random", case_kill_at_random},
    {"linger", case_linger},
    {"raise", case_raise},
    {"left_behind", case_left_behind},
    {"many_opens", case_many_opens},
};

int main(int count, char **arguments)
{
    if (count < 2)
        return 2;
    core_arguments = arguments + 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        if (strcmp(cases[index].name, arguments[1]) != 0)
            continue;
        cases[index].body();
        return failures != 0;
    }
    printf("no case %s\n", arguments[1]);
    return 2;
}
