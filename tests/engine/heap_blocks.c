/* SPDX-License-Identifier: MIT */
/*
 * The allocator behind the heaps, alone: random use against a record of what is allocated, every
 * address that is not a block, every kind of corruption, the promise of heap_area_size().
 *
 * XMEM_TEST_ROUNDS: how many random steps (default 60,000).
 */
#include "../support/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "aix/heap_blocks.h"

#define AREA ((size_t)16 * 1024)
#define AREAS 3
#define LIVE_MOST 400

/* ---------------------------------------------------------------- panics --------------- */

static jmp_buf panicked;
static const char *panic_words;
static const void *panic_address;

void heap_panic(const char *what, const void *address)
{
    panic_words = what;
    panic_address = address;
    longjmp(panicked, 1);
}

/* ---------------------------------------------------------------- a heap --------------- */

struct world {
    struct heap heap;
    char *areas[AREAS];
    size_t area_count;
};

static void world_make(struct world *world, size_t areas)
{
    heap_prepare(&world->heap, UINT64_C(0x1234567890abcdef));
    world->area_count = areas;
    for (size_t index = 0; index < areas; index++) {
        world->areas[index] = aligned_alloc(4096, AREA);
        assert_non_null(world->areas[index]);
        memset(world->areas[index], 0x5a, AREA);
        heap_add_area(&world->heap, world->areas[index], AREA);
    }
}

static void world_end(struct world *world)
{
    for (size_t index = 0; index < world->area_count; index++)
        free(world->areas[index]);
}

/* The longest free block, found without the bins. */
static size_t longest_free(const struct world *world)
{
    size_t longest = 0;
    for (size_t index = 0; index < world->area_count; index++) {
        const struct heap_block *block = ((struct heap_area *)world->areas[index])->first;
        for (; block->units; block += block->units)
            if (block->state == 0 && block->units > longest)
                longest = block->units;
    }
    return longest;
}

static bool give(struct world *world, void *address)
{
    struct heap_area *emptied;
    return heap_give(&world->heap, address, &emptied);
}

enum operation { GIVE, TAKE, VERIFY };

/* The words of the panic in which the operation ends; NULL: it does not. */
static const char *panic_of(struct world *world, enum operation operation, void *address)
{
    panic_words = NULL;
    if (setjmp(panicked) == 0) {
        if (operation == GIVE)
            (void)give(world, address);
        else if (operation == TAKE)
            (void)heap_take(&world->heap, 40, 0);
        else
            heap_verify(&world->heap);
    }
    return panic_words;
}

static void must_panic(struct world *world, enum operation operation, void *address,
                       const char *words)
{
    const char *panic = panic_of(world, operation, address);
    assert_non_null(panic);
    assert_non_null(strstr(panic, words));
}

/* ---------------------------------------------------------------- random use ----------- */

struct live {
    unsigned char *bytes;
    size_t n;
    unsigned seed;
};

static unsigned random_state = 1;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1103515245u + 12345u;
    return (random_state >> 8) % limit;
}

static size_t random_size(void)
{
    switch (random_below(4)) {
    case 0:
        return 1 + random_below(40);
    case 1:
        return 1 + random_below(600);
    case 2:
        return 1 + random_below(5000);
    default:
        return (size_t)1 << random_below(13);
    }
}

static void step_take(struct world *world, struct live *live, size_t *count)
{
    size_t n = random_size();
    unsigned alignment = random_below(3) ? random_below(5) : random_below(13);
    size_t longest = longest_free(world);
    unsigned char *bytes = heap_take(&world->heap, n, alignment);
    if (!bytes) {
        if (alignment <= 4)
            assert_true(longest < n / 16 + 2);
        return;
    }
    assert_int_equal((uintptr_t)bytes % ((uintptr_t)1 << alignment), 0);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    bool inside = false;
    for (size_t index = 0; index < world->area_count; index++)
        inside |=
            (char *)bytes >= world->areas[index] && (char *)bytes + n <= world->areas[index] + AREA;
    assert_true(inside);
    pattern_fill(bytes, n, random_state);
    live[(*count)++] = (struct live){bytes, n, random_state};
}

static void step_give(struct world *world, struct live *live, size_t *count)
{
    size_t chosen = random_below((unsigned)*count);
    for (size_t index = 0; index < live[chosen].n; index++)
        if (live[chosen].bytes[index] != pattern_byte(index, live[chosen].seed))
            fail_msg("byte %zu of %zu was changed", index, live[chosen].n);
    assert_true(give(world, live[chosen].bytes));
    assert_false(give(world, live[chosen].bytes));
    live[chosen] = live[--*count];
}

static void random_use(enum kind kind)
{
    (void)kind;
    if (setjmp(panicked) != 0)
        fail_msg("panic: %s", panic_words);
    static struct live live[LIVE_MOST];
    struct world world;
    size_t count = 0;
    long rounds = test_rounds(60000);
    world_make(&world, AREAS);
    for (long round = 0; round < rounds; round++) {
        bool taking =
            count == 0 || (count < LIVE_MOST && random_below(100) < 50 + round / 5000 % 3);
        if (taking)
            step_take(&world, live, &count);
        else
            step_give(&world, live, &count);
        heap_verify(&world.heap);
    }
    while (count)
        step_give(&world, live, &count);
    heap_verify(&world.heap);
    assert_int_equal(world.heap.taken, 0);
    for (size_t index = 0; index < AREAS; index++)
        assert_true(heap_area_is_empty((struct heap_area *)world.areas[index]));
    world_end(&world);
}

