/* SPDX-License-Identifier: MIT */
/* Storage of unmapped pages: it is given back at once, or with the last map-in that may show it. */
#include "../support/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE UINT64_C(0x50000000)
#define AT(page) (BASE + (page)*PAGE)
#define READ_WRITE (PROT_READ | PROT_WRITE)

/* Open descriptors of this program that `name` names; and blocks of storage behind them. */
static unsigned descriptors(const char *name, uint64_t *blocks)
{
    unsigned count = 0;
    char link[64];
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    *blocks = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat status;
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
        link[length > 0 ? length : 0] = 0;
        if (!strstr(link, name) || fstatat(dirfd(directory), entry->d_name, &status, 0) != 0)
            continue;
        count++;
        *blocks += (uint64_t)status.st_blocks;
    }
    closedir(directory);
    return count;
}

static void settle(void)
{
    struct xmem_statistics now = {.size = sizeof now};
    must(xmem_get_statistics(&now)); /* waits for the reaper */
}

static unsigned files_held(void)
{
    uint64_t blocks;
    settle();
    return descriptors("lingering-test", &blocks) - 1;
}

static uint64_t arena_blocks(void)
{
    uint64_t blocks;
    settle();
    assert_true(descriptors("xmem-arena", &blocks) > 0);
    return blocks;
}

static int make_file(void)
{
    int file = memfd_create("lingering-test", MFD_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, 8 * PAGE), 0);
    return file;
}

static struct xmem_process *make_process(enum kind kind, uint64_t pages)
{
    struct xmem_process *process;
    must(xmem_process_create(kind_bits(kind), &process));
    must(xmem_process_map(process, BASE, pages * PAGE, READ_WRITE));
    return process;
}

static void a_descriptor_holds_no_files(enum kind kind)
{
    struct xmem_process *process = make_process(kind, 1);
    struct xmem_descriptor descriptor;
    int file = make_file();
    must(xmem_attach(process, BASE, PAGE, &descriptor));
    for (uint64_t page = 1; page <= 500; page++) {
        must(xmem_process_map_fd(process, AT(page), PAGE, READ_WRITE, file, 0));
        must(xmem_process_unmap(process, AT(page), PAGE));
    }
    assert_int_equal(files_held(), 0);
    must(xmem_detach(&descriptor));
    must(xmem_process_close(process));
    close(file);
}

static void a_descriptor_holds_no_storage(enum kind kind)
{
    struct xmem_process *process = make_process(kind, 65);
    struct xmem_descriptor descriptor;
    uint64_t before = arena_blocks();
    static char bytes[64 * PAGE];
    memset(bytes, 7, sizeof bytes);
    must(xmem_attach(process, BASE, PAGE, &descriptor));
    must(xmem_copy_out(process, bytes, AT(1), sizeof bytes, NULL));
    assert_true(arena_blocks() > before);
    must(xmem_process_unmap(process, AT(1), sizeof bytes));
    assert_int_equal(arena_blocks(), before);
    must(xmem_detach(&descriptor));
    must(xmem_process_close(process));
}

static void goes_with_the_last_map_in(enum kind kind)
{
    struct xmem_process *process = make_process(kind, 2);
    struct xmem_descriptor descriptor;
    void *one, *two;
    int file = make_file();
    must(xmem_process_map_fd(process, AT(2), 2 * PAGE, READ_WRITE, file, 0));
    must(xmem_attach(process, BASE, 4 * PAGE, &descriptor));
    must(xmem_map_in(&descriptor, AT(2), PAGE, &one));
    must(xmem_map_in(&descriptor, AT(0), PAGE, &two));
    memcpy(one, "shown", 6);
    must(xmem_process_unmap(process, AT(1), 2 * PAGE));
    must_fail(xmem_copy_out(process, "x", AT(2), 1, NULL), EFAULT);
    assert_string_equal(one, "shown");
    assert_int_equal(files_held(), 1);
    must(xmem_map_out(one));
    assert_int_equal(files_held(), 1); /* something of the segment is still mapped in */
    must(xmem_map_out(two));
    must(xmem_process_unmap(process, AT(3), PAGE));
    assert_int_equal(files_held(), 0);
    must(xmem_detach(&descriptor));
    must(xmem_process_close(process));
    close(file);
}

/* The only map-in of an unmapped page ends in this way, and with it the file goes. */
static void ends_with(enum kind kind, void (*map_out)(void *mapped))
{
    struct xmem_process *process = make_process(kind, 1);
    struct xmem_descriptor descriptor;
    void *mapped;
    int file = make_file();
    must(xmem_process_map_fd(process, AT(1), PAGE, READ_WRITE, file, 0));
    must(xmem_attach(process, BASE, 2 * PAGE, &descriptor));
    must(xmem_map_in(&descriptor, AT(1), PAGE, &mapped));
    must(xmem_process_unmap(process, AT(1), PAGE));
    assert_int_equal(files_held(), 1);
    map_out(mapped);
    assert_int_equal(files_held(), 0);
    must(xmem_detach(&descriptor));
    must(xmem_process_close(process));
    close(file);
}

