/* SPDX-License-Identifier: MIT */
/*
 * Every statement about xmemin and xmemout; see cross_moves.h.  A statement is numbered alike for
 * both: 1 the bytes arrive, 2 no current process or another, 3 attach first, 4 both environments,
 * 5 XMEM_SUCC, F1 authority, F2 range, F3 deleted, F4 descriptor, F5 I/O error, F6 not in memory.
 */
#include "cross_moves.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "../support/peer.h"

#define PAGES 4

static const struct mover *mover;

static void shows(const char *number, enum kind kind)
{
    covers_of(mover->service, number, kind);
}

static void cannot(const char *number, enum kind kind, const char *reason)
{
    not_applicable_of(mover->service, number, kind, reason);
}

/* One move of n bytes, with its expected bytes on both sides checked afterwards. */
static void moves(struct memory *memory, uint64_t address, size_t n, struct xmem *descriptor,
                  unsigned seed)
{
    unsigned char *kernel = guarded_new(n), *owner = guarded_new(n);
    pattern_fill(kernel, n, seed);
    pattern_fill(owner, n, seed + 1);
    owner_store(memory, address, owner, n);
    unsigned char *before = snapshot(memory);
    int result = mover->move(address, kernel, (int)n, descriptor);
    if (result != XMEM_SUCC)
        fail_msg("%s failed: %s", mover->service, xmem_last_failure()->words);
    unchanged_except(memory, before, address, mover->out ? n : 0);
    owner_load(memory, address, owner, n);
    assert_memory_equal(kernel, owner, n);
    assert_int_equal(kernel[0], pattern_byte(0, mover->out ? seed : seed + 1));
    assert_int_equal(kernel[n - 1], pattern_byte(n - 1, mover->out ? seed : seed + 1));
    guarded_free(kernel);
    guarded_free(owner);
}

/* A move that must fail and leave every byte of the owner's alone, except that those of
 * [address, address + may) may have been moved. */
static void fails(struct memory *memory, uint64_t address, int n, size_t may,
                  struct xmem *descriptor)
{
    unsigned char *kernel = guarded_new(n > 0 ? (size_t)n : 0);
    unsigned char *before = snapshot(memory);
    assert_int_equal(mover->move(address, kernel, n, descriptor), XMEM_FAIL);
    unchanged_except(memory, before, address, mover->out ? may : 0);
    guarded_free(kernel);
}

static void moves_bytes(enum kind kind)
{
    struct memory *memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    static const size_t sizes[] = {1, 2, 3, 7, 8, 64, 4095, 4096, 4097, 3 * 4096 + 11};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++)
        for (uint64_t offset = 0; offset < 3; offset++)
            moves(memory, base + offset, sizes[index], &descriptor, (unsigned)index);
    moves(memory, base, PAGES * PAGE, &descriptor, 40);
    moves(memory, base + 2 * PAGE - 3, 7, &descriptor, 50); /* across the region boundary */
    must_detach(&descriptor);
    shows("1", kind);
    shows("3", kind);
    shows("5", kind);
}

/* What the owner itself, a program of its own, sees with its own loads. */
static void owner_sees_it(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    uint64_t own_pages = memory_base(memory) + 8 * PAGE;
    int socket;
    pid_t pid = peer_start(-1, &socket);
    struct peer_command map = {.operation = PEER_MAP_OWN,
                               .address = own_pages,
                               .length = PAGE,
                               .prot = PROT_READ | PROT_WRITE};
    struct peer_command fill = {
        .operation = PEER_FILL, .address = own_pages, .length = 100, .value = 1};
    struct peer_command sum = {.operation = PEER_SUM, .address = own_pages, .length = PAGE};
    assert_int_equal(peer_ask(socket, &map), 0);
    assert_int_equal(peer_ask(socket, &fill), 0);
    struct xmem_process *process;
    must(xmem_process_open(pid, &process));
    struct xmem descriptor;
    garbage_descriptor(&descriptor, 0);
    xmem_enter(process);
    assert_int_equal(xmattach64(own_pages, (int)PAGE, &descriptor, USER_ADSPACE), XMEM_SUCC);
    xmem_leave();
    unsigned char *kernel = guarded_new(100);
    memset(kernel, 2, 100);
    assert_int_equal(mover->move(own_pages, kernel, 100, &descriptor), XMEM_SUCC);
    assert_int_equal(peer_ask(socket, &sum), mover->out ? 200 : 100);
    assert_int_equal(kernel[99], mover->out ? 2 : 1);
    must_detach(&descriptor);
    must(xmem_process_close(process));
    peer_end(pid, socket);
    guarded_free(kernel);
    shows("1", kind);
}

