/* SPDX-License-Identifier: MIT */
/*
 * Nodes and channels: when a driver's open, close and channel routines are called; device_nodes.h
 * has the rules.
 */
#include "aix/device_nodes.h"

#include "aix/block_io.h"
#include "aix/funnel.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <string.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <xmem/devices.h>

#define NODES 256
#define NAME_SIZE 256

struct channel {
    struct channel *next;
    chan_t number;
    unsigned opens;
};

struct node {
    dev_t devno;
    bool block;
    uint32_t files; /* special files; 0: the node is of no device */
    unsigned opening;
    unsigned opens;
    bool closing;
    uint32_t word; /* goes up when closing ends */
    struct wait_lock channel_lock;
    struct channel *channels;
};

static struct node nodes[NODES];
static struct wait_lock node_lock;

dev_t node_number(const struct node *node)
{
    return node->devno;
}

bool node_is_block(const struct node *node)
{
    return node->block;
}

bool node_call_begin(const struct node *node)
{
    bool alone = !device_is_mpsafe(node->devno);

    if (alone)
        funnel_enter();
    return alone;
}

void node_call_end(bool alone)
{
    if (alone)
        funnel_leave();
}

/* ---- the table ---- */

/* Node lock held. */
static struct node *find_or_make(dev_t devno, bool block)
{
    struct node *unused = NULL;

    for (size_t index = 0; index < NODES; index++) {
        struct node *node = &nodes[index];

        if (node->files != 0 && node->devno == devno && node->block == block)
            return node;
        if (node->files == 0 && unused == NULL)
            unused = node;
    }
    if (unused != NULL) {
        store_relaxed(&unused->devno, devno);
        unused->block = block;
    }
    return unused;
}

struct node *node_take(dev_t devno, bool block)
{
    struct node *node;

    wait_lock_take(&node_lock);
    node = find_or_make(devno, block);
    if (node != NULL)
        store_release(&node->files, node->files + 1);
    wait_lock_give(&node_lock);
    return node;
}

void node_give(struct node *node)
{
    wait_lock_take(&node_lock);
    store_release(&node->files, node->files - 1);
    wait_lock_give(&node_lock);
}

EXPORT void selnotify(int id, int subid, ushort rtnevents)
{
    (void)subid; /* each waiting program asks for its own channel again */
    for (size_t index = 0; index < NODES; index++)
        if (load_acquire(&nodes[index].files) != 0 &&
            load_relaxed(&nodes[index].devno) == (dev_t)(uint)id)
            xmem_device_ready(&nodes[index], (short)rtnevents);
}

/* ---- counts ---- */

/* Waits until nobody closes the node, and counts one more that opens it. */
static int begin_opening(struct node *node)
{
    int error = 0;

    wait_lock_take(&node_lock);
    while (error == 0 && node->closing) {
        uint32_t seen = node->word;

        wait_lock_give(&node_lock);
        error = xmem_wait(&node->word, seen, XMEM_WAIT_INTERRUPTIBLE, 0);
        wait_lock_take(&node_lock);
        if (error != EINTR)
            error = 0;
    }
    if (error == 0 && node->opening == 0 && node->opens == 0)
        error = device_use(node->devno);
    if (error == 0)
        node->opening++;
    wait_lock_give(&node_lock);
    return error;
}

/* One open less, or one that failed.  True: it was the last, and the caller closes the device. */
static bool begin_closing(struct node *node, bool failed)
{
    bool last;

    wait_lock_take(&node_lock);
    if (failed)
        node->opening--;
    else
        node->opens--;
    last = node->opening == 0 && node->opens == 0;
    node->closing = last;
    wait_lock_give(&node_lock);
    return last;
}

static void end_closing(struct node *node)
{
    if (node->block)
        cache_forget(node->devno);
    wait_lock_take(&node_lock);
    node->closing = false;
    device_unuse(node->devno);
    add_fetch(&node->word, 1);
    wait_lock_give(&node_lock);
    xmem_wake(&node->word, INT32_MAX);
}

static void end_opening(struct node *node)
{
    wait_lock_take(&node_lock);
    node->opening--;
    node->opens++;
    wait_lock_give(&node_lock);
}

/* ---- the driver's routines ---- */

static int call_open(struct node *node, ulong devflag, chan_t channel)
{
    bool alone = node_call_begin(node);
    open_routine *routine = (open_routine *)device_routine(node->devno, ROUTINE_OPEN);
    int error = routine(node->devno, devflag, channel, 0);

    node_call_end(alone);
    return error;
}

