/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about struct uio, uiomove, ureadc and uwritec.
 *
 * The kind of memory decides uio_segflg: user kinds run as UIO_USERSPACE and as UIO_XMEM, kernel
 * memory as UIO_SYSSPACE and as UIO_XMEM.
 */
#include <limits.h>
#include <string.h>

#include "services.h"

#define PAGES 4
#define AREAS 3

/* A uio over three areas of a memory, the middle one of length 0. */
struct transfer {
    struct memory *memory;
    struct iovec areas[AREAS];
    struct xmem descriptors[AREAS];
    struct uio uio;
    int cross;
};

static uint64_t area_address(const struct memory *memory, size_t index)
{
    return memory_base(memory) + index * 2 * 1000 + 7;
}

static const size_t area_lengths[AREAS] = {1000, 0, 500};
#define TOTAL 1500

static void describe(struct transfer *transfer)
{
    memset(&transfer->uio, 0, sizeof transfer->uio);
    for (size_t index = 0; index < AREAS; index++) {
        transfer->areas[index].iov_base = ADDRESS(area_address(transfer->memory, index));
        transfer->areas[index].iov_len = area_lengths[index];
    }
    transfer->uio.uio_iov = transfer->areas;
    transfer->uio.uio_xmem = transfer->cross ? transfer->descriptors : NULL;
    transfer->uio.uio_iovcnt = AREAS;
    transfer->uio.uio_resid = TOTAL;
    transfer->uio.uio_offset = 5000000000LL;
    transfer->uio.uio_segflg = transfer->cross                                ? UIO_XMEM
                               : memory_kind(transfer->memory) == KIND_KERNEL ? UIO_SYSSPACE
                                                                              : UIO_USERSPACE;
}

static void begin(struct transfer *transfer, enum kind kind, int cross)
{
    memset(transfer, 0, sizeof *transfer);
    transfer->memory = memory_open(kind, PAGES);
    transfer->cross = cross;
    for (size_t index = 0; cross && index < AREAS; index++)
        must_attach(transfer->memory, area_address(transfer->memory, index), 1000,
                    &transfer->descriptors[index]);
    describe(transfer);
    if (kind != KIND_KERNEL && !cross)
        xmem_enter(memory_process(transfer->memory));
}

static void end(struct transfer *transfer)
{
    if (memory_kind(transfer->memory) != KIND_KERNEL && !transfer->cross)
        xmem_leave();
    for (size_t index = 0; transfer->cross && index < AREAS; index++)
        must_detach(&transfer->descriptors[index]);
    memory_close(transfer->memory);
}

/* Loads what the areas hold, one behind the other. */
static void load_areas(const struct transfer *transfer, unsigned char *bytes)
{
    owner_load(transfer->memory, area_address(transfer->memory, 0), bytes, 1000);
    owner_load(transfer->memory, area_address(transfer->memory, 2), bytes + 1000, 500);
}

static void progress(const struct transfer *transfer, long done)
{
    const struct uio *uio = &transfer->uio;
    assert_int_equal(uio->uio_resid, TOTAL - done);
    assert_int_equal(uio->uio_offset, 5000000000LL + done);
    assert_int_equal(uio->uio_iovcnt + uio->uio_iovdcnt, AREAS);
    if (uio->uio_resid == 0)
        return;
    assert_ptr_equal(uio->uio_iov, transfer->areas + uio->uio_iovdcnt);
    if (transfer->cross)
        assert_ptr_equal(uio->uio_xmem, transfer->descriptors + uio->uio_iovdcnt);
    size_t left = 0;
    for (long index = 0; index < uio->uio_iovcnt; index++)
        left += uio->uio_iov[index].iov_len;
    assert_int_equal(left, TOTAL - done);
    if (uio->uio_iov->iov_len > 0 && done < 1000 && uio->uio_iovdcnt == 0)
        assert_ptr_equal(uio->uio_iov->iov_base,
                         ADDRESS(area_address(transfer->memory, 0) + (uint64_t)done));
}

