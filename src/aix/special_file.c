/* SPDX-License-Identifier: MIT */
/*
 * Special files: devices of programs (<xmem/devices.h>) whose operations are the routines of the
 * driver that the switch table has.
 *
 * What a program asks for becomes what a driver is told: the flags of open(2) become a devflag, its
 * buffers a uio of user space.  What the driver returns, and how far uio_resid came down, is what
 * the program gets.
 */
#include "aix/block_io.h"
#include "aix/device_nodes.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <string.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/special_file.h>
#include <xmem/devices.h>

#define PIECES_INSIDE 16u
#define PATH_MOST 4096u

static ulong devflag_of(int flags)
{
    ulong devflag = 0;

    if ((flags & O_ACCMODE) != O_WRONLY)
        devflag |= DREAD;
    if ((flags & O_ACCMODE) != O_RDONLY)
        devflag |= DWRITE;
    if ((flags & O_NONBLOCK) != 0)
        devflag |= DNDELAY;
    if ((flags & O_APPEND) != 0)
        devflag |= DAPPEND;
    return devflag;
}

/* ---- open and close ---- */

static int open_device(void *device, struct xmem_open_file *file)
{
    return node_open(device, devflag_of(file->flags), file->rest == NULL ? "" : file->rest,
                     &file->data);
}

static int close_device(void *device, struct xmem_open_file *file)
{
    return node_close(device, file->data);
}

/* ---- read and write ---- */

static int call_transfer(struct node *node, struct xmem_open_file *file, struct uio *uio,
                         enum uio_rw rw)
{
    enum routine which = rw == UIO_READ ? ROUTINE_READ : ROUTINE_WRITE;
    dev_t devno = node_number(node);
    bool alone = node_call_begin(node);
    transfer_routine *routine = (transfer_routine *)device_routine(devno, which);
    int error = routine(devno, uio, node_channel(file->data), 0);

    node_call_end(alone);
    return error;
}

/* A block device has its strategy routine for both; its read and write are for raw access. */
static bool goes_by_blocks(const struct node *node)
{
    return node_is_block(node) && device_has(node_number(node), ROUTINE_STRATEGY);
}

static int transfer_pieces(struct node *node, struct xmem_open_file *file,
                           struct xmem_transfer *transfer, struct iovec *pieces, enum uio_rw rw)
{
    struct uio uio = {.uio_iov = pieces,
                      .uio_iovcnt = (int)transfer->count,
                      .uio_offset = transfer->offset,
                      .uio_resid = (ssize_t)transfer->length,
                      .uio_segflg = UIO_USERSPACE,
                      .uio_fmode = devflag_of(transfer->flags)};
    int error;

    for (size_t index = 0; index < transfer->count; index++) {
        pieces[index].iov_base = (void *)(uintptr_t)transfer->ranges[index].address;
        pieces[index].iov_len = transfer->ranges[index].length;
    }
    error = goes_by_blocks(node) ? block_transfer(node_number(node), &uio, rw)
                                 : call_transfer(node, file, &uio, rw);
    /* An error number is what the caller gets, whatever was moved before; only a call that a signal
     * ended must not be executed again if it has moved something. */
    if (error && error != EINTR)
        return error;
    if (uio.uio_resid >= 0 && (uint64_t)uio.uio_resid <= transfer->length)
        transfer->done = transfer->length - (uint64_t)uio.uio_resid;
    return error;
}

static int transfer_bytes(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer,
                          enum uio_rw rw)
{
    struct iovec inside[PIECES_INSIDE];
    struct iovec *pieces = inside;
    int error;

    transfer->done = 0;
    if (transfer->count > PIECES_INSIDE)
        pieces = (void *)xmem_aix_xmalloc((int)(transfer->count * sizeof *pieces), 0, kernel_heap);
    if (pieces == NULL)
        return ENOMEM;
    error = transfer_pieces(device, file, transfer, pieces, rw);
    if (pieces != inside)
        (void)xmem_aix_xmfree(pieces, kernel_heap);
    return error;
}

static int read_device(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    return transfer_bytes(device, file, transfer, UIO_READ);
}

static int write_device(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    return transfer_bytes(device, file, transfer, UIO_WRITE);
}

/* ---- ioctl and select ---- */

