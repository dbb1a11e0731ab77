/* SPDX-License-Identifier: MIT */
/*
 * Shows the heaps: allocation and alignment, what is freed and what is not, pinned memory, private
 * heaps, what corrupts a heap, and that all of it is for the process environment.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services.h"

#include <sys/xmalloc.h>

#define xmalloc xmem_aix_xmalloc
#define xmfree xmem_aix_xmfree

static heapaddr_t heap_of(int index)
{
    return index == 0 ? kernel_heap : pinned_heap;
}

static void allocates(enum kind kind)
{
    enum { COUNT = 500 };
    static struct {
        unsigned char *bytes;
        int size;
    } blocks[COUNT];
    for (int which = 0; which < 2; which++) {
        for (int index = 0; index < COUNT; index++) {
            int align = index % 13;
            blocks[index].size = 1 + index * index % 3000;
            blocks[index].bytes =
                (unsigned char *)xmalloc(blocks[index].size, align, heap_of(which));
            assert_non_null(blocks[index].bytes);
            assert_int_equal((uintptr_t)blocks[index].bytes % ((uintptr_t)1 << align), 0);
            pattern_fill(blocks[index].bytes, (size_t)blocks[index].size, (unsigned)index);
        }
        for (int index = 0; index < COUNT; index++)
            for (int byte = 0; byte < blocks[index].size; byte++)
                assert_int_equal(blocks[index].bytes[byte],
                                 pattern_byte((size_t)byte, (unsigned)index));
        for (int index = 0; index < COUNT; index++)
            assert_int_equal(xmfree(blocks[index].bytes, heap_of(which)), 0);
    }
    covers("xmalloc.1", kind);
    covers("xmalloc.2", kind);
    covers("xmfree.1", kind);
}

static void large_blocks(enum kind kind)
{
    for (int which = 0; which < 2; which++)
        for (int size = 4096; size <= 4 << 20; size *= 4) {
            caddr_t block = xmalloc(size, 12, heap_of(which));
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 4096, 0);
            memset(block, 1, (size_t)size);
            assert_int_equal(xmfree(block, heap_of(which)), 0);
        }
    caddr_t aligned = xmalloc(100, 24, kernel_heap);
    assert_non_null(aligned);
    assert_int_equal((uintptr_t)aligned % (1u << 24), 0);
    assert_int_equal(xmfree(aligned, kernel_heap), 0);
    covers("xmalloc.2", kind);
}

static void refused_sizes(enum kind kind)
{
    assert_null(xmalloc(0, 0, kernel_heap));
    assert_null(xmalloc(-1, 0, kernel_heap));
    assert_null(xmalloc(INT_MIN, 0, kernel_heap));
    assert_null(xmalloc(8, -1, kernel_heap));
    assert_null(xmalloc(8, 29, kernel_heap));
    assert_null(xmalloc(8, INT_MAX, kernel_heap));
    covers("xmalloc.size", kind);
}

static void without_memory(enum kind kind)
{
    struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = RLIM_INFINITY}, before;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    limit.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    for (int which = 0; which < 2; which++)
        assert_null(xmalloc(INT_MAX, 0, heap_of(which)));
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    caddr_t block = xmalloc(100, 0, kernel_heap);
    assert_non_null(block);
    assert_int_equal(xmfree(block, kernel_heap), 0);
    covers("xmalloc.F1", kind);
}

static void no_heap(enum kind kind)
{
    static _Alignas(4096) char zeros[8192];
    char byte = 0;
    assert_null(xmalloc(8, 0, NULL));
    assert_null(xmalloc(8, 0, zeros));
    assert_null(xmalloc(8, 0, zeros + 1));
    assert_int_equal(xmfree(&byte, NULL), -1);
    assert_int_equal(xmfree(&byte, zeros), -1);
    static _Alignas(4096) char area[8192];
    assert_non_null(init_heap(area, 4096, NULL));
    memcpy(area + 4096, area, 4096); /* a copy of a heap is none */
    assert_null(xmalloc(8, 0, area + 4096));
    covers("xmalloc.F2", kind);
    covers("xmfree.F2", kind);
}

static long status_kilobytes(const char *name)
{
    long kilobytes = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = atol(line + strlen(name) + 1);
    fclose(file);
    return kilobytes;
}

