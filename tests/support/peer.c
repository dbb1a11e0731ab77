/* SPDX-License-Identifier: MIT */
/* Starts the peer program and speaks with it; see peer.h. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

/* Copies of the descriptors above those that the peer expects, so that no dup2 overwrites one that
 * is still needed. */
static int move_up(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);
}

static const char *peer_program(void)
{
    const char *path = getenv("XMEM_TEST_PEER");
    return path ? path : XMEM_TEST_PEER_PATH;
}

pid_t peer_start(int file, int *socket)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        give_up("socketpair");
    int theirs = move_up(ends[1]), file_copy = move_up(file);
    close(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs, PEER_SOCKET);
    if (file >= 0)
        posix_spawn_file_actions_adddup2(&actions, file_copy, PEER_FILE);
    char name[] = "peer";
    char *arguments[] = {name, NULL}, *environment[] = {NULL};
    pid_t pid;
    errno = posix_spawn(&pid, peer_program(), &actions, NULL, arguments, environment);
    if (errno != 0)
        give_up(peer_program());
    posix_spawn_file_actions_destroy(&actions);
    close(theirs);
    if (file_copy >= 0)
        close(file_copy);
    *socket = ends[0];
    struct peer_command hello = {.operation = PEER_HELLO};
    if (peer_ask(*socket, &hello) != pid)
        give_up("the peer does not answer");
    return pid;
}

int64_t peer_ask(int socket, const struct peer_command *command)
{
    int64_t answer;
    ssize_t got;
    if (send(socket, command, sizeof *command, MSG_NOSIGNAL) != (ssize_t)sizeof *command)
        return -1;
    do
        got = recv(socket, &answer, sizeof answer, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof answer ? answer : -1;
}

void peer_end(pid_t pid, int socket)
{
    struct peer_command end = {.operation = PEER_EXIT};
    int status;
    if (socket >= 0) {
        peer_ask(socket, &end);
        close(socket);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
}