static int control_device(void *device, struct xmem_open_file *file, unsigned request,
                          uint64_t argument, int *result)
{
    struct node *node = device;
    dev_t devno = node_number(node);
    bool alone = node_call_begin(node);
    ioctl_routine *routine = (ioctl_routine *)device_routine(devno, ROUTINE_IOCTL);
    int error = routine(devno, (int)request, (void *)(uintptr_t)argument, devflag_of(file->flags),
                        node_channel(file->data), 0);

    node_call_end(alone);
    *result = 0;
    return error;
}

static int poll_device(void *device, struct xmem_open_file *file, short events, int watch,
                       short *returned)
{
    struct node *node = device;
    dev_t devno = node_number(node);
    ushort asked = (ushort)events & (POLLIN | POLLOUT | POLLPRI);
    ushort found = 0;
    select_routine *routine;
    bool alone;
    int error;

    *returned = (short)asked;
    if (node_is_block(node) || !device_has(devno, ROUTINE_SELECT))
        return 0;
    if (!watch)
        asked |= POLLSYNC;
    alone = node_call_begin(node);
    routine = (select_routine *)device_routine(devno, ROUTINE_SELECT);
    error = routine(devno, asked, &found, (int)node_channel(file->data));
    node_call_end(alone);
    *returned = (short)(found & events);
    return error;
}

/* ---- special files ---- */

static const struct xmem_device_operations operations = {
    .size = sizeof(struct xmem_device_operations),
    .open = open_device,
    .close = close_device,
    .read = read_device,
    .write = write_device,
    .ioctl = control_device,
    .poll = poll_device,
};

/* Which node a path is of.  Guarded by files_lock, which is held around the native calls too, so
 * that list and devices agree; it is outside of the node lock. */
struct known_file {
    struct known_file *next;
    struct node *node;
    char path[];
};

static struct known_file *files;
static struct wait_lock files_lock;

static struct known_file *describe(const char *path)
{
    size_t size = strlen(path) + 1;
    struct known_file *known = NULL;

    if (size <= PATH_MOST)
        known = (void *)xmem_aix_xmalloc((int)(sizeof *known + size), 0, kernel_heap);
    if (known != NULL)
        memcpy(known->path, path, size);
    return known;
}

static void forget(struct known_file *known)
{
    if (known->node != NULL)
        node_give(known->node);
    (void)xmem_aix_xmfree(known, kernel_heap);
}

static int add_device(const struct xmem_special_file *file, struct node *node)
{
    struct xmem_device device = {.size = sizeof device,
                                 .path = file->path,
                                 .mode = file->mode,
                                 .owner = file->owner,
                                 .group = file->group,
                                 .major = (unsigned)major(file->devno),
                                 .minor = (unsigned)minor(file->devno),
                                 .suffixes =
                                     !node_is_block(node) && device_has(file->devno, ROUTINE_MPX),
                                 .operations = &operations,
                                 .device = node};

    return xmem_device_add(&device);
}

EXPORT int xmem_aix_special_file(const struct xmem_special_file *file)
{
    struct known_file *known;
    int error = ENOSPC;

    if (refused_at_interrupt_level())
        return EPERM;
    if (file == NULL || file->path == NULL || !(S_ISCHR(file->mode) || S_ISBLK(file->mode)))
        return EINVAL;
    known = describe(file->path);
    if (known == NULL)
        return ENOMEM;
    known->node = node_take(file->devno, S_ISBLK(file->mode));
    wait_lock_take(&files_lock);
    if (known->node != NULL)
        error = add_device(file, known->node);
    if (error == 0) {
        known->next = files;
        files = known;
    }
    wait_lock_give(&files_lock);
    if (error != 0)
        forget(known);
    return error;
}

EXPORT int xmem_aix_special_file_remove(const char *path)
{
    struct known_file **place = &files;
    struct known_file *known = NULL;
    int error = ENOENT;

    if (refused_at_interrupt_level())
        return EPERM;
    wait_lock_take(&files_lock);
    while (*place != NULL && strcmp((*place)->path, path) != 0)
        place = &(*place)->next;
    if (*place != NULL)
        error = xmem_device_remove(path);
    if (error == 0) {
        known = *place;
        *place = known->next;
    }
    wait_lock_give(&files_lock);
    if (known != NULL)
        forget(known);
    return error;
}
