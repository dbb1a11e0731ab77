/* SPDX-License-Identifier: MIT */
/* The peer program; see peer.h.  It stands alone: no library, no threads. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#define PAGE 4096u

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static int64_t answer_of(int failed)
{
    return failed ? -errno : 0;
}

static int64_t map_shared(const struct peer_command *command)
{
    void *mapped = mmap(at(command->address), command->length, command->prot,
                        MAP_SHARED | MAP_FIXED, PEER_FILE, (off_t)command->value);
    return answer_of(mapped == MAP_FAILED);
}

static int64_t map_own(const struct peer_command *command)
{
    void *mapped = mmap(at(command->address), command->length, command->prot,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return answer_of(mapped == MAP_FAILED);
}

static int64_t fill(const struct peer_command *command)
{
    volatile unsigned char *bytes = at(command->address);
    for (uint64_t index = 0; index < command->length; index++)
        bytes[index] = (unsigned char)command->value;
    return 0;
}

static int64_t sum(const struct peer_command *command)
{
    const volatile unsigned char *bytes = at(command->address);
    int64_t total = 0;
    for (uint64_t index = 0; index < command->length; index++)
        total += bytes[index];
    return total;
}

static int64_t execute_again(void)
{
    char name[] = "peer", mode[] = "executed";
    char *arguments[] = {name, mode, NULL};
    char *environment[] = {NULL};
    execve("/proc/self/exe", arguments, environment);
    return -errno;
}

static int64_t obey(const struct peer_command *command)
{
    switch (command->operation) {
    case PEER_HELLO:
        return getpid();
    case PEER_MAP:
        return map_shared(command);
    case PEER_MAP_OWN:
        return map_own(command);
    case PEER_PROTECT:
        return answer_of(mprotect(at(command->address), command->length, command->prot) != 0);
    case PEER_UNMAP:
        return answer_of(munmap(at(command->address), command->length) != 0);
    case PEER_FILL:
        return fill(command);
    case PEER_SUM:
        return sum(command);
    case PEER_STORE:
        *(volatile unsigned char *)at(command->address) = (unsigned char)command->value;
        return 0;
    case PEER_LOAD:
        return *(volatile unsigned char *)at(command->address);
    case PEER_TRUNCATE:
        return answer_of(ftruncate(PEER_FILE, (off_t)command->length) != 0);
    case PEER_EXIT:
        _exit(0);
    case PEER_EXEC:
        return execute_again();
    default:
        return 0;
    }
}

/* One turn of a loop command: takes the memory away and gives it back. */
static void turn(const struct peer_command *command, unsigned count)
{
    switch (command->operation) {
    case PEER_LOOP_UNMAP:
        munmap(at(command->address), command->length);
        map_shared(command);
        break;
    case PEER_LOOP_PROTECT:
        mprotect(at(command->address), command->length, PROT_NONE);
        mprotect(at(command->address), command->length, PROT_READ);
        mprotect(at(command->address), command->length, PROT_READ | PROT_WRITE);
        break;
    case PEER_LOOP_TRUNCATE:
        if (ftruncate(PEER_FILE, (off_t)command->value) == 0 &&
            ftruncate(PEER_FILE, (off_t)(command->value + command->length)) == 0)
            return;
        break;
    case PEER_LOOP_STORE:
        for (uint64_t index = 0; index < command->length; index++)
            ((volatile unsigned char *)at(command->address))[index] = (unsigned char)count;
        break;
    default:
        break;
    }
}

static void loop_until_command(const struct peer_command *command)
{
    char peeked;
    for (unsigned count = 1;; count++) {
        turn(command, count);
        ssize_t got = recv(PEER_SOCKET, &peeked, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got >= 0 || (errno != EAGAIN && errno != EINTR))
            return;
    }
}

static int is_loop(const struct peer_command *command)
{
    return command->operation >= PEER_LOOP_UNMAP;
}

static int reply(int64_t answer)
{
    return send(PEER_SOCKET, &answer, sizeof answer, MSG_NOSIGNAL) == (ssize_t)sizeof answer;
}

int main(int count, char **arguments)
{
    struct peer_command command;
    (void)arguments;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count > 1 && !reply(0))
        return 1;
    while (recv(PEER_SOCKET, &command, sizeof command, 0) == (ssize_t)sizeof command) {
        if (!reply(is_loop(&command) ? 0 : obey(&command)))
            return 1;
        if (is_loop(&command))
            loop_until_command(&command);
    }
    return 0;
}
