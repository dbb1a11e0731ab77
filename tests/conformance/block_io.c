/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about requests for block I/O: devstrat, iodone, iowait, geterror, and the
 * buffers of geteblk, getblk, bread, breada, brelse and bwrite.
 */
#include "ram_driver.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* ---- requests ---- */

struct request {
    struct buf buf; /* first */
    int calls, done, in_interrupt, priority, on_this_thread;
    pthread_t maker;
};

static void completed(struct buf *bp)
{
    struct request *request = (struct request *)bp;
    request->done = (bp->b_flags & B_DONE) != 0;
    request->in_interrupt = xmem_in_interrupt();
    request->priority = i_disable(INTBASE);
    request->on_this_thread = pthread_equal(pthread_self(), request->maker);
    __atomic_add_fetch(&request->calls, 1, __ATOMIC_SEQ_CST);
}

static unsigned char bytes[64 * 1024];

static void make(struct request *request, long block, size_t n, uint flags)
{
    memset(request, 0, sizeof *request);
    request->maker = pthread_self();
    request->buf.b_flags = flags;
    request->buf.b_dev = RAM_DEVICE;
    request->buf.b_blkno = block;
    request->buf.b_un.b_addr = (caddr_t)bytes;
    request->buf.b_bcount = n;
    request->buf.b_iodone = completed;
    request->buf.b_xmemd.aspace_id = XMEM_INVAL;
    assert_int_equal(xmattach(bytes, sizeof bytes, &request->buf.b_xmemd, SYS_ADSPACE), XMEM_SUCC);
}

static void drop(struct request *request)
{
    must_detach(&request->buf.b_xmemd);
}

static int calls_of(struct request *request)
{
    return __atomic_load_n(&request->calls, __ATOMIC_SEQ_CST);
}

static void await_call(struct request *request)
{
    for (double end = seconds_now() + 10; !calls_of(request) && seconds_now() < end;)
        usleep(100);
    assert_int_equal(calls_of(request), 1);
}

static const enum ram_finish ways[] = {RAM_BY_THREAD, RAM_BY_INTERRUPT, RAM_AT_ONCE};

static void a_request(enum kind kind)
{
    for (size_t way = 0; way < 3; way++) {
        struct request request;
        ram_begin();
        ram.finish = ways[way];
        memset(bytes, 0, sizeof bytes);
        make(&request, 3, 2048, B_READ);
        assert_int_equal(devstrat(&request.buf), 0);
        assert_int_equal(iowait(&request.buf), 0);
        assert_int_equal(calls_of(&request), 1);
        assert_true(request.done);
        assert_true(request.in_interrupt);
        assert_int_equal(request.priority, INTIODONE);
        assert_memory_equal(bytes, ram_bytes + 3 * DEV_BSIZE, 2048);
        assert_int_equal(bytes[2048], 0);
        assert_int_equal(iowait(&request.buf), 0); /* it stays done */
        drop(&request);
        make(&request, 9, 512, B_WRITE);
        pattern_fill(bytes, 512, 7);
        assert_int_equal(devstrat(&request.buf), 0);
        assert_int_equal(iowait(&request.buf), 0);
        assert_memory_equal(bytes, ram_bytes + 9 * DEV_BSIZE, 512);
        drop(&request);
        ram_end();
    }
    covers("devstrat.0", kind);
    covers("iodone.0", kind);
    covers("iodone.level", kind);
    covers("iowait.0", kind);
}

static void does_not_wait(enum kind kind)
{
    struct request request;
    ram_begin();
    ram.hold = 2;
    make(&request, 0, 512, B_READ);
    assert_int_equal(devstrat(&request.buf), 0);
    usleep(10000);
    assert_int_equal(calls_of(&request), 0);
    assert_false(request.buf.b_flags & B_DONE);
    ram_end();
    assert_int_equal(iowait(&request.buf), 0);
    drop(&request);
    covers("devstrat.waits-not", kind);
}

static void a_list(enum kind kind)
{
    struct request requests[3];
    ram_begin();
    for (int index = 0; index < 3; index++) {
        make(&requests[index], index * 8, 512, B_READ);
        requests[index].buf.av_forw = index < 2 ? &requests[index + 1].buf : NULL;
    }
    assert_int_equal(devstrat(&requests[0].buf), 0);
    for (int index = 0; index < 3; index++) {
        assert_int_equal(iowait(&requests[index].buf), 0);
        assert_int_equal(ram_seen.blocks[index], index * 8);
        drop(&requests[index]);
    }
    ram_end();
    covers("devstrat.list", kind);
}

