/* SPDX-License-Identifier: MIT */
/* The block driver for tests; see ram_driver.h. */
#include "ram_driver.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define QUEUE 256

unsigned char ram_bytes[RAM_SIZE];
struct ram_behaviour ram;
struct ram_record ram_seen;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static struct buf *queue[QUEUE];
static int queued;
static bool ending;

static struct buf *moved; /* for the interrupt handler */

static int interrupted(struct intr *h)
{
    (void)h;
    struct buf *bp = __atomic_exchange_n(&moved, NULL, __ATOMIC_SEQ_CST);
    if (!bp)
        return INTR_FAIL;
    iodone(bp);
    return INTR_SUCC;
}

static struct intr line = {.handler = interrupted, .level = 61, .priority = INTCLASS1};

static void fail_request(struct buf *bp, size_t resid)
{
    bp->b_resid = resid;
    bp->b_error = ram.fail_error;
    bp->b_flags |= B_ERROR;
}

static void move(struct buf *bp)
{
    size_t size = ram.size ? ram.size : RAM_SIZE;
    size_t start = (size_t)bp->b_blkno * DEV_BSIZE;
    size_t there = start < size ? size - start : 0;
    size_t n = bp->b_bcount < there ? bp->b_bcount : there;
    long end = bp->b_blkno + (long)((bp->b_bcount + DEV_BSIZE - 1) / DEV_BSIZE);
    bool fails = ram.fail_block >= bp->b_blkno && ram.fail_block < end;
    bp->b_resid = bp->b_bcount - n;
    if (fails) {
        size_t before = (size_t)(ram.fail_block - bp->b_blkno) * DEV_BSIZE;
        n = n < before ? n : before;
    }
    int moved_well = XMEM_SUCC;
    if (n > 0 && (bp->b_flags & B_READ))
        moved_well = xmemout(ram_bytes + start, bp->b_un.b_addr, (int)n, &bp->b_xmemd);
    else if (n > 0)
        moved_well = xmemin(bp->b_un.b_addr, ram_bytes + start, (int)n, &bp->b_xmemd);
    if (moved_well != XMEM_SUCC) {
        bp->b_resid = bp->b_bcount;
        bp->b_error = EFAULT;
        bp->b_flags |= B_ERROR;
    } else if (fails) {
        fail_request(bp, bp->b_bcount - n);
    }
}

static void finish(struct buf *bp)
{
    if (ram.busy_for)
        usleep((useconds_t)ram.busy_for);
    move(bp);
    if (ram.finish != RAM_BY_INTERRUPT) {
        iodone(bp);
        return;
    }
    __atomic_store_n(&moved, bp, __ATOMIC_SEQ_CST);
    assert_int_equal(xmem_aix_raise(&line), 0);
    while (__atomic_load_n(&moved, __ATOMIC_SEQ_CST))
        usleep(10);
}

/* Mutex held. */
static struct buf *take(void)
{
    int place = ram.backwards ? queued - 1 : 0;
    struct buf *bp = queue[place];
    memmove(&queue[place], &queue[place + 1], (size_t)(queued - place - 1) * sizeof *queue);
    queued--;
    return bp;
}

static void *serve(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&mutex);
    for (;;) {
        while (!ending && (queued == 0 || queued < ram.hold))
            pthread_cond_wait(&changed, &mutex);
        if (queued == 0)
            break;
        ram.hold = 0;
        struct buf *bp = take();
        pthread_mutex_unlock(&mutex);
        finish(bp);
        pthread_mutex_lock(&mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

/* Mutex held. */
static void record(const struct buf *bp)
{
    int place = ram_seen.requests++;
    if (place >= QUEUE)
        return;
    ram_seen.blocks[place] = bp->b_blkno;
    ram_seen.lengths[place] = bp->b_bcount;
    ram_seen.options[place] = bp->b_options;
}

void ram_strategy(struct buf *bp)
{
    while (bp) {
        struct buf *next = bp->av_forw;
        pthread_mutex_lock(&mutex);
        record(bp);
        if (ram.finish != RAM_AT_ONCE) {
            queue[queued++] = bp;
            if (queued > ram_seen.most_queued)
                ram_seen.most_queued = queued;
            pthread_cond_signal(&changed);
        }
        pthread_mutex_unlock(&mutex);
        if (ram.finish == RAM_AT_ONCE)
            finish(bp);
        bp = next;
    }
}

int ram_strategy_int(struct buf *bp)
{
    ram_strategy(bp);
    return 0;
}

void ram_begin(void)
{
    struct devsw entry = {.d_open = nulldev, .d_close = nulldev, .d_strategy = ram_strategy};
    memset(&ram, 0, sizeof ram);
    ram.fail_block = -1;
    memset(&ram_seen, 0, sizeof ram_seen);
    pattern_fill(ram_bytes, RAM_SIZE, 1);
    ending = false;
    assert_int_equal(devswadd(RAM_DEVICE, &entry), 0);
    assert_int_equal(i_init(&line), INTR_SUCC);
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

void ram_end(void)
{
    pthread_mutex_lock(&mutex);
    ending = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
    assert_int_equal(pthread_join(thread, NULL), 0);
    i_clear(&line);
    assert_int_equal(devswdel(RAM_DEVICE), 0);
}
