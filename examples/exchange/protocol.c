/* SPDX-License-Identifier: MIT */
/* Sending, receiving and checking of messages; protocol.h has the rules. */
#include "protocol.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILES_MOST 8 /* room for more than is allowed, so that what came can be closed */

struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(FILES_MOST * sizeof(int))];
};

struct message message_of(enum message_kind kind)
{
    return (struct message){
        .magic = PROTOCOL_MAGIC, .version = PROTOCOL_VERSION, .kind = (uint16_t)kind};
}

int message_send(int socket, const struct message *message, int file)
{
    struct message copy = *message;
    struct iovec part = {&copy, sizeof copy};
    struct control control = {{0}};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (file >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof file);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(rights), &file, sizeof file);
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* Keeps the first descriptor in *file, closes the others, returns how many came. */
static unsigned take_files(struct msghdr *header, int *file)
{
    unsigned count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
            int received;
            memcpy(&received, (const char *)part + at, sizeof received);
            if (count++ == 0)
                *file = received;
            else
                close(received);
        }
    }
    return count;
}

static bool fields_allowed(const struct message *message)
{
    bool ranged = message->length > 0 && message->length <= PROTOCOL_LENGTH_MOST;
    switch (message->kind) {
    case MESSAGE_OFFER:
        return ranged && message->files <= 1;
    case MESSAGE_CHECKSUM:
        return ranged && !message->address && !message->checksum && !message->files;
    case MESSAGE_ANSWER:
        return !message->address && !message->length && !message->files;
    case MESSAGE_START:
    case MESSAGE_CLEAR:
        return !message->address && !message->length && !message->checksum && !message->files;
    default:
        return false;
    }
}

static bool allowed(const struct message *message, size_t size, int flags, unsigned files)
{
    return size == sizeof *message && !(flags & (MSG_TRUNC | MSG_CTRUNC)) &&
           message->magic == PROTOCOL_MAGIC && message->version == PROTOCOL_VERSION &&
           message->reserved == 0 && message->files == files && fields_allowed(message);
}

static int wait_for_message(int socket, int milliseconds)
{
    struct pollfd poller = {.fd = socket, .events = POLLIN};
    int ready;
    do
        ready = poll(&poller, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ready == 0 ? ETIMEDOUT : errno;
}

int message_receive(int socket, struct message *message, int *file, int milliseconds)
{
    *file = -1;
    int error = wait_for_message(socket, milliseconds);
    if (error)
        return error;
    struct control control;
    struct iovec part = {message, sizeof *message};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size <= 0)
        return ECONNRESET;
    unsigned files = take_files(&header, file);
    if (allowed(message, (size_t)size, header.msg_flags, files))
        return 0;
    if (*file >= 0)
        close(*file);
    *file = -1;
    return EPROTO;
}
