/* SPDX-License-Identifier: MIT */
/*
 * The grid: every source offset 0 to 17 and every destination offset 0 to 17, with every length
 * from 0 to 300 and chosen ones up to three pages, both ways, for each kind of memory and for each
 * way that bytes are moved, against a bytewise reference.
 *
 * The owner's side is laid against the end of its pages, so that the page behind the last byte is a
 * guard, and once against their beginning, so that the page before the first one is.  For kinds
 * without system calls the whole grid runs; an opened process costs two of them for each cell, so
 * there the destination offsets are 0, 1, 7, 8 and 17 unless XMEM_TEST_ROUNDS asks for all.
 */
#include "../support/check.h"

#include <errno.h>
#include <string.h>

#define PAGES 4
#define OFFSETS 18
#define SHORT 300
#define ROOM (PAGES * PAGE)

enum way { MOVE, COPY, VECTOR, WAYS };

static const size_t long_lengths[] = {301,  319,  320,  383,   384,   511,   512,  513,  767,  768,
                                      1023, 1024, 1025, 1500,  2047,  2048,  2049, 3000, 4000, 4079,
                                      4080, 4095, 4096, 4097,  4112,  5000,  6143, 6144, 8191, 8192,
                                      8193, 9001, 9999, 12000, 12271, 12287, 12288};

static struct memory *memory;
static struct xmem_descriptor descriptor;
static unsigned char reference[ROOM + 64], source[ROOM + 64], kernel_bytes[ROOM + 64];

static int move(enum way way, int out, uint64_t address, void *kernel, size_t n, size_t *done)
{
    struct xmem_process *process = memory_process(memory);
    struct xmem_range ranges[2] = {{address, n / 2}, {address + n / 2, n - n / 2}};
    struct iovec vectors[3] = {
        {kernel, n / 3}, {(char *)kernel + n / 3, 0}, {(char *)kernel + n / 3, n - n / 3}};
    switch (way) {
    case MOVE:
        return out ? xmem_move_out(&descriptor, kernel, address, n, done)
                   : xmem_move_in(&descriptor, address, kernel, n, done);
    case COPY:
        return out ? xmem_copy_out(process, kernel, address, n, done)
                   : xmem_copy_in(process, address, kernel, n, done);
    default:
        return out ? xmem_move_outv(&descriptor, vectors, 3, ranges, 2, done)
                   : xmem_move_inv(&descriptor, ranges, 2, vectors, 3, done);
    }
}

static void bytewise(unsigned char *to, const unsigned char *from, size_t n)
{
    for (size_t index = 0; index < n; index++)
        to[index] = from[index];
}

/* A cell is checked with some bytes around it on both sides. */
#define AROUND 24

static void cell_out(enum way way, uint64_t address, size_t kernel_offset, size_t n)
{
    uint64_t base = memory_base(memory);
    size_t at = (size_t)(address - base), done;
    size_t low = at < AROUND ? 0 : at - AROUND;
    size_t high = at + n + AROUND > ROOM ? ROOM : at + n + AROUND;
    static unsigned char seen[ROOM];
    memset(reference + low, 0x5C, high - low);
    owner_fill(memory, base + low, 0x5C, high - low);
    bytewise(reference + at, source + kernel_offset, n);
    if (move(way, 1, address, source + kernel_offset, n, &done) != 0 || done != n)
        fail_msg("way %d out, offset %zu to %zu, %zu bytes: %s", way, kernel_offset, at, n,
                 xmem_last_failure()->words);
    owner_load(memory, base + low, seen, high - low);
    if (memcmp(seen, reference + low, high - low) != 0)
        fail_msg("way %d out, offset %zu to %zu, %zu bytes: wrong bytes", way, kernel_offset, at,
                 n);
}

/* The owner's memory holds the source pattern. */
static void cell_in(enum way way, uint64_t address, size_t kernel_offset, size_t n)
{
    size_t at = (size_t)(address - memory_base(memory)), done;
    unsigned char *window = kernel_bytes + kernel_offset;
    memset(kernel_bytes, 0x5C, kernel_offset + n + AROUND);
    if (move(way, 0, address, window, n, &done) != 0 || done != n)
        fail_msg("way %d in, offset %zu to %zu, %zu bytes: %s", way, at, kernel_offset, n,
                 xmem_last_failure()->words);
    for (size_t index = 0; index < kernel_offset; index++)
        assert_int_equal(kernel_bytes[index], 0x5C);
    for (size_t index = 0; index < n; index++)
        if (window[index] != source[at + index])
            fail_msg("way %d in, offset %zu to %zu, %zu bytes: wrong byte %zu", way, at,
                     kernel_offset, n, index);
    for (size_t index = 0; index < AROUND; index++)
        assert_int_equal(window[n + index], 0x5C);
}

