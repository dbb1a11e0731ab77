/* SPDX-License-Identifier: MIT */
/* Serving hostile programs; see refuse.h. */
#include "refuse.h"
#include "clock.h"
#include "serve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH (1u << 20)
#define PATIENCE_NANOSECONDS UINT64_C(20000000000)
#define OFFER_MILLISECONDS 10000
#define SILENCE_MILLISECONDS 200

enum stage { AT_MESSAGE, AT_IMPORT, AT_ATTACH, AT_MOVE, AT_WRITE };

static const struct hostility {
    const char *mode;
    enum stage stage; /* where it is refused */
    int error;        /* errno; for moves, what copyin64 and copyout64 return */
    const char *does;
    const char *gets;
} hostilities[] = {
    {"bad-pointer", AT_MOVE, EFAULT, "offers address 16", "XMEM_FAIL, EFAULT"},
    {"kernel-pointer", AT_ATTACH, EFAULT, "offers addresses of the Linux kernel",
     "XMEM_FAIL, EFAULT"},
    {"wrapping-range", AT_ATTACH, EFAULT, "offers a range that wraps around", "XMEM_FAIL, EFAULT"},
    {"lying-length", AT_MOVE, EFAULT, "says 1 MiB where it has 64 KiB", "XMEM_FAIL, EFAULT"},
    {"no-access", AT_MOVE, EFAULT, "offers memory that it may not touch", "XMEM_FAIL, EFAULT"},
    {"read-only", AT_WRITE, EFAULT, "offers a page that it may not write", "XMEM_FAIL, EFAULT"},
    {"unmap", AT_MOVE, EFAULT, "unmaps its buffer during the moves", "XMEM_FAIL, EFAULT"},
    {"protect", AT_MOVE, EFAULT, "gives up its access during the moves", "XMEM_FAIL, EFAULT"},
    {"exec", AT_MOVE, EFAULT, "runs another program during the moves", "XMEM_FAIL, EFAULT"},
    {"die", AT_MOVE, EFAULT, "is killed during the moves", "XMEM_FAIL, EFAULT"},
    {"truncate", AT_MOVE, EIO, "empties its memfd during the moves", "XMEM_FAIL, EIO"},
    {"short-file", AT_MOVE, EIO, "says 1 MiB of a memfd of one page", "XMEM_FAIL, EIO"},
    {"read-only-file", AT_IMPORT, EACCES, "hands over a memfd that is read-only", "EACCES"},
    {"not-a-file", AT_IMPORT, ENODEV, "hands over an eventfd as memory", "ENODEV"},
    {"short-message", AT_MESSAGE, EPROTO, "sends half a message", "hung up on"},
    {"wrong-version", AT_MESSAGE, EPROTO, "speaks another version of the protocol", "hung up on"},
    {"hidden-file", AT_MESSAGE, EPROTO, "hands over a file unannounced", "hung up on"},
    {"silent", AT_MESSAGE, ETIMEDOUT, "connects and says nothing for 0.2 s", "hung up on"},
};

#define HOSTILITIES (sizeof hostilities / sizeof hostilities[0])

static struct refusal results[HOSTILITIES];
static char scratch[SCRATCH];
static char wrong_words[512];
static pthread_t refuser;
static int stopping;

static bool complain(const struct hostility *hostility, const char *what, int result)
{
    snprintf(wrong_words, sizeof wrong_words, "hostile program '%s': %s (returned %d: %s)",
             hostility->mode, what, result, xmem_last_failure()->words);
    return false;
}

static void note(const struct hostility *hostility)
{
    struct refusal *result = &results[hostility - hostilities];
    result->met = true;
    result->cause = last_class();
}

static int documented_result(const struct hostility *hostility, enum service service)
{
    bool cross_memory = service == SERVICE_XMEMIN || service == SERVICE_XMEMOUT;
    return cross_memory ? XMEM_FAIL : hostility->error;
}

static bool writes(enum service service)
{
    return service == SERVICE_XMEMOUT || service == SERVICE_COPYOUT64;
}

/* One call.  *failed: the services that have failed, as bits; who has failed once must go on so. */
static bool try_service(const struct hostility *hostility, enum service service,
                        struct buffer *buffer, unsigned *failed)
{
    size_t n = buffer->length < SCRATCH ? buffer->length : SCRATCH;
    int result = service_run(service, buffer, 0, scratch, n, 1, NULL);
    if (result == 0)
        return *failed & 1u << service ? complain(hostility, "works again", result) : true;
    note(hostility);
    if (result != documented_result(hostility, service))
        return complain(hostility, service_name(service), result);
    if (hostility->stage == AT_WRITE && !writes(service))
        return complain(hostility, "reads must work", result);
    *failed |= 1u << service;
    return true;
}

