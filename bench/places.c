/* SPDX-License-Identifier: MIT */
/* Places to copy between; see places.h. */
#include "places.h"

#include <string.h>
#include <sys/errno.h>
#include <sys/adspace.h>
#include <sys/mman.h>

#define KERNEL_OFFSET 2112u

/* ---- loops ---- */

static void run_xmemin(void *context, unsigned long count)
{
    struct places *places = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        wrong |= places->expected ^ xmemin((void *)(uintptr_t)place->user, place->kernel,
                                           (int)places->size, place->descriptor);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void run_xmemout(void *context, unsigned long count)
{
    struct places *places = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        wrong |= places->expected ^ xmemout(place->kernel, (void *)(uintptr_t)place->user,
                                            (int)places->size, place->descriptor);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void run_copyin64(void *context, unsigned long count)
{
    struct places *places = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        wrong |= places->expected ^ copyin64(place->user, place->kernel, (int)places->size);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

static void run_copyout64(void *context, unsigned long count)
{
    struct places *places = context;
    int wrong = 0;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        wrong |= places->expected ^ copyout64(place->kernel, place->user, (int)places->size);
        OPAQUE_STEP();
    }
    places->wrong |= wrong;
}

/* The size is known at run time only, so that memcpy is called as a program calls it. */
static void run_memcpy_in(void *context, unsigned long count)
{
    struct places *places = context;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        memcpy(place->kernel, place->mapped, places->size);
        OPAQUE_STEP();
    }
}

static void run_memcpy_out(void *context, unsigned long count)
{
    struct places *places = context;
    for (unsigned long at = 0; at < count; at++) {
        const struct place *place = &places->place[at & places->mask];
        memcpy(place->mapped, place->kernel, places->size);
        OPAQUE_STEP();
    }
}

const struct service services[SERVICES] = {
    [XMEMIN] = {"xmemin", run_xmemin, run_memcpy_in, false, true},
    [XMEMOUT] = {"xmemout", run_xmemout, run_memcpy_out, true, true},
    [COPYIN64] = {"copyin64", run_copyin64, run_memcpy_in, false, false},
    [COPYOUT64] = {"copyout64", run_copyout64, run_memcpy_out, true, false},
};

/* ---- places ---- */

uint64_t region_address(unsigned at)
{
    return (at + 4) * XMEM_REGION_SIZE;
}

char *kernel_memory(size_t size)
{
    char *memory = mmap(NULL, size + 2 * (size_t)XMEM_PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    memset(memory, 'k', size + 2 * (size_t)XMEM_PAGE_SIZE);
    return memory + KERNEL_OFFSET;
}

void kernel_memory_free(char *memory, size_t size)
{
    if (memory)
        munmap(memory - KERNEL_OFFSET, size + 2 * (size_t)XMEM_PAGE_SIZE);
}

static bool create_place(struct places *places, unsigned at, uint64_t offset)
{
    struct place *place = &places->place[at];
    uint64_t start = region_address(at);
    uint64_t length =
        (offset + places->size + XMEM_PAGE_SIZE - 1) & ~(uint64_t)(XMEM_PAGE_SIZE - 1);
    caddr_t mapped;
    if (xmem_process_map(places->process, start, length, PROT_READ | PROT_WRITE) != 0)
        return false;
    place->user = start + offset;
    place->kernel = places->buffer + at * places->size;
    place->descriptor = &places->descriptors[at];
    if (xmattach64(place->user, (int)places->size, place->descriptor, USER_ADSPACE) != XMEM_SUCC)
        return false;
    if (xm_mapin(place->descriptor, (caddr_t)(uintptr_t)place->user, places->size, &mapped) != 0)
        return false;
    place->mapped = mapped;
    memset(mapped, 'u', places->size);
    return copyin64(place->user, place->kernel, (int)places->size) == 0;
}

static void forget_places(struct places *places, size_t size)
{
    memset(places, 0, sizeof(*places));
    places->size = size;
    for (unsigned at = 0; at < PLACES_MOST; at++)
        places->descriptors[at].aspace_id = XMEM_INVAL;
}

static bool make_buffer(struct places *places, size_t size)
{
    places->buffer_size = size;
    places->buffer = kernel_memory(size);
    return places->buffer != NULL;
}

bool places_create(struct places *places, unsigned count, size_t size, uint64_t offset)
{
    forget_places(places, size);
    places->mask = count - 1;
    bool created = xmem_process_create(64, &places->process) == 0;
    xmem_enter(places->process);
    created = created && make_buffer(places, count * size);
    for (unsigned at = 0; created && at < count; at++)
        created = create_place(places, at, offset);
    if (!created)
        places_close(places);
    return created;
}

bool places_over(struct places *places, struct xmem_process *process, uint64_t user, size_t size)
{
    forget_places(places, size);
    struct place *place = &places->place[0];
    xmem_enter(process);
    bool created = make_buffer(places, size) &&
                   xmattach64(user, (int)size, &places->descriptors[0], USER_ADSPACE) == XMEM_SUCC;
    place->user = user;
    place->kernel = places->buffer;
    place->descriptor = &places->descriptors[0];
    if (!created)
        places_close(places);
    return created;
}

void places_close(struct places *places)
{
    for (unsigned at = 0; at < PLACES_MOST; at++) {
        if (places->place[at].mapped)
            xm_det(places->place[at].mapped, &places->descriptors[at]);
        if (places->descriptors[at].aspace_id != XMEM_INVAL)
            xmdetach(&places->descriptors[at]);
    }
    xmem_leave();
    if (places->process)
        xmem_process_close(places->process);
    kernel_memory_free(places->buffer, places->buffer_size);
    memset(places, 0, sizeof(*places));
}

const char *places_verdict(const struct places *places)
{
    return places->wrong ? "a call did not return what it has to" : NULL;
}
