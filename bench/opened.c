/* SPDX-License-Identifier: MIT */
/* The sleeping child and raw moves; see opened.h. */
#include "opened.h"
#include "places.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the child ---- */

static void sleep_for_ever(char *memory, int told)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Its own pages, no longer those that the fork shares. */
    memset(memory, 'p', PEER_SIZE);
    munmap(memory + PEER_SIZE, XMEM_PAGE_SIZE);
    (void)!write(told, "", 1);
    for (;;)
        pause();
}

static bool start_child(struct peer *peer)
{
    char byte;
    int told[2];
    char *memory = mmap(NULL, PEER_SIZE + XMEM_PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || pipe2(told, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    peer->pid = fork();
    if (peer->pid == 0)
        sleep_for_ever(memory, told[1]);
    close(told[1]);
    bool started = peer->pid > 0 && read(told[0], &byte, 1) == 1;
    close(told[0]);
    munmap(memory, PEER_SIZE + XMEM_PAGE_SIZE);
    peer->address = (uintptr_t)memory;
    return started;
}

static bool open_memory(struct peer *peer)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)peer->pid);
    peer->memory = open(path, O_RDONLY | O_CLOEXEC);
    return peer->memory >= 0;
}

bool peer_create(struct peer *peer)
{
    *peer = (struct peer){.memory = -1};
    peer->kernel = kernel_memory(PEER_SIZE);
    if (peer->kernel && start_child(peer) && open_memory(peer) &&
        xmem_process_open(peer->pid, &peer->process) == 0)
        return true;
    peer_close(peer);
    return false;
}

void peer_close(struct peer *peer)
{
    if (peer->process)
        xmem_process_close(peer->process);
    if (peer->memory >= 0)
        close(peer->memory);
    if (peer->pid > 0) {
        kill(peer->pid, SIGKILL);
        waitpid(peer->pid, NULL, 0);
    }
    kernel_memory_free(peer->kernel, PEER_SIZE);
    *peer = (struct peer){.memory = -1};
}

/* ---- raw moves ---- */

static int gone(const struct raw *raw)
{
    char byte;
    return pread(raw->peer->memory, &byte, 1, 0) == 0;
}

static int read_fails(const struct raw *raw)
{
    struct iovec own = {raw->kernel, raw->size};
    struct iovec theirs = {(void *)(uintptr_t)raw->address, raw->size};
    return process_vm_readv(raw->peer->pid, &own, 1, &theirs, 1, 0) != (ssize_t)raw->size;
}

static int write_fails(const struct raw *raw)
{
    struct iovec own = {raw->kernel, raw->size};
    struct iovec theirs = {(void *)(uintptr_t)raw->address, raw->size};
    return process_vm_writev(raw->peer->pid, &own, 1, &theirs, 1, 0) != (ssize_t)raw->size;
}

static void fill_vectors(const struct raw *raw, struct iovec *own, struct iovec *theirs)
{
    for (unsigned at = 0; at < PEER_RANGES; at++) {
        size_t offset = at * (size_t)XMEM_PAGE_SIZE;
        own[at] = (struct iovec){raw->kernel + at * PEER_RANGE, PEER_RANGE};
        theirs[at] = (struct iovec){(void *)(uintptr_t)(raw->address + offset), PEER_RANGE};
    }
}

void run_liveness(void *context, unsigned long count)
{
    struct raw *raw = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= gone(raw);
    raw->wrong |= wrong;
}

void run_raw_read(void *context, unsigned long count)
{
    struct raw *raw = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= read_fails(raw);
    raw->wrong |= wrong;
}

void run_raw_write(void *context, unsigned long count)
{
    struct raw *raw = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= write_fails(raw);
    raw->wrong |= wrong;
}

void run_checked_read(void *context, unsigned long count)
{
    struct raw *raw = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++)
        wrong |= read_fails(raw) | gone(raw);
    raw->wrong |= wrong;
}

void run_checked_write(void *context, unsigned long count)
{
    struct raw *raw = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        wrong |= gone(raw);
        wrong |= write_fails(raw);
        wrong |= gone(raw);
    }
    raw->wrong |= wrong;
}

void run_checked_read_ranges(void *context, unsigned long count)
{
    struct raw *raw = context;
    struct iovec own[PEER_RANGES];
    struct iovec theirs[PEER_RANGES];
    int wrong = 0;
    fill_vectors(raw, own, theirs);
    for (unsigned long at = 0; at < count; at++) {
        wrong |= process_vm_readv(raw->peer->pid, own, PEER_RANGES, theirs, PEER_RANGES, 0) !=
                 (ssize_t)(PEER_RANGES * PEER_RANGE);
        wrong |= gone(raw);
    }
    raw->wrong |= wrong;
}

void run_checked_write_ranges(void *context, unsigned long count)
{
    struct raw *raw = context;
    struct iovec own[PEER_RANGES];
    struct iovec theirs[PEER_RANGES];
    int wrong = 0;
    fill_vectors(raw, own, theirs);
    for (unsigned long at = 0; at < count; at++) {
        wrong |= gone(raw);
        wrong |= process_vm_writev(raw->peer->pid, own, PEER_RANGES, theirs, PEER_RANGES, 0) !=
                 (ssize_t)(PEER_RANGES * PEER_RANGE);
        wrong |= gone(raw);
    }
    raw->wrong |= wrong;
}
