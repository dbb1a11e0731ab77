/* SPDX-License-Identifier: MIT */
/*
 * Who waits for events on devices: callers of poll and select, whose calls are served here, and
 * epoll instances of trapped programs, which Linux serves by itself.
 *
 * Of an epoll instance we see only epoll_ctl.  What it gets in place of a device is a stand-in, a
 * descriptor of ours that is ready when the device is; the instance remembers the caller's data
 * with it, and epoll_wait is never trapped.  There is one stand-in for an open file and a
 * descriptor number, whatever instances it is in.
 *
 *   1. A stand-in's readiness is what the device's poll operation last said.  It is asked again
 *      when xmem_device_ready() is called (then with a fresh event, for EPOLLET), and after each
 *      transfer and ioctl on the device, before the caller sees its result.
 *   2. Every event is asked for by itself, so that the device watches for each that does not hold.
 *   3. The watcher is told of a change by devices_ready_word, and raises the descriptors of those
 *      who wait for devices and descriptors together.
 *   4. Stand-ins and their memory are used again, not freed, until the program ends: the hook of
 *      xmem_device_ready() walks their list at any time, without a lock.
 * Not exact: EPOLLPRI never comes; a device that ceases to be ready by itself, with no call of
 * anybody's and no xmem_device_ready(), is still shown as ready until it is asked.
 *
 * Locks: `readiness` (the lists), and one for each stand-in, outside of it, which is held while the
 * device's poll operation runs.
 */
#ifndef XMEM_TRAPPED_READINESS_H
#define XMEM_TRAPPED_READINESS_H

#include "trapped/placeholders.h"

/* Asks the device, on this thread's behalf.  POLLIN, POLLOUT and POLLPRI at most, of `events`. */
int readiness_ask(struct device_file *file, short events, bool watch, short *returned);

/* A call on the device has been served: what holds may be different.  One load when no epoll
 * instance has a device.  Context: process; may call the device's poll operation. */
void readiness_refresh(struct device_file *file);

/* The open file is closed: its stand-ins leave all epoll instances. */
void readiness_forget(struct device_file *file);

/* No trapped program is left: ends the watcher. */
void readiness_stop(void);

/* ---- for calls_poll.c ---- */

/* A descriptor that becomes readable with each xmem_device_ready(). */
struct readiness_listener {
    int fd;
    struct readiness_listener *next;
};
int readiness_listen(struct readiness_listener *listener); /* 0; EMFILE, ENOMEM, EAGAIN */
void readiness_unlisten(struct readiness_listener *listener);

/* ---- for calls_epoll.c ---- */

/* epoll_ctl on an instance that we have a descriptor of, with the stand-in for the caller's
 * descriptor `number` on the open file.  What Linux returns; ENOMEM, EMFILE. */
int readiness_control(struct device_file *file, int number, int epoll, int operation,
                      uint32_t events, uint64_t data);

#endif
