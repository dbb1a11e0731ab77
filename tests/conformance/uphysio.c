/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about uphysio and uphysio_fast, over every kind of memory: the disk of
 * ram_driver.c moves the data through the descriptors that the requests bring along.
 */
#include "ram_driver.h"

#include <stdlib.h>
#include <string.h>

#define PAGES 64
#define AREAS 3

/* A uio over areas of a memory. */
struct transfer {
    struct memory *memory;
    struct iovec areas[AREAS];
    struct xmem descriptors[AREAS];
    struct uio uio;
    int rw;
};

static uint64_t area_address(const struct memory *memory, size_t index)
{
    return memory_base(memory) + index * 16 * PAGE + 24;
}

/* Areas of these lengths at a byte of the device. */
static void describe(struct transfer *transfer, const size_t *lengths, offset_t offset)
{
    memset(&transfer->uio, 0, sizeof transfer->uio);
    for (size_t index = 0; index < AREAS; index++) {
        transfer->areas[index].iov_base = ADDRESS(area_address(transfer->memory, index));
        transfer->areas[index].iov_len = lengths[index];
        transfer->uio.uio_resid += (ssize_t)lengths[index];
    }
    transfer->uio.uio_iov = transfer->areas;
    transfer->uio.uio_iovcnt = AREAS;
    transfer->uio.uio_offset = offset;
    transfer->uio.uio_segflg = segflag_of(memory_kind(transfer->memory));
}

static void begin(struct transfer *transfer, enum kind kind)
{
    memset(transfer, 0, sizeof *transfer);
    ram_begin();
    transfer->memory = memory_open(kind, PAGES);
    if (kind != KIND_KERNEL)
        xmem_enter(memory_process(transfer->memory));
}

static void end(struct transfer *transfer)
{
    if (memory_kind(transfer->memory) != KIND_KERNEL)
        xmem_leave();
    memory_close(transfer->memory);
    ram_end();
}

/* The areas hold what the device has from offset on. */
static void same(const struct transfer *transfer, const size_t *lengths, size_t offset)
{
    unsigned char bytes[16 * PAGE];
    for (size_t index = 0; index < AREAS; index++) {
        owner_load(transfer->memory, area_address(transfer->memory, index), bytes, lengths[index]);
        assert_memory_equal(bytes, ram_bytes + offset, lengths[index]);
        offset += lengths[index];
    }
}

static void fill(const struct transfer *transfer, const size_t *lengths, unsigned seed)
{
    unsigned char bytes[16 * PAGE];
    for (size_t index = 0; index < AREAS; index++) {
        pattern_fill(bytes, sizeof bytes, seed + (unsigned)index);
        owner_store(transfer->memory, area_address(transfer->memory, index), bytes, lengths[index]);
    }
}

static int limit_calls;

/* minparms: the most bytes of a request. */
static int limit(struct buf *bp, void *parameters)
{
    size_t most = *(size_t *)parameters;
    limit_calls++;
    bp->b_options = 100u + (unsigned)limit_calls;
    if (bp->b_bcount > most)
        bp->b_bcount = most;
    return 0;
}

static const size_t areas[AREAS] = {8192, 512, 20480};
#define TOTAL (8192 + 512 + 20480)

static const enum ram_finish ways[] = {RAM_BY_THREAD, RAM_BY_INTERRUPT, RAM_AT_ONCE};

static void reads_and_writes(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    for (size_t way = 0; way < 3; way++) {
        ram.finish = ways[way];
        describe(&transfer, areas, 1024);
        assert_int_equal(
            uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy_int, NULL, NULL), 0);
        assert_int_equal(transfer.uio.uio_resid, 0);
        assert_int_equal(transfer.uio.uio_iovcnt, 0);
        assert_int_equal(transfer.uio.uio_iovdcnt, AREAS);
        assert_int_equal(transfer.uio.uio_offset, 1024 + TOTAL);
        same(&transfer, areas, 1024);
        describe(&transfer, areas, 2048);
        fill(&transfer, areas, 20 + (unsigned)way);
        assert_int_equal(uphysio(&transfer.uio, B_WRITE, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                         0);
        assert_int_equal(transfer.uio.uio_resid, 0);
        same(&transfer, areas, 2048);
    }
    assert_int_equal(ram_seen.requests, 3 * 2 * AREAS); /* none crosses an iovec */
    assert_int_equal(ram_seen.blocks[0], 2);
    assert_int_equal(ram_seen.blocks[1], 2 + 16);
    assert_int_equal(ram_seen.blocks[2], 2 + 17);
    assert_int_equal(ram_seen.lengths[2], 20480);
    end(&transfer);
    covers("uphysio.0", kind);
    covers("uphysio.memory", kind);
}

