/* SPDX-License-Identifier: MIT */
/*
 * exchange-holder SOCKET private|file PATH MOST: an honest program that has read a file into its
 * memory (its own, or a memfd) and offers it.  Of a longer file it holds the first MOST bytes.
 */
#include "checksum.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t length_of(int file, const char *path, size_t most)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        program_die(path);
    if (!S_ISREG(status.st_mode) || status.st_size == 0) {
        errno = EINVAL;
        program_die(path);
    }
    return (uint64_t)status.st_size < most ? (size_t)status.st_size : most;
}

static void read_whole(int file, const char *path, const struct memory *memory)
{
    size_t at = 0;
    while (at < memory->length) {
        ssize_t got = read(file, memory->bytes + at, memory->length - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            program_die(path);
        if (got == 0)
            break; /* it has become shorter; the rest stays zero */
        at += (size_t)got;
    }
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: exchange-holder SOCKET private|file PATH MOST\n");
        return 2;
    }
    int file = open(arguments[3], O_RDONLY | O_CLOEXEC);
    if (file < 0)
        program_die(arguments[3]);
    size_t length = length_of(file, arguments[3], strtoul(arguments[4], NULL, 10));
    struct memory memory = program_memory(arguments[2], length);
    read_whole(file, arguments[3], &memory);
    close(file);
    program_seal(&memory);
    int connection = program_connect(arguments[1]);
    program_offer(connection, &memory, checksum(memory.bytes, memory.length));
    program_answer(connection, &memory, false);
}
