/* SPDX-License-Identifier: MIT */
/* The services under show; see services.h.  These are the calls that an AIX kernel extension
 * makes. */
#include "services.h"
#include "clock.h"

#include <string.h>
#include <sys/adspace.h>
#include <sys/errno.h>
#include <sys/uio.h>

typedef int one_call(struct buffer *buffer, uint64_t address, char *kernel, size_t n);

static void *pointer(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static int call_xmemin(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    return xmemin(pointer(address), kernel, (int)n, &buffer->descriptor);
}

static int call_xmemout(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    return xmemout(kernel, pointer(address), (int)n, &buffer->descriptor);
}

static int call_copyin64(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    (void)buffer;
    return copyin64(address, kernel, (int)n);
}

static int call_copyout64(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    (void)buffer;
    return copyout64(kernel, address, (int)n);
}

/* The documented loop: a buffer may span segments, and each is mapped in by itself. */
static int through_mapping(struct buffer *buffer, uint64_t address, char *kernel, size_t n,
                           bool load)
{
    for (size_t done = 0; done < n;) {
        size_t length;
        caddr_t mapped;
        int result = xm_maxmap(&buffer->descriptor, pointer(address + done), &length);
        if (result != XMEM_SUCC)
            return result;
        if (length > n - done)
            length = n - done;
        result = xm_mapin(&buffer->descriptor, pointer(address + done), length, &mapped);
        if (result != 0)
            return result;
        if (load)
            memcpy(kernel + done, mapped, length);
        else
            memcpy(mapped, kernel + done, length);
        xm_det(mapped, &buffer->descriptor);
        done += length;
    }
    return 0;
}

static int call_mapin_load(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    return through_mapping(buffer, address, kernel, n, true);
}

static int call_mapin_store(struct buffer *buffer, uint64_t address, char *kernel, size_t n)
{
    return through_mapping(buffer, address, kernel, n, false);
}

static const struct {
    const char *name;
    one_call *call;
    bool under_process;
} services[SERVICES] = {
    [SERVICE_XMEMIN] = {"xmemin", call_xmemin, false},
    [SERVICE_XMEMOUT] = {"xmemout", call_xmemout, false},
    [SERVICE_COPYIN64] = {"copyin64", call_copyin64, true},
    [SERVICE_COPYOUT64] = {"copyout64", call_copyout64, true},
    [SERVICE_MAPIN_LOAD] = {"xm_mapin, load", call_mapin_load, false},
    [SERVICE_MAPIN_STORE] = {"xm_mapin, store", call_mapin_store, false},
    [SERVICE_XMATTACH64] = {"xmattach64", NULL, true},
};

static struct tally tallies[SERVICES];

static void count(enum service service, uint64_t calls, uint64_t bytes, int result)
{
    struct tally *tally = &tallies[service];
    __atomic_add_fetch(&tally->calls, calls, __ATOMIC_RELAXED);
    __atomic_add_fetch(&tally->bytes, bytes, __ATOMIC_RELAXED);
    if (result != 0)
        __atomic_add_fetch(&tally->failures[last_class()], 1, __ATOMIC_RELAXED);
}

int service_run(enum service service, struct buffer *buffer, size_t offset, void *kernel, size_t n,
                unsigned runs, uint64_t *nanoseconds)
{
    one_call *call = services[service].call;
    uint64_t address = buffer->address + offset;
    unsigned calls = 0;
    int result = 0;
    if (services[service].under_process)
        xmem_enter(buffer->process);
    uint64_t start = nanoseconds_now();
    for (; calls < runs && result == 0; calls++)
        result = call(buffer, address + calls * n, (char *)kernel + calls * n, n);
    uint64_t time = nanoseconds_now() - start;
    if (services[service].under_process)
        xmem_leave();
    if (nanoseconds && calls)
        *nanoseconds = time / calls;
    count(service, calls, (result == 0 ? calls : calls - 1) * n, result);
    return result;
}

int service_attach(struct buffer *buffer)
{
    int result = buffer_attach(buffer);
    count(SERVICE_XMATTACH64, 1, 0, result);
    return result;
}

const char *service_name(enum service service)
{
    return services[service].name;
}

struct tally service_tally(enum service service)
{
    return tallies[service]; /* read when all threads have ended */
}

enum xmem_failure_class last_class(void)
{
    return xmem_last_failure()->failure_class;
}