static void failures(enum kind kind)
{
    struct request request;
    ram_begin();
    ram.fail_block = 4;
    ram.fail_error = ENXIO;
    make(&request, 3, 2048, B_READ);
    assert_int_equal(devstrat(&request.buf), 0);
    assert_int_equal(iowait(&request.buf), ENXIO);
    assert_int_equal(request.buf.b_resid, 2048 - 512);
    assert_int_equal(geterror(&request.buf), ENXIO);
    drop(&request);
    ram.fail_error = 0;
    make(&request, 4, 512, B_READ);
    assert_int_equal(devstrat(&request.buf), 0);
    assert_int_equal(iowait(&request.buf), EIO);
    assert_int_equal(geterror(&request.buf), EIO);
    request.buf.b_flags &= ~B_ERROR;
    request.buf.b_error = ENXIO; /* without B_ERROR it means nothing */
    assert_int_equal(geterror(&request.buf), 0);
    drop(&request);
    ram_end();
    make(&request, 0, 512, B_READ);
    assert_int_equal(devstrat(&request.buf), ENODEV);
    assert_int_equal(calls_of(&request), 0);
    assert_int_equal(request.buf.b_flags, B_READ);
    drop(&request);
    covers("iowait.error", kind);
    covers("iowait.EIO", kind);
    covers("geterror.0", kind);
    covers("geterror.error", kind);
    covers("geterror.EIO", kind);
    covers("devstrat.ENODEV", kind);
}

static void no_iodone_routine(enum kind kind)
{
    struct request request;
    ram_begin();
    ram.busy_for = 3000;
    make(&request, 0, 512, B_READ);
    request.buf.b_iodone = NULL;
    assert_int_equal(devstrat(&request.buf), 0);
    assert_int_equal(iowait(&request.buf), 0);
    assert_true(request.buf.b_flags & B_DONE);
    drop(&request);
    ram_end();
    covers("iodone.R-null", kind);
}

struct finished {
    struct request *request;
    int calls_inside, waited, failed;
};

static void finish_at_interrupt(void *argument)
{
    struct finished *finished = argument;
    iodone(&finished->request->buf);
    finished->calls_inside = calls_of(finished->request);
    finished->waited = iowait(&finished->request->buf);
    finished->failed = geterror(&finished->request->buf);
}

/* From each priority: called at once where it can be, else as soon as that is possible. */
static void by_current_priority(enum kind kind)
{
    static const int priorities[] = {INTMAX, INTPAGER, INTIODONE, INTCLASS0, INTCLASS3, INTOFFL3};
    for (size_t index = 0; index < sizeof priorities / sizeof *priorities; index++) {
        struct request request;
        struct finished finished = {&request, 99, 99, 99};
        make(&request, 0, 512, B_READ);
        must(xmem_interrupt(priorities[index], finish_at_interrupt, &finished));
        if (priorities[index] >= INTIODONE)
            assert_int_equal(finished.calls_inside, 1);
        assert_int_equal(finished.waited, EIO); /* not callable there */
        assert_int_equal(finished.failed, 0);
        await_call(&request);
        assert_true(request.in_interrupt);
        assert_int_equal(request.priority, INTIODONE);
        assert_int_equal(request.on_this_thread, priorities[index] >= INTIODONE);
        drop(&request);
    }
    covers("iodone.priority", kind);
    covers("iodone.interrupt", kind);
    covers("iowait.process-only", kind);
    covers("geterror.interrupt", kind);
}

static void held_off(enum kind kind)
{
    struct request request;
    make(&request, 0, 512, B_READ);
    int before = i_disable(INTIODONE);
    iodone(&request.buf);
    usleep(10000);
    assert_int_equal(calls_of(&request), 0);
    i_enable(before);
    await_call(&request);
    assert_int_equal(request.priority, INTIODONE);
    drop(&request);
    make(&request, 0, 512, B_READ);
    before = i_disable(INTCLASS0);
    iodone(&request.buf);
    assert_int_equal(calls_of(&request), 1);
    i_enable(before);
    drop(&request);
    covers("iodone.priority", kind);
}

static struct buf *strategy_got;
static int strategy_level;

static void strategy_at_interrupt(struct buf *bp)
{
    strategy_got = bp;
    strategy_level = xmem_in_interrupt();
}

static void start_at_interrupt(void *argument)
{
    (void)devstrat(argument);
}

