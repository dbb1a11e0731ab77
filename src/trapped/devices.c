/* SPDX-License-Identifier: MIT */
/*
 * The table of devices; devices.h has the rules.
 */
#include "trapped/devices.h"

#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "host/threads.h"
#include "trapped/paths.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct device *devices;
static uint64_t last_inode;

uint32_t devices_ready_word;
void (*devices_ready_hook)(void *device, short events);

/* ---------------------------------------------------------------- finding -------------- */

/* What follows the device's own path in `path`; NULL: another path. */
static const char *rest_of(const struct device *device, const char *path)
{
    size_t length = strlen(device->is.path);
    if (strncmp(path, device->is.path, length) != 0)
        return NULL;
    if (path[length] == '\0')
        return path + length;
    return device->is.suffixes && path[length] == '/' ? path + length + 1 : NULL;
}

struct device *device_find(const char *path, const char **rest)
{
    struct device *found = NULL;
    host_lock(&mutex);
    for (struct device *device = devices; device && !found; device = device->next) {
        const char *behind = rest_of(device, path);
        if (behind) {
            found = device_hold(device);
            *rest = behind;
        }
    }
    host_unlock(&mutex);
    return found;
}

struct device *device_hold(struct device *device)
{
    add_fetch(&device->references, 1);
    return device;
}

void device_drop(struct device *device)
{
    if (sub_fetch(&device->references, 1) == 0)
        host_free(device);
}

bool devices_exist(void)
{
    return load_relaxed(&devices) != NULL;
}

/* ---------------------------------------------------------------- opens ---------------- */

bool device_count_open(struct device *device)
{
    host_lock(&mutex);
    bool there = !device->removed;
    if (there)
        device->opens++;
    host_unlock(&mutex);
    return there;
}

void device_count_close(struct device *device)
{
    host_lock(&mutex);
    device->opens--;
    host_unlock(&mutex);
}

void device_closing_begin(struct device *device)
{
    add_fetch(&device->closing, 1);
}

/* Who waits counts itself, then looks at `closing`; who ends changes that, then looks at the
 * count. */
void device_closing_end(struct device *device)
{
    __atomic_sub_fetch(&device->closing, 1, __ATOMIC_SEQ_CST);
    if (load_strong(&device->closing_waiters) != 0)
        xmem_wake(&device->closing, INT_MAX);
}

int device_closing_wait(struct device *device)
{
    int error = 0;
    if (load_strong(&device->closing) == 0)
        return 0;
    __atomic_add_fetch(&device->closing_waiters, 1, __ATOMIC_SEQ_CST);
    for (uint32_t closing; !error && (closing = load_strong(&device->closing)) != 0;)
        error = xmem_wait(&device->closing, closing, XMEM_WAIT_INTERRUPTIBLE, 0);
    sub_fetch(&device->closing_waiters, 1);
    return error;
}

/* ---------------------------------------------------------------- adding --------------- */

static const char *wrong(const struct xmem_device *device)
{
    if (!device || device->size != sizeof(*device))
        return "device->size is not sizeof(struct xmem_device) of this version";
    if (!device->operations || device->operations->size != sizeof(*device->operations))
        return "operations->size is not sizeof(struct xmem_device_operations) of this version";
    if (!S_ISCHR(device->mode) && !S_ISBLK(device->mode))
        return "the mode has neither S_IFCHR nor S_IFBLK";
    if (!device->path || device->path[0] != '/' || strlen(device->path) >= PATH_MAX)
        return "the path is not absolute, or too long";
    return NULL;
}

static struct device *new_device(const struct xmem_device *is)
{
    size_t path_size = strlen(is->path) + 1;
    struct device *device = host_allocate(sizeof(*device) + path_size);
    if (!device)
        return NULL;
    char *path = (char *)(device + 1);
    memcpy(path, is->path, path_size);
    device->is = *is;
    device->is.path = path;
    device->operations = *is->operations;
    device->is.operations = &device->operations;
    device->references = 1;
    return device;
}

static int add(const char *operation, const struct xmem_device *is)
{
    const char *words = wrong(is);
    if (words)
        return fail_argument(operation, words);
    struct device *device = new_device(is);
    if (!device)
        return fail_no_memory(operation);
    int error = path_name_add(is->path, is->suffixes != 0);
    if (error) {
        host_free(device);
        if (error == EINVAL)
            return fail_argument(operation, "the path has an empty component, \".\" or \"..\"");
        return error == EEXIST ? fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EEXIST,
                                                                 "another device has this path, "
                                                                 "one above it, or one below it"))
                               : fail_no_memory(operation);
    }
    host_lock(&mutex);
    device->inode = ++last_inode;
    device->next = devices;
    store_release(&devices, device);
    host_unlock(&mutex);
    return 0;
}

EXPORT int xmem_device_add(const struct xmem_device *device)
{
    static const char operation[] = "xmem_device_add";
    int error = making_begin(operation);
    if (error)
        return error;
    error = add(operation, device);
    making_end();
    return error;
}

/* Mutex held.  Takes it out of the table: NULL and an error if that may not be. */
static struct device *take(const char *path, int *error)
{
    struct device **link = &devices;
    while (*link && strcmp((*link)->is.path, path) != 0)
        link = &(*link)->next;
    struct device *device = *link;
    *error = !device ? ENOENT : device->opens ? EBUSY : 0;
    if (*error)
        return NULL;
    device->removed = true;
    store_release(link, device->next);
    return device;
}

EXPORT int xmem_device_remove(const char *path)
{
    static const char operation[] = "xmem_device_remove";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!path)
        return fail_argument(operation, "there must be a path");
    host_lock(&mutex);
    struct device *device = take(path, &error);
    host_unlock(&mutex);
    if (!device)
        return fail(operation, error == EBUSY ? outcome_failure(XMEM_FAILURE_BUSY, EBUSY,
                                                                "a program has the device open")
                                              : outcome_failure(XMEM_FAILURE_ARGUMENT, ENOENT,
                                                                "no device has this path"));
    path_name_remove(device->is.path);
    device_drop(device);
    return 0;
}

EXPORT void xmem_device_ready(void *device, short events)
{
    void (*hook)(void *, short) = load_acquire(&devices_ready_hook);
    add_fetch(&devices_ready_word, 1);
    xmem_wake(&devices_ready_word, INT_MAX);
    if (hook)
        hook(device, events);
}