static void makes_them_smaller(enum kind kind)
{
    struct transfer transfer;
    size_t most = 1024;
    begin(&transfer, kind);
    limit_calls = 0;
    describe(&transfer, areas, 0);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 2, RAM_DEVICE, ram_strategy, limit, &most), 0);
    same(&transfer, areas, 0);
    assert_int_equal(limit_calls, 8 + 1 + 20);
    assert_int_equal(ram_seen.requests, 8 + 1 + 20);
    for (int index = 0; index < ram_seen.requests; index++) {
        assert_true(ram_seen.lengths[index] <= most);
        assert_int_equal(ram_seen.options[index], 101 + index);
    }
    end(&transfer);
    covers("uphysio.mincnt", kind);
}

static void several_at_a_time(enum kind kind)
{
    static const struct {
        uint asked;
        int most;
    } counts[] = {{0, 1}, {1, 1}, {3, 3}, {16, 16}, {64, 64}, {1000, 64}};
    for (size_t index = 0; index < sizeof counts / sizeof *counts; index++) {
        static const size_t many[AREAS] = {16384, 16384, 8192};
        struct transfer transfer;
        size_t most = 512;
        begin(&transfer, kind);
        ram.hold = counts[index].most;
        ram.backwards = 1; /* finished in another order, they still count in theirs */
        describe(&transfer, many, 0);
        assert_int_equal(uphysio(&transfer.uio, B_READ, counts[index].asked, RAM_DEVICE,
                                 ram_strategy, limit, &most),
                         0);
        assert_int_equal(transfer.uio.uio_resid, 0);
        assert_int_equal(ram_seen.most_queued, counts[index].most);
        same(&transfer, many, 0);
        end(&transfer);
    }
    covers("uphysio.buf_cnt", kind);
}

static void fails_in_the_middle(enum kind kind)
{
    static const enum ram_finish finishes[] = {RAM_BY_THREAD, RAM_AT_ONCE};
    for (int backwards = 0; backwards < 2; backwards++)
        for (size_t way = 0; way < 2; way++) {
            struct transfer transfer;
            size_t most = 1024;
            begin(&transfer, kind);
            ram.finish = finishes[way];
            ram.backwards = backwards;
            ram.fail_block = 7; /* inside the fourth request */
            ram.fail_error = ENOSPC;
            describe(&transfer, areas, 0);
            assert_int_equal(
                uphysio(&transfer.uio, B_READ, 8, RAM_DEVICE, ram_strategy, limit, &most), ENOSPC);
            assert_int_equal(TOTAL - transfer.uio.uio_resid, 7 * DEV_BSIZE);
            assert_int_equal(transfer.uio.uio_offset, 7 * DEV_BSIZE);
            assert_int_equal(transfer.uio.uio_iovdcnt, 0);
            assert_true(ram_seen.requests <= 8 + 3);
            end(&transfer);
        }
    covers("uphysio.error", kind);
    covers("uphysio.progress", kind);
}

static void an_error_without_a_number(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    ram.fail_block = 0;
    describe(&transfer, areas, 0);
    assert_int_equal(uphysio(&transfer.uio, B_WRITE, 1, RAM_DEVICE, ram_strategy, NULL, NULL), EIO);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    end(&transfer);
    covers("uphysio.error", kind);
}

static void the_device_ends(enum kind kind)
{
    struct transfer transfer;
    size_t most = 1024;
    begin(&transfer, kind);
    ram.size = 11 * DEV_BSIZE;
    describe(&transfer, areas, 0);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 8, RAM_DEVICE, ram_strategy, limit, &most), 0);
    assert_int_equal(TOTAL - transfer.uio.uio_resid, 11 * DEV_BSIZE);
    describe(&transfer, areas, 11 * DEV_BSIZE);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 8, RAM_DEVICE, ram_strategy, limit, &most), 0);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    end(&transfer);
    covers("uphysio.end", kind);
}

static int refuses(struct buf *bp, void *parameters)
{
    (void)parameters;
    return bp->b_blkno >= 16 ? ENOTTY : 0;
}

static int grows(struct buf *bp, void *parameters)
{
    bp->b_bcount = parameters ? 0 : bp->b_bcount + 1;
    return 0;
}

static void wrong_arguments(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    describe(&transfer, areas, 100);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EINVAL);
    describe(&transfer, areas, -512);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EINVAL);
    describe(&transfer, areas, INT64_MAX - 511); /* and beyond */
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EINVAL);
    describe(&transfer, areas, 0);
    assert_int_equal(uphysio(&transfer.uio, 77, 1, RAM_DEVICE, ram_strategy, NULL, NULL), EINVAL);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, NULL, NULL, NULL), EINVAL);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, grows, NULL),
                     EINVAL);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, grows, &transfer),
                     EINVAL);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    assert_int_equal(ram_seen.requests, 0);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, refuses, NULL),
                     ENOTTY);
    assert_int_equal(TOTAL - transfer.uio.uio_resid, 8192); /* those before it are done */
    assert_int_equal(transfer.uio.uio_iovdcnt, 1);
    describe(&transfer, areas, 0);
    transfer.uio.uio_resid = 0;
    assert_int_equal(uphysio(&transfer.uio, B_READ, 1, RAM_DEVICE, ram_strategy, NULL, NULL), 0);
    transfer.uio.uio_resid = TOTAL + 1; /* more than the areas have */
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     ENOMEM);
    assert_int_equal(transfer.uio.uio_resid, 1);
    static const size_t odd[AREAS] = {100, 512, 512};
    describe(&transfer, odd, 0);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EINVAL);
    assert_int_equal(transfer.uio.uio_offset, 100);
    end(&transfer);
    covers("uphysio.EINVAL", kind);
    covers("uphysio.mincnt-error", kind);
    covers("uphysio.ENOMEM", kind);
}

