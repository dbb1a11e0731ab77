/* SPDX-License-Identifier: MIT */
/*
 * Beginning and ending a program, and looking at all of its memory.
 *
 * Memory is looked at by a way that passes none of the copies: the segments' direct mappings, and
 * for files a mapping of the test's own.
 */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Far from where Linux puts mappings, so that what is unmapped there stays so; the fourth page
 * begins a region. */
#define KERNEL_MEMORY (UINT64_C(0x110010000000) - 3 * PAGE)
#define KERNEL_PAGES 12u
/* The thread sanitizer has other plans for these addresses. */
#if defined(__SANITIZE_THREAD__)
#define LAID_OUT_OTHERWISE true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LAID_OUT_OTHERWISE true
#endif
#endif
#ifndef LAID_OUT_OTHERWISE
#define LAID_OUT_OTHERWISE false
#endif

bool wrong(struct world *world, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->words, sizeof(world->words), format, arguments);
    va_end(arguments);
    return false;
}

static void quiet(const char *words)
{
    (void)words;
}

/* ---- files ---- */

static unsigned char *file_view(const struct model_file *file)
{
    void *view =
        mmap(NULL, FILE_PAGES_MOST * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file->truncator, 0);
    if (view == MAP_FAILED)
        abort();
    return view;
}

