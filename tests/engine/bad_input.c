/* SPDX-License-Identifier: MIT */
/*
 * Bad input: every call that moves bytes, with every kind of wrong address, length and descriptor.
 * The documented value comes back, done says exactly what was moved, and the bytes around every
 * range, the owner's and the kernel's, are unchanged.
 */
#include "../support/check.h"

#include <errno.h>
#include <string.h>

#include "../support/peer.h"

#define PAGES 4
#define OWNER 0xC3
#define KERNEL 0xB2

enum way { COPY_IN, COPY_OUT, MOVE_IN, MOVE_OUT, VECTOR_IN, VECTOR_OUT, MOVE_ZERO, WAYS };

struct subject {
    struct memory *memory;
    struct xmem_descriptor descriptor;
};

static int is_out(enum way way)
{
    return way == COPY_OUT || way == MOVE_OUT || way == VECTOR_OUT || way == MOVE_ZERO;
}

static int by_process(enum way way)
{
    return way == COPY_IN || way == COPY_OUT;
}

static int call(struct subject *subject, enum way way, uint64_t address, void *kernel, size_t n,
                size_t *done)
{
    struct xmem_range range = {address, n};
    struct iovec vector = {kernel, n};
    switch (way) {
    case COPY_IN:
        return xmem_copy_in(memory_process(subject->memory), address, kernel, n, done);
    case COPY_OUT:
        return xmem_copy_out(memory_process(subject->memory), kernel, address, n, done);
    case MOVE_IN:
        return xmem_move_in(&subject->descriptor, address, kernel, n, done);
    case MOVE_OUT:
        return xmem_move_out(&subject->descriptor, kernel, address, n, done);
    case VECTOR_IN:
        return xmem_move_inv(&subject->descriptor, &range, 1, &vector, 1, done);
    case VECTOR_OUT:
        return xmem_move_outv(&subject->descriptor, &vector, 1, &range, 1, done);
    default:
        return xmem_move_zero(&subject->descriptor, address, n, done);
    }
}

static void begin(struct subject *subject, enum kind kind, int64_t offset)
{
    subject->memory = memory_open_at(kind, PAGES, offset);
    must(xmem_attach(memory_process(subject->memory), memory_base(subject->memory), PAGES * PAGE,
                     &subject->descriptor));
}

static void end(struct subject *subject)
{
    must(xmem_detach(&subject->descriptor));
}

/* The whole memory holds OWNER, except in [address, + moved), if bytes went out. */
static void owner_is_intact(struct subject *subject, enum way way, uint64_t address, size_t moved)
{
    static unsigned char bytes[PAGES * PAGE];
    uint64_t base = memory_base(subject->memory);
    owner_load(subject->memory, base, bytes, sizeof bytes);
    for (size_t index = 0; index < sizeof bytes; index++) {
        int inside = is_out(way) && base + index >= address && base + index - address < moved;
        unsigned char expected = !inside ? OWNER : way == MOVE_ZERO ? 0 : KERNEL;
        if (bytes[index] != expected)
            fail_msg("the owner's byte %zu is %02x", index, bytes[index]);
    }
}

static void check_all_ways(struct subject *subject, uint64_t address, size_t n, size_t room,
                           size_t exact, int error)
{
    for (enum way way = 0; way < WAYS; way++) {
        unsigned char *kernel = guarded_new(room);
        size_t done = 777;
        memset(kernel, KERNEL, room);
        owner_fill(subject->memory, memory_base(subject->memory), OWNER, PAGES * PAGE);
        int result = call(subject, way, address, kernel, n, &done);
        if (result != error)
            fail_msg("way %d at %llx, %zu bytes: returned %d instead of %d: %s", way,
                     (unsigned long long)address, n, result, error, xmem_last_failure()->words);
        /* A range that leaves the attached bytes or the space may be told before anything moves. */
        if (error == 0 || (by_process(way) && n < INT32_MAX) || done != 0)
            assert_int_equal(done, exact);
        owner_is_intact(subject, way, address, done);
        for (size_t index = 0; index < room; index++)
            assert_int_equal(kernel[index], !is_out(way) && index < done ? OWNER : KERNEL);
        guarded_free(kernel);
    }
}

static void counts(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory), last = base + PAGES * PAGE - 1;
    check_all_ways(&subject, base, 0, 0, 0, 0);
    check_all_ways(&subject, 0, 0, 0, 0, 0);
    check_all_ways(&subject, UINT64_MAX, 0, 0, 0, 0);
    check_all_ways(&subject, last, 1, 1, 1, 0);
    check_all_ways(&subject, last, 2, 2, 1, EFAULT);
    static const size_t huge[] = {(size_t)INT32_MAX, (size_t)UINT32_MAX, (size_t)1 << 32,
                                  (size_t)1 << 60,   SIZE_MAX / 2,       SIZE_MAX - 4096,
                                  SIZE_MAX};
    for (size_t index = 0; index < sizeof huge / sizeof *huge; index++)
        check_all_ways(&subject, last, huge[index], 1, 1, EFAULT);
    end(&subject);
}