static void bad_memory(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    describe(&transfer, areas, 0);
    transfer.areas[1].iov_base = ADDRESS(UINT64_MAX - 100);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EFAULT);
    assert_int_equal(transfer.uio.uio_resid, TOTAL - 8192);
    describe(&transfer, areas, 0);
    transfer.areas[0].iov_base = ADDRESS(memory_base(transfer.memory) - PAGE);
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EFAULT);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    describe(&transfer, areas, 0);
    transfer.uio.uio_segflg = 99;
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EFAULT);
    end(&transfer);
    covers("uphysio.EFAULT", kind);
}

/* UIO_XMEM: the descriptors are those of the iovecs, from anywhere. */
static void described_memory(enum kind kind)
{
    struct transfer transfer;
    size_t most = 1024;
    begin(&transfer, kind);
    for (size_t index = 0; index < AREAS; index++)
        must_attach(transfer.memory, area_address(transfer.memory, index), 16 * PAGE - 24,
                    &transfer.descriptors[index]);
    if (kind != KIND_KERNEL)
        xmem_leave();
    describe(&transfer, areas, 0);
    transfer.uio.uio_segflg = UIO_XMEM;
    transfer.uio.uio_xmem = transfer.descriptors;
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, limit, &most), 0);
    same(&transfer, areas, 0);
    describe(&transfer, areas, 0);
    transfer.uio.uio_segflg = UIO_XMEM;
    assert_int_equal(uphysio(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, NULL, NULL),
                     EFAULT);
    if (kind != KIND_KERNEL)
        xmem_enter(memory_process(transfer.memory));
    for (size_t index = 0; index < AREAS; index++)
        must_detach(&transfer.descriptors[index]);
    end(&transfer);
    covers("uphysio.xmem", kind);
}

static void fast_form(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    describe(&transfer, areas, 512);
    assert_int_equal(
        uphysio_fast(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, 4096, 17, 512), 0);
    same(&transfer, areas, 512);
    assert_int_equal(ram_seen.requests, 2 + 1 + 5);
    for (int index = 0; index < ram_seen.requests; index++) {
        assert_true(ram_seen.lengths[index] <= 4096);
        assert_int_equal(ram_seen.options[index], 17);
    }
    describe(&transfer, areas, 512);
    assert_int_equal(
        uphysio_fast(&transfer.uio, B_READ, 4, RAM_DEVICE, ram_strategy, 4096, 0, 1024), EINVAL);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    assert_int_equal(uphysio_fast(&transfer.uio, B_WRITE, 4, RAM_DEVICE, ram_strategy, 0, 0, 0), 0);
    assert_int_equal(ram_seen.requests, 2 + 1 + 5 + AREAS);
    end(&transfer);
    covers("uphysio_fast.0", kind);
    covers("uphysio_fast.blk_align", kind);
}

struct interrupted {
    struct transfer *transfer;
    int plain, fast;
};

static void call_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    struct uio *uio = &call->transfer->uio;
    call->plain = uphysio(uio, B_READ, 1, RAM_DEVICE, ram_strategy, NULL, NULL);
    call->fast = uphysio_fast(uio, B_READ, 1, RAM_DEVICE, ram_strategy, 0, 0, 0);
}

static void process_environment_only(enum kind kind)
{
    struct transfer transfer;
    begin(&transfer, kind);
    describe(&transfer, areas, 0);
    struct interrupted call = {&transfer, 99, 99};
    at_interrupt(call_at_interrupt, &call);
    assert_int_equal(call.plain, EFAULT);
    assert_int_equal(call.fast, EFAULT);
    assert_int_equal(transfer.uio.uio_resid, TOTAL);
    assert_int_equal(ram_seen.requests, 0);
    end(&transfer);
    covers("uphysio.process-only", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(reads_and_writes, ALL_KINDS),          EACH(makes_them_smaller, ALL_KINDS),
        EACH(several_at_a_time, ALL_KINDS),         EACH(fails_in_the_middle, ALL_KINDS),
        EACH(an_error_without_a_number, ALL_KINDS), EACH(the_device_ends, ALL_KINDS),
        EACH(wrong_arguments, ALL_KINDS),           EACH(bad_memory, USER_KINDS),
        EACH(described_memory, ALL_KINDS),          EACH(fast_form, ALL_KINDS),
        EACH(process_environment_only, ALL_KINDS),
    };
    return RUN_CASES("uphysio", cases);
}