static long mapped_kilobytes(void)
{
    return status_kilobytes("VmSize");
}

/* A heap grows as it must, and gives back what it does not need. */
static void memory_comes_and_goes(enum kind kind)
{
    enum { MANY = 64, SIZE = 1 << 20 };
    caddr_t blocks[MANY], small, large;
    for (int which = 0; which < 2; which++) {
        for (int round = 0; round < 100; round++) {
            small = xmalloc(100, 0, heap_of(which));
            assert_non_null(small);
            assert_int_equal(xmfree(small, heap_of(which)), 0);
        }
        small = xmalloc(100, 0, heap_of(which)); /* in an area that was empty */
        memset(small, 4, 100);
        for (int round = 0; round < 20; round++) {
            large = xmalloc(SIZE, 0, heap_of(which));
            assert_non_null(large);
            memset(large, 5, SIZE);
            assert_int_equal(xmfree(large, heap_of(which)), 0);
            assert_int_equal(small[99], 4);
        }
        for (int index = 0; index < MANY; index++) {
            blocks[index] = xmalloc(SIZE, 0, heap_of(which));
            assert_non_null(blocks[index]);
        }
        long most = mapped_kilobytes();
        for (int index = 0; index < MANY; index++)
            assert_int_equal(xmfree(blocks[index], heap_of(which)), 0);
        assert_true(mapped_kilobytes() <= most - MANY / 2 * SIZE / 1024);
        assert_int_equal(small[0], 4);
        assert_int_equal(xmfree(small, heap_of(which)), 0);
    }
    covers("xmfree.1", kind);
}

static void frees_only_what_is_allocated(enum kind kind)
{
    static char own[64];
    for (int which = 0; which < 2; which++) {
        char *block = xmalloc(1000, 4, heap_of(which));
        assert_non_null(block);
        memset(block, 0, 1000);
        for (int offset = -64; offset < 1064; offset++)
            if (offset != 0)
                assert_int_equal(xmfree(block + offset, heap_of(which)), -1);
        assert_int_equal(xmfree(block, heap_of(1 - which)), -1); /* another heap's */
        assert_int_equal(xmfree(NULL, heap_of(which)), -1);
        assert_int_equal(xmfree(own, heap_of(which)), -1);
        assert_int_equal(xmfree((void *)UINTPTR_MAX, heap_of(which)), -1);
        assert_int_equal(xmfree(block, heap_of(which)), 0);
        assert_int_equal(xmfree(block, heap_of(which)), -1); /* twice */
    }
    covers("xmfree.F1", kind);
    covers("xmfree.heap", kind);
}

/* ---------------------------------------------------------------- by kproc and handler - */

static caddr_t left_behind;
static int ended;

static void allocates_and_ends(int flag, void *init_parms, int parms_length)
{
    (void)init_parms;
    (void)parms_length;
    left_behind = xmalloc(300, 0, kernel_heap);
    if (left_behind)
        memset(left_behind, 0x33, 300);
    __atomic_store_n(&ended, 1 + flag, __ATOMIC_RELEASE);
}

static void nothing_is_freed_by_itself(enum kind kind)
{
    pid_t pid = creatp();
    assert_int_equal(initp(pid, allocates_and_ends, NULL, 0, "ends"), 0);
    assert_true(comes_to(&ended, 1));
    assert_non_null(left_behind);
    for (int index = 0; index < 300; index++)
        assert_int_equal(left_behind[index], 0x33);
    assert_int_equal(xmfree(left_behind, kernel_heap), 0);
    covers("heaps.stays", kind);
}

struct use {
    char *kernel, *pinned;
    int sum;
    caddr_t allocated;
    int freed;
    heapaddr_t created, made;
    kerrno_t error;
};

static void uses_memory(void *argument)
{
    struct use *use = argument;
    memset(use->kernel, 2, 5000);
    memset(use->pinned, 3, 5000);
    use->sum = use->kernel[4999] + use->pinned[4999];
}

/* The sanitizers' mlock does nothing. */
#if defined __SANITIZE_ADDRESS__ || !HANDLERS_ARE_REAL
#define LOCKS_ARE_REAL 0
#elif defined __has_feature
#define LOCKS_ARE_REAL (!__has_feature(address_sanitizer))
#else
#define LOCKS_ARE_REAL 1
#endif