struct threaded {
    struct memory *memory;
    struct xmem *descriptor;
    int result;
    unsigned char byte;
};

static void *move_in_thread(void *argument)
{
    struct threaded *threaded = argument;
    threaded->result =
        mover->move(memory_base(threaded->memory), &threaded->byte, 1, threaded->descriptor);
    return NULL;
}

/* No current process, another one, and a thread that has none and never entered one. */
static void from_anywhere(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct memory *other = memory_open(KIND_EMBEDDED64, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGE, &descriptor);
    assert_null(xmem_current());
    moves(memory, base, 100, &descriptor, 1);

    unsigned char *others = snapshot(other);
    xmem_enter(memory_process(other));
    moves(memory, base, 100, &descriptor, 2);
    xmem_leave();
    unchanged(other, others);

    owner_fill(memory, base, 9, 1);
    struct threaded threaded = {memory, &descriptor, 99, 8};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, move_in_thread, &threaded), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(threaded.result, XMEM_SUCC);
    assert_int_equal(*memory_view(memory, base), mover->out ? 8 : 9);
    assert_int_equal(threaded.byte, mover->out ? 8 : 9);
    must_detach(&descriptor);
    shows("2", kind);
}

struct interrupted {
    uint64_t address;
    struct xmem *descriptor;
    unsigned char *kernel;
    int count;
    int result;
};

static void move_at_interrupt(void *argument)
{
    struct interrupted *call = argument;
    call->result = mover->move(call->address, call->kernel, call->count, call->descriptor);
}

static void at_interrupt_level(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct memory *other = memory_open(KIND_EMBEDDED32, 1);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    owner_fill(memory, base, 3, PAGES * PAGE);
    struct interrupted call = {base + 5, &descriptor, guarded_new(5000), 5000, 99};
    memset(call.kernel, 4, 5000);

    xmem_enter(memory_process(other)); /* whose process it interrupts must not matter */
    at_interrupt(move_at_interrupt, &call);
    xmem_leave();
    if (kind == KIND_OPENED) {
        assert_int_equal(call.result, XMEM_FAIL);
        moves(memory, base + 5, 5000, &descriptor, 1);
        shows("F6", kind);
        cannot("4", kind,
               "the memory of an opened process is reached by system calls that may "
               "wait; at interrupt level that is F6");
    } else {
        assert_int_equal(call.result, XMEM_SUCC);
        assert_int_equal(*memory_view(memory, base + 5004), mover->out ? 4 : 3);
        assert_int_equal(call.kernel[4999], mover->out ? 4 : 3);
        assert_int_equal(*memory_view(memory, base + 4), 3);
        assert_int_equal(*memory_view(memory, base + 5005), 3);
        shows("4", kind);
        cannot("F6", kind, "its pages never leave memory until there is paging");
    }
    must_detach(&descriptor);
    guarded_free(call.kernel);
    shows("2", kind);
}

static void without_authority(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    memory_protect(memory, base, PAGE, PROT_NONE);
    fails(memory, base, 100, 0, &descriptor);
    fails(memory, base + PAGE - 1, 1, 0, &descriptor);
    moves(memory, base + PAGE, 100, &descriptor, 1);

    memory_protect(memory, base, PAGE, PROT_READ);
    if (mover->out)
        fails(memory, base, 100, 0, &descriptor);
    else
        moves(memory, base, 100, &descriptor, 2);

    memory_protect(memory, base, PAGE, PROT_READ | PROT_WRITE); /* authority at the access */
    moves(memory, base, PAGES * PAGE, &descriptor, 3);
    must_detach(&descriptor);
    shows("F1", kind);
}

/* The authority ends at the first, a middle and the last page of a move. */
static void authority_ends_inside(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    for (size_t bad = 0; bad < PAGES; bad++) {
        uint64_t page = base + bad * PAGE;
        memory_protect(memory, page, PAGE, PROT_NONE);
        fails(memory, base, PAGES * PAGE, bad * PAGE, &descriptor);
        fails(memory, base + 1, PAGES * PAGE - 2, bad ? bad * PAGE - 1 : 0, &descriptor);
        memory_protect(memory, page, PAGE, PROT_READ | PROT_WRITE);
    }
    must_detach(&descriptor);
    shows("F1", kind);
}

