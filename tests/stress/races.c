/* SPDX-License-Identifier: MIT */
/*
 * Movers on other threads against protect, unmap, detach and close: no crash, no byte outside a
 * range, and nothing is moved after the revoking call has returned.
 *
 * For the last, the owner fills its memory once the call has returned, lets the movers go on with
 * what they hold, and looks whether its bytes stay.  A mover stores MOVED, the owner OWNED.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define PAGES 34 /* the first and the last are guards: never attached */
#define MOVED 0x11
#define OWNED 0xEE
#define GUARD 0x77
#define MOVERS 3

static struct {
    pthread_mutex_t mutex; /* over descriptor, process and base */
    struct xmem_descriptor descriptor;
    struct xmem_process *process;
    uint64_t base;
    size_t size;
    atomic_uint generation; /* grows whenever those change */
    atomic_int stop, moving;
    atomic_ulong moved, refused, wrong;
    atomic_uint seen[MOVERS]; /* the generation that a mover works with */
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

struct mover {
    pthread_t thread;
    unsigned number;
    unsigned generation;
    struct xmem_descriptor descriptor;
    struct xmem_process *process;
    uint64_t base;
    size_t size;
};

static void look(struct mover *mover)
{
    if (mover->generation == atomic_load(&shared.generation))
        return;
    pthread_mutex_lock(&shared.mutex);
    mover->generation = atomic_load(&shared.generation);
    mover->descriptor = shared.descriptor;
    mover->process = shared.process;
    mover->base = shared.base;
    mover->size = shared.size;
    pthread_mutex_unlock(&shared.mutex);
    atomic_store(&shared.seen[mover->number], mover->generation);
}

static int move_once(struct mover *mover, unsigned round, unsigned char *bytes, size_t n,
                     size_t *done)
{
    uint64_t address = mover->base + round * 61 % (mover->size - n + 1);
    switch ((round + mover->number) % 4) {
    case 0:
        return xmem_move_out(&mover->descriptor, bytes, address, n, done);
    case 1:
        return xmem_move_in(&mover->descriptor, address, bytes + 70000, n, done);
    case 2:
        return xmem_copy_out(mover->process, bytes, address, n, done);
    default: {
        struct iovec vectors[2] = {{bytes, n / 2}, {bytes + n / 2, n - n / 2}};
        struct xmem_range range = {address, n};
        return xmem_move_outv(&mover->descriptor, vectors, 2, &range, 1, done);
    }
    }
}

static void *move_on(void *argument)
{
    static const size_t sizes[] = {1, 8, 100, 4096, 30000, 70000};
    struct mover *mover = argument;
    static unsigned char all[MOVERS][2 * 70000];
    unsigned char *bytes = all[mover->number];
    memset(bytes, MOVED, 70000);
    for (unsigned round = mover->number; !atomic_load(&shared.stop); round++) {
        size_t n = sizes[round % 6], done = 777;
        look(mover);
        int error = move_once(mover, round, bytes, n, &done);
        if (error == 0 ? done != n : done > n)
            atomic_fetch_add(&shared.wrong, 1);
        if (error != 0 && error != EFAULT && error != EINVAL && error != ESRCH)
            atomic_fetch_add(&shared.wrong, 1);
        atomic_fetch_add(error ? &shared.refused : &shared.moved, 1);
    }
    return NULL;
}

/* ---------------------------------------------------------------- the owner's side ----- */

static struct memory *memory;
static struct mover movers[MOVERS];

static void publish(struct xmem_process *process)
{
    pthread_mutex_lock(&shared.mutex);
    shared.process = process;
    shared.base = memory_base(memory) + PAGE;
    shared.size = memory_size(memory) - 2 * PAGE;
    must(xmem_attach(process, shared.base, shared.size, &shared.descriptor));
    atomic_fetch_add(&shared.generation, 1);
    pthread_mutex_unlock(&shared.mutex);
}

static void fill_guards(void)
{
    owner_fill(memory, memory_base(memory), GUARD, PAGE);
    owner_fill(memory, memory_base(memory) + memory_size(memory) - PAGE, GUARD, PAGE);
}

static void check_guards(void)
{
    uint64_t base = memory_base(memory), last = base + memory_size(memory) - PAGE;
    for (uint64_t index = 0; index < PAGE; index++) {
        assert_int_equal(*memory_view(memory, base + index), GUARD);
        assert_int_equal(*memory_view(memory, last + index), GUARD);
    }
}

static void begin(enum kind kind)
{
    atomic_store(&shared.stop, 0);
    memory = memory_open_at(kind, PAGES, -(int64_t)(PAGES / 2 * PAGE));
    fill_guards();
    publish(memory_process(memory));
    for (unsigned index = 0; index < MOVERS; index++) {
        movers[index] = (struct mover){.number = index};
        atomic_store(&shared.seen[index], 0);
        assert_int_equal(pthread_create(&movers[index].thread, NULL, move_on, &movers[index]), 0);
    }
}

static void end(void)
{
    atomic_store(&shared.stop, 1);
    for (unsigned index = 0; index < MOVERS; index++)
        pthread_join(movers[index].thread, NULL);
    assert_int_equal(atomic_load(&shared.wrong), 0);
    assert_true(atomic_load(&shared.moved) > 0);
    assert_true(atomic_load(&shared.refused) > 0);
}

static void wait_for(atomic_ulong *counter, unsigned long more)
{
    unsigned long from = atomic_load(counter);
    double limit = seconds_now() + 20;
    while (atomic_load(counter) - from < more && seconds_now() < limit)
        sched_yield();
}

/* Takes the process from the movers, so that they have the descriptor only. */
static void withdraw_process(void)
{
    pthread_mutex_lock(&shared.mutex);
    shared.process = NULL;
    unsigned generation = atomic_fetch_add(&shared.generation, 1) + 1;
    pthread_mutex_unlock(&shared.mutex);
    for (unsigned index = 0; index < MOVERS; index++)
        while (atomic_load(&shared.seen[index]) != generation)
            sched_yield();
}

/* The revoking call has returned: whatever the movers do now, the bytes are the owner's. */
static void nothing_moves(uint64_t address, size_t n)
{
    owner_fill(memory, address, OWNED, n);
    wait_for(&shared.refused, 2 * MOVERS);
    for (uint64_t index = 0; index < n; index++)
        if (*memory_view(memory, address + index) != OWNED)
            fail_msg("byte %llu was moved after the revocation", (unsigned long long)index);
}

static void against_protect(enum kind kind)
{
    begin(kind);
    double limit = seconds_now() + test_seconds(0.5);
    for (unsigned round = 0; seconds_now() < limit; round++) {
        uint64_t first = shared.base + round % 7 * PAGE;
        size_t length = (PAGES - 2 - round % 11 - round % 7) * PAGE;
        wait_for(&shared.moved, 3);
        memory_protect(memory, first, length, round % 2 ? PROT_NONE : PROT_READ);
        nothing_moves(first, length);
        check_guards();
        memory_protect(memory, first, length, PROT_READ | PROT_WRITE);
    }
    end();
    must(xmem_detach(&shared.descriptor));
}

static void against_unmap(enum kind kind)
{
    begin(kind);
    double limit = seconds_now() + test_seconds(0.5);
    while (seconds_now() < limit) {
        wait_for(&shared.moved, 3);
        memory_unmap(memory, memory_base(memory), memory_size(memory));
        nothing_moves(shared.base, shared.size);
        check_guards();
        struct xmem_descriptor stale = shared.descriptor;
        memory_map(memory, memory_base(memory), memory_size(memory), PROT_READ | PROT_WRITE);
        fill_guards();
        publish(memory_process(memory));
        must(xmem_detach(&stale));
    }
    end();
    must(xmem_detach(&shared.descriptor));
}

/* Pages come and go in the middle; the rest of the segment stays. */
static void against_unmap_of_some(enum kind kind)
{
    begin(kind);
    double limit = seconds_now() + test_seconds(0.3);
    for (unsigned round = 0; seconds_now() < limit; round++) {
        uint64_t page = shared.base + round * 5 % (PAGES - 4) * PAGE;
        wait_for(&shared.moved, 3);
        must(xmem_process_unmap(memory_process(memory), page, 2 * PAGE));
        must_fail(xmem_copy_in(memory_process(memory), page, &(char){0}, 1, NULL), EFAULT);
        if (kind == KIND_IMPORTED)
            must(xmem_process_map_fd(memory_process(memory), page, 2 * PAGE, PROT_READ | PROT_WRITE,
                                     memory_file(memory), page - memory_base(memory)));
        else
            must(xmem_process_map(memory_process(memory), page, 2 * PAGE, PROT_READ | PROT_WRITE));
        check_guards();
    }
    end();
    must(xmem_detach(&shared.descriptor));
}

static void against_detach(enum kind kind)
{
    begin(kind);
    double limit = seconds_now() + test_seconds(0.5);
    while (seconds_now() < limit) {
        struct xmem_descriptor descriptor = shared.descriptor;
        wait_for(&shared.moved, 3);
        withdraw_process();
        wait_for(&shared.moved, 2);
        must(xmem_detach(&descriptor));
        nothing_moves(shared.base, shared.size);
        check_guards();
        publish(memory_process(memory));
    }
    end();
    must(xmem_detach(&shared.descriptor));
}

static void against_close(enum kind kind)
{
    double limit = seconds_now() + test_seconds(0.5);
    while (seconds_now() < limit) {
        begin(kind);
        wait_for(&shared.moved, 3);
        withdraw_process(); /* the pointer will be nobody's */
        wait_for(&shared.moved, 2);
        if (kind == KIND_OPENED) {
            /* Closing is the kernel program's revocation; the owner lives on. */
            memory_forget_process(memory);
        } else {
            memory_exit(memory);
        }
        nothing_moves(shared.base, shared.size);
        check_guards();
        end();
        must(xmem_detach(&shared.descriptor));
        memory_close(memory);
    }
}

/* The kernel's own pages are taken away beneath the movers: they fail, nothing crashes. */
static void against_munmap_of_our_own(enum kind kind)
{
    begin(kind);
    double limit = seconds_now() + test_seconds(0.3);
    while (seconds_now() < limit) {
        memory_protect(memory, shared.base + 2 * PAGE, 3 * PAGE, PROT_NONE);
        wait_for(&shared.refused, 1);
        check_guards();
        memory_protect(memory, shared.base + 2 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE);
        wait_for(&shared.moved, 3);
    }
    end();
    must(xmem_detach(&shared.descriptor));
}

/* ---------------------------------------------------------------- map-ins, attaches ---- */

static void *attach_and_map(void *argument)
{
    struct xmem_process *process = argument;
    for (unsigned round = 0; !atomic_load(&shared.stop); round++) {
        struct xmem_descriptor descriptor;
        void *mapped;
        uint64_t address = shared.base + round % 8 * PAGE;
        if (xmem_attach(process, address, PAGE, &descriptor) != 0)
            continue;
        if (xmem_map_in(&descriptor, address, PAGE, &mapped) == 0) {
            __atomic_store_n((unsigned char *)mapped + round % PAGE, MOVED, __ATOMIC_RELAXED);
            if (xmem_map_out(mapped) != 0)
                atomic_fetch_add(&shared.wrong, 1);
        }
        if (xmem_detach(&descriptor) != 0)
            atomic_fetch_add(&shared.wrong, 1);
    }
    return NULL;
}

static void attaches_against_unmap(enum kind kind)
{
    struct xmem_process *process;
    pthread_t threads[2];
    must(xmem_process_create(kind_bits(kind), &process));
    shared.base = REGION - 4 * PAGE;
    atomic_store(&shared.stop, 0);
    for (int index = 0; index < 2; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, attach_and_map, process), 0);
    double limit = seconds_now() + test_seconds(0.5);
    while (seconds_now() < limit) {
        must(xmem_process_map(process, shared.base, 9 * PAGE, PROT_READ | PROT_WRITE));
        sched_yield();
        must(xmem_process_unmap(process, shared.base, 9 * PAGE));
    }
    must(xmem_process_close(process));
    atomic_store(&shared.stop, 1);
    for (int index = 0; index < 2; index++)
        pthread_join(threads[index], NULL);
    assert_int_equal(atomic_load(&shared.wrong), 0);
}

