/* SPDX-License-Identifier: MIT */
/* The native copies, moves, vectors, strings and atomic operations: what each returns, the exact
 * number of bytes done, and the record of the failure. */
#include "../support/check.h"

#include <errno.h>
#include <string.h>

#define PAGES 4

/* ---------------------------------------------------------------- one call, both ways -- */

enum way { COPY_IN, COPY_OUT, MOVE_IN, MOVE_OUT, MOVE_ZERO, WAYS };

struct subject {
    struct memory *memory;
    struct xmem_descriptor descriptor;
};

static void begin(struct subject *subject, enum kind kind)
{
    subject->memory = memory_open(kind, PAGES);
    must(xmem_attach(memory_process(subject->memory), memory_base(subject->memory), PAGES * PAGE,
                     &subject->descriptor));
}

static void end(struct subject *subject)
{
    must(xmem_detach(&subject->descriptor));
}

static int call(struct subject *subject, enum way way, uint64_t address, void *kernel, size_t n,
                size_t *done)
{
    struct xmem_process *process = memory_process(subject->memory);
    switch (way) {
    case COPY_IN:
        return xmem_copy_in(process, address, kernel, n, done);
    case COPY_OUT:
        return xmem_copy_out(process, kernel, address, n, done);
    case MOVE_IN:
        return xmem_move_in(&subject->descriptor, address, kernel, n, done);
    case MOVE_OUT:
        return xmem_move_out(&subject->descriptor, kernel, address, n, done);
    default:
        return xmem_move_zero(&subject->descriptor, address, n, done);
    }
}

static int is_out(enum way way)
{
    return way == COPY_OUT || way == MOVE_OUT || way == MOVE_ZERO;
}

/* done is byte-exact: what was moved is there, what comes behind is untouched. */
static void fails_after(struct subject *subject, enum way way, uint64_t address, size_t n,
                        size_t exact, int error, enum xmem_failure_class failure_class)
{
    unsigned char *kernel = guarded_new(n), byte;
    size_t done = 12345;
    pattern_fill(kernel, n, 1);
    owner_fill(subject->memory, memory_base(subject->memory), 0xC3, PAGES * PAGE);
    must_fail(call(subject, way, address, kernel, n, &done), error);
    assert_int_equal(done, exact);
    /* Of an opened process a move may not know which of the two it is. */
    if (memory_kind(subject->memory) != KIND_OPENED ||
        xmem_last_failure()->failure_class != XMEM_FAILURE_NO_MAPPING)
        assert_int_equal(xmem_last_failure()->failure_class, failure_class);
    assert_true(strlen(xmem_last_failure()->words) > 10);
    if (failure_class == XMEM_FAILURE_NO_MAPPING || failure_class == XMEM_FAILURE_NO_AUTHORITY)
        assert_int_equal(xmem_last_failure()->address, address + exact);
    for (size_t index = 0; is_out(way) && index < n && index < 2 * PAGE; index++) {
        owner_load(subject->memory, address + index, &byte, 1);
        unsigned char moved = way == MOVE_ZERO ? 0 : kernel[index];
        assert_int_equal(byte, index < exact ? moved : 0xC3);
    }
    for (size_t index = 0; !is_out(way) && index < n; index++)
        assert_int_equal(kernel[index], index < exact ? 0xC3 : pattern_byte(index, 1));
    guarded_free(kernel);
}

static void exact_count_at_lost_authority(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    uint64_t page = memory_base(subject.memory) + PAGE;
    memory_protect(subject.memory, page, PAGE, PROT_NONE);
    enum xmem_failure_class class =
        kind == KIND_KERNEL ? XMEM_FAILURE_NO_MAPPING : XMEM_FAILURE_NO_AUTHORITY;
    for (enum way way = 0; way < WAYS; way++)
        for (size_t before = 0; before < 70; before += before < 20 ? 1 : 7)
            fails_after(&subject, way, page - before, before + 20, before, EFAULT, class);
    memory_protect(subject.memory, page, PAGE, PROT_READ);
    for (enum way way = 0; way < WAYS; way++) {
        char bytes[8] = {0};
        if (is_out(way))
            fails_after(&subject, way, page - 100, 200, 100, EFAULT, class);
        else
            must(call(&subject, way, page, bytes, 8, NULL));
    }
    end(&subject);
}

