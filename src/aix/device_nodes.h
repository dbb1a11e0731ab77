/* SPDX-License-Identifier: MIT */
/*
 * Nodes: one for each device that has a special file, character and block devices apart.  A node
 * knows how often its device is open, and for a multiplexed one its channels.
 *
 *   1. A node is known by device number and kind; special files of the same device share it.
 *   2. `opening` counts opens whose ddopen has not returned, `opens` those that succeeded and are
 *      not closed.  The driver's ddclose is called by whoever brings both to 0, with `closing` set;
 *      opens wait for its end.
 *   3. While either is not 0, or closing is set, the entry of the switch table is in use once.
 *   4. A channel is in its node's list while it has opens; ddmpx is called with the node's channel
 *      lock held, so that a channel is not given back while it is handed out again.
 *   5. Nodes stay where they are for ever, and are found without a lock by their number, so that
 *      handlers can look for them; a node without special files is of no device.
 * The node lock covers the table and the counts; only the switch lock is taken under it.  A channel
 * lock is held while ddmpx runs, which may enter the funnel and sleep; whoever runs a driver's
 * routine never wants one.
 */
#ifndef XMEM_AIX_DEVICE_NODES_H
#define XMEM_AIX_DEVICE_NODES_H

#include "aix/device_switch.h"

struct node;

/* The node of the device, made if need be, with one special file more.  NULL: there is no room. */
struct node *node_take(dev_t devno, bool block);
void node_give(struct node *node);

dev_t node_number(const struct node *node);
bool node_is_block(const struct node *node);

/* An open: what the driver's ddopen (and ddmpx) say.  On success *channel is what the opens of a
 * multiplexed device need, NULL for others.  0 or errno. */
int node_open(struct node *node, ulong devflag, const char *rest, void **channel);
int node_close(struct node *node, void *channel);

/* The number of the channel; 0 for NULL. */
chan_t node_channel(const void *channel);

/* Runs a routine in the funnel if the driver needs that: begin and end around its call. */
bool node_call_begin(const struct node *node);
void node_call_end(bool alone);

#endif