/* ---------------------------------------------------------------- atomic operations ---- */

#define ADDERS 3

static void *add_many(void *argument)
{
    const uint64_t *address = argument;
    for (int round = 0; round < 20000; round++)
        if (xmem_move_atomic64(&shared.descriptor, *address, XMEM_ATOMIC_ADD, 1, 0, NULL) != 0)
            atomic_fetch_add(&shared.wrong, 1);
    return NULL;
}

static void additions_are_atomic(enum kind kind)
{
    pthread_t threads[ADDERS];
    uint64_t total = 0;
    memory = memory_open(kind, PAGES);
    publish(memory_process(memory));
    for (int index = 0; index < ADDERS; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, add_many, &shared.base), 0);
    for (int index = 0; index < ADDERS; index++)
        pthread_join(threads[index], NULL);
    owner_load(memory, shared.base, &total, sizeof total);
    assert_int_equal(total, ADDERS * 20000);
    assert_int_equal(atomic_load(&shared.wrong), 0);
    must(xmem_detach(&shared.descriptor));
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(against_protect, SEGMENT_KINDS),
        EACH(against_unmap, SEGMENT_KINDS),
        EACH(against_unmap_of_some, SEGMENT_KINDS),
        EACH(against_detach, ALL_KINDS),
        EACH(against_close, USER_KINDS),
        EACH(against_munmap_of_our_own, KIND_BIT(KIND_KERNEL)),
        EACH(attaches_against_unmap, EMBEDDED_KINDS),
        EACH(additions_are_atomic, MAPPED_KINDS),
    };
    return RUN_CASES("races", cases);
}