static void exact_count_at_truncation(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    uint64_t page = memory_base(subject.memory) + PAGE;
    unsigned char *kernel = guarded_new(200);
    int error = kind == KIND_IMPORTED ? EIO : EFAULT;
    memory_truncate(subject.memory, 1);
    for (enum way way = 0; way < WAYS; way++) {
        for (size_t before = 0; before < 70; before++) {
            size_t done = 99;
            owner_fill(subject.memory, page - 100, 0xC3, 100);
            memset(kernel, 0xB2, 200);
            must_fail(call(&subject, way, page - before, kernel, before + 20, &done), error);
            assert_int_equal(done, before);
            if (kind == KIND_IMPORTED)
                assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_IO);
            for (size_t index = 0; !is_out(way) && index < before + 20; index++)
                assert_int_equal(kernel[index], index < before ? 0xC3 : 0xB2);
        }
    }
    end(&subject);
    guarded_free(kernel);
}

static void done_may_be_null(enum kind kind)
{
    struct subject subject;
    char bytes[8] = {0};
    size_t done = 99;
    begin(&subject, kind);
    uint64_t base = memory_base(subject.memory);
    for (enum way way = 0; way < WAYS; way++) {
        must(call(&subject, way, base, bytes, 8, NULL));
        must(call(&subject, way, base, bytes, 8, &done));
        assert_int_equal(done, 8);
        must(call(&subject, way, base, bytes, 0, &done));
        assert_int_equal(done, 0);
        must(call(&subject, way, UINT64_MAX, NULL, 0, NULL)); /* no address is looked at */
        must_fail(call(&subject, way, base - 1, bytes, 1, NULL), EFAULT);
    }
    end(&subject);
}

/* A success leaves the record of the last failure as it was. */
static void success_keeps_the_record(enum kind kind)
{
    struct subject subject;
    char byte = 0;
    begin(&subject, kind);
    uint64_t base = memory_base(subject.memory);
    must_fail(xmem_move_in(&subject.descriptor, base - 7, &byte, 1, NULL), EFAULT);
    must(xmem_move_in(&subject.descriptor, base, &byte, 1, NULL));
    assert_int_equal(xmem_last_failure()->error, EFAULT);
    assert_int_equal(xmem_last_failure()->address, base - 7);
    errno = 77;
    must_fail(xmem_copy_in(memory_process(subject.memory), base - 7, &byte, 1, NULL), EFAULT);
    must(xmem_copy_in(memory_process(subject.memory), base, &byte, 1, NULL));
    assert_int_equal(errno, 77); /* errno is never touched */
    end(&subject);
}

static void large_moves(enum kind kind)
{
    static unsigned char kernel[1024 * PAGE + 1], again[1024 * PAGE + 1];
    struct memory *memory = memory_open_at(kind, 1024, -(int64_t)(500 * PAGE));
    struct subject subject = {.memory = memory};
    uint64_t base = memory_base(memory);
    size_t size = memory_size(memory), done;
    must(xmem_attach(memory_process(memory), base, size, &subject.descriptor));
    pattern_fill(kernel, size, 1);
    for (size_t cut = 0; cut < 3 * PAGE; cut += PAGE + 1) {
        memset(again, 0, size);
        must(call(&subject, MOVE_OUT, base + cut, kernel, size - cut, &done));
        assert_int_equal(done, size - cut);
        owner_load(memory, base + cut, again, size - cut);
        assert_memory_equal(kernel, again, size - cut);
        memset(again, 0, size);
        must(call(&subject, COPY_IN, base + cut, again, size - cut, &done));
        assert_int_equal(done, size - cut);
        assert_memory_equal(kernel, again, size - cut);
    }
    must_fail(call(&subject, COPY_IN, base + 1, again, size, &done), EFAULT);
    assert_int_equal(done, size - 1);
    end(&subject);
}