static void reads_and_writes(enum kind kind, int cross)
{
    struct transfer transfer;
    unsigned char *kernel = guarded_new(TOTAL), seen[TOTAL];
    begin(&transfer, kind, cross);
    pattern_fill(kernel, TOTAL, 1);
    static const int steps[] = {1, 99, 900, 1, 0, 99, 400};
    int done = 0;
    for (size_t index = 0; index < sizeof steps / sizeof *steps; index++) {
        assert_int_equal(uiomove((caddr_t)kernel + done, steps[index], UIO_READ, &transfer.uio), 0);
        done += steps[index];
        progress(&transfer, done);
    }
    load_areas(&transfer, seen);
    assert_memory_equal(seen, kernel, TOTAL);

    describe(&transfer); /* the other direction, more than there is: it stops there */
    memset(kernel, 0, TOTAL);
    assert_int_equal(uiomove((caddr_t)kernel, TOTAL + 1000, UIO_WRITE, &transfer.uio), 0);
    progress(&transfer, TOTAL);
    assert_memory_equal(seen, kernel, TOTAL);
    end(&transfer);
    guarded_free(kernel);
    covers("uiomove.0", kind);
    covers("uiomove.fields", kind);
    covers("idiom.12", kind);
}

static void nothing_to_move(enum kind kind, int cross)
{
    struct transfer transfer;
    unsigned char byte = 9;
    begin(&transfer, kind, cross);
    assert_int_equal(uiomove((caddr_t)&byte, 0, UIO_READ, &transfer.uio), 0);
    progress(&transfer, 0);
    assert_int_equal(uiomove((caddr_t)&byte, -1, UIO_READ, &transfer.uio), EFAULT);
    assert_int_equal(uiomove((caddr_t)&byte, INT_MIN, UIO_WRITE, &transfer.uio), EFAULT);
    progress(&transfer, 0);
    transfer.uio.uio_resid = 0;
    int result = uiomove((caddr_t)&byte, 1, UIO_READ, &transfer.uio);
    assert_true(result == 0 || result == ENOMEM);
    assert_int_equal(ureadc('a', &transfer.uio), ENOMEM);
    assert_int_equal(uwritec(&transfer.uio), -1);
    describe(&transfer);
    transfer.uio.uio_iovcnt = 0;
    assert_int_equal(uiomove((caddr_t)&byte, 1, UIO_READ, &transfer.uio), ENOMEM);
    assert_int_equal(ureadc('a', &transfer.uio), ENOMEM);
    assert_int_equal(uwritec(&transfer.uio), -1);
    transfer.uio.uio_iovcnt = -1;
    assert_int_equal(uiomove((caddr_t)&byte, 1, UIO_READ, &transfer.uio), ENOMEM);
    end(&transfer);
    covers("uiomove.ENOMEM", kind);
    covers("ureadc.ENOMEM", kind);
    covers("uwritec.-1.empty", kind);
}

static void characters(enum kind kind, int cross)
{
    struct transfer transfer;
    unsigned char seen[TOTAL];
    begin(&transfer, kind, cross);
    for (int index = 0; index < TOTAL; index++) {
        assert_int_equal(ureadc(0xABC00 + index, &transfer.uio), 0); /* the low 8 bits count */
        progress(&transfer, index + 1);
    }
    assert_int_equal(ureadc('a', &transfer.uio), ENOMEM);
    load_areas(&transfer, seen);
    for (int index = 0; index < TOTAL; index++)
        assert_int_equal(seen[index], index & 0xFF);
    describe(&transfer);
    for (int index = 0; index < TOTAL; index++) {
        assert_int_equal(uwritec(&transfer.uio), index & 0xFF);
        progress(&transfer, index + 1);
    }
    assert_int_equal(uwritec(&transfer.uio), -1);
    end(&transfer);
    covers("ureadc.0", kind);
    covers("uwritec.0", kind);
}

