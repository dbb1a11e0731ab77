/* SPDX-License-Identifier: MIT */
/* Attached buffers; see buffer.h. */
#include "buffer.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

static size_t whole_pages(size_t length)
{
    return (length + XMEM_PAGE_SIZE - 1) & ~(size_t)(XMEM_PAGE_SIZE - 1);
}

static struct buffer empty_buffer(size_t length)
{
    /* AIX asks only for this member to be set before an attach. */
    return (struct buffer){.length = length, .descriptor = {.aspace_id = XMEM_INVAL}};
}

/* A place for the buffer with a region boundary in its middle. */
static uint64_t place_across_regions(size_t length)
{
    return 2 * XMEM_REGION_SIZE - whole_pages(length / 2);
}

/* A memfd that may not shrink, on the kernel's own tmpfs, cannot fail us later. */
static bool file_is_steady(int file)
{
    struct statfs storage;
    int seals = fcntl(file, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstatfs(file, &storage) == 0 &&
           storage.f_type == TMPFS_MAGIC;
}

int buffer_open(struct buffer *buffer, pid_t pid, uint64_t address, size_t length)
{
    *buffer = empty_buffer(length);
    buffer->address = address;
    return xmem_process_open(pid, &buffer->process);
}

int buffer_import(struct buffer *buffer, int file, size_t length)
{
    *buffer = empty_buffer(length);
    buffer->address = place_across_regions(length);
    buffer->steady = file_is_steady(file);
    int error = xmem_process_create(64, &buffer->process);
    if (error)
        return error;
    return xmem_process_map_fd(buffer->process, buffer->address, whole_pages(length),
                               PROT_READ | PROT_WRITE, file, 0);
}

int buffer_create(struct buffer *buffer, size_t length)
{
    *buffer = empty_buffer(length);
    buffer->address = XMEM_REGION_SIZE;
    buffer->steady = true;
    int error = xmem_process_create(64, &buffer->process);
    if (error)
        return error;
    return xmem_process_map(buffer->process, buffer->address, whole_pages(length),
                            PROT_READ | PROT_WRITE);
}

int buffer_attach(struct buffer *buffer)
{
    xmem_enter(buffer->process);
    int result =
        xmattach64(buffer->address, (int)buffer->length, &buffer->descriptor, USER_ADSPACE);
    xmem_leave();
    return result;
}

int buffer_close(struct buffer *buffer)
{
    int error = 0;
    if (buffer->descriptor.aspace_id != XMEM_INVAL)
        error = xmdetach(&buffer->descriptor);
    if (buffer->process && xmem_process_close(buffer->process) != 0)
        error = XMEM_FAIL;
    buffer->process = NULL;
    return error;
}