static void handlers_use_what_was_allocated(enum kind kind)
{
    struct use use = {.kernel = xmalloc(5000, 0, kernel_heap)};
    struct rlimit limit;
    long before = status_kilobytes("VmLck");
    use.pinned = xmalloc(5000, 0, pinned_heap);
    assert_non_null(use.kernel);
    assert_non_null(use.pinned);
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (LOCKS_ARE_REAL && limit.rlim_cur >= 1 << 20)
        assert_true(status_kilobytes("VmLck") > before);
    at_interrupt(uses_memory, &use);
    assert_int_equal(use.sum, 5);
    assert_int_equal(xmfree(use.kernel, kernel_heap), 0);
    assert_int_equal(xmfree(use.pinned, pinned_heap), 0);
    covers("heaps.pinned", kind);
}

/* More than Linux lets be locked: unlocked memory then, or none if the program insists. */
static void beyond_the_limit_of_locked_memory(enum kind kind)
{
    struct rlimit none = {0, 0};
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    struct xmem_config config = {.size = sizeof config, .lock_memory = 1};
    must(xmem_start(NULL));
    caddr_t block = xmalloc(5 << 20, 0, pinned_heap);
    assert_non_null(block);
    memset(block, 1, 5 << 20);
    assert_int_equal(xmfree(block, pinned_heap), 0);
    must(xmem_stop());
    must(xmem_start(&config));
    caddr_t refused = xmalloc(50 << 20, 0, pinned_heap);
    if (geteuid() != 0) /* whom no limit binds */
        assert_null(refused);
    caddr_t paged = xmalloc(50 << 20, 0, kernel_heap);
    assert_non_null(paged);
    assert_int_equal(xmfree(paged, kernel_heap), 0);
    must(xmem_stop());
    covers("heaps.pinned", kind);
}