static void addresses(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    static const uint64_t wrong[] = {0,
                                     1,
                                     UINT64_C(1) << 47,
                                     (UINT64_C(1) << 48) - 1,
                                     (UINT64_C(1) << 60) - 1,
                                     UINT64_C(1) << 60,
                                     UINT64_C(1) << 63,
                                     UINT64_C(0x8000000000000FFF),
                                     UINT64_C(0xFFFF800000000000),
                                     UINT64_MAX - 4095,
                                     UINT64_MAX};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        check_all_ways(&subject, wrong[index], 1, 1, 0, EFAULT);
        check_all_ways(&subject, wrong[index], 8, 8, 0, EFAULT);
        check_all_ways(&subject, wrong[index], 5000, 5000, 0, EFAULT);
    }
    check_all_ways(&subject, base - 1, 1, 1, 0, EFAULT);
    check_all_ways(&subject, base - 1, 9, 9, 0, EFAULT);
    check_all_ways(&subject, base + PAGES * PAGE, 1, 1, 0, EFAULT);
    check_all_ways(&subject, base + PAGES * PAGE - 5, 9, 9, 5, EFAULT);
    check_all_ways(&subject, base + REGION, 9, 9, 0, EFAULT);
    if (kind == KIND_EMBEDDED32)
        check_all_ways(&subject, base + (UINT64_C(1) << 32), 9, 9, 0, EFAULT);
    end(&subject);
}

/* Across a region boundary, with the neighbour mapped and without. */
static void region_crossing(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, -2 * (int64_t)PAGE);
    uint64_t edge = memory_base(subject.memory) + 2 * PAGE;
    check_all_ways(&subject, edge - 1, 2, 2, 2, 0);
    check_all_ways(&subject, edge - PAGE, 2 * PAGE, 2 * PAGE, 2 * PAGE, 0);
    end(&subject);
    memory_close(subject.memory);
    begin(&subject, kind, -(int64_t)(PAGES * PAGE));
    edge = memory_base(subject.memory) + PAGES * PAGE;
    check_all_ways(&subject, edge - 1, 1, 1, 1, 0);
    check_all_ways(&subject, edge - 1, 2, 2, 1, EFAULT);
    check_all_ways(&subject, edge - PAGE, 2 * PAGE, 2 * PAGE, PAGE, EFAULT);
    end(&subject);
    memory_close(subject.memory);
    begin(&subject, kind, 0);
    edge = memory_base(subject.memory);
    check_all_ways(&subject, edge - 1, 2, 2, 0, EFAULT);
    end(&subject);
}

/* A page without authority, read-only, or gone, at the first, a middle and the last place. */
static void bad_pages(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    static const size_t starts[] = {0, 1, 4095}, cuts[] = {0, 1, 4095};
    for (size_t bad = 0; bad < PAGES; bad++) {
        memory_protect(subject.memory, base + bad * PAGE, PAGE, PROT_NONE);
        for (size_t start = 0; start < 3; start++) {
            for (size_t cut = 0; cut < 3; cut++) {
                uint64_t address = base + starts[start];
                size_t n = PAGES * PAGE - starts[start] - cuts[cut];
                uint64_t page = base + bad * PAGE;
                size_t exact = page > address ? (size_t)(page - address) : 0;
                check_all_ways(&subject, address, n, n, exact, EFAULT);
            }
        }
        check_all_ways(&subject, base + bad * PAGE, 1, 1, 0, EFAULT);
        check_all_ways(&subject, base + bad * PAGE + PAGE - 1, 1, 1, 0, EFAULT);
        memory_protect(subject.memory, base + bad * PAGE, PAGE, PROT_READ | PROT_WRITE);
    }
    check_all_ways(&subject, base, PAGES * PAGE, PAGES * PAGE, PAGES * PAGE, 0);
    end(&subject);
}

static void read_only_pages(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    unsigned char *kernel = guarded_new(PAGES * PAGE);
    for (size_t bad = 0; bad < PAGES; bad++) {
        memory_protect(subject.memory, base + bad * PAGE, PAGE, PROT_READ);
        for (enum way way = 0; way < WAYS; way++) {
            size_t done = 777;
            memset(kernel, KERNEL, PAGES * PAGE);
            owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
            int result = call(&subject, way, base, kernel, PAGES * PAGE, &done);
            assert_int_equal(result, is_out(way) ? EFAULT : 0);
            assert_int_equal(done, is_out(way) ? bad * PAGE : PAGES * PAGE);
            owner_is_intact(&subject, way, base, done);
        }
        memory_protect(subject.memory, base + bad * PAGE, PAGE, PROT_READ | PROT_WRITE);
    }
    guarded_free(kernel);
    end(&subject);
}