static void range_not_valid(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base + PAGE, 2 * PAGE, &descriptor);
    fails(memory, base + PAGE - 1, 1, 0, &descriptor);
    fails(memory, base + PAGE - 1, 2, 0, &descriptor);
    fails(memory, base + 3 * PAGE, 1, 0, &descriptor);
    fails(memory, base + 3 * PAGE - 1, 2, 1, &descriptor);
    fails(memory, base, 1, 0, &descriptor);
    fails(memory, 0, 1, 0, &descriptor);
    fails(memory, UINT64_MAX, 1, 0, &descriptor);
    fails(memory, UINT64_MAX - 9, 100, 0, &descriptor);
    fails(memory, base + PAGE, -1, 0, &descriptor);
    fails(memory, base + PAGE, INT_MIN, 0, &descriptor);
    moves(memory, base + PAGE, 2 * PAGE, &descriptor, 1);
    must_detach(&descriptor);
    must_attach(memory, base + 100, 9, &descriptor); /* the bounds are the exact bytes */
    fails(memory, base + 99, 1, 0, &descriptor);
    fails(memory, base + 109, 1, 0, &descriptor);
    moves(memory, base + 100, 9, &descriptor, 2);
    must_detach(&descriptor);
    shows("F2", kind);
}

/* One byte more than the largest int cannot be asked for; that many can, and fail. */
static void maximal_count(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    struct xmem descriptor;
    unsigned char *kernel = guarded_new(PAGE);
    must_attach(memory, memory_base(memory), PAGE, &descriptor);
    unsigned char *before = snapshot(memory);
    assert_int_equal(mover->move(memory_base(memory) + PAGE - 1, kernel, INT_MAX, &descriptor),
                     XMEM_FAIL);
    unchanged_except(memory, before, memory_base(memory) + PAGE - 1, mover->out ? 1 : 0);
    must_detach(&descriptor);
    guarded_free(kernel);
    shows("F2", kind);
}

static void hole_in_range(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    unsigned char *kernel = guarded_new(PAGES * PAGE);
    memory_unmap(memory, base + 2 * PAGE, PAGE);
    assert_int_equal(mover->move(base + 2 * PAGE, kernel, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base + 3 * PAGE - 1, kernel, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base, kernel, PAGES * PAGE, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base, kernel, 2 * PAGE, &descriptor), XMEM_SUCC);
    assert_int_equal(mover->move(base + 3 * PAGE, kernel, PAGE, &descriptor), XMEM_SUCC);
    must_detach(&descriptor);
    guarded_free(kernel);
    shows("F2", kind);
}

static void zero_count(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    struct xmem descriptor;
    unsigned char *kernel = guarded_new(0);
    must_attach(memory, memory_base(memory), PAGE, &descriptor);
    assert_int_equal(mover->move(memory_base(memory), kernel, 0, &descriptor), XMEM_SUCC);
    assert_int_equal(mover->move(memory_base(memory) + PAGE, kernel, 0, &descriptor), XMEM_SUCC);
    assert_int_equal(mover->move(0, NULL, 0, &descriptor), XMEM_SUCC);
    struct xmem copy = descriptor;
    must_detach(&descriptor);
    assert_int_equal(mover->move(memory_base(memory), kernel, 0, &copy), XMEM_FAIL);
    guarded_free(kernel);
    shows("5", kind);
    shows("F4", kind);
}