/* Without a start there is no heap, and in the child of a fork neither. */
static void not_started(enum kind kind)
{
    int status = -1;
    assert_null(xmalloc(8, 0, kernel_heap));
    must(xmem_start(NULL));
    caddr_t block = xmalloc(8, 0, kernel_heap);
    assert_non_null(block);
    pid_t child = fork();
    if (child == 0)
        _exit(xmalloc(8, 0, kernel_heap) != NULL || xmfree(block, kernel_heap) != -1 ||
              creatp() != -1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    must(xmem_stop());
    block[7] = 1; /* it stays */
    must(xmem_start(NULL));
    assert_int_equal(xmfree(block, kernel_heap), 0);
    must(xmem_stop());
    covers("xmalloc.F2", kind);
}

static void call_at_interrupt(void *argument)
{
    struct use *use = argument;
    static _Alignas(4096) char area[8192];
    heapattr_t attributes = {
        .hpa_eyec = EYEC_HEAPATTR, .hpa_version = HPA_VERSION, .hpa_flags = HPA_PAGED | HPA_SHARED};
    use->allocated = xmalloc(8, 0, pinned_heap);
    use->freed = xmfree(use->kernel, kernel_heap);
    use->made = init_heap(area, sizeof area, NULL);
    use->error = heap_create(&attributes, &use->created);
}

static void refuses(enum kind kind)
{
    struct use use = {.kernel = xmalloc(8, 0, kernel_heap), .allocated = (caddr_t)&use};
    uint64_t before = usage_errors_counted();
    at_interrupt(call_at_interrupt, &use);
    assert_null(use.allocated);
    assert_int_equal(use.freed, -1);
    assert_null(use.made);
    assert_int_equal(use.error, EINVAL_HEAP_CREATE);
    assert_null(use.created);
    assert_int_equal(usage_errors_counted(), before + 4);
    assert_int_equal(xmfree(use.kernel, kernel_heap), 0);
    covers("heaps.interrupt", kind);
}

/* What was allocated is memory of the kernel for every other service. */
static void memory_of_the_kernel(enum kind kind)
{
    struct xmem descriptor;
    char *block = xmalloc(6000, 0, kernel_heap);
    char bytes[16];
    assert_non_null(block);
    memset(block, 9, 6000);
    garbage_descriptor(&descriptor, 1);
    assert_int_equal(xmattach(block, 6000, &descriptor, SYS_ADSPACE), XMEM_SUCC);
    assert_int_equal(xmemin(block + 5984, bytes, 16, &descriptor), XMEM_SUCC);
    assert_int_equal(bytes[15], 9);
    must_detach(&descriptor);
    assert_int_equal(xmfree(block, kernel_heap), 0);
    covers("heaps.kernel", kind);
}

/* ---------------------------------------------------------------- private heaps -------- */

#define AREA (16 * 4096)

static void inside_its_area(heapaddr_t heap, char *area, int size)
{
    enum { MOST = 4096 };
    static char *blocks[MOST];
    int count = 0, bytes = 0;
    while (count < MOST && (blocks[count] = xmalloc(40, 0, heap)) != NULL) {
        assert_true(blocks[count] >= area && blocks[count] + 40 <= area + size);
        memset(blocks[count++], 0x66, 40);
        bytes += 40;
    }
    assert_true(count < MOST);
    assert_true(bytes > size / 4);
    for (int index = 0; index < count; index += 2)
        assert_int_equal(xmfree(blocks[index], heap), 0);
    for (int index = 1; index < count; index += 2)
        assert_int_equal(xmfree(blocks[index], heap), 0);
    caddr_t whole = xmalloc(size * 3 / 4, 0, heap); /* nothing was lost in pieces */
    if (size > 4096)
        assert_non_null(whole);
    if (whole)
        assert_int_equal(xmfree(whole, heap), 0);
}

static void private_heaps(enum kind kind)
{
    heapaddr_t null = NULL;
    char *areas[3];
    for (int index = 0; index < 3; index++) {
        int size = index == 2 ? 4096 : AREA;
        areas[index] =
            index == 0 ? aligned_alloc(4096, (size_t)size) : xmalloc(size, 12, heap_of(index - 1));
        assert_non_null(areas[index]);
        memset(areas[index], 0x91, (size_t)size);
        heapaddr_t heap = init_heap(areas[index], size, index ? &null : NULL);
        assert_non_null(heap);
        assert_null(null);
        inside_its_area(heap, areas[index], size);
        assert_int_equal(xmfree(areas[index], heap), -1);
        heapaddr_t again = init_heap(areas[index], size, NULL); /* whatever was in it */
        assert_non_null(again);
        inside_its_area(again, areas[index], size);
    }
    free(areas[0]);
    assert_int_equal(xmfree(areas[1], kernel_heap), 0);
    assert_int_equal(xmfree(areas[2], pinned_heap), 0);
    covers("init_heap.1", kind);
    covers("init_heap.2", kind);
}

static void refused_areas(enum kind kind)
{
    char *area = aligned_alloc(4096, 4 * 4096);
    heapaddr_t other = kernel_heap;
    assert_non_null(area);
    assert_null(init_heap(NULL, 4096, NULL));
    assert_null(init_heap(area + 16, 4096, NULL));
    assert_null(init_heap(area, 0, NULL));
    assert_null(init_heap(area, -4096, NULL));
    assert_null(init_heap(area, 4095, NULL));
    assert_null(init_heap(area, 4097, NULL));
    assert_null(init_heap(area, 4096, &other));
    assert_ptr_equal(other, kernel_heap);
    free(area);
    covers("init_heap.F1", kind);
}

/* ---------------------------------------------------------------- heap_create ---------- */

static heapattr_t attributes_of(long flags)
{
    heapattr_t attributes = {.hpa_eyec = EYEC_HEAPATTR,
                             .hpa_version = HPA_VERSION,
                             .hpa_flags = flags,
                             .hpa_heapsize = 64 * 1024,
                             .hpa_kkey = KKEY_PUBLIC};
    return attributes;
}

static void created_heaps(enum kind kind)
{
    static const long flags[] = {HPA_PAGED | HPA_SHARED, HPA_PINNED | HPA_SHARED,
                                 HPA_PAGED | HPA_PRIVATE, HPA_PINNED | HPA_PRIVATE};
    for (int index = 0; index < 4; index++) {
        heapattr_t attributes = attributes_of(flags[index]);
        heapaddr_t heap = HPA_INVALID_HEAP;
        attributes.hpa_limit = 256 * 1024;
        assert_int_equal(heap_create(&attributes, &heap), 0);
        assert_ptr_not_equal(heap, HPA_INVALID_HEAP);
        caddr_t block = xmalloc(40000, 12, heap);
        assert_non_null(block);
        memset(block, 1, 40000);
        caddr_t second = xmalloc(100000, 0, heap); /* beyond the size of a private heap */
        assert_true((second != NULL) == (index < 2));
        assert_null(xmalloc(200000, 0, heap)); /* beyond the limit of a shared one */
        assert_int_equal(xmfree(block, kernel_heap), -1);
        assert_int_equal(xmfree(block, heap), 0);
        if (second)
            assert_int_equal(xmfree(second, heap), 0);
    }
    covers("heap_create.1", kind);
    covers("heap_create.limits", kind);
}

static void refuse_attributes(heapattr_t attributes)
{
    heapaddr_t heap = HPA_INVALID_HEAP;
    assert_int_equal(heap_create(&attributes, &heap), EINVAL_HEAP_CREATE);
    assert_ptr_equal(heap, HPA_INVALID_HEAP);
}

static void refused_attributes(enum kind kind)
{
    static const long wrong[] = {0,
                                 HPA_PAGED,
                                 HPA_SHARED,
                                 HPA_PAGED | HPA_PINNED | HPA_SHARED,
                                 HPA_PAGED | HPA_SHARED | HPA_PRIVATE,
                                 -1};
    heapattr_t attributes = attributes_of(HPA_PAGED | HPA_PRIVATE);
    heapaddr_t used = kernel_heap, heap = HPA_INVALID_HEAP;
    assert_int_equal(heap_create(&attributes, &used), EINVAL_HEAP_CREATE);
    assert_int_equal(heap_create(NULL, &heap), EINVAL_HEAP_CREATE);
    assert_int_equal(heap_create(&attributes, NULL), EINVAL_HEAP_CREATE);
    for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; index++)
        refuse_attributes(attributes_of(wrong[index]));
    attributes.hpa_eyec++;
    refuse_attributes(attributes);
    attributes = attributes_of(HPA_PAGED | HPA_PRIVATE);
    attributes.hpa_version++;
    refuse_attributes(attributes);
    attributes = attributes_of(HPA_PAGED | HPA_PRIVATE);
    attributes.hpa_heapaddr = &attributes;
    refuse_attributes(attributes);
    attributes = attributes_of(HPA_PAGED | HPA_PRIVATE);
    attributes.hpa_heapsize = 0;
    refuse_attributes(attributes);
    covers("heap_create.EINVAL", kind);
}