static void holes(enum kind kind)
{
    unsigned char *kernel = guarded_new(PAGES * PAGE);
    for (size_t hole = 0; hole < PAGES; hole++) {
        struct subject subject;
        begin(&subject, kind, 0);
        uint64_t base = memory_base(subject.memory);
        owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
        memory_unmap(subject.memory, base + hole * PAGE, PAGE);
        for (enum way way = 0; way < WAYS; way++) {
            size_t done = 777;
            assert_int_equal(call(&subject, way, base, kernel, PAGES * PAGE, &done), EFAULT);
            assert_int_equal(done, hole * PAGE);
            assert_int_equal(call(&subject, way, base + hole * PAGE + PAGE - 1, kernel, 1, &done),
                             EFAULT);
            assert_int_equal(done, 0);
        }
        end(&subject);
        memory_close(subject.memory);
    }
    guarded_free(kernel);
}

/* ---------------------------------------------------------------- descriptors ---------- */

static void refused(struct subject *subject, const struct xmem_descriptor *wrong)
{
    struct subject forged = {subject->memory, *wrong};
    uint64_t base = memory_base(subject->memory);
    unsigned char *kernel = guarded_new(64);
    void *mapped = kernel;
    size_t done, limit;
    memset(kernel, KERNEL, 64);
    for (enum way way = MOVE_IN; way < WAYS; way++) {
        done = 777;
        assert_int_equal(call(&forged, way, base, kernel, 64, &done), EINVAL);
        assert_int_equal(done, 0);
        assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_DESCRIPTOR);
    }
    for (size_t index = 0; index < 64; index++)
        assert_int_equal(kernel[index], KERNEL);
    assert_int_equal(xmem_map_in(wrong, base, 8, &mapped), EINVAL);
    assert_ptr_equal(mapped, kernel);
    assert_int_equal(xmem_map_limit(wrong, base, &limit), EINVAL);
    assert_int_equal(xmem_page_size(wrong, base, 8, &limit), EINVAL);
    assert_int_equal(xmem_pin(wrong, base, 8), EINVAL);
    assert_int_equal(xmem_unpin(wrong, base, 8), EINVAL);
    assert_int_equal(xmem_move_atomic64(wrong, base, XMEM_ATOMIC_ADD, 1, 0, NULL), EINVAL);
    assert_int_equal(xmem_move_atomic32(wrong, base, XMEM_ATOMIC_ADD, 1, 0, NULL), EINVAL);
    guarded_free(kernel);
}

static void forged_bit_by_bit(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
    for (size_t bit = 0; bit < 8 * sizeof subject.descriptor; bit++) {
        struct xmem_descriptor forged = subject.descriptor, kept;
        ((unsigned char *)&forged)[bit / 8] ^= (unsigned char)(1u << bit % 8);
        kept = forged;
        refused(&subject, &forged);
        assert_int_equal(xmem_detach(&forged), EINVAL);
        assert_true(forged.kind == kept.kind || forged.kind == XMEM_DESCRIPTOR_INVALID);
    }
    owner_is_intact(&subject, MOVE_IN, base, 0);
    end(&subject); /* the true one lives */
}

static void never_attached(enum kind kind)
{
    struct subject subject;
    struct xmem_descriptor wrong;
    begin(&subject, kind, 0);
    for (int byte = 0; byte < 256; byte++) {
        memset(&wrong, byte, sizeof wrong);
        refused(&subject, &wrong);
        for (int32_t name = -1; name <= 2; name++) {
            wrong.kind = name;
            refused(&subject, &wrong);
        }
    }
    end(&subject);
}

/* Copies made before and after the detach, and after the next attach into the same place. */
static void detached_and_copied(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    struct xmem_descriptor before = subject.descriptor, doubled = before, after;
    char byte;
    must(xmem_move_in(&before, memory_base(subject.memory), &byte, 1, NULL));
    must(xmem_detach(&doubled));
    after = doubled;
    refused(&subject, &before);
    refused(&subject, &doubled);
    refused(&subject, &after);
    refused(&subject, &subject.descriptor);
    assert_int_equal(xmem_detach(&subject.descriptor), EINVAL);
    for (int round = 0; round < 100; round++) {
        must(xmem_attach(memory_process(subject.memory), memory_base(subject.memory), PAGE,
                         &subject.descriptor));
        refused(&subject, &before);
        must(xmem_move_in(&subject.descriptor, memory_base(subject.memory), &byte, 1, NULL));
        must(xmem_detach(&subject.descriptor));
    }
}

