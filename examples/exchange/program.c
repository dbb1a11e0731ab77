/* SPDX-License-Identifier: MIT */
/* What the user programs share; see program.h. */
#include "program.h"
#include "checksum.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void program_die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(2);
}

int program_connect(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name.sun_path) {
        errno = ENAMETOOLONG;
        program_die(path);
    }
    strcpy(name.sun_path, path);
    int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&name, sizeof name) != 0)
        program_die(path);
    struct ucred kernel;
    socklen_t size = sizeof kernel;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &kernel, &size) != 0)
        program_die("SO_PEERCRED");
    prctl(PR_SET_PTRACER, (unsigned long)kernel.pid, 0, 0, 0); /* EINVAL without Yama */
    return connection;
}

struct memory program_memory(const char *kind, size_t length)
{
    struct memory memory = {.length = length, .file = -1};
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (strcmp(kind, "file") == 0) {
        memory.file = memfd_create("exchange", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (memory.file < 0 || ftruncate(memory.file, (off_t)length) != 0)
            program_die("memfd");
        flags = MAP_SHARED;
    }
    memory.bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, memory.file, 0);
    if (memory.bytes == MAP_FAILED)
        program_die("mmap");
    return memory;
}

void program_seal(const struct memory *memory)
{
    if (memory->file < 0)
        return;
    if (fcntl(memory->file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        program_die("F_ADD_SEALS");
}

void program_offer(int socket, const struct memory *memory, uint64_t checksum)
{
    struct message offer = message_of(MESSAGE_OFFER);
    offer.address = (uintptr_t)memory->bytes;
    offer.length = memory->length;
    offer.checksum = checksum;
    offer.files = memory->file >= 0;
    errno = message_send(socket, &offer, memory->file);
    if (errno)
        program_die("offer");
}

static uint64_t answer_to(const struct message *request, const struct memory *memory,
                          bool may_clear)
{
    if (request->kind == MESSAGE_CHECKSUM && request->length <= memory->length)
        return checksum(memory->bytes, request->length);
    if (request->kind == MESSAGE_CLEAR && may_clear)
        memset(memory->bytes, 0, memory->length);
    return 0;
}

void program_answer(int socket, const struct memory *memory, bool may_clear)
{
    for (;;) {
        struct message request, answer = message_of(MESSAGE_ANSWER);
        int file;
        errno = message_receive(socket, &request, &file, -1);
        if (errno == ECONNRESET)
            exit(0);
        if (errno)
            program_die("request");
        answer.checksum = answer_to(&request, memory, may_clear);
        errno = message_send(socket, &answer, -1);
        if (errno)
            program_die("answer");
    }
}