/* From 8 MiB on other stores are used, across several pieces and a region boundary. */
static void very_large_moves(enum kind kind)
{
    size_t size = 4096 * PAGE;
    struct memory *memory = memory_open_at(kind, 4096, -(int64_t)(2500 * PAGE));
    uint64_t base = memory_base(memory);
    struct xmem_descriptor descriptor;
    unsigned char *kernel = guarded_new(size), *again = guarded_new(size);
    size_t done;
    must(xmem_attach(memory_process(memory), base, size, &descriptor));
    pattern_fill(kernel, size, 3);
    must(xmem_move_out(&descriptor, kernel + 5, base + 9, size - 9, &done));
    assert_int_equal(done, size - 9);
    owner_load(memory, base + 9, again, size - 9);
    assert_memory_equal(kernel + 5, again, size - 9);
    memset(again, 0, size);
    must(xmem_move_in(&descriptor, base + 9, again + 3, size - 9, &done));
    assert_memory_equal(kernel + 5, again + 3, size - 9);
    must(xmem_move_zero(&descriptor, base, size, &done));
    assert_int_equal(done, size);
    owner_load(memory, base, again, size);
    for (size_t index = 0; index < size; index += 8)
        if (*(uint64_t *)(void *)(again + index) != 0)
            fail_msg("byte %zu is not zero", index);
    must(xmem_detach(&descriptor));
    guarded_free(kernel);
    guarded_free(again);
}

/* ---------------------------------------------------------------- vectors -------------- */

#define RANGES 150

static int vector_call(struct subject *subject, enum way way, const struct xmem_range *ranges,
                       size_t count, const struct iovec *vectors, size_t pieces, size_t *done)
{
    struct xmem_process *process = memory_process(subject->memory);
    switch (way) {
    case COPY_IN:
        return xmem_copy_inv(process, ranges, count, vectors, pieces, done);
    case COPY_OUT:
        return xmem_copy_outv(process, vectors, pieces, ranges, count, done);
    case MOVE_IN:
        return xmem_move_inv(&subject->descriptor, ranges, count, vectors, pieces, done);
    default:
        return xmem_move_outv(&subject->descriptor, vectors, pieces, ranges, count, done);
    }
}

/* Ranges of 0 to 40 bytes with gaps, against iovecs that are cut elsewhere. */
static size_t cut_ranges(uint64_t base, struct xmem_range *ranges)
{
    size_t total = 0;
    for (size_t index = 0; index < RANGES; index++) {
        ranges[index] = (struct xmem_range){base + index * 97, (index * 7) % 41};
        total += ranges[index].length;
    }
    return total;
}

static size_t cut_vectors(unsigned char *kernel, size_t total, struct iovec *vectors)
{
    size_t count = 0;
    for (size_t start = 0; start < total; count++) {
        size_t length = count % 5 == 0 ? 0 : count * 3 % 61;
        if (length > total - start)
            length = total - start;
        vectors[count] = (struct iovec){kernel + start, length};
        start += length;
    }
    return count;
}

static void vectors_move_all(enum kind kind)
{
    struct subject subject;
    struct xmem_range ranges[RANGES];
    struct iovec vectors[RANGES * 3];
    unsigned char owner[48];
    begin(&subject, kind);
    uint64_t base = memory_base(subject.memory);
    size_t total = cut_ranges(base, ranges), done;
    unsigned char *kernel = guarded_new(total);
    size_t pieces = cut_vectors(kernel, total, vectors);
    for (enum way way = COPY_IN; way <= MOVE_OUT; way++) {
        pattern_fill(kernel, total, way);
        for (uint64_t byte = 0; byte < PAGES * PAGE; byte++)
            *memory_view(subject.memory, base + byte) = pattern_byte(byte, 9);
        must(vector_call(&subject, way, ranges, RANGES, vectors, pieces, &done));
        assert_int_equal(done, total);
        for (size_t index = 0, start = 0; index < RANGES; start += ranges[index++].length) {
            owner_load(subject.memory, ranges[index].address, owner, ranges[index].length);
            assert_memory_equal(owner, kernel + start, ranges[index].length);
        }
        for (size_t index = 0; index < RANGES; index++) { /* gaps are untouched */
            uint64_t gap = ranges[index].address + ranges[index].length;
            assert_int_equal(*memory_view(subject.memory, gap), pattern_byte(gap - base, 9));
        }
        must(vector_call(&subject, way, ranges, RANGES, vectors, pieces / 2, &done));
        size_t half = 0;
        for (size_t index = 0; index < pieces / 2; index++)
            half += vectors[index].iov_len;
        assert_int_equal(done, half); /* the shorter side decides */
        must(vector_call(&subject, way, ranges, 0, vectors, pieces, &done));
        assert_int_equal(done, 0);
        must(vector_call(&subject, way, ranges, RANGES, vectors, 0, &done));
        assert_int_equal(done, 0);
    }
    guarded_free(kernel);
    end(&subject);
}