static void started_by_handlers(enum kind kind)
{
    struct devsw entry = {.d_strategy = strategy_at_interrupt};
    struct request request;
    assert_int_equal(devswadd(RAM_DEVICE, &entry), 0);
    make(&request, 0, 512, B_READ);
    must(xmem_interrupt(INTIODONE, start_at_interrupt, &request.buf));
    assert_ptr_equal(strategy_got, &request.buf);
    assert_true(strategy_level);
    drop(&request);
    assert_int_equal(devswdel(RAM_DEVICE), 0);
    covers("devstrat.interrupt", kind);
}

/* The maker may free a request as soon as iowait() has returned. */
static void released_at_once(enum kind kind)
{
    ram_begin();
    for (size_t way = 0; way < 2; way++)
        for (int round = 0; round < 2000; round++) {
            struct request request;
            ram.finish = ways[way];
            make(&request, round % 64, 512, B_READ);
            assert_int_equal(devstrat(&request.buf), 0);
            assert_int_equal(iowait(&request.buf), 0);
            assert_int_equal(request.calls, 1);
            drop(&request);
            memset(&request, 0xEE, sizeof request);
        }
    ram_end();
    covers("iowait.then-free", kind);
}

/* ---- buffers ---- */

static void free_buffers(enum kind kind)
{
    struct buf *taken[16];
    for (int index = 0; index < 16; index++) {
        struct buf *bp = taken[index] = geteblk();
        assert_non_null(bp);
        assert_true(bp->b_flags & B_BUSY);
        assert_int_equal(bp->b_bcount, XMEM_BUF_SIZE);
        memset(bp->b_un.b_addr, index, XMEM_BUF_SIZE);
        bp->av_forw = bp->av_back = bp;
        bp->b_blkno = 12345;
        bp->b_resid = 77;
        unsigned char byte = 99;
        assert_int_equal(xmemin(bp->b_un.b_addr + 4095, &byte, 1, &bp->b_xmemd), XMEM_SUCC);
        assert_int_equal(byte, index);
    }
    for (int index = 0; index < 16; index++)
        for (int byte = 0; byte < XMEM_BUF_SIZE; byte += 511)
            assert_int_equal(taken[index]->b_un.b_addr[byte], index);
    for (int index = 0; index < 16; index++)
        brelse(taken[index]);
    for (int round = 0; round < 1000; round++)
        brelse(geteblk());
    covers("geteblk.0", kind);
    covers("brelse.0", kind);
}

static void *take_buffer(void *argument)
{
    struct buf **place = argument;
    __atomic_store_n(place, geteblk(), __ATOMIC_SEQ_CST);
    return NULL;
}

static void waits_for_a_buffer(enum kind kind)
{
    enum { MOST = 4096 };
    static struct buf *taken[MOST];
    pthread_t threads[MOST];
    int count = 0;
    for (bool full = false; !full && count < MOST; count++) {
        struct buf **place = &taken[count];
        assert_int_equal(pthread_create(&threads[count], NULL, take_buffer, place), 0);
        for (int patience = 0; patience < 500 && !__atomic_load_n(place, __ATOMIC_SEQ_CST);
             patience++)
            usleep(100);
        full = __atomic_load_n(place, __ATOMIC_SEQ_CST) == NULL;
    }
    assert_true(count > 1 && count < MOST); /* the last one waits */
    brelse(taken[0]);
    for (int index = 0; index < count; index++) {
        assert_int_equal(pthread_join(threads[index], NULL), 0);
        assert_non_null(taken[index]);
        if (index > 0)
            brelse(taken[index]);
    }
    covers("geteblk.waits", kind);
}

static void reading(enum kind kind)
{
    ram_begin();
    struct buf *bp = bread(RAM_DEVICE, 16);
    assert_int_equal(geterror(bp), 0);
    assert_true(bp->b_flags & B_BUSY);
    assert_int_equal(bp->b_blkno, 16);
    assert_int_equal(bp->b_dev, RAM_DEVICE);
    assert_memory_equal(bp->b_un.b_addr, ram_bytes + 16 * DEV_BSIZE, XMEM_BUF_SIZE);
    brelse(bp);
    assert_int_equal(ram_seen.requests, 1);
    struct buf *again = bread(RAM_DEVICE, 16); /* it is there */
    assert_ptr_equal(again, bp);
    assert_int_equal(ram_seen.requests, 1);
    brelse(again);
    bp = getblk(RAM_DEVICE, 16);
    assert_true(bp->b_flags & B_DONE);
    brelse(bp);
    bp = getblk(RAM_DEVICE, 24);
    assert_false(bp->b_flags & B_DONE);
    assert_int_equal(ram_seen.requests, 1);
    brelse(bp);
    for (int block = 0; block < 200; block++) { /* more than there are buffers */
        bp = bread(RAM_DEVICE, block * 8);
        assert_memory_equal(bp->b_un.b_addr, ram_bytes + block * XMEM_BUF_SIZE, XMEM_BUF_SIZE);
        brelse(bp);
    }
    ram_end();
    covers("bread.0", kind);
    covers("bread.cached", kind);
    covers("getblk.0", kind);
}