/* All of the owner's pages go; the process lives on. */
static void segment_deleted(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    unsigned char byte = 7;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    owner_fill(memory, base, 5, PAGES * PAGE);
    memory_unmap(memory, base, PAGES * PAGE);
    assert_int_equal(mover->move(base, &byte, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(byte, 7);
    assert_int_equal(*memory_view(memory, base), 5);
    must_detach(&descriptor);
    if (kind == KIND_KERNEL)
        cannot("F3", kind,
               "the kernel's own memory is no segment that could be deleted; unmapped "
               "it fails as F2 says");
    else
        shows("F3", kind);
}

/* A new segment at the old addresses is not what the descriptor names; an opened process has no
 * segments, and what is mapped there now is its memory. */
static void segment_replaced(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    unsigned char byte = 7;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    memory_unmap(memory, base, PAGES * PAGE);
    memory_map(memory, base, PAGES * PAGE, PROT_READ | PROT_WRITE);
    owner_fill(memory, base, 5, PAGES * PAGE);
    int result = mover->move(base, &byte, 1, &descriptor);
    if (kind == KIND_OPENED || kind == KIND_KERNEL) {
        assert_int_equal(result, XMEM_SUCC);
    } else {
        assert_int_equal(result, XMEM_FAIL);
        assert_int_equal(*memory_view(memory, base), 5);
        assert_int_equal(byte, 7);
    }
    must_detach(&descriptor);
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    moves(memory, base, 100, &descriptor, 1);
    must_detach(&descriptor);
    if (kind != KIND_KERNEL)
        shows("F3", kind);
}

static void owner_exits(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    unsigned char byte = 7;
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    memory_exit(memory);
    assert_int_equal(mover->move(base, &byte, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base + PAGE - 1, &byte, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(byte, 7);
    must_detach(&descriptor);
    shows("F3", kind);
}

static void owner_executes(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem descriptor;
    unsigned char byte = 7;
    must_attach(memory, memory_base(memory), PAGES * PAGE, &descriptor);
    memory_exec(memory);
    assert_int_equal(mover->move(memory_base(memory), &byte, 1, &descriptor), XMEM_FAIL);
    must_detach(&descriptor);
    shows("F3", kind);
}

static void fails_everywhere(struct memory *memory, struct xmem *descriptor)
{
    struct interrupted call = {memory_base(memory), descriptor, guarded_new(8), 8, 99};
    fails(memory, memory_base(memory), 8, 0, descriptor);
    at_interrupt(move_at_interrupt, &call);
    assert_int_equal(call.result, XMEM_FAIL);
    guarded_free(call.kernel);
}

static void descriptor_not_valid(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor, stale, garbage;
    for (int byte = 0; byte < 256; byte++) { /* never attached */
        garbage_descriptor(&garbage, byte);
        fails(memory, base, 8, 0, &garbage);
        memset(&garbage, byte, sizeof garbage);
        fails(memory, base, 8, 0, &garbage);
    }
    fails_everywhere(memory, &garbage);
    must_attach(memory, base, PAGE, &descriptor);
    stale = descriptor;
    moves(memory, base, 8, &stale, 1); /* a copy is the descriptor */
    must_detach(&descriptor);
    fails_everywhere(memory, &descriptor);
    fails_everywhere(memory, &stale);
    must_attach(memory, base, PAGE, &descriptor); /* perhaps in the same place */
    fails_everywhere(memory, &stale);
    moves(memory, base, 8, &descriptor, 2);
    must_detach(&descriptor);
    shows("F4", kind);
    shows("3", kind);
}

static void storage_fails(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    uint64_t base = memory_base(memory);
    struct xmem descriptor;
    unsigned char *kernel = guarded_new(PAGES * PAGE);
    must_attach(memory, base, PAGES * PAGE, &descriptor);
    memory_truncate(memory, 1);
    assert_int_equal(mover->move(base + PAGE, kernel, 1, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base, kernel, PAGES * PAGE, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base + PAGE - 1, kernel, 2, &descriptor), XMEM_FAIL);
    assert_int_equal(mover->move(base, kernel, PAGE, &descriptor), XMEM_SUCC);
    struct interrupted call = {base + PAGE, &descriptor, kernel, 1, 99};
    if (HANDLERS_ARE_REAL)
        at_interrupt(move_at_interrupt, &call);
    else
        call.result = XMEM_FAIL;
    assert_int_equal(call.result, XMEM_FAIL);
    memory_truncate(memory, PAGES);
    moves(memory, base, PAGES * PAGE, &descriptor, 1);
    must_detach(&descriptor);
    guarded_free(kernel);
    shows("F5", kind);
}

static void storage_cannot_fail(enum kind kind)
{
    cannot("F5", kind, "working storage is never read from a device until there is paging");
}

int run_mover(const struct mover *chosen)
{
    static const struct test_case cases[] = {
        EACH(moves_bytes, ALL_KINDS),
        EACH(owner_sees_it, KIND_BIT(KIND_OPENED)),
        EACH(from_anywhere, ALL_KINDS),
        EACH(at_interrupt_level, ALL_KINDS),
        EACH(without_authority, ALL_KINDS),
        EACH(authority_ends_inside, ALL_KINDS),
        EACH(range_not_valid, ALL_KINDS),
        EACH(maximal_count, ALL_KINDS),
        EACH(hole_in_range, ALL_KINDS),
        EACH(zero_count, ALL_KINDS),
        EACH(segment_deleted, ALL_KINDS),
        EACH(segment_replaced, ALL_KINDS),
        EACH(owner_exits, USER_KINDS),
        EACH(owner_executes, KIND_BIT(KIND_OPENED)),
        EACH(descriptor_not_valid, ALL_KINDS),
        EACH(storage_fails,
             KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL)),
        EACH(storage_cannot_fail, EMBEDDED_KINDS),
    };
    mover = chosen;
    return RUN_CASES(chosen->service, cases);
}
