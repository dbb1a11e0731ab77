/* SPDX-License-Identifier: MIT */
/*
 * Owners that unmap, protect, truncate, exit and exec while moves are under way.  A move returns a
 * documented value and its exact count, and nothing outside the ranges is written; a bystander's
 * memory is reached all the while.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../support/peer.h"

#define PAGES 64
#define BYTES (PAGES * PAGE)

static unsigned char *kernel;

/* Whether a result is one that the documents allow. */
static int allowed(int error, size_t done, size_t n)
{
    if (error == 0)
        return done == n;
    return done < n && (error == EFAULT || error == EIO || error == ESRCH || error == ENOSPC);
}

static int move_some(const struct xmem_descriptor *descriptor, uint64_t base, unsigned round)
{
    size_t n = 1 + (round * 7919u) % (BYTES - 100), offset = round * 31 % 100, done = 777;
    int error;
    if (round % 3 == 0)
        error = xmem_move_out(descriptor, kernel, base + offset, n, &done);
    else if (round % 3 == 1)
        error = xmem_move_in(descriptor, base + offset, kernel, n, &done);
    else
        error = xmem_move_zero(descriptor, base + offset, n, &done);
    if (!allowed(error, done, n))
        fail_msg("round %u: %d after %zu of %zu bytes: %s", round, error, done, n,
                 xmem_last_failure()->words);
    return error;
}

/* The bystander: memory of another process of the same kind, which must never be disturbed. */
struct bystander {
    struct memory *memory;
    struct xmem_descriptor descriptor;
};

static void bystander_begin(struct bystander *bystander, enum kind kind)
{
    bystander->memory = memory_open(kind, 2);
    must(xmem_attach(memory_process(bystander->memory), memory_base(bystander->memory), 2 * PAGE,
                     &bystander->descriptor));
    for (uint64_t index = 0; index < 2 * PAGE; index++)
        *memory_view(bystander->memory, memory_base(bystander->memory) + index) =
            pattern_byte(index, 8);
}

static void bystander_is_well(struct bystander *bystander)
{
    static unsigned char bytes[2 * PAGE];
    size_t done;
    must(xmem_move_in(&bystander->descriptor, memory_base(bystander->memory), bytes, 2 * PAGE,
                      &done));
    assert_int_equal(done, 2 * PAGE);
    for (size_t index = 0; index < 2 * PAGE; index++)
        assert_int_equal(bytes[index], pattern_byte(index, 8));
}

static void bystander_end(struct bystander *bystander)
{
    bystander_is_well(bystander);
    must(xmem_detach(&bystander->descriptor));
}

/* ---------------------------------------------------------------- a looping owner ------ */

static int64_t tell(int socket, enum peer_operation operation, uint64_t address, uint64_t length,
                    uint64_t value)
{
    struct peer_command command = {.operation = operation,
                                   .address = address,
                                   .length = length,
                                   .value = value,
                                   .prot = PROT_READ | PROT_WRITE};
    return peer_ask(socket, &command);
}

/* An opened process that takes its own memory away, over and over. */
static void opened_owner_loops(enum peer_operation loop, uint64_t value, uint64_t length)
{
    struct bystander bystander;
    struct xmem_process *process;
    struct xmem_descriptor descriptor;
    uint64_t base = UINT64_C(0x123460000000);
    int file = memfd_create("hostile", MFD_CLOEXEC), socket;
    assert_int_equal(ftruncate(file, BYTES), 0);
    pid_t pid = peer_start(file, &socket);
    bystander_begin(&bystander, KIND_OPENED);
    kernel = guarded_new(BYTES);
    assert_int_equal(tell(socket, PEER_MAP, base, BYTES, 0), 0);
    must(xmem_process_open(pid, &process));
    must(xmem_attach(process, base, BYTES, &descriptor));
    assert_int_equal(tell(socket, loop, base, length, value), 0);
    double end = seconds_now() + test_seconds(0.5);
    unsigned failures = 0, round = 0;
    for (; seconds_now() < end; round++) {
        failures += move_some(&descriptor, base, round) != 0;
        if (round % 64 == 0)
            bystander_is_well(&bystander);
    }
    guarded_free(kernel);
    assert_int_equal(tell(socket, PEER_HELLO, 0, 0, 0), pid); /* it lives, and obeys */
    must(xmem_detach(&descriptor));
    must(xmem_process_close(process));
    peer_end(pid, socket);
    close(file);
    bystander_end(&bystander);
    assert_true(round > 10);
    (void)failures;
}

static void opened_owner_unmaps(enum kind kind)
{
    (void)kind;
    opened_owner_loops(PEER_LOOP_UNMAP, 0, BYTES);
}

static void opened_owner_protects(enum kind kind)
{
    (void)kind;
    opened_owner_loops(PEER_LOOP_PROTECT, 0, BYTES);
}

static void opened_owner_truncates(enum kind kind)
{
    (void)kind;
    opened_owner_loops(PEER_LOOP_TRUNCATE, 3 * PAGE, BYTES - 3 * PAGE);
}

/* ---------------------------------------------------------------- exits and execs ------ */