static void vectors_stop_exactly(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    uint64_t base = memory_base(subject.memory);
    unsigned char *kernel = guarded_new(300);
    struct iovec vector = {kernel, 300};
    size_t done;
    memory_protect(subject.memory, base + PAGE, PAGE, PROT_NONE);
    for (size_t bad = 0; bad < 80; bad += bad < 3 ? 1 : 13) {
        struct xmem_range ranges[81];
        size_t sum = 0;
        for (size_t index = 0; index < 81; index++) {
            ranges[index] = (struct xmem_range){base + index * 8, 3};
            sum += index < bad ? 3 : 0;
        }
        ranges[bad] = (struct xmem_range){base + PAGE - 2, 4};
        for (enum way way = COPY_IN; way <= MOVE_OUT; way++) {
            must_fail(vector_call(&subject, way, ranges, 81, &vector, 1, &done), EFAULT);
            assert_int_equal(done, sum + 2);
            assert_int_equal(xmem_last_failure()->address, base + PAGE);
        }
    }
    memory_protect(subject.memory, base + PAGE, PAGE, PROT_READ | PROT_WRITE);
    struct xmem_range much[2] = {{base, SIZE_MAX / 2 + 2}, {base, SIZE_MAX / 2 + 2}};
    for (enum way way = COPY_IN; way <= MOVE_OUT; way++) {
        must_fail(vector_call(&subject, way, much, 2, &vector, 1, &done), EINVAL);
        assert_int_equal(done, 0);
    }
    guarded_free(kernel);
    end(&subject);
}

/* ---------------------------------------------------------------- strings -------------- */

static void strings(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_process *process = memory_process(memory);
    uint64_t base = memory_base(memory), end_of_memory = base + PAGES * PAGE;
    char to[8], *large = (char *)guarded_new(2 * PAGE);
    size_t done;
    owner_fill(memory, base, 'a', PAGES * PAGE);
    must_fail(xmem_string_in(process, base, to, 8, &done), E2BIG);
    assert_int_equal(done, 8);
    must_fail(xmem_string_in(process, base, to, 0, &done), E2BIG);
    assert_int_equal(done, 0);
    must_fail(xmem_string_in(process, end_of_memory - 5, to, 8, &done), EFAULT);
    assert_int_equal(done, 5);
    owner_store(memory, end_of_memory - 4, "xyz", 4);
    must(xmem_string_in(process, end_of_memory - 4, to, 8, NULL));
    assert_string_equal(to, "xyz");
    must(xmem_string_in(process, end_of_memory - 2 * PAGE, large, 2 * PAGE, &done));
    assert_int_equal(done, 2 * PAGE);
    assert_int_equal(strlen(large), 2 * PAGE - 1);
    guarded_free((unsigned char *)large);
}

/* ---------------------------------------------------------------- atomic operations ---- */

static int atomic(struct subject *subject, int by_descriptor, int bits, uint64_t address,
                  enum xmem_atomic operation, uint64_t operand, uint64_t compare, uint64_t *before)
{
    struct xmem_process *process = memory_process(subject->memory);
    uint32_t before32 = 0;
    if (bits == 64)
        return by_descriptor ? xmem_move_atomic64(&subject->descriptor, address, operation, operand,
                                                  compare, before)
                             : xmem_atomic64(process, address, operation, operand, compare, before);
    int error = by_descriptor ? xmem_move_atomic32(&subject->descriptor, address, operation,
                                                   (uint32_t)operand, (uint32_t)compare, &before32)
                              : xmem_atomic32(process, address, operation, (uint32_t)operand,
                                              (uint32_t)compare, &before32);
    if (before)
        *before = before32;
    return error;
}

