/* SPDX-License-Identifier: MIT */
/*
 * Imported memory, which can be truncated at any time (a memfd without seals): the services against
 * themselves on resident memory; and once it was truncated, against a bare recovery from the fault.
 */
#include "bare_fault.h"
#include "places.h"

#include <string.h>
#include <sys/errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMPORTED_AT 16u /* region */

/* Maps a memfd of at least size bytes into the process; the descriptor, or -1. */
static int import_memory(struct xmem_process *process, size_t size)
{
    uint64_t length = (size + XMEM_PAGE_SIZE - 1) & ~(uint64_t)(XMEM_PAGE_SIZE - 1);
    int fd = memfd_create("xmem-bench-imported", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)length) == 0 &&
        xmem_process_map_fd(process, region_address(IMPORTED_AT), length, PROT_READ | PROT_WRITE,
                            fd, 0) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* `imported`: the same kernel memory as that of `resident`, and imported memory in its process. */
static int create(struct places *resident, struct places *imported, size_t size,
                  struct result *result)
{
    if (!places_create(resident, 1, size, 0)) {
        result->problem = xmem_last_failure()->words;
        return -1;
    }
    int fd = import_memory(resident->process, size);
    *imported = *resident;
    imported->place[0].user = region_address(IMPORTED_AT);
    imported->place[0].descriptor = &imported->descriptors[0];
    imported->descriptors[0].aspace_id = XMEM_INVAL;
    if (fd >= 0 && xmattach64(imported->place[0].user, (int)size, &imported->descriptors[0],
                              USER_ADSPACE) == XMEM_SUCC)
        return fd;
    result->problem = xmem_last_failure()->words;
    places_close(resident);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void destroy(struct places *resident, struct places *imported, int fd)
{
    xmdetach(&imported->descriptors[0]);
    places_close(resident);
    close(fd);
}

static void measure_imported(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    struct places resident;
    struct places imported;
    int fd = create(&resident, &imported, row->size, result);
    if (fd < 0)
        return;
    /* The file's pages are there before the first read looks for them. */
    services[COPYOUT64].run(&imported, 1);
    struct contender pair[2] = {{.run = service->run, .context = &imported},
                                {.run = service->run, .context = &resident}};
    measure_pair(pair, result);
    result->problem = places_verdict(&imported);
    destroy(&resident, &imported, fd);
}

static void measure_truncated(const struct row *row, struct result *result)
{
    const struct service *service = &services[row->which];
    struct places resident;
    struct places imported;
    int fd = create(&resident, &imported, row->size, result);
    if (fd < 0)
        return;
    if (ftruncate(fd, 0) != 0 || !bare_fault_create()) {
        result->problem = "no memfd to be truncated";
    } else {
        imported.expected = service->by_descriptor ? XMEM_FAIL : EIO;
        struct contender pair[2] = {
            {.run = service->run, .context = &imported},
            {.run = run_bare_faults, .before = bare_fault_begin, .after = bare_fault_end}};
        measure_pair(pair, result);
        result->problem = places_verdict(&imported);
        bare_fault_destroy();
    }
    destroy(&resident, &imported, fd);
}

#define IMPORTED(size)                                                                             \
    FOUR_SERVICES(", imported", size, "the same, resident", AT_MOST_TIMES, 1.1, HINT_NONE,         \
                  measure_imported, 0)

static const struct row rows[] = {
    IMPORTED(8),
    IMPORTED(65536),
    FOUR_SERVICES(", truncated file", 8, "bare SIGBUS recovery", AT_MOST_TIMES, 1.2, HINT_FAULT,
                  measure_truncated, 0),
};

const struct family imported_family = {"imported memory", rows, ROW_COUNT(rows), NULL};
