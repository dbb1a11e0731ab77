/* SPDX-License-Identifier: MIT */
/*
 * A disk's life.
 *
 * What is used at interrupt level (the structure itself, the timer) comes from the pinned heap; the
 * disk's contents, which only the worker touches, do not have to.
 */
#include "disk.h"

#include <limits.h>
#include <sys/lock_alloc.h>
#include <sys/malloc.h>
#include <sys/sleep.h>

#define PAGE_ALIGNED 12 /* xmalloc counts in powers of two */
#define WORD_ALIGNED 3
#define ANY_OF_CLASS (-1)

static int start_worker(struct disk *disk)
{
    static char name[] = "ramdisk";
    pid_t worker = creatp();
    if (worker == -1)
        return EAGAIN;
    return initp(worker, rd_worker, &disk, sizeof disk, name);
}

static void end_worker(struct disk *disk)
{
    int priority = disable_lock(INTIODONE, &disk->lock);
    disk->ending = true;
    e_wakeup(&disk->work);
    while (!disk->ended)
        e_sleep_thread(&disk->end, &disk->lock, LOCK_HANDLER);
    unlock_enable(priority, &disk->lock);
}

/* As far as it has come. */
static void free_disk(struct disk *disk)
{
    if (disk->timer)
        tfree(disk->timer);
    if (disk->data)
        xmfree(disk->data, kernel_heap);
    lock_free(&disk->lock);
    xmfree((caddr_t)disk, pinned_heap);
}

int rd_disk_create(const struct rd_configuration *configuration, struct disk **diskp)
{
    uint64_t size = configuration->size;
    if (size == 0 || size % RD_BLOCK != 0 || size > INT_MAX)
        return EINVAL;
    struct disk *disk = (struct disk *)xmalloc(sizeof *disk, WORD_ALIGNED, pinned_heap);
    if (!disk)
        return ENOMEM;
    *disk = (struct disk){.size = (offset_t)size,
                          .exclusive = configuration->flags & RD_EXCLUSIVE,
                          .work = EVENT_NULL,
                          .end = EVENT_NULL};
    lock_alloc(&disk->lock, LOCK_ALLOC_PIN, 0, ANY_OF_CLASS);
    simple_lock_init(&disk->lock);
    disk->data = xmalloc((int)size, PAGE_ALIGNED, kernel_heap);
    disk->timer = talloc();
    int error = disk->data && disk->timer ? start_worker(disk) : ENOMEM;
    if (error) {
        free_disk(disk);
        return error;
    }
    *diskp = disk;
    return 0;
}

void rd_disk_destroy(struct disk *disk)
{
    end_worker(disk);
    free_disk(disk);
}