static int call_close(struct node *node, chan_t channel)
{
    bool alone = node_call_begin(node);
    close_routine *routine = (close_routine *)device_routine(node->devno, ROUTINE_CLOSE);
    int error = routine(node->devno, channel);

    node_call_end(alone);
    return error;
}

/* name NULL: the channel is given back. */
static int call_mpx(struct node *node, chan_t *channel, char *name)
{
    bool alone = node_call_begin(node);
    mpx_routine *routine = (mpx_routine *)device_routine(node->devno, ROUTINE_MPX);
    int error = routine(node->devno, channel, name);

    node_call_end(alone);
    return error;
}

/* ---- channels ---- */

/* Channel lock held. */
static struct channel *find_channel(const struct node *node, chan_t number)
{
    struct channel *channel = node->channels;

    while (channel != NULL && channel->number != number)
        channel = channel->next;
    return channel;
}

/* Channel lock held.  spare: memory for a new one; *spare becomes NULL if it is used. */
static struct channel *count_channel(struct node *node, chan_t number, struct channel **spare)
{
    struct channel *channel = find_channel(node, number);

    if (channel == NULL) {
        channel = *spare;
        *spare = NULL;
        *channel = (struct channel){.next = node->channels, .number = number};
        node->channels = channel;
    }
    channel->opens++;
    return channel;
}

static int allocate_channel(struct node *node, const char *rest, struct channel **made)
{
    struct channel *spare = (void *)xmem_aix_xmalloc((int)sizeof *spare, 0, kernel_heap);
    char name[NAME_SIZE];
    chan_t number = 0;
    int error;

    if (spare == NULL)
        return ENOMEM;
    strcpy(name, rest);
    wait_lock_take(&node->channel_lock);
    error = call_mpx(node, &number, name);
    if (error == 0)
        *made = count_channel(node, number, &spare);
    wait_lock_give(&node->channel_lock);
    if (spare != NULL)
        (void)xmem_aix_xmfree(spare, kernel_heap);
    return error;
}

static int give_channel_back(struct node *node, struct channel *channel)
{
    struct channel **place = &node->channels;
    int error = 0;

    wait_lock_take(&node->channel_lock);
    if (--channel->opens == 0) {
        while (*place != channel)
            place = &(*place)->next;
        *place = channel->next;
        error = call_mpx(node, &channel->number, NULL);
        (void)xmem_aix_xmfree(channel, kernel_heap);
    }
    wait_lock_give(&node->channel_lock);
    return error;
}

chan_t node_channel(const void *channel)
{
    return channel == NULL ? 0 : ((const struct channel *)channel)->number;
}

/* ---- opening and closing ---- */

static int open_channel(struct node *node, ulong devflag, const char *rest, void **made)
{
    struct channel *channel;
    int error = allocate_channel(node, rest, &channel);

    if (error != 0)
        return error;
    error = call_open(node, devflag, channel->number);
    if (error != 0)
        (void)give_channel_back(node, channel);
    else
        *made = channel;
    return error;
}

static bool is_multiplexed(const struct node *node)
{
    return !node->block && device_has(node->devno, ROUTINE_MPX);
}

int node_open(struct node *node, ulong devflag, const char *rest, void **channel)
{
    bool multiplexed, opened_plainly;
    int error = begin_opening(node);

    *channel = NULL;
    if (error != 0)
        return error;
    multiplexed = is_multiplexed(node);
    opened_plainly = !multiplexed && *rest == '\0';
    if (multiplexed)
        error =
            strlen(rest) >= NAME_SIZE ? ENAMETOOLONG : open_channel(node, devflag, rest, channel);
    else
        error = opened_plainly ? call_open(node, devflag, 0) : ENOTDIR;
    if (error == 0) {
        end_opening(node);
    } else if (begin_closing(node, true)) {
        /* The driver cleans up after a first open that failed. */
        if (opened_plainly)
            (void)call_close(node, 0);
        end_closing(node);
    }
    return error;
}

int node_close(struct node *node, void *channel)
{
    int error = 0, given_back = 0;
    bool last;

    if (channel != NULL) {
        error = call_close(node, node_channel(channel));
        given_back = give_channel_back(node, channel);
    }
    last = begin_closing(node, false);
    if (last && channel == NULL)
        error = call_close(node, 0);
    if (last)
        end_closing(node);
    return error != 0 ? error : given_back;
}