/* ---------------------------------------------------------------- corruption ----------- */

static void store_behind_the_end(void)
{
    char *block = xmalloc(100, 0, kernel_heap);
    block[100] = 'x';
    (void)xmfree(block, kernel_heap);
}

static void store_before_the_beginning(void)
{
    char *block = xmalloc(100, 0, pinned_heap);
    memset(block - 8, 0, 8);
    (void)xmfree(block, pinned_heap);
}

static void store_into_freed_memory(void)
{
    static _Alignas(4096) char area[4096];
    heapaddr_t heap = init_heap(area, sizeof area, NULL);
    char *block = xmalloc(100, 0, heap);
    (void)xmalloc(100, 0, heap);
    (void)xmfree(block, heap);
    memset(block, 'x', 100);
    (void)xmalloc(100, 0, heap);
}

static void corrupt_heaps(enum kind kind)
{
    must_panic(store_behind_the_end);
    must_panic(store_before_the_beginning);
    must_panic(store_into_freed_memory);
    covers("heaps.corrupt", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(allocates, ONCE),
        EACH(large_blocks, ONCE),
        EACH(refused_sizes, ONCE),
        EACH(without_memory, ONCE),
        EACH(no_heap, ONCE),
        EACH(memory_comes_and_goes, ONCE),
        EACH(frees_only_what_is_allocated, ONCE),
        EACH(nothing_is_freed_by_itself, ONCE),
        EACH(handlers_use_what_was_allocated, ONCE),
        BARE(beyond_the_limit_of_locked_memory),
        BARE(not_started),
        EACH(refuses, ONCE),
        EACH(memory_of_the_kernel, ONCE),
        EACH(private_heaps, ONCE),
        EACH(refused_areas, ONCE),
        EACH(created_heaps, ONCE),
        EACH(refused_attributes, ONCE),
        BARE(corrupt_heaps),
    };
    return RUN_CASES("heaps", cases);
}