static void writing(enum kind kind)
{
    ram_begin();
    struct buf *bp = getblk(RAM_DEVICE, 16);
    pattern_fill(bp->b_un.b_addr, XMEM_BUF_SIZE, 5);
    unsigned char wanted[XMEM_BUF_SIZE];
    pattern_fill(wanted, sizeof wanted, 5);
    assert_int_equal(bwrite(bp), 0);
    assert_memory_equal(ram_bytes + 16 * DEV_BSIZE, wanted, sizeof wanted);
    int requests = ram_seen.requests;
    bp = bread(RAM_DEVICE, 16);
    assert_memory_equal(bp->b_un.b_addr, wanted, sizeof wanted);
    assert_int_equal(ram_seen.requests, requests);
    brelse(bp);
    ram.fail_block = 17;
    ram.fail_error = ENOSPC;
    assert_int_equal(bwrite(getblk(RAM_DEVICE, 16)), ENOSPC);
    ram.fail_block = -1;
    bp = bread(RAM_DEVICE, 16); /* what it held is in doubt: read again */
    assert_true(ram_seen.requests > requests + 1);
    assert_memory_equal(bp->b_un.b_addr, ram_bytes + 16 * DEV_BSIZE, XMEM_BUF_SIZE);
    brelse(bp);
    ram_end();
    covers("bwrite.0", kind);
    covers("bwrite.error", kind);
}

static void reading_fails(enum kind kind)
{
    ram_begin();
    ram.fail_block = 17;
    ram.fail_error = ENXIO;
    struct buf *bp = bread(RAM_DEVICE, 16);
    assert_true(bp->b_flags & B_ERROR);
    assert_int_equal(geterror(bp), ENXIO);
    brelse(bp);
    ram.fail_block = -1;
    bp = bread(RAM_DEVICE, 16);
    assert_int_equal(geterror(bp), 0);
    brelse(bp);
    ram.size = 18 * DEV_BSIZE; /* the device ends inside a buffer */
    bp = bread(RAM_DEVICE, 24);
    assert_int_equal(geterror(bp), 0);
    assert_int_equal(bp->b_resid, XMEM_BUF_SIZE);
    brelse(bp);
    ram_end();
    bp = bread(RAM_DEVICE, 32);
    assert_int_equal(geterror(bp), ENODEV);
    brelse(bp);
    covers("bread.error", kind);
}

static void reading_ahead(enum kind kind)
{
    ram_begin();
    struct buf *bp = breada(RAM_DEVICE, 16, 24);
    assert_memory_equal(bp->b_un.b_addr, ram_bytes + 16 * DEV_BSIZE, XMEM_BUF_SIZE);
    brelse(bp);
    bp = bread(RAM_DEVICE, 24); /* waits for the read-ahead if need be */
    assert_memory_equal(bp->b_un.b_addr, ram_bytes + 24 * DEV_BSIZE, XMEM_BUF_SIZE);
    assert_int_equal(ram_seen.requests, 2);
    brelse(bp);
    ram.fail_block = 40;
    bp = breada(RAM_DEVICE, 32, 40); /* a read-ahead that fails is forgotten */
    assert_int_equal(geterror(bp), 0);
    brelse(bp);
    ram_end();
    ram_begin();
    bp = bread(RAM_DEVICE, 40);
    assert_int_equal(geterror(bp), 0);
    brelse(bp);
    ram_end();
    covers("breada.0", kind);
}

struct busy {
    long block;
    int got;
};

static void *take_block(void *argument)
{
    struct busy *busy = argument;
    struct buf *bp = getblk(RAM_DEVICE, 16);
    busy->block = bp->b_blkno;
    __atomic_store_n(&busy->got, 1, __ATOMIC_SEQ_CST);
    brelse(bp);
    return NULL;
}

static void one_at_a_time(enum kind kind)
{
    struct busy busy = {0, 0};
    pthread_t thread;
    struct buf *bp = getblk(RAM_DEVICE, 16);
    assert_int_equal(pthread_create(&thread, NULL, take_block, &busy), 0);
    usleep(20000);
    assert_int_equal(__atomic_load_n(&busy.got, __ATOMIC_SEQ_CST), 0);
    brelse(bp);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(busy.block, 16);
    covers("getblk.busy", kind);
}

