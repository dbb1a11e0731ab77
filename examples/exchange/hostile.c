/* SPDX-License-Identifier: MIT */
/*
 * exchange-hostile SOCKET MODE: a program that lies about its memory, or takes it away while
 * somebody uses it.  refuse.c has the same modes, and what each has to get for it.
 */
#include "program.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OFFERED (1u << 20)
#define PAGE 4096u

struct trick {
    const char *mode;
    void (*offer)(int socket, struct memory *memory);
    void (*act)(int socket, struct memory *memory); /* NULL: the offer was the trick */
};

static void offer_range(int socket, uint64_t address, uint64_t length)
{
    struct message offer = message_of(MESSAGE_OFFER);
    offer.address = address;
    offer.length = length;
    message_send(socket, &offer, -1);
}

static void offer_file(int socket, int file)
{
    struct message offer = message_of(MESSAGE_OFFER);
    offer.length = OFFERED;
    offer.files = 1;
    message_send(socket, &offer, file);
}

static struct memory filled_memory(const char *kind)
{
    struct memory memory = program_memory(kind, OFFERED);
    memset(memory.bytes, 'h', memory.length);
    return memory;
}

static void private_memory(int socket, struct memory *memory)
{
    *memory = filled_memory("private");
    program_offer(socket, memory, 0);
}

static void file_memory(int socket, struct memory *memory)
{
    *memory = filled_memory("file"); /* not sealed */
    program_offer(socket, memory, 0);
}

static void bad_pointer(int socket, struct memory *memory)
{
    (void)memory;
    offer_range(socket, 16, OFFERED);
}

static void kernel_pointer(int socket, struct memory *memory)
{
    (void)memory;
    offer_range(socket, UINT64_C(0xffff800000000000), OFFERED);
}

static void wrapping_range(int socket, struct memory *memory)
{
    (void)memory;
    offer_range(socket, UINT64_MAX - PAGE + 1, OFFERED);
}

static void lying_length(int socket, struct memory *memory)
{
    *memory = filled_memory("private");
    munmap(memory->bytes + OFFERED / 16, OFFERED - OFFERED / 16);
    program_offer(socket, memory, 0);
}

static void no_access(int socket, struct memory *memory)
{
    *memory = filled_memory("private");
    mprotect(memory->bytes, memory->length, PROT_NONE);
    program_offer(socket, memory, 0);
}

static void read_only(int socket, struct memory *memory)
{
    *memory = filled_memory("private");
    mprotect(memory->bytes + OFFERED / 2, PAGE, PROT_READ);
    program_offer(socket, memory, 0);
}

static void short_file(int socket, struct memory *memory)
{
    *memory = program_memory("file", PAGE);
    offer_file(socket, memory->file);
}

static void read_only_file(int socket, struct memory *memory)
{
    char path[64];
    *memory = program_memory("file", OFFERED);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory->file);
    offer_file(socket, open(path, O_RDONLY | O_CLOEXEC));
}

static void not_a_file(int socket, struct memory *memory)
{
    (void)memory;
    offer_file(socket, eventfd(0, EFD_CLOEXEC));
}

static void short_message(int socket, struct memory *memory)
{
    struct message offer = message_of(MESSAGE_OFFER);
    (void)memory;
    send(socket, &offer, sizeof offer / 2, MSG_NOSIGNAL);
}

static void wrong_version(int socket, struct memory *memory)
{
    struct message offer = message_of(MESSAGE_OFFER);
    (void)memory;
    offer.version++;
    offer.length = OFFERED;
    message_send(socket, &offer, -1);
}

static void hidden_file(int socket, struct memory *memory)
{
    struct message offer = message_of(MESSAGE_OFFER);
    *memory = program_memory("file", OFFERED);
    offer.length = OFFERED;
    message_send(socket, &offer, memory->file); /* comes along, but files says 0 */
}

static void silent(int socket, struct memory *memory)
{
    (void)socket;
    (void)memory;
}

static void unmap(int socket, struct memory *memory)
{
    (void)socket;
    munmap(memory->bytes, memory->length);
}

static void protect(int socket, struct memory *memory)
{
    (void)socket;
    mprotect(memory->bytes, memory->length, PROT_NONE);
}

static void truncate_file(int socket, struct memory *memory)
{
    (void)socket;
    if (ftruncate(memory->file, 0) != 0)
        program_die("ftruncate");
}

/* The new program inherits the socket, and with it the end of the connection. */
static void exec(int socket, struct memory *memory)
{
    char name[] = "exchange-hostile", descriptor[16], mode[] = "replaced";
    char *arguments[] = {name, descriptor, mode, NULL};
    (void)memory;
    snprintf(descriptor, sizeof descriptor, "%d", socket);
    fcntl(socket, F_SETFD, 0);
    execv("/proc/self/exe", arguments);
    program_die("exec");
}

static void die(int socket, struct memory *memory)
{
    (void)socket;
    (void)memory;
    raise(SIGKILL);
}

static const struct trick tricks[] = {
    {"bad-pointer", bad_pointer, NULL},       {"kernel-pointer", kernel_pointer, NULL},
    {"wrapping-range", wrapping_range, NULL}, {"lying-length", lying_length, NULL},
    {"no-access", no_access, NULL},           {"read-only", read_only, NULL},
    {"unmap", private_memory, unmap},         {"protect", private_memory, protect},
    {"exec", private_memory, exec},           {"die", private_memory, die},
    {"truncate", file_memory, truncate_file}, {"short-file", short_file, NULL},
    {"read-only-file", read_only_file, NULL}, {"not-a-file", not_a_file, NULL},
    {"short-message", short_message, NULL},   {"wrong-version", wrong_version, NULL},
    {"hidden-file", hidden_file, NULL},       {"silent", silent, NULL},
};

/* Until the kernel program says something, or hangs up.  0: it spoke. */
static int wait_for_kernel(int socket)
{
    struct message message;
    int file;
    int error = message_receive(socket, &message, &file, -1);
    if (!error && file >= 0)
        close(file);
    return error;
}

static void wait_for_end(int socket)
{
    while (wait_for_kernel(socket) != ECONNRESET)
        ;
}

/* Some time up to 8 ms, so that the trick strikes in the middle of whatever is going on. */
static void pause_a_little(void)
{
    struct timespec now, pause = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    pause.tv_nsec = (now.tv_nsec ^ (long)getpid() * 7919) % 8000000;
    nanosleep(&pause, NULL);
}

static void play(const struct trick *trick, int socket)
{
    struct memory memory = {.file = -1};
    trick->offer(socket, &memory);
    if (trick->act && wait_for_kernel(socket) == 0) {
        pause_a_little();
        trick->act(socket, &memory);
    }
    wait_for_end(socket);
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[2], "replaced") == 0) {
        wait_for_end((int)strtol(arguments[1], NULL, 10));
        return 0;
    }
    for (size_t at = 0; count == 3 && at < sizeof tricks / sizeof tricks[0]; at++) {
        if (strcmp(arguments[2], tricks[at].mode) != 0)
            continue;
        play(&tricks[at], program_connect(arguments[1]));
        return 0;
    }
    fprintf(stderr, "usage: exchange-hostile SOCKET MODE\n");
    return 2;
}
