/* SPDX-License-Identifier: MIT */
/*
 * Foreign memory; foreign.h says what it is.
 *
 * The engine counts moves under way in the high half of the segment's references.  A move is
 * counted, then looks at `retired`; retiring sets `retired`, then looks at the count; both are
 * sequentially consistent, so one of the two sees the other.
 */
#include "segments/foreign.h"

#include <errno.h>

struct foreign {
    struct segment segment;
    struct host_process process;
    bool retired;
    bool relaxed;
};

static THREAD_LOCAL struct {
    const struct segment *segment;
    bool (*vouch)(void *);
    void *argument;
} voucher;

static struct foreign *foreign_of(struct segment *segment)
{
    return (struct foreign *)segment;
}

static struct outcome gone(void)
{
    return outcome_failure(XMEM_FAILURE_PEER_GONE, ESRCH,
                           "the process has exited, was closed, or runs another program than the "
                           "one that was opened; open it anew");
}

static bool still_there(const struct foreign *foreign)
{
    if (load_relaxed(&foreign->relaxed))
        return true;
    if (voucher.segment == &foreign->segment)
        return voucher.vouch(voucher.argument);
    return host_process_alive(&foreign->process);
}

static struct outcome translate(int error, uint64_t address)
{
    switch (error) {
    case EFAULT:
        return outcome_at(XMEM_FAILURE_NO_MAPPING, EFAULT, address,
                          "the opened process has nothing mapped there, or its protection does "
                          "not allow this");
    case ESRCH:
        return gone();
    case ENOMEM:
        return outcome_at(XMEM_FAILURE_NO_MEMORY, ENOMEM, address, "the system is out of memory");
    default:
        return outcome_at(XMEM_FAILURE_PERMISSION, error, address,
                          "the Linux kernel no longer lets this program touch the process; it may "
                          "have changed its user or its program");
    }
}

/* The list of transfers from byte `skip` on, as far as one system call takes it. */
static size_t fill_vectors(const struct transfer *list, size_t count, size_t skip,
                           struct iovec *own, struct iovec *theirs)
{
    size_t used = 0;
    for (size_t at = 0; at < count && used < FOREIGN_RANGES_MOST; at++) {
        if (skip >= list[at].length) {
            skip -= list[at].length;
            continue;
        }
        size_t length = list[at].length - skip;
        own[used] = (struct iovec){.iov_base = list[at].kernel + skip, .iov_len = length};
        theirs[used] = (struct iovec){.iov_base = (void *)(uintptr_t)(list[at].address + skip),
                                      .iov_len = length};
        skip = 0;
        used++;
    }
    return used;
}

static uint64_t address_at(const struct transfer *list, size_t count, size_t skip)
{
    for (size_t at = 0; at < count; at++) {
        if (skip < list[at].length)
            return list[at].address + skip;
        skip -= list[at].length;
    }
    return 0;
}

/* One range needs no lists. */
static struct outcome transfer_one(struct foreign *foreign, const struct transfer *range,
                                   enum host_transfer direction)
{
    size_t done = 0;
    while (done < range->length) {
        struct iovec own = {.iov_base = range->kernel + done, .iov_len = range->length - done};
        struct iovec theirs = {.iov_base = (void *)(uintptr_t)(range->address + done),
                               .iov_len = range->length - done};
        size_t moved = 0;
        int error =
            host_process_transfer(&foreign->process, direction, &own, 1, &theirs, 1, &moved);
        if (UNLIKELY(error || moved == 0)) {
            struct outcome outcome = translate(error ? error : EFAULT, range->address + done);
            outcome.done = done;
            outcome.peer = foreign->process.pid;
            return outcome;
        }
        done += moved;
    }
    return outcome_done(done);
}

static struct outcome transfer_all(struct foreign *foreign, const struct transfer *list,
                                   size_t count, enum host_transfer direction)
{
    struct iovec own[FOREIGN_RANGES_MOST];
    struct iovec theirs[FOREIGN_RANGES_MOST];
    size_t done = 0;
    size_t used;
    while ((used = fill_vectors(list, count, done, own, theirs)) != 0) {
        size_t moved = 0;
        int error =
            host_process_transfer(&foreign->process, direction, own, used, theirs, used, &moved);
        if (!error && moved == 0)
            error = EFAULT;
        if (error) {
            struct outcome outcome = translate(error, address_at(list, count, done));
            outcome.done = done;
            outcome.peer = foreign->process.pid;
            return outcome;
        }
        done += moved;
    }
    return outcome_done(done);
}

static struct outcome checked_transfer(struct foreign *foreign, const struct transfer *list,
                                       size_t count, enum direction direction)
{
    if (load_strong(&foreign->retired))
        return gone();
    if (direction == TO_USER && !still_there(foreign))
        return gone();
    enum host_transfer way = direction == FROM_USER ? HOST_FROM_PROCESS : HOST_TO_PROCESS;
    struct outcome outcome =
        count == 1 ? transfer_one(foreign, list, way) : transfer_all(foreign, list, count, way);
    /* Bytes that may belong to another program count as not moved. */
    if (!still_there(foreign))
        return gone();
    return outcome;
}

static struct outcome foreign_move_several(struct segment *segment, const struct transfer *list,
                                           size_t count, enum direction direction)
{
    return checked_transfer(foreign_of(segment), list, count, direction);
}

static struct outcome foreign_move(struct segment *segment, uint64_t address, void *kernel,
                                   size_t n, enum direction direction)
{
    struct transfer one = {address, kernel, n};
    return foreign_move_several(segment, &one, 1, direction);
}

bool foreign_wait(const uint64_t *word, unsigned shift)
{
    uint64_t deadline = host_milliseconds() + FOREIGN_WAIT_MILLISECONDS;
    while (load_strong(word) >> shift != 0) {
        if (host_milliseconds() >= deadline)
            return false;
        host_sleep_microseconds(20);
    }
    return true;
}

static void foreign_retire(struct segment *segment)
{
    struct foreign *foreign = foreign_of(segment);
    store_strong(&foreign->retired, true);
    full_fence();
    foreign_wait(&segment->references, 32);
}

static void foreign_release(struct segment *segment)
{
    struct foreign *foreign = foreign_of(segment);
    host_process_close(&foreign->process);
    host_free(foreign);
}

static const struct segment_operations foreign_operations = {
    .name = "opened",
    .interrupt_callable = false,
    .string_piece = 1024,
    .move = foreign_move,
    .move_several = foreign_move_several,
    .retire = foreign_retire,
    .release = foreign_release,
};

void foreign_relax(struct segment *segment, bool relaxed)
{
    store_relaxed(&foreign_of(segment)->relaxed, relaxed);
}

void foreign_vouch(const struct segment *segment, bool (*vouch)(void *), void *argument)
{
    voucher.segment = segment;
    voucher.vouch = vouch;
    voucher.argument = argument;
}

int foreign_create(pid_t pid, struct segment **segment, unsigned *bits)
{
    struct foreign *foreign = host_allocate(sizeof(*foreign));
    if (!foreign)
        return ENOMEM;
    int error = host_process_open(pid, &foreign->process);
    if (error) {
        host_free(foreign);
        return error;
    }
    foreign->segment.operations = &foreign_operations;
    foreign->segment.references = 1;
    foreign->segment.life = SEGMENT_LIVE;
    *bits = foreign->process.bits;
    *segment = &foreign->segment;
    return 0;
}