struct refused {
    struct buf *free, *block, *read, *ahead;
    int written;
    struct buf *spare;
};

static void buffers_at_interrupt(void *argument)
{
    struct refused *refused = argument;
    refused->free = geteblk();
    refused->block = getblk(RAM_DEVICE, 0);
    refused->read = bread(RAM_DEVICE, 0);
    refused->ahead = breada(RAM_DEVICE, 0, 8);
    refused->written = bwrite(refused->spare);
}

static void buffers_process_only(enum kind kind)
{
    struct refused refused = {.spare = geteblk()};
    at_interrupt(buffers_at_interrupt, &refused);
    assert_null(refused.free);
    assert_null(refused.block);
    assert_null(refused.read);
    assert_null(refused.ahead);
    assert_int_equal(refused.written, EIO);
    brelse(refused.spare);
    covers("buffers.process-only", kind);
}

/* Whoever waits lets go of the priority that it holds, or its completion would never come. */
static void waits_with_interrupts_held(enum kind kind)
{
    struct request request;
    ram_begin();
    (void)kind;
    for (size_t way = 0; way < 2; way++) {
        ram.finish = ways[way];
        ram.busy_for = 3000;
        make(&request, 3, 512, B_READ);
        int before = i_disable(INTIODONE);
        assert_int_equal(devstrat(&request.buf), 0);
        assert_int_equal(iowait(&request.buf), 0);
        assert_int_equal(i_disable(INTIODONE), INTIODONE); /* it is held again */
        i_enable(before);
        assert_int_equal(request.calls, 1);
        drop(&request);
    }
    int before = i_disable(INTMAX);
    struct buf *bp = bread(RAM_DEVICE, 8);
    i_enable(before);
    assert_int_equal(geterror(bp), 0);
    brelse(bp);
    ram_end();
}

/* No buffer shows what was there before a write by another one. */
static void overlapping_buffers(enum kind kind)
{
    unsigned char wanted[XMEM_BUF_SIZE];
    (void)kind;
    ram_begin();
    for (long block = 9; block < 24; block++)
        brelse(bread(RAM_DEVICE, (daddr_t)block));
    struct buf *busy = bread(RAM_DEVICE, 18);
    struct buf *bp = getblk(RAM_DEVICE, 16);
    pattern_fill(bp->b_un.b_addr, XMEM_BUF_SIZE, 9);
    pattern_fill(wanted, sizeof wanted, 9);
    assert_int_equal(bwrite(bp), 0);
    brelse(busy);
    for (long block = 9; block < 24; block++) {
        bp = bread(RAM_DEVICE, (daddr_t)block);
        assert_memory_equal(bp->b_un.b_addr, ram_bytes + block * DEV_BSIZE, XMEM_BUF_SIZE);
        brelse(bp);
    }
    assert_memory_equal(ram_bytes + 16 * DEV_BSIZE, wanted, sizeof wanted);
    ram_end();
}

static unsigned char other_byte;

static void other_strategy(struct buf *bp)
{
    memset(bp->b_un.b_addr, other_byte, bp->b_bcount);
    bp->b_resid = 0;
    iodone(bp);
}

/* A driver that takes another one's place is asked anew. */
static void a_driver_is_replaced(enum kind kind)
{
    struct devsw entry = {.d_strategy = other_strategy};
    dev_t device = makedev(90, 0);
    (void)kind;
    for (other_byte = 1; other_byte < 4; other_byte++) {
        assert_int_equal(devswadd(device, &entry), 0);
        struct buf *bp = bread(device, 0);
        assert_int_equal((unsigned char)bp->b_un.b_addr[7], other_byte);
        brelse(bp);
    }
    assert_int_equal(devswdel(device), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(a_request, ONCE),
        EACH(does_not_wait, ONCE),
        EACH(a_list, ONCE),
        EACH(failures, ONCE),
        EACH(no_iodone_routine, ONCE),
        EACH(by_current_priority, ONCE),
        EACH(held_off, ONCE),
        EACH(started_by_handlers, ONCE),
        EACH(released_at_once, ONCE),
        EACH(free_buffers, ONCE),
        EACH(waits_for_a_buffer, ONCE),
        EACH(reading, ONCE),
        EACH(writing, ONCE),
        EACH(reading_fails, ONCE),
        EACH(reading_ahead, ONCE),
        EACH(one_at_a_time, ONCE),
        EACH(buffers_process_only, ONCE),
        EACH(waits_with_interrupts_held, ONCE),
        EACH(overlapping_buffers, ONCE),
        EACH(a_driver_is_replaced, ONCE),
    };
    return RUN_CASES("block_io", cases);
}