static void bad_locations(enum kind kind, int cross)
{
    struct transfer transfer;
    unsigned char *kernel = guarded_new(TOTAL);
    begin(&transfer, kind, cross);
    unsigned char *before = snapshot(transfer.memory);
    transfer.areas[0].iov_base = ADDRESS(memory_base(transfer.memory) - PAGE);
    assert_int_equal(uiomove((caddr_t)kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    assert_int_equal(uiomove((caddr_t)kernel, TOTAL, UIO_WRITE, &transfer.uio), EFAULT);
    assert_int_equal(ureadc('a', &transfer.uio), EFAULT);
    assert_int_equal(uwritec(&transfer.uio), -1);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    unchanged(transfer.memory, before);

    describe(&transfer); /* partial progress shows in uio_resid, even on an error */
    transfer.areas[2].iov_base = ADDRESS(UINT64_MAX - 2);
    assert_int_equal(uiomove((caddr_t)kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    assert_int_equal(transfer.uio.uio_resid, 500);
    end(&transfer);
    guarded_free(kernel);
    covers("uiomove.EFAULT", kind);
    covers("ureadc.EFAULT", kind);
    covers("uwritec.-1.location", kind);
}

static void no_authority(enum kind kind, int cross)
{
    struct transfer transfer;
    char *kernel = (char *)guarded_new(TOTAL);
    begin(&transfer, kind, cross);
    memory_protect(transfer.memory, memory_base(transfer.memory), PAGES * PAGE, PROT_READ);
    assert_int_equal(uiomove(kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    assert_int_equal(ureadc('a', &transfer.uio), EFAULT);
    progress(&transfer, 0);
    assert_int_equal(uiomove(kernel, 10, UIO_WRITE, &transfer.uio), 0);
    assert_int_equal(uwritec(&transfer.uio), 0);
    progress(&transfer, 11);
    memory_protect(transfer.memory, memory_base(transfer.memory), PAGES * PAGE, PROT_NONE);
    assert_int_equal(uiomove(kernel, 10, UIO_WRITE, &transfer.uio), EFAULT);
    assert_int_equal(uwritec(&transfer.uio), -1);
    progress(&transfer, 11);
    end(&transfer);
    guarded_free((unsigned char *)kernel);
    covers("uiomove.EFAULT", kind);
    covers("ureadc.EFAULT", kind);
}

static void storage_fails(enum kind kind, int cross)
{
    struct transfer transfer;
    char *kernel = (char *)guarded_new(TOTAL);
    begin(&transfer, kind, cross);
    memory_truncate(transfer.memory, 0);
    int error = uiomove(kernel, TOTAL, UIO_READ, &transfer.uio);
    if (kind == KIND_OPENED)
        not_applicable("uiomove.EIO", kind,
                       "Linux tells a failed page of another process from a "
                       "bad address only to that process");
    else if (kind == KIND_KERNEL)
        not_applicable("uiomove.EIO", kind,
                       "a fault in the kernel's own memory is EFAULT, for "
                       "whatever reason it happens");
    else if (!cross)
        covers("uiomove.EIO", kind);
    if (kind == KIND_OPENED)
        assert_int_equal(error, EFAULT);
    else
        assert_true(error == EIO || ((cross || kind == KIND_KERNEL) && error == EFAULT));
    assert_int_equal(ureadc('a', &transfer.uio), EFAULT); /* also an I/O error */
    assert_int_equal(uwritec(&transfer.uio), -1);
    progress(&transfer, 0);
    end(&transfer);
    guarded_free((unsigned char *)kernel);
    covers("ureadc.EFAULT", kind);
}

struct interrupted {
    struct transfer *transfer;
    int move, read, write;
};

static void call_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    char byte = 1;
    call->move = uiomove(&byte, 1, UIO_READ, &call->transfer->uio);
    call->read = ureadc(1, &call->transfer->uio);
    call->write = uwritec(&call->transfer->uio);
}

static void process_environment_only(enum kind kind, int cross)
{
    struct transfer transfer;
    begin(&transfer, kind, cross);
    unsigned char *before = snapshot(transfer.memory);
    struct interrupted call = {&transfer, 99, 99, 99};
    at_interrupt(call_at_interrupt, &call);
    assert_int_equal(call.move, EFAULT);
    assert_int_equal(call.read, EFAULT);
    assert_int_equal(call.write, -1);
    progress(&transfer, 0);
    unchanged(transfer.memory, before);
    end(&transfer);
    covers("uiomove.process-only", kind);
    covers("ureadc.process-only", kind);
    covers("uwritec.process-only", kind);
}

/* UIO_XMEM: each area needs its own valid descriptor. */
static void descriptors(enum kind kind)
{
    struct transfer transfer;
    char *kernel = (char *)guarded_new(TOTAL);
    begin(&transfer, kind, 1);
    struct xmem stale = transfer.descriptors[2];
    must_detach(&transfer.descriptors[2]);
    assert_int_equal(uiomove(kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    assert_int_equal(transfer.uio.uio_resid, 500);
    transfer.descriptors[2] = stale;
    assert_int_equal(uiomove(kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    describe(&transfer);
    transfer.uio.uio_xmem = NULL;
    assert_int_equal(uiomove(kernel, TOTAL, UIO_READ, &transfer.uio), EFAULT);
    must_attach(transfer.memory, area_address(transfer.memory, 2), 1000, &transfer.descriptors[2]);
    end(&transfer);
    guarded_free((unsigned char *)kernel);
    covers("uiomove.xmem", kind);
}

static void unknown_segflg(enum kind kind)
{
    struct transfer transfer;
    char byte = 0;
    begin(&transfer, kind, 0);
    transfer.uio.uio_segflg = 99;
    assert_int_equal(uiomove(&byte, 1, UIO_READ, &transfer.uio), EFAULT);
    progress(&transfer, 0);
    end(&transfer);
}

static void not_here(enum kind kind)
{
    static const char reason[] = "takes paging, which does not exist yet";
    not_applicable("uiomove.ENOSPC", kind, reason);
    if (KIND_BIT(kind) & EMBEDDED_KINDS)
        not_applicable("uiomove.EIO", kind, reason);
}

#define BOTH(body)                                                                                 \
    static void body##_direct(enum kind kind)                                                      \
    {                                                                                              \
        body(kind, 0);                                                                             \
    }                                                                                              \
    static void body##_cross(enum kind kind)                                                       \
    {                                                                                              \
        body(kind, 1);                                                                             \
    }

BOTH(reads_and_writes)
BOTH(nothing_to_move)
BOTH(characters)
BOTH(bad_locations)
BOTH(no_authority)
BOTH(storage_fails)
BOTH(process_environment_only)

#define EACH_BOTH(body, kinds) EACH(body##_direct, kinds), EACH(body##_cross, kinds)
#define FILE_KINDS (KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL))

int main(void)
{
    static const struct test_case cases[] = {
        EACH_BOTH(reads_and_writes, ALL_KINDS),
        EACH_BOTH(nothing_to_move, ALL_KINDS),
        EACH_BOTH(characters, ALL_KINDS),
        EACH(bad_locations_direct, USER_KINDS),
        EACH(bad_locations_cross, ALL_KINDS),
        EACH(no_authority_direct, USER_KINDS),
        EACH(no_authority_cross, ALL_KINDS),
        EACH(storage_fails_direct, KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED)),
        EACH(storage_fails_cross, FILE_KINDS),
        EACH_BOTH(process_environment_only, ALL_KINDS),
        EACH(descriptors, ALL_KINDS),
        EACH(unknown_segflg, USER_KINDS),
        EACH(not_here, ALL_KINDS),
    };
    return RUN_CASES("uio", cases);
}