/* Moves until the owner has gone; from the first failure on no move succeeds. */
static void move_until_gone(const struct xmem_descriptor *descriptor, uint64_t base, int by_kind)
{
    double limit = seconds_now() + 20;
    for (unsigned round = 1;; round++) {
        int error = move_some(descriptor, base, round);
        if (error != 0) {
            assert_true(error == ESRCH || error == EFAULT);
            (void)by_kind;
            break;
        }
        if (seconds_now() > limit)
            fail_msg("the owner has gone, and moves still succeed");
    }
    while (move_some(descriptor, base, 1) == EFAULT && seconds_now() < limit)
        ; /* its memory goes before it has gone */
    for (unsigned round = 0; round < 20; round++)
        assert_int_equal(move_some(descriptor, base, round), ESRCH);
}

static void opened_owners_end(enum peer_operation ending)
{
    struct bystander bystander;
    uint64_t base = UINT64_C(0x123460000000);
    bystander_begin(&bystander, KIND_OPENED);
    kernel = guarded_new(BYTES);
    double end = seconds_now() + test_seconds(0.5);
    for (unsigned round = 0; seconds_now() < end || round < 3; round++) {
        struct xmem_process *process;
        struct xmem_descriptor descriptor;
        struct peer_command command = {.operation = ending};
        int socket;
        pid_t pid = peer_start(-1, &socket);
        assert_int_equal(tell(socket, PEER_MAP_OWN, base, BYTES, 0), 0);
        must(xmem_process_open(pid, &process));
        must(xmem_attach(process, base, BYTES, &descriptor));
        for (unsigned warm = 0; warm < round % 7; warm++)
            assert_int_equal(move_some(&descriptor, base, warm), 0);
        /* No answer is waited for: the moves meet the end at any point of it. */
        assert_int_equal(write(socket, &command, sizeof command), sizeof command);
        move_until_gone(&descriptor, base, 0);
        must(xmem_detach(&descriptor));
        must(xmem_process_close(process));
        close(socket);
        peer_end(pid, -1);
        bystander_is_well(&bystander);
    }
    guarded_free(kernel);
    bystander_end(&bystander);
}

static void opened_owners_exit(enum kind kind)
{
    (void)kind;
    opened_owners_end(PEER_EXIT);
}

static void opened_owners_execute(enum kind kind)
{
    (void)kind;
    opened_owners_end(PEER_EXEC);
}

/* ---------------------------------------------------------------- imported memory ------ */

static atomic_int stop;

static void *truncate_loop(void *argument)
{
    int file = *(int *)argument;
    for (unsigned round = 0; !atomic_load(&stop); round++) {
        if (ftruncate(file, (off_t)((round * 5 % PAGES) * PAGE)) != 0 ||
            ftruncate(file, BYTES) != 0)
            break;
    }
    return NULL;
}

static void imported_file_truncated(enum kind kind)
{
    struct bystander bystander;
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_descriptor descriptor;
    uint64_t base = memory_base(memory);
    int file = memory_file(memory);
    pthread_t thread;
    bystander_begin(&bystander, kind);
    kernel = guarded_new(BYTES);
    must(xmem_attach(memory_process(memory), base, BYTES, &descriptor));
    atomic_store(&stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, truncate_loop, &file), 0);
    double end = seconds_now() + test_seconds(0.5);
    for (unsigned round = 0; seconds_now() < end; round++) {
        move_some(&descriptor, base, round);
        if (round % 64 == 0)
            bystander_is_well(&bystander);
    }
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    memory_truncate(memory, PAGES);
    guarded_free(kernel);
    must(xmem_detach(&descriptor));
    bystander_end(&bystander);
}

/* A string whose zero the owner moves about: never more than max bytes, never without an end. */
static void string_changes(enum kind kind)
{
    uint64_t base = UINT64_C(0x123460000000);
    int file = memfd_create("hostile", MFD_CLOEXEC), socket;
    assert_int_equal(ftruncate(file, PAGE), 0);
    pid_t pid = peer_start(file, &socket);
    struct xmem_process *process;
    assert_int_equal(tell(socket, PEER_MAP, base, PAGE, 0), 0);
    must(xmem_process_open(pid, &process));
    assert_int_equal(tell(socket, PEER_LOOP_STORE, base, 200, 0), 0);
    double end = seconds_now() + test_seconds(0.3);
    while (seconds_now() < end) {
        size_t done = 777;
        char *to = (char *)guarded_new(150);
        int error = xmem_string_in(process, base, to, 150, &done);
        assert_true(error == 0 || error == E2BIG);
        assert_in_range(done, 1, 150);
        size_t length = strnlen(to, done);
        assert_int_equal(length, error == 0 ? done - 1 : done);
        guarded_free((unsigned char *)to);
    }
    must(xmem_process_close(process));
    peer_end(pid, socket);
    close(file);
    (void)kind;
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(opened_owner_unmaps, ONCE),    EACH(opened_owner_protects, ONCE),
        EACH(opened_owner_truncates, ONCE), EACH(opened_owners_exit, ONCE),
        EACH(opened_owners_execute, ONCE),  EACH(imported_file_truncated, KIND_BIT(KIND_IMPORTED)),
        EACH(string_changes, ONCE),
    };
    return RUN_CASES("hostile", cases);
}