/* ---------------------------------------------------------------- wrong addresses ------ */

static void only_blocks_are_freed(enum kind kind)
{
    (void)kind;
    static const size_t sizes[] = {1, 15, 16, 17, 100, 512, 4096, 31, 32};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    struct world world;
    void *blocks[COUNT];
    world_make(&world, 1);
    for (size_t index = 0; index < COUNT; index++)
        blocks[index] = heap_take(&world.heap, sizes[index], 0);
    assert_true(give(&world, blocks[4])); /* stale headers, joined or not */
    assert_true(give(&world, blocks[5]));
    char *copy = malloc(AREA);
    assert_non_null(copy);
    memcpy(copy, world.areas[0], AREA);
    for (size_t offset = 0; offset <= AREA; offset++) {
        char *address = world.areas[0] + offset;
        bool block = false;
        for (size_t index = 0; index < COUNT; index++)
            block |= address == blocks[index] && index != 4 && index != 5;
        if (!block)
            assert_false(give(&world, address));
    }
    assert_memory_equal(copy, world.areas[0], AREA);
    char outside[64];
    assert_false(give(&world, outside + 16 - (uintptr_t)outside % 16));
    assert_false(give(&world, NULL));
    assert_false(give(&world, (void *)16));
    assert_false(give(&world, (void *)UINTPTR_MAX));
    free(copy);
    world_end(&world);
}

/* ---------------------------------------------------------------- corruption ----------- */

static void overruns_are_found(enum kind kind)
{
    (void)kind;
    for (size_t n = 1; n <= 50; n++) {
        struct world world;
        world_make(&world, 1);
        unsigned char *bytes = heap_take(&world.heap, n, 0);
        bytes[n]++;
        must_panic(&world, GIVE, bytes, "behind the end");
        assert_ptr_equal(panic_address, bytes);
        bytes[n]--;
        assert_true(give(&world, bytes));
        world_end(&world);
    }
}

static void overwritten_headers_are_found(enum kind kind)
{
    (void)kind;
    for (size_t byte = 0; byte < 16; byte++) {
        struct world world;
        world_make(&world, 1);
        unsigned char *first = heap_take(&world.heap, 40, 0);
        unsigned char *second = heap_take(&world.heap, 40, 0);
        unsigned char *header = second - 16;
        header[byte] ^= 0x10;
        must_panic(&world, GIVE, second, "overwritten");
        assert_ptr_equal(panic_address, header);
        must_panic(&world, GIVE, first, "overwritten");
        must_panic(&world, VERIFY, NULL, "");
        world_end(&world);
    }
}

static void stores_into_freed_blocks_are_found(enum kind kind)
{
    (void)kind;
    for (size_t byte = 0; byte < 16; byte++) {
        struct world world;
        world_make(&world, 1);
        unsigned char *first = heap_take(&world.heap, 40, 0);
        unsigned char *second = heap_take(&world.heap, 40, 0);
        assert_non_null(second);
        assert_true(give(&world, first)); /* alone in its bin: both links are NULL */
        first[byte] = 0xff;
        must_panic(&world, VERIFY, NULL, "freed");
        must_panic(&world, TAKE, NULL, "freed");
        world_end(&world);
    }
}

/* ---------------------------------------------------------------- areas ---------------- */

static void an_area_of_that_size_has_room(enum kind kind)
{
    (void)kind;
    static const unsigned alignments[] = {0, 4, 5, 6, 8, 12, 16};
    char *memory = aligned_alloc(1 << 17, 1 << 21);
    assert_non_null(memory);
    for (size_t at = 0; at < sizeof alignments / sizeof alignments[0]; at++)
        for (size_t n = 1; n < 300000; n += n < 1200 ? 1 : n / 3) {
            size_t size = heap_area_size(n, alignments[at]);
            struct heap heap;
            for (size_t offset = 0; offset < 80; offset += 16) {
                heap_prepare(&heap, n);
                heap_add_area(&heap, memory + offset, size);
                char *bytes = heap_take(&heap, n, alignments[at]);
                assert_non_null(bytes);
                assert_true(bytes + n <= memory + offset + size);
                heap_verify(&heap);
            }
        }
    free(memory);
}

static void areas_come_and_go(enum kind kind)
{
    (void)kind;
    struct world world;
    struct heap_area *emptied;
    world_make(&world, 2);
    void *first = heap_take(&world.heap, 12000, 0);
    void *second = heap_take(&world.heap, 12000, 0);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(heap_take(&world.heap, 12000, 0));
    assert_true(heap_give(&world.heap, first, &emptied));
    assert_non_null(emptied);
    assert_true((char *)first > (char *)emptied && (char *)first < (char *)emptied + AREA);
    heap_remove_area(&world.heap, emptied);
    heap_verify(&world.heap);
    memset(emptied, 0xee, AREA);
    assert_null(heap_take(&world.heap, 12000, 0));
    assert_false(give(&world, first));
    void *third = heap_take(&world.heap, 100, 0);
    assert_true(heap_give(&world.heap, second, &emptied));
    assert_null(emptied);
    assert_true(heap_give(&world.heap, third, &emptied));
    assert_non_null(emptied);
    world_end(&world);
}

int main(void)
{
    static const struct test_case cases[] = {
        BARE(random_use),
        BARE(only_blocks_are_freed),
        BARE(overruns_are_found),
        BARE(overwritten_headers_are_found),
        BARE(stores_into_freed_blocks_are_found),
        BARE(an_area_of_that_size_has_room),
        BARE(areas_come_and_go),
    };
    return RUN_CASES("heap_blocks", cases);
}