static bool refused_at_moves(const struct hostility *hostility, struct buffer *buffer)
{
    static const enum service services[] = {SERVICE_XMEMIN, SERVICE_XMEMOUT, SERVICE_COPYIN64,
                                            SERVICE_COPYOUT64};
    unsigned wanted = 0, failed = 0;
    for (size_t at = 0; at < 4; at++)
        if (hostility->stage == AT_MOVE || writes(services[at]))
            wanted |= 1u << services[at];
    uint64_t deadline = nanoseconds_now() + PATIENCE_NANOSECONDS;
    while (failed != wanted) {
        for (size_t at = 0; at < 4; at++)
            if (!try_service(hostility, services[at], buffer, &failed))
                return false;
        if (nanoseconds_now() > deadline)
            return complain(hostility, "was not refused", 0);
    }
    return true;
}

static bool refused_at_attach(const struct hostility *hostility, struct buffer *buffer)
{
    unsigned failed = 0;
    if (!try_service(hostility, SERVICE_COPYIN64, buffer, &failed) ||
        !try_service(hostility, SERVICE_COPYOUT64, buffer, &failed))
        return false;
    return failed ? true : complain(hostility, "copies worked", 0);
}

static bool meet_buffer(const struct hostility *hostility, struct client *client,
                        struct buffer *buffer)
{
    int attached = service_attach(buffer);
    if (attached != XMEM_SUCC)
        note(hostility);
    if (attached != (hostility->stage == AT_ATTACH ? XMEM_FAIL : XMEM_SUCC))
        return complain(hostility, "xmattach64", attached);
    client_tell(client, MESSAGE_START);
    return hostility->stage == AT_ATTACH ? refused_at_attach(hostility, buffer)
                                         : refused_at_moves(hostility, buffer);
}

static bool meet_offer(const struct hostility *hostility, struct client *client,
                       const struct message *offer, int file)
{
    struct buffer buffer;
    int error = file >= 0 ? buffer_import(&buffer, file, offer->length)
                          : buffer_open(&buffer, client->pid, offer->address, offer->length);
    bool right;
    if (hostility->stage == AT_IMPORT) {
        note(hostility);
        right = error == hostility->error || complain(hostility, "xmem_process_map_fd", error);
    } else {
        right = error ? complain(hostility, "cannot be reached", error)
                      : meet_buffer(hostility, client, &buffer);
    }
    if (buffer_close(&buffer) != 0)
        return complain(hostility, "its buffer could not be closed", 0);
    return right;
}

static bool meet(const struct hostility *hostility)
{
    struct client *client = client_start("exchange-hostile", hostility->mode, NULL, NULL);
    if (!client)
        return complain(hostility, "did not start", 0);
    struct message offer;
    int file, expected = hostility->stage == AT_MESSAGE ? hostility->error : 0;
    int error = client_offer(client, &offer, &file,
                             expected == ETIMEDOUT ? SILENCE_MILLISECONDS : OFFER_MILLISECONDS);
    bool right = error == expected || complain(hostility, "its message", error);
    if (right && !error)
        right = meet_offer(hostility, client, &offer, file);
    if (file >= 0)
        close(file);
    client_end(client);
    return right;
}

static void *refuse_all(void *unused)
{
    (void)unused;
    do {
        for (size_t at = 0; at < HOSTILITIES; at++) {
            if (!meet(&hostilities[at]))
                return NULL;
            results[at].times++;
        }
    } while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED));
    return NULL;
}

int refuse_start(void)
{
    for (size_t at = 0; at < HOSTILITIES; at++)
        results[at] = (struct refusal){.mode = hostilities[at].mode,
                                       .does = hostilities[at].does,
                                       .gets = hostilities[at].gets};
    return pthread_create(&refuser, NULL, refuse_all, NULL);
}

unsigned refuse_stop(const char **wrong)
{
    unsigned count = 0;
    __atomic_store_n(&stopping, 1, __ATOMIC_RELAXED);
    pthread_join(refuser, NULL);
    for (size_t at = 0; at < HOSTILITIES; at++)
        count += results[at].times;
    *wrong = wrong_words[0] != '\0' ? wrong_words : NULL;
    return count;
}

const struct refusal *refusals(size_t *count)
{
    *count = HOSTILITIES;
    return results;
}