static uint64_t word_at(struct subject *subject, uint64_t address, int bits)
{
    uint64_t word = 0;
    owner_load(subject->memory, address, &word, (size_t)bits / 8);
    return word;
}

static void operates(struct subject *subject, enum xmem_atomic operation, uint64_t start,
                     uint64_t operand, uint64_t compare, uint64_t result)
{
    for (int by_descriptor = 0; by_descriptor < 2; by_descriptor++) {
        for (int bits = 32; bits <= 64; bits += 32) {
            uint64_t address = memory_base(subject->memory) + 64, before = 0;
            uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX;
            owner_fill(subject->memory, address - 8, 0xAA, 24);
            owner_store(subject->memory, address, &start, (size_t)bits / 8);
            must(atomic(subject, by_descriptor, bits, address, operation, operand, compare,
                        &before));
            assert_int_equal(before, start & mask);
            assert_int_equal(word_at(subject, address, bits), result & mask);
            assert_int_equal(*memory_view(subject->memory, address - 1), 0xAA);
            assert_int_equal(*memory_view(subject->memory, address + (uint64_t)bits / 8), 0xAA);
        }
    }
}

static void atomic_operations(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    const uint64_t word = UINT64_C(0x1122334455667788), other = UINT64_C(0xF0F0F0F00F0F0F0F);
    operates(&subject, XMEM_ATOMIC_LOAD, word, other, 0, word);
    operates(&subject, XMEM_ATOMIC_EXCHANGE, word, other, 0, other);
    operates(&subject, XMEM_ATOMIC_ADD, word, other, 0, word + other);
    operates(&subject, XMEM_ATOMIC_AND, word, other, 0, word & other);
    operates(&subject, XMEM_ATOMIC_OR, word, other, 0, word | other);
    operates(&subject, XMEM_ATOMIC_XOR, word, other, 0, word ^ other);
    operates(&subject, XMEM_ATOMIC_COMPARE_EXCHANGE, word, other, word, other);
    operates(&subject, XMEM_ATOMIC_COMPARE_EXCHANGE, word, other, word + 1, word);
    end(&subject);
}

static void atomic_refusals(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    uint64_t base = memory_base(subject.memory);
    for (int by_descriptor = 0; by_descriptor < 2; by_descriptor++) {
        for (int bits = 32; bits <= 64; bits += 32) {
            for (uint64_t offset = 1; offset < (uint64_t)bits / 8; offset++)
                must_fail(atomic(&subject, by_descriptor, bits, base + offset, XMEM_ATOMIC_ADD, 1,
                                 0, NULL),
                          EINVAL);
            must_fail(atomic(&subject, by_descriptor, bits, base, (enum xmem_atomic)99, 1, 0, NULL),
                      EINVAL);
            must_fail(atomic(&subject, by_descriptor, bits, base - 8, XMEM_ATOMIC_ADD, 1, 0, NULL),
                      EFAULT);
            memory_protect(subject.memory, base, PAGE, PROT_READ);
            must(atomic(&subject, by_descriptor, bits, base, XMEM_ATOMIC_LOAD, 0, 0, NULL));
            must_fail(atomic(&subject, by_descriptor, bits, base, XMEM_ATOMIC_ADD, 1, 0, NULL),
                      EFAULT);
            must_fail(atomic(&subject, by_descriptor, bits, base, XMEM_ATOMIC_COMPARE_EXCHANGE, 1,
                             77, NULL),
                      EFAULT);
            memory_protect(subject.memory, base, PAGE, PROT_NONE);
            must_fail(atomic(&subject, by_descriptor, bits, base, XMEM_ATOMIC_LOAD, 0, 0, NULL),
                      EFAULT);
            assert_int_equal(word_at(&subject, base, 64), 0);
            memory_protect(subject.memory, base, PAGE, PROT_READ | PROT_WRITE);
        }
    }
    end(&subject);
}