typedef void cell(enum way way, uint64_t address, size_t kernel_offset, size_t n);

static int chosen(enum kind kind, size_t offset)
{
    return kind != KIND_OPENED || test_rounds(0) > 0 || offset < 2 || offset == 7 || offset == 8 ||
           offset == 17;
}

/* offset bytes before the end of the memory, and as many behind its beginning. */
static void row(cell *one, enum kind kind, enum way way, size_t offset, size_t n)
{
    uint64_t begin = memory_base(memory), end = begin + ROOM;
    for (size_t kernel_offset = 0; kernel_offset < OFFSETS; kernel_offset++) {
        if (!chosen(kind, kernel_offset))
            continue;
        one(way, end - n - offset, kernel_offset, n);
        one(way, begin + offset, kernel_offset, n);
    }
}

static void grid(cell *one, enum kind kind, enum way way)
{
    for (size_t offset = 0; offset < OFFSETS; offset++) {
        if (!chosen(kind, offset))
            continue;
        for (size_t n = 0; n <= SHORT; n++)
            if (kind != KIND_OPENED || n < 70 || n % 7 == 0)
                row(one, kind, way, offset, n);
    }
    for (size_t index = 0; index < sizeof long_lengths / sizeof *long_lengths; index++)
        for (size_t offset = 0; offset < OFFSETS; offset += 3)
            if (chosen(kind, offset) || offset == 3)
                row(one, kind, way, offset, long_lengths[index]);
}

static void prepare(enum kind kind)
{
    /* The boundary of two regions is in the middle. */
    memory = memory_open_at(kind, PAGES, -2 * (int64_t)PAGE);
    must(xmem_attach(memory_process(memory), memory_base(memory), ROOM, &descriptor));
    pattern_fill(source, sizeof source, 5);
    owner_store(memory, memory_base(memory), source, ROOM);
}

static void out(enum kind kind)
{
    prepare(kind);
    for (enum way way = 0; way < WAYS; way++)
        grid(cell_out, kind, way);
    must(xmem_detach(&descriptor));
}

static void in(enum kind kind)
{
    prepare(kind);
    for (enum way way = 0; way < WAYS; way++)
        grid(cell_in, kind, way);
    must(xmem_detach(&descriptor));
}

/* Bytes by mapping: every position and length, a guard page behind. */
static void mapped(enum kind kind)
{
    prepare(kind);
    uint64_t base = memory_base(memory);
    for (size_t n = 1; n <= 2 * PAGE; n += n < SHORT ? 1 : 331) {
        for (size_t offset = 0; offset < OFFSETS && offset + n <= 2 * PAGE; offset++) {
            void *window = NULL;
            must(xmem_map_in(&descriptor, base + 2 * PAGE - n - offset, n, &window));
            assert_memory_equal(window, source + 2 * PAGE - n - offset, n);
            must(xmem_map_out(window));
        }
    }
    must(xmem_detach(&descriptor));
}

/* The guard at every position: moves that end at, or run into, a page without authority. */
static void guards(enum kind kind)
{
    prepare(kind);
    uint64_t guard = memory_base(memory) + PAGE;
    unsigned char *kernel = guarded_new(128);
    memory_protect(memory, guard, PAGE, PROT_NONE);
    for (enum way way = 0; way < WAYS; way++) {
        for (int direction = 0; direction < 2; direction++) {
            for (size_t before = 0; before < 100; before++) {
                size_t done = 777;
                must(move(way, direction, guard - before, kernel, before, &done));
                assert_int_equal(done, before);
                for (size_t over = 1; over < 28; over += 3) {
                    int error = move(way, direction, guard - before, kernel, before + over, &done);
                    assert_int_equal(error, EFAULT);
                    assert_int_equal(done, before);
                }
            }
        }
    }
    guarded_free(kernel);
    must(xmem_detach(&descriptor));
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(out, ALL_KINDS),
        EACH(in, ALL_KINDS),
        EACH(mapped, MAPPED_KINDS),
        EACH(guards, ALL_KINDS),
    };
    return RUN_CASES("grid", cases);
}