static void file_open(struct model_file *file, unsigned slot)
{
    file->truncator = memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    file->pages = 6 + 4 * slot;
    file->bytes = calloc(FILE_PAGES_MOST, PAGE);
    file->can_write = slot != 1;
    file->sealed = slot == 2;
    if (file->truncator < 0 || !file->bytes ||
        ftruncate(file->truncator, (off_t)(file->pages * PAGE)) != 0)
        abort();
    for (size_t byte = 0; byte < file->pages * PAGE; byte++)
        file->bytes[byte] = (unsigned char)(byte * 7 + byte / PAGE + slot * 50);
    if (pwrite(file->truncator, file->bytes, file->pages * PAGE, 0) !=
        (ssize_t)(file->pages * PAGE))
        abort();
    if (file->sealed)
        fcntl(file->truncator, F_ADD_SEALS, F_SEAL_SHRINK);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file->truncator);
    file->descriptor = open(path, (file->can_write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (file->descriptor < 0)
        abort();
}

static bool file_look(struct world *world, const struct model_file *file)
{
    unsigned char *view = file_view(file);
    bool same = memcmp(view, file->bytes, file->pages * PAGE) == 0;
    munmap(view, FILE_PAGES_MOST * PAGE);
    return same || wrong(world, "a file differs from the model's");
}

static void file_close(struct model_file *file)
{
    close(file->descriptor);
    close(file->truncator);
    free(file->bytes);
}

/* ---- the kernel's own memory ---- */

static void kernel_page(struct model_process *kernel, unsigned page, int prot)
{
    kernel->kernel_memory[page].mapped = true;
    kernel->kernel_memory[page].authority = (uint8_t)prot;
    mprotect((void *)(uintptr_t)(KERNEL_MEMORY + page * PAGE), PAGE, prot);
}

/* Two ordinary regions' ends, two read-only pages, a hole, and one that nobody may touch. */
static void kernel_open(struct world *world)
{
    if (LAID_OUT_OTHERWISE)
        return;
    void *start =
        mmap((void *)(uintptr_t)KERNEL_MEMORY, KERNEL_PAGES * PAGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (start == MAP_FAILED)
        return; /* a program whose address space is laid out otherwise: not tested there */
    world->kernel_memory = start;
    struct model_process *kernel = model_kernel_new(world->model, KERNEL_MEMORY, KERNEL_PAGES);
    kernel->library = xmem_process_kernel();
    for (unsigned page = 0; page < KERNEL_PAGES; page++)
        kernel_page(kernel, page, page == 4 || page == 5 ? PROT_READ : PROT_READ | PROT_WRITE);
    kernel_page(kernel, 7, PROT_NONE);
    kernel->kernel_memory[6].mapped = false;
    munmap((void *)(uintptr_t)(KERNEL_MEMORY + 6 * PAGE), PAGE);
}

static bool kernel_look(struct world *world)
{
    struct model_process *kernel = world->model->kernel;
    for (unsigned page = 0; kernel && page < KERNEL_PAGES; page++) {
        struct model_page *memory = &kernel->kernel_memory[page];
        if (memory->mapped && (memory->authority & PROT_READ) &&
            memcmp(world->kernel_memory + page * PAGE, model_page_bytes(memory), PAGE) != 0)
            return wrong(world, "page %u of the kernel's own memory differs", page);
    }
    return true;
}

/* ---- looking ---- */

static bool segment_look(struct world *world, struct model_segment *segment,
                         const unsigned char *direct, uint64_t first, uint64_t length,
                         const char *what)
{
    static const unsigned char zeros[PAGE];
    bool few = segment->mapped <= 64;
    size_t end = (size_t)((first + length + PAGE - 1) / PAGE);
    for (size_t page = model_next_page(segment, (size_t)(first / PAGE)); page < end;
         page = model_next_page(segment, page + 1)) {
        struct model_page *memory = &segment->pages[page];
        if (!memory->mapped || !model_page_present(memory) ||
            (!few && !memory->bytes && !memory->file))
            continue;
        const unsigned char *bytes =
            memory->bytes || memory->file ? model_page_bytes(memory) : zeros;
        uint64_t from = page * PAGE < first ? first : page * PAGE;
        uint64_t to = (page + 1) * PAGE < first + length ? (page + 1) * PAGE : first + length;
        for (uint64_t at = from; at < to; at++)
            if (direct[at - first] != bytes[at % PAGE])
                return wrong(world, "%s: byte 0x%llx of the segment is 0x%02x, not 0x%02x", what,
                             (unsigned long long)at, direct[at - first], bytes[at % PAGE]);
    }
    return true;
}

static bool handle_look(struct world *world, struct model_segment *segment, xmem_handle_t handle,
                        const char *what)
{
    void *direct;
    int error = xmem_handle_map(handle, &direct);
    if (error)
        return wrong(world, "%s: xmem_handle_map returned %d: %s", what, error,
                     xmem_last_failure()->words);
    bool same = segment_look(world, segment, direct, 0, REGION, what);
    error = xmem_map_out(direct);
    return same && (error == 0 || wrong(world, "%s: xmem_map_out returned %d", what, error));
}

static bool process_look(struct world *world, struct model_process *process)
{
    for (unsigned at = 0; at < REGIONS_MOST; at++) {
        struct model_region *region = &process->regions[at];
        if (!region->segment || region->segment->deleted || region->segment->mapped == 0)
            continue;
        size_t page = model_next_page(region->segment, 0);
        while (!region->segment->pages[page].mapped)
            page = model_next_page(region->segment, page + 1);
        uint64_t address = region->number * REGION + page * PAGE;
        xmem_handle_t handle;
        char what[64];
        snprintf(what, sizeof(what), "region 0x%llx", (unsigned long long)region->number);
        int error = xmem_region_handle(process->library, address, 0, &handle);
        if (error)
            return wrong(world, "%s: xmem_region_handle returned %d", what, error);
        if (!handle_look(world, region->segment, handle, what))
            return false;
    }
    return true;
}

static bool map_ins_look(struct world *world)
{
    for (unsigned slot = 0; slot < MAP_IN_SLOTS; slot++) {
        struct model_map_in *map_in = &world->model->map_ins[slot];
        if (map_in->live && map_in->segment &&
            !segment_look(world, map_in->segment, map_in->library, map_in->offset, map_in->length,
                          "mapped in"))
            return false;
    }
    return true;
}

static bool statistics_look(struct world *world)
{
    const struct model *model = world->model;
    uint64_t processes = 0;
    uint64_t map_ins = 0;
    uint64_t holds = 0;
    uint64_t attached = 0;
    for (unsigned slot = 0; slot < PROCESS_SLOTS; slot++)
        processes += model->processes[slot] != NULL;
    for (unsigned slot = 0; slot < MAP_IN_SLOTS; slot++)
        map_ins += model->map_ins[slot].live;
    for (unsigned slot = 0; slot < HOLD_SLOTS; slot++)
        holds += model->holds[slot].live;
    for (const struct model_attach *attach = model->attaches; attach; attach = attach->next)
        attached += !attach->detached;
    struct xmem_statistics seen = {.size = sizeof(seen)};
    int error = xmem_get_statistics(&seen);
    if (error)
        return wrong(world, "xmem_get_statistics returned %d", error);
    if (seen.processes != processes || seen.mapped_in != map_ins || seen.holds != holds)
        return wrong(world,
                     "statistics: %llu processes, %llu mapped in, %llu holds instead of "
                     "%llu, %llu, %llu",
                     (unsigned long long)seen.processes, (unsigned long long)seen.mapped_in,
                     (unsigned long long)seen.holds, (unsigned long long)processes,
                     (unsigned long long)map_ins, (unsigned long long)holds);
    /* A detach at interrupt level is finished by the reaper. */
    for (unsigned wait = 0; seen.descriptors != attached && wait < 200; wait++) {
        usleep(1000);
        xmem_get_statistics(&seen);
    }
    if (seen.descriptors != attached)
        return wrong(world, "statistics: %llu descriptors instead of %llu",
                     (unsigned long long)seen.descriptors, (unsigned long long)attached);
    return true;
}

bool world_look(struct world *world)
{
    struct model *model = world->model;
    for (unsigned slot = 0; slot < PROCESS_SLOTS; slot++)
        if (model->processes[slot] && !process_look(world, model->processes[slot]))
            return false;
    for (unsigned slot = 0; slot < SEGMENT_SLOTS; slot++) {
        struct model_segment *segment = model->shared[slot].segment;
        if (segment && !segment->deleted &&
            !handle_look(world, segment, xmem_handle(segment->library, XMEM_KEY_ALL), "shared"))
            return false;
    }
    for (unsigned slot = 0; slot < FILE_SLOTS; slot++)
        if (!file_look(world, &model->files[slot]))
            return false;
    return map_ins_look(world) && kernel_look(world) && statistics_look(world);
}

/* ---- beginning and end ---- */

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

bool world_open(struct world *world)
{
    *world = (struct world){.lie_at = -1, .descriptors_before = open_descriptors()};
    world->buffer = malloc(BUFFER_SIZE + PAGE);
    world->expected = malloc(BUFFER_SIZE + PAGE);
    world->model = model_new();
    if (!world->buffer || !world->expected)
        abort();
    for (unsigned slot = 0; slot < DESCRIPTOR_SLOTS; slot++)
        world->model->descriptors[slot].library.kind = XMEM_DESCRIPTOR_INVALID;
    struct xmem_config config = {.size = sizeof(config), .message = quiet};
    int error = xmem_start(&config);
    if (error)
        return wrong(world, "xmem_start returned %d: %s", error, xmem_last_failure()->words);
    for (unsigned slot = 0; slot < FILE_SLOTS; slot++)
        file_open(&world->model->files[slot], slot);
    kernel_open(world);
    return true;
}

static bool must_succeed(struct world *world, int error, const char *what)
{
    return error == 0 ||
           wrong(world, "at the end: %s returned %d: %s", what, error, xmem_last_failure()->words);
}

static bool release_map_ins(struct world *world)
{
    for (unsigned slot = 0; slot < MAP_IN_SLOTS; slot++) {
        struct model_map_in *map_in = &world->model->map_ins[slot];
        if (map_in->live && !must_succeed(world, xmem_map_out(map_in->library), "xmem_map_out"))
            return false;
        map_in->live = false;
    }
    return true;
}

static bool release_descriptors(struct world *world)
{
    for (unsigned slot = 0; slot < DESCRIPTOR_SLOTS; slot++) {
        struct model_descriptor *descriptor = &world->model->descriptors[slot];
        if (!model_descriptor_valid(descriptor))
            continue;
        if (!must_succeed(world, xmem_detach(&descriptor->library), "xmem_detach"))
            return false;
        descriptor->attach->detached = true;
    }
    return true;
}

static bool release_holds(struct world *world)
{
    for (unsigned slot = 0; slot < HOLD_SLOTS; slot++) {
        struct model_hold *hold = &world->model->holds[slot];
        if (hold->live && !must_succeed(world, xmem_region_release(hold->address, hold->library),
                                        "xmem_region_release"))
            return false;
        hold->live = false;
    }
    return true;
}

static bool release_segments(struct world *world)
{
    for (unsigned slot = 0; slot < SEGMENT_SLOTS; slot++) {
        struct model_segment *segment = world->model->shared[slot].segment;
        if (segment && !segment->deleted && !segment->doomed &&
            !must_succeed(world, xmem_segment_delete(segment->library), "xmem_segment_delete"))
            return false;
    }
    return true;
}

static bool release_processes(struct world *world)
{
    for (unsigned slot = 0; slot < PROCESS_SLOTS; slot++) {
        struct model_process *process = world->model->processes[slot];
        if (process &&
            !must_succeed(world, xmem_process_close(process->library), "xmem_process_close"))
            return false;
        world->model->processes[slot] = NULL;
    }
    return true;
}

static bool nothing_left(struct world *world)
{
    struct xmem_statistics seen = {.size = sizeof(seen)};
    for (unsigned wait = 0; wait < 200; wait++) {
        int error = xmem_get_statistics(&seen);
        if (error)
            return must_succeed(world, error, "xmem_get_statistics");
        if (!seen.processes && !seen.segments && !seen.descriptors && !seen.mapped_in &&
            !seen.holds && !seen.mapped_bytes)
            return true;
        usleep(1000);
    }
    return wrong(world,
                 "left at the end: %llu processes, %llu segments, %llu descriptors, %llu mapped "
                 "in, %llu holds, %lld bytes",
                 (unsigned long long)seen.processes, (unsigned long long)seen.segments,
                 (unsigned long long)seen.descriptors, (unsigned long long)seen.mapped_in,
                 (unsigned long long)seen.holds, (long long)seen.mapped_bytes);
}

static bool release_all(struct world *world)
{
    for (; world->model->nested; world->model->nested--)
        xmem_leave();
    /* In either order; which one is as random as the program. */
    bool processes_first = world->steps_done % 2 == 0;
    if (processes_first && !release_processes(world))
        return false;
    return release_map_ins(world) && release_descriptors(world) && release_holds(world) &&
           release_segments(world) && release_processes(world) && nothing_left(world) &&
           must_succeed(world, xmem_stop(), "xmem_stop");
}

bool world_close(struct world *world)
{
    bool clean = world_look(world) && release_all(world);
    if (world->kernel_memory)
        munmap(world->kernel_memory, KERNEL_PAGES * PAGE);
    for (unsigned slot = 0; slot < FILE_SLOTS; slot++)
        file_close(&world->model->files[slot]);
    model_free(world->model);
    free(world->buffer);
    free(world->expected);
    int more = open_descriptors() - world->descriptors_before;
    return clean && (more == 0 || wrong(world, "%d file descriptors were left open", more));
}
