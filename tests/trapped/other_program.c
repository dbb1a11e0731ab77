/* SPDX-License-Identifier: MIT */
/* The trapped side's frame; see other_program.h. */
#include "other_program.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

unsigned failures;

static const char *directory;

const char *in_directory(const char *name)
{
    static char texts[8][512];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof(texts[0]), "%s/%s", directory, name);
    return text;
}

int open_device(const char *name, int flags)
{
    int fd = open(in_directory(name), flags);
    if (fd < 0) {
        printf("%s cannot be opened: %s\n", in_directory(name), strerror(errno));
        exit(2);
    }
    return fd;
}

void *bad_address(enum bad kind, size_t size)
{
    static char *pages; /* the second is not there, the third can be read */
    size_t page = 4096;
    if (!pages) {
        pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED || munmap(pages + page, page) ||
            mprotect(pages + 2 * page, page, PROT_READ))
            exit(2);
    }
    /* Strings that begin in the first page do not end there. */
    memset(pages, 'x', page);
    switch (kind) {
    case BAD_LOW:
        return (void *)8;
    case BAD_HOLE:
        return pages + page;
    case BAD_HALF:
        return pages + page - (size > 1 ? size / 2 : 0);
    case BAD_HIGH:
        return (void *)-(intptr_t)page;
    case BAD_READABLE:
        return pages + 2 * page;
    default:
        return NULL;
    }
}

double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct {
    pthread_t thread;
    unsigned milliseconds;
    void (*function)(void);
} appointment;

static void *keep_appointment(void *unused)
{
    (void)unused;
    usleep(appointment.milliseconds * 1000);
    appointment.function();
    return NULL;
}

void later(unsigned milliseconds, void (*function)(void))
{
    appointment.milliseconds = milliseconds;
    appointment.function = function;
    if (pthread_create(&appointment.thread, NULL, keep_appointment, NULL))
        exit(2);
}

void later_join(void)
{
    pthread_join(appointment.thread, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"status", case_status},
    {"permission", case_permission},
    {"names", case_names},
    {"links", case_links},
    {"bad_paths", case_bad_paths},
    {"bad_buffers", case_bad_buffers},
    {"seek", case_seek},
    {"ioctl", case_ioctl},
    {"flags", case_flags},
    {"between", case_between},
    {"natural", case_natural},
    {"poll", case_poll},
    {"select", case_select},
    {"epoll", case_epoll},
    {"epoll_edges", case_epoll_edges},
    {"wait_signals", case_wait_signals},
    {"masked_signals", case_masked_signals},
    {"poll_bad", case_poll_bad},
    {"wakes", case_wakes},
    {"many_waiters", case_many_waiters},
    {"killed_waiters", case_killed_waiters},
    {"stopped", case_stopped},
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    directory = argv[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        if (strcmp(cases[index].name, argv[1]) != 0)
            continue;
        alarm(40);
        cases[index].run();
        return failures != 0;
    }
    return 2;
}