static void map_out(void *mapped)
{
    must(xmem_map_out(mapped));
}

static void map_out_at_interrupt(void *mapped)
{
    at_interrupt(map_out, mapped);
}

static void a_map_out_alone_is_enough(enum kind kind)
{
    ends_with(kind, map_out);
}

static void a_map_out_at_interrupt_level_too(enum kind kind)
{
    ends_with(kind, map_out_at_interrupt);
}

static void what_stays_mapped_keeps_its_bytes(enum kind kind)
{
    struct xmem_process *process = make_process(kind, 1);
    int file = make_file();
    char byte;
    must(xmem_process_map_fd(process, AT(1), 7 * PAGE, READ_WRITE, file, 0));
    for (uint64_t page = 0; page < 8; page++)
        must(xmem_copy_out(process, &(char){(char)('a' + page)}, AT(page), 1, NULL));
    must(xmem_process_unmap(process, AT(3), PAGE));
    must(xmem_process_unmap(process, AT(5), 2 * PAGE));
    must(xmem_process_map(process, AT(5), PAGE, READ_WRITE));
    static const char expected[] = {'a', 'b', 'c', 0, 'e', 0, 0, 'h'};
    for (uint64_t page = 0; page < 8; page++) {
        if (page == 3 || page == 6) {
            must_fail(xmem_copy_in(process, AT(page), &byte, 1, NULL), EFAULT);
            continue;
        }
        must(xmem_copy_in(process, AT(page), &byte, 1, NULL));
        assert_int_equal(byte, expected[page]);
    }
    must(xmem_process_close(process));
    assert_int_equal(files_held(), 0);
    close(file);
}

struct storm {
    struct xmem_process *process;
    struct xmem_descriptor descriptor;
    bool over;
    long mapped_in;
};

/* Maps page 1 in whenever it is mapped, stores to it, and maps it out. */
static void *map_in_and_out(void *argument)
{
    struct storm *storm = argument;
    while (!__atomic_load_n(&storm->over, __ATOMIC_ACQUIRE)) {
        void *mapped;
        if (xmem_map_in(&storm->descriptor, AT(1), PAGE, &mapped))
            continue;
        memset(mapped, 9, PAGE);
        must(xmem_map_out(mapped));
        __atomic_add_fetch(&storm->mapped_in, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Each new page 1 starts as zeros, and page 0 beside it never changes. */
static void storm(enum kind kind)
{
    struct storm storm = {.process = make_process(kind, 2)};
    pthread_t threads[2];
    double end = seconds_now() + test_seconds(1);
    int file = make_file();
    char zero[64], beside[64], got[64];
    memset(beside, 5, sizeof beside);
    must(xmem_copy_out(storm.process, beside, AT(0), sizeof beside, NULL));
    must(xmem_attach(storm.process, BASE, 2 * PAGE, &storm.descriptor));
    for (size_t at = 0; at < 2; at++)
        assert_int_equal(pthread_create(&threads[at], NULL, map_in_and_out, &storm), 0);
    memset(zero, 0, sizeof zero);
    while (seconds_now() < end || __atomic_load_n(&storm.mapped_in, __ATOMIC_RELAXED) == 0) {
        must(xmem_process_unmap(storm.process, AT(1), PAGE));
        must(xmem_process_map_fd(storm.process, AT(1), PAGE, READ_WRITE, file, 0));
        must(xmem_process_unmap(storm.process, AT(1), PAGE));
        must(xmem_process_map(storm.process, AT(1), PAGE, PROT_READ));
        must(xmem_copy_in(storm.process, AT(0), got, sizeof got, NULL));
        assert_memory_equal(got, beside, sizeof got);
    }
    __atomic_store_n(&storm.over, true, __ATOMIC_RELEASE);
    for (size_t at = 0; at < 2; at++)
        pthread_join(threads[at], NULL);
    must(xmem_process_unmap(storm.process, AT(1), PAGE));
    must(xmem_process_map(storm.process, AT(1), PAGE, READ_WRITE));
    must(xmem_copy_in(storm.process, AT(1), got, sizeof got, NULL));
    assert_memory_equal(got, zero, sizeof got);
    must(xmem_detach(&storm.descriptor));
    must(xmem_process_close(storm.process));
    assert_int_equal(files_held(), 0);
    close(file);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(a_descriptor_holds_no_files, EMBEDDED_KINDS),
        EACH(a_descriptor_holds_no_storage, EMBEDDED_KINDS),
        EACH(goes_with_the_last_map_in, EMBEDDED_KINDS),
        EACH(a_map_out_alone_is_enough, EMBEDDED_KINDS),
        EACH(a_map_out_at_interrupt_level_too, EMBEDDED_KINDS),
        EACH(what_stays_mapped_keeps_its_bytes, EMBEDDED_KINDS),
        EACH(storm, EMBEDDED_KINDS),
    };
    return RUN_CASES("lingering", cases);
}