/* Parts of two descriptors put together are neither. */
static void mixed(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    struct xmem_descriptor second, mix;
    must(xmem_attach(memory_process(subject.memory), memory_base(subject.memory), 8, &second));
    for (unsigned parts = 1; parts < 15; parts++) {
        mix.kind = second.kind;
        mix.index = parts & 1 ? subject.descriptor.index : second.index;
        mix.handle = parts & 2 ? subject.descriptor.handle : second.handle;
        mix.generation = parts & 4 ? subject.descriptor.generation : second.generation;
        mix.check = parts & 8 ? subject.descriptor.check : second.check;
        if (memcmp(&mix, &second, sizeof mix) != 0 &&
            memcmp(&mix, &subject.descriptor, sizeof mix) != 0)
            refused(&subject, &mix);
    }
    must(xmem_detach(&second));
    end(&subject);
}

/* ---------------------------------------------------------------- gone in between ------ */

static void gone_between_attach_and_move(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    unsigned char *kernel = guarded_new(64);
    memset(kernel, KERNEL, 64);
    owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
    memory_exit(subject.memory);
    for (enum way way = MOVE_IN; way < WAYS; way++) {
        size_t done = 777;
        int error = call(&subject, way, base, kernel, 64, &done);
        assert_true(error == ESRCH || (error == EFAULT && kind != KIND_OPENED));
        assert_int_equal(done, 0);
        owner_is_intact(&subject, way, base, 0);
    }
    for (size_t index = 0; index < 64; index++)
        assert_int_equal(kernel[index], KERNEL);
    guarded_free(kernel);
    end(&subject);
}

static void replaced_between_attach_and_move(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    unsigned char *kernel = guarded_new(64);
    owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
    memory_exec(subject.memory);
    for (enum way way = 0; way < WAYS; way++) {
        size_t done = 777;
        assert_int_equal(call(&subject, way, base, kernel, 64, &done), ESRCH);
        assert_int_equal(done, 0);
    }
    guarded_free(kernel);
    end(&subject);
}

static void truncated_between_attach_and_move(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind, 0);
    uint64_t base = memory_base(subject.memory);
    int error = kind == KIND_IMPORTED ? EIO : EFAULT;
    for (size_t pages = 0; pages < PAGES; pages++) {
        unsigned char *kernel = guarded_new(PAGES * PAGE);
        for (enum way way = 0; way < WAYS; way++) {
            size_t done = 777;
            memory_truncate(subject.memory, PAGES);
            owner_fill(subject.memory, base, OWNER, PAGES * PAGE);
            memory_truncate(subject.memory, pages);
            memset(kernel, KERNEL, PAGES * PAGE);
            assert_int_equal(call(&subject, way, base, kernel, PAGES * PAGE, &done), error);
            assert_int_equal(done, pages * PAGE);
            for (size_t index = 0; index < PAGES * PAGE; index++)
                assert_int_equal(kernel[index], !is_out(way) && index < done ? OWNER : KERNEL);
        }
        guarded_free(kernel);
    }
    memory_truncate(subject.memory, PAGES);
    check_all_ways(&subject, base, 100, 100, 100, 0);
    end(&subject);
}

static void no_current_process(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1);
    char bytes[8] = "intact!";
    size_t done = 777;
    must_fail(xmem_copy_in(NULL, memory_base(memory), bytes, 8, &done), EINVAL);
    assert_int_equal(done, 0);
    must_fail(xmem_copy_out(NULL, bytes, memory_base(memory), 8, &done), EINVAL);
    must_fail(xmem_string_in(NULL, memory_base(memory), bytes, 8, &done), EINVAL);
    must_fail(xmem_atomic32(NULL, memory_base(memory), XMEM_ATOMIC_ADD, 1, 0, NULL), EINVAL);
    assert_string_equal(bytes, "intact!");
    assert_int_equal(*memory_view(memory, memory_base(memory)), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(counts, ALL_KINDS),
        EACH(addresses, ALL_KINDS),
        EACH(region_crossing, ALL_KINDS),
        EACH(bad_pages, ALL_KINDS),
        EACH(read_only_pages, ALL_KINDS),
        EACH(holes, ALL_KINDS),
        EACH(forged_bit_by_bit, ALL_KINDS),
        EACH(never_attached, ALL_KINDS),
        EACH(detached_and_copied, ALL_KINDS),
        EACH(mixed, ALL_KINDS),
        EACH(gone_between_attach_and_move, USER_KINDS),
        EACH(replaced_between_attach_and_move, KIND_BIT(KIND_OPENED)),
        EACH(truncated_between_attach_and_move,
             KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL)),
        EACH(no_current_process, USER_KINDS),
    };
    return RUN_CASES("bad_input", cases);
}