static void atomic_truncated(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    memory_truncate(subject.memory, 0);
    for (int by_descriptor = 0; by_descriptor < 2; by_descriptor++)
        for (int bits = 32; bits <= 64; bits += 32)
            must_fail(atomic(&subject, by_descriptor, bits, memory_base(subject.memory),
                             XMEM_ATOMIC_ADD, 1, 0, NULL),
                      EIO);
    end(&subject);
}

static void atomic_opened(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    for (int by_descriptor = 0; by_descriptor < 2; by_descriptor++)
        for (int bits = 32; bits <= 64; bits += 32)
            must_fail(atomic(&subject, by_descriptor, bits, memory_base(subject.memory),
                             XMEM_ATOMIC_ADD, 1, 0, NULL),
                      ENOTSUP);
    end(&subject);
}

/* ---------------------------------------------------------------- interrupt level ------ */

struct levels {
    struct subject *subject;
    int process_only[6], anywhere[7];
    size_t done[2];
};

static void call_at_interrupt(void *argument)
{
    struct levels *levels = argument;
    struct subject *subject = levels->subject;
    uint64_t base = memory_base(subject->memory);
    struct xmem_range range = {base, 8};
    char bytes[8] = {0};
    struct iovec vector = {bytes, 8};
    for (enum way way = COPY_IN; way <= COPY_OUT; way++) {
        levels->process_only[way] = call(subject, way, base, bytes, 8, NULL);
        levels->process_only[2 + way] = vector_call(subject, way, &range, 1, &vector, 1, NULL);
    }
    levels->process_only[4] = xmem_string_in(memory_process(subject->memory), base, bytes, 8, NULL);
    levels->process_only[5] = atomic(subject, 0, 64, base, XMEM_ATOMIC_LOAD, 0, 0, NULL);
    levels->anywhere[0] = call(subject, MOVE_IN, base, bytes, 8, &levels->done[0]);
    levels->anywhere[1] = call(subject, MOVE_OUT, base, bytes, 8, &levels->done[1]);
    levels->anywhere[2] = call(subject, MOVE_ZERO, base, bytes, 8, NULL);
    levels->anywhere[3] = vector_call(subject, MOVE_IN, &range, 1, &vector, 1, NULL);
    levels->anywhere[4] = vector_call(subject, MOVE_OUT, &range, 1, &vector, 1, NULL);
    levels->anywhere[5] = atomic(subject, 1, 64, base, XMEM_ATOMIC_LOAD, 0, 0, NULL);
    levels->anywhere[6] = atomic(subject, 1, 32, base, XMEM_ATOMIC_ADD, 0, 0, NULL);
}

static void environments(enum kind kind)
{
    struct subject subject;
    struct levels levels = {.subject = &subject};
    begin(&subject, kind);
    at_interrupt(call_at_interrupt, &levels);
    for (size_t index = 0; index < 6; index++)
        assert_int_equal(levels.process_only[index], EPERM);
    for (size_t index = 0; index < 7; index++) {
        if (kind == KIND_OPENED)
            assert_int_not_equal(levels.anywhere[index], 0);
        else
            assert_int_equal(levels.anywhere[index], 0);
    }
    assert_int_equal(levels.done[0], kind == KIND_OPENED ? 0 : 8);
    assert_int_equal(levels.done[1], kind == KIND_OPENED ? 0 : 8);
    end(&subject);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(exact_count_at_lost_authority, ALL_KINDS),
        EACH(exact_count_at_truncation, KIND_BIT(KIND_IMPORTED) | KIND_BIT(KIND_OPENED)),
        EACH(done_may_be_null, ALL_KINDS),
        EACH(success_keeps_the_record, ALL_KINDS),
        EACH(large_moves, ALL_KINDS),
        EACH(very_large_moves, ALL_KINDS),
        EACH(vectors_move_all, ALL_KINDS),
        EACH(vectors_stop_exactly, ALL_KINDS),
        EACH(strings, ALL_KINDS),
        EACH(atomic_operations, MAPPED_KINDS),
        EACH(atomic_refusals, MAPPED_KINDS),
        EACH(atomic_truncated, KIND_BIT(KIND_IMPORTED)),
        EACH(atomic_opened, KIND_BIT(KIND_OPENED)),
        EACH(environments, ALL_KINDS),
    };
    return RUN_CASES("native_copies", cases);
}
