/* SPDX-License-Identifier: MIT */
/*
 * A trapped program while the host layer fails under its kernel program.  It may fail, too; but it
 * ends, nothing is left of it, and the device's opens and closes come out even.
 */
#include "fault_trapped.h"

#include <xmem/devices.h>

static uint32_t opens, closes;

static int device_open(void *device, struct xmem_open_file *file)
{
    (void)device;
    (void)file;
    __atomic_add_fetch(&opens, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int device_close(void *device, struct xmem_open_file *file)
{
    (void)device;
    (void)file;
    __atomic_add_fetch(&closes, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int device_write(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    unsigned char byte;
    size_t done = 0;
    (void)device;
    (void)file;
    int error = xmem_copy_in(NULL, transfer->ranges[0].address, &byte, 1, &done);
    transfer->done = error ? 0 : transfer->length;
    return error;
}

static int device_read(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    (void)device;
    (void)file;
    transfer->done = 0;
    return 0;
}

static const char path[] = "/dev/xmem-test-fault";

void trapped_prepare(struct stage *stage)
{
    static const struct xmem_device_operations operations = {.size = sizeof(operations),
                                                             .open = device_open,
                                                             .close = device_close,
                                                             .read = device_read,
                                                             .write = device_write};
    struct xmem_device device = {
        .size = sizeof(device), .path = path, .mode = S_IFCHR | 0666, .operations = &operations};
    (void)stage;
    MUST(xmem_device_add(&device));
}

static int run(int *status)
{
    static const char script[] = "echo x >/dev/xmem-test-fault; (cat </dev/xmem-test-fault); :";
    const char *arguments[] = {"sh", "-c", script, NULL};
    struct xmem_program program = {.size = sizeof(program),
                                   .path = "/bin/sh",
                                   .arguments = (char *const *)(uintptr_t)arguments};
    return xmem_run(&program, status);
}

void trapped_body(struct stage *stage)
{
    int status = 0;
    (void)stage;
    ALLOW(run(&status), ENOSYS, ENOMEM, EAGAIN, EMFILE, ENOSPC, EINVAL, EBUSY, ENOENT, EPERM);
    EXPECT(opens == closes);
}

/* The next one works. */
void trapped_cleanup(struct stage *stage)
{
    int status = 1;
    uint32_t before = opens;
    (void)stage;
    int error = run(&status);
    if (error != ENOSYS && error != EBUSY) { /* a sandbox forbids it */
        MUST(error);
        EXPECT(status == 0 && opens == before + 2);
    }
    EXPECT(opens == closes);
    MUST(xmem_device_remove(path));
}
