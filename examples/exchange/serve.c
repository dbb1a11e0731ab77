/* SPDX-License-Identifier: MIT */
/* The kernel program's side of the Unix socket; see serve.h. */
#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MILLISECONDS 30000
#define END_MILLISECONDS 5000
#define LISTEN_BACKLOG 64

static struct {
    int listener;
    char directory[80];
    struct sockaddr_un name;
    pthread_t acceptor;
    pthread_mutex_t mutex; /* the list, and the sockets in it; nothing is locked inside */
    struct client *clients;
} server = {.listener = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

static void take_connection(int connection)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        peer.pid = -1;
    pthread_mutex_lock(&server.mutex);
    struct client *client = server.clients;
    while (client && client->pid != peer.pid)
        client = client->next;
    if (client && client->socket < 0) {
        client->socket = connection;
        connection = -1;
    }
    pthread_mutex_unlock(&server.mutex);
    if (connection >= 0)
        close(connection); /* a stranger, or one that has a connection */
}

static void *accept_all(void *unused)
{
    (void)unused;
    for (;;) {
        int connection = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0)
            take_connection(connection);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL; /* shut down */
    }
}

static int open_listener(void)
{
    const char *where = getenv("TMPDIR");
    if (!where || where[0] == '\0' || strlen(where) > 48)
        where = "/tmp";
    snprintf(server.directory, sizeof server.directory, "%s/xmem-exchange-XXXXXX", where);
    if (!mkdtemp(server.directory))
        return errno;
    server.name.sun_family = AF_UNIX;
    snprintf(server.name.sun_path, sizeof server.name.sun_path, "%s/kernel", server.directory);
    server.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (server.listener < 0 ||
        bind(server.listener, (struct sockaddr *)&server.name, sizeof server.name) != 0 ||
        listen(server.listener, LISTEN_BACKLOG) != 0)
        return errno;
    return 0;
}

int server_open(void)
{
    int error = open_listener();
    return error ? error : pthread_create(&server.acceptor, NULL, accept_all, NULL);
}

void server_remove_name(void)
{
    unlink(server.name.sun_path);
    rmdir(server.directory);
}

void server_close(void)
{
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.acceptor, NULL);
    close(server.listener);
    server_remove_name();
}

/* The path of a program in the directory of this one. */
static int path_beside(const char *program, char path[static PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length < 0)
        return errno;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    size_t room = (size_t)(path + PATH_MAX - slash) - 1;
    if (strlen(program) >= room)
        return ENAMETOOLONG;
    strcpy(slash + 1, program);
    return 0;
}

static int spawn(const char *program, const char *const given[3], pid_t *pid)
{
    char path[PATH_MAX];
    int error = path_beside(program, path);
    if (error)
        return error;
    char *arguments[6] = {path, server.name.sun_path};
    for (size_t at = 0; at < 3 && given[at]; at++) {
        arguments[2 + at] = strdup(given[at]);
        if (!arguments[2 + at])
            error = ENOMEM;
    }
    if (!error)
        error = posix_spawn(pid, path, NULL, NULL, arguments, environ);
    for (size_t at = 2; at < 5; at++)
        free(arguments[at]);
    return error;
}

struct client *client_start(const char *program, const char *first, const char *second,
                            const char *third)
{
    const char *const given[3] = {first, second, third};
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->socket = -1;
    /* Under the mutex: the program may connect before we know its pid. */
    pthread_mutex_lock(&server.mutex);
    int error = spawn(program, given, &client->pid);
    if (!error) {
        client->next = server.clients;
        server.clients = client;
    }
    pthread_mutex_unlock(&server.mutex);
    if (!error)
        return client;
    fprintf(stderr, "exchange: cannot start %s: %s\n", program, strerror(error));
    free(client);
    return NULL;
}

static int socket_of(const struct client *client)
{
    pthread_mutex_lock(&server.mutex);
    int socket = client->socket;
    pthread_mutex_unlock(&server.mutex);
    return socket;
}

static int has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static void sleep_milliseconds(long milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&pause, NULL);
}

static int wait_for_connection(const struct client *client)
{
    for (int waited = 0; socket_of(client) < 0; waited++) {
        if (waited >= ANSWER_MILLISECONDS)
            return ETIMEDOUT;
        if (has_ended(client->pid) && socket_of(client) < 0)
            return ESRCH;
        sleep_milliseconds(1);
    }
    return 0;
}

int client_offer(struct client *client, struct message *offer, int *file, int milliseconds)
{
    *file = -1;
    int error = wait_for_connection(client);
    if (!error)
        error = message_receive(socket_of(client), offer, file, milliseconds);
    if (!error && offer->kind != MESSAGE_OFFER)
        error = EPROTO; /* only offers bring files, so that none is held */
    return error;
}

void client_tell(struct client *client, enum message_kind kind)
{
    struct message message = message_of(kind);
    message_send(socket_of(client), &message, -1); /* who is gone needs no telling */
}

int client_ask(struct client *client, enum message_kind kind, uint64_t length, uint64_t *sum)
{
    struct message request = message_of(kind), answer;
    int file, socket = socket_of(client);
    request.length = length;
    int error = message_send(socket, &request, -1);
    if (!error)
        error = message_receive(socket, &answer, &file, ANSWER_MILLISECONDS);
    if (error)
        return error;
    if (file >= 0)
        close(file);
    if (answer.kind != MESSAGE_ANSWER)
        return EPROTO;
    *sum = answer.checksum;
    return 0;
}

static void forget(struct client *client)
{
    pthread_mutex_lock(&server.mutex);
    struct client **link = &server.clients;
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    pthread_mutex_unlock(&server.mutex);
}

int client_end(struct client *client)
{
    int status = 0;
    forget(client);
    if (client->socket >= 0)
        close(client->socket);
    for (int waited = 0; waited < END_MILLISECONDS && !has_ended(client->pid); waited++)
        sleep_milliseconds(1);
    if (!has_ended(client->pid))
        kill(client->pid, SIGKILL);
    while (waitpid(client->pid, &status, 0) < 0 && errno == EINTR)
        ;
    free(client);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
