/* SPDX-License-Identifier: MIT */
/*
 * Memory of the kernel program itself, in whole pages.
 */
#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "xmem/kernel.h"

#include <errno.h>

static size_t whole_pages(size_t length)
{
    return (length + XMEM_PAGE_SIZE - 1) & ~(size_t)(XMEM_PAGE_SIZE - 1);
}

static int create(const char *operation, size_t length, unsigned flags, void **memory)
{
    void *made;
    int error = host_table_create(length, &made);
    if (error)
        return fail_no_memory(operation);
    if (flags & XMEM_MEMORY_PINNED)
        error = host_lock_memory(made, length);
    if (error && settings.lock_memory) {
        host_unreserve(made, length);
        return fail(operation, outcome_failure(XMEM_FAILURE_PERMISSION, error,
                                               "the Linux kernel refused to lock it, and "
                                               "lock_memory is set; raise RLIMIT_MEMLOCK"));
    }
    *memory = made;
    return 0;
}

EXPORT int xmem_memory_create(size_t length, unsigned flags, void **memory)
{
    static const char operation[] = "xmem_memory_create";
    int error = making_begin(operation);
    if (error)
        return error;
    size_t pages = whole_pages(length);
    if (!memory || !length || pages < length || flags & ~XMEM_MEMORY_PINNED)
        error = fail_argument(operation, "length must not be 0, flags be 0 or XMEM_MEMORY_PINNED, "
                                         "and there must be a place for the result");
    else
        error = create(operation, pages, flags, memory);
    making_end();
    return error;
}

EXPORT int xmem_memory_delete(void *memory, size_t length)
{
    int error = thread_process_only("xmem_memory_delete");
    if (!error)
        host_unreserve(memory, whole_pages(length));
    return error;
}
