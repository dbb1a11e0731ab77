/* SPDX-License-Identifier: MIT */
/*
 * The public services while the host layer fails.  What it proves, for every position at which a
 * host call can fail: a service succeeds or returns an error that its header names; what it could
 * not do is undone; nothing leaks; nobody else's memory changes; and the same service works again
 * as soon as the host does.
 *
 *   fault-test [SCENARIO...]
 */
#include "fault_kernel.h"
#include "fault_run.h"
#include "fault_trapped.h"

#include <xmem/extensions.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define FILE_PAGES 8u
#define EDGE (2 * REGION) /* where ranges cross from one region into the next */

/* ---- helpers ---- */

static void make_process(struct stage *stage)
{
    MUST(xmem_process_create(64, &stage->process));
}

static void make_file(struct stage *stage)
{
    unsigned char bytes[FILE_PAGES * PAGE];
    fill_pattern(bytes, sizeof(bytes), 7);
    stage->file = memfd_create("faults", MFD_CLOEXEC);
    EXPECT(stage->file >= 0);
    EXPECT(pwrite(stage->file, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes));
}

static void expect_file(int file)
{
    unsigned char bytes[FILE_PAGES * PAGE];
    unsigned char wanted[FILE_PAGES * PAGE];
    fill_pattern(wanted, sizeof(wanted), 7);
    EXPECT(pread(file, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes));
    EXPECT(memcmp(bytes, wanted, sizeof(bytes)) == 0);
}

static void expect_user(struct xmem_process *process, uint64_t address, size_t n, unsigned seed)
{
    unsigned char *bytes = malloc(n);
    unsigned char *wanted = malloc(n);
    EXPECT(bytes && wanted);
    fill_pattern(wanted, n, seed);
    MUST(xmem_copy_in(process, address, bytes, n, NULL));
    EXPECT(memcmp(bytes, wanted, n) == 0);
    free(bytes);
    free(wanted);
}

static void put_user(struct xmem_process *process, uint64_t address, size_t n, unsigned seed)
{
    unsigned char *bytes = malloc(n);
    EXPECT(bytes);
    fill_pattern(bytes, n, seed);
    MUST(xmem_copy_out(process, bytes, address, n, NULL));
    free(bytes);
}

static bool is_mapped(struct xmem_process *process, uint64_t address)
{
    struct xmem_descriptor descriptor;
    if (xmem_attach(process, address, 1, &descriptor) != 0)
        return false;
    MUST(xmem_detach(&descriptor));
    return true;
}

static void expect_all_mapped(struct xmem_process *process, uint64_t address, size_t pages,
                              bool mapped)
{
    for (size_t page = 0; page < pages; page++)
        EXPECT(is_mapped(process, address + page * PAGE) == mapped);
}

/* Fresh working storage at the address is zero, private, and the same through both windows: what
 * failed before has left no mapping of a file and no bytes of somebody else behind. */
static void expect_fresh(struct xmem_process *process, uint64_t address, size_t pages)
{
    MUST(xmem_process_map(process, address, pages * PAGE, READ_WRITE));
    for (size_t page = 0; page < pages; page++) {
        unsigned char bytes[PAGE];
        uint64_t at = address + page * PAGE;
        MUST(xmem_copy_in(process, at, bytes, PAGE, NULL));
        for (size_t byte = 0; byte < PAGE; byte++)
            EXPECT(bytes[byte] == 0);
        put_user(process, at, PAGE, 55);
        struct xmem_descriptor descriptor;
        void *direct;
        MUST(xmem_attach(process, at, PAGE, &descriptor));
        MUST(xmem_map_in(&descriptor, at, PAGE, &direct));
        fill_pattern(bytes, PAGE, 55);
        EXPECT(memcmp(direct, bytes, PAGE) == 0);
        MUST(xmem_map_out(direct));
        MUST(xmem_detach(&descriptor));
    }
    MUST(xmem_process_unmap(process, address, pages * PAGE));
}

static void close_process(struct stage *stage)
{
    MUST(xmem_process_close(stage->process));
}

/* ---- start and stop ---- */

static void start_body(struct stage *stage)
{
    (void)stage;
    if (!ALLOW(xmem_start(NULL), ENOMEM, EINVAL, ENOTSUP, EPERM, ENOSYS))
        return;
    /* The last stop undoes what it can; a failing host must not make it impossible. */
    if (!ALLOW(xmem_stop(), ENOMEM))
        stage->done = true;
}

static void start_cleanup(struct stage *stage)
{
    if (stage->done)
        MUST(xmem_stop());
    for (unsigned round = 0; round < 2; round++) {
        MUST(xmem_start(NULL));
        make_process(stage);
        expect_fresh(stage->process, EDGE - PAGE, 2);
        close_process(stage);
        MUST(xmem_stop());
    }
}

/* ---- processes ---- */

static void create_body(struct stage *stage)
{
    for (unsigned round = 0; round < 2; round++) {
        struct xmem_process *process;
        if (!ALLOW(xmem_process_create(round ? 64 : 32, &process), ENOMEM)) {
            EXPECT(process == NULL);
            continue;
        }
        xmem_enter(process);
        ALLOW(xmem_process_map(NULL, REGION, PAGE, READ_WRITE), ENOMEM);
        xmem_leave();
        EXPECT(xmem_process_close(process) == 0);
    }
    (void)stage;
}

/* ---- mapping ---- */

static void map_prepare(struct stage *stage)
{
    make_process(stage);
    MUST(xmem_process_map(stage->process, EDGE - 4 * PAGE, PAGE, READ_WRITE));
    put_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
}

static void map_body(struct stage *stage)
{
    stage->done =
        ALLOW(xmem_process_map(stage->process, EDGE - 2 * PAGE, REGION + 4 * PAGE, READ_WRITE),
              ENOMEM, EMFILE);
}

static void map_cleanup(struct stage *stage)
{
    uint64_t length = REGION + 4 * PAGE;
    expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    expect_all_mapped(stage->process, EDGE - 2 * PAGE, 4, stage->done);
    expect_all_mapped(stage->process, EDGE + REGION, 2, stage->done);
    if (stage->done)
        MUST(xmem_process_unmap(stage->process, EDGE - 2 * PAGE, length));
    expect_fresh(stage->process, EDGE - 2 * PAGE, 4);
    expect_fresh(stage->process, EDGE + REGION - PAGE, 3);
    close_process(stage);
}

static void import_prepare(struct stage *stage)
{
    map_prepare(stage);
    make_file(stage);
}

static void import_body(struct stage *stage)
{
    stage->done = ALLOW(xmem_process_map_fd(stage->process, EDGE - 2 * PAGE, 4 * PAGE, READ_WRITE,
                                            stage->file, PAGE),
                        ENOMEM, EMFILE, EACCES, EBADF, ENODEV);
}

static void import_cleanup(struct stage *stage)
{
    expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    expect_all_mapped(stage->process, EDGE - 2 * PAGE, 4, stage->done);
    if (stage->done) {
        unsigned char bytes[FILE_PAGES * PAGE];
        unsigned char got[4 * PAGE];
        fill_pattern(bytes, sizeof(bytes), 7);
        MUST(xmem_copy_in(stage->process, EDGE - 2 * PAGE, got, sizeof(got), NULL));
        EXPECT(memcmp(got, bytes + PAGE, sizeof(got)) == 0);
        MUST(xmem_process_unmap(stage->process, EDGE - 2 * PAGE, 4 * PAGE));
    }
    expect_fresh(stage->process, EDGE - 2 * PAGE, 4);
    close_process(stage);
    expect_file(stage->file);
    close(stage->file);
}

/* ---- what takes away: all of it or nothing, whatever fails ---- */

static void unmap_prepare(struct stage *stage)
{
    import_prepare(stage);
    MUST(xmem_process_map_fd(stage->process, EDGE - 2 * PAGE, 4 * PAGE, READ_WRITE, stage->file,
                             PAGE));
    MUST(xmem_attach(stage->process, EDGE - 2 * PAGE, PAGE, &stage->descriptors[0]));
}

static void unmap_body(struct stage *stage)
{
    EXPECT(ALLOW(xmem_process_protect(stage->process, EDGE - PAGE, 2 * PAGE, PROT_READ), ENOMEM));
    stage->done = ALLOW(xmem_process_unmap(stage->process, EDGE - PAGE, 2 * PAGE), ENOMEM);
}

static void unmap_cleanup(struct stage *stage)
{
    unsigned char byte;
    size_t done = 9;
    expect_all_mapped(stage->process, EDGE - PAGE, 2, !stage->done);
    expect_all_mapped(stage->process, EDGE - 2 * PAGE, 1, true);
    expect_all_mapped(stage->process, EDGE + PAGE, 1, true);
    MUST(xmem_move_in(&stage->descriptors[0], EDGE - 2 * PAGE, &byte, 1, &done));
    EXPECT(done == 1);
    if (!stage->done)
        MUST(xmem_process_unmap(stage->process, EDGE - PAGE, 2 * PAGE));
    expect_fresh(stage->process, EDGE - PAGE, 2);
    expect_file(stage->file);
    MUST(xmem_detach(&stage->descriptors[0]));
    close_process(stage);
    expect_file(stage->file);
    close(stage->file);
}

/* Mapping anew where imported pages linger for a map-in's sake. */
static void remap_prepare(struct stage *stage)
{
    unmap_prepare(stage);
    MUST(xmem_map_in(&stage->descriptors[0], EDGE - 2 * PAGE, PAGE, &stage->mapped[0]));
    MUST(xmem_process_unmap(stage->process, EDGE - PAGE, 2 * PAGE));
}

static void remap_body(struct stage *stage)
{
    stage->done =
        ALLOW(xmem_process_map(stage->process, EDGE - PAGE, 2 * PAGE, READ_WRITE), ENOMEM, EMFILE);
}

static void remap_cleanup(struct stage *stage)
{
    expect_all_mapped(stage->process, EDGE - PAGE, 2, stage->done);
    if (stage->done)
        MUST(xmem_process_unmap(stage->process, EDGE - PAGE, 2 * PAGE));
    stage->done = true;
    MUST(xmem_map_out(stage->mapped[0]));
    unmap_cleanup(stage);
}

/* A process closes while its storage cannot be given back: who gets it next must not see it. */
static void close_prepare(struct stage *stage)
{
    import_prepare(stage);
    MUST(xmem_process_map_fd(stage->process, EDGE - 2 * PAGE, 4 * PAGE, READ_WRITE, stage->file,
                             PAGE));
    MUST(xmem_process_map(stage->process, EDGE + 8 * PAGE, 2 * PAGE, READ_WRITE));
    put_user(stage->process, EDGE + 8 * PAGE, 2 * PAGE, 44);
    MUST(xmem_attach(stage->process, EDGE - 2 * PAGE, 4 * PAGE, &stage->descriptors[0]));
}

static void close_body(struct stage *stage)
{
    char byte;
    EXPECT(xmem_process_close(stage->process) == 0);
    EXPECT(xmem_move_in(&stage->descriptors[0], EDGE, &byte, 1, NULL) == EFAULT);
    EXPECT(xmem_last_failure()->failure_class == XMEM_FAILURE_DELETED);
    EXPECT(xmem_detach(&stage->descriptors[0]) == 0);
}

static void close_cleanup(struct stage *stage)
{
    make_process(stage);
    expect_fresh(stage->process, EDGE - 4 * PAGE, 16);
    expect_fresh(stage->process, 6 * REGION - 4 * PAGE, 16);
    expect_file(stage->file);
    close_process(stage);
    close(stage->file);
}

/* ---- descriptors and moves ---- */

static void attach_prepare(struct stage *stage)
{
    make_process(stage);
    for (unsigned region = 2; region < 6; region++)
        MUST(xmem_process_map(stage->process, region * REGION, REGION, READ_WRITE));
    put_user(stage->process, 3 * REGION - PAGE, 2 * PAGE, 12);
}

static void attach_body(struct stage *stage)
{
    for (unsigned at = 0; at < 4; at++) {
        uint64_t start = at % 2 ? 3 * REGION - PAGE : 2 * REGION;
        size_t length = at % 2 ? 2 * PAGE : 4 * REGION;
        stage->attached[at] =
            ALLOW(xmem_attach(stage->process, start, length, &stage->descriptors[at]), ENOMEM);
        EXPECT((stage->descriptors[at].kind == XMEM_DESCRIPTOR_INVALID) == !stage->attached[at]);
    }
    if (stage->attached[0]) {
        EXPECT(xmem_detach(&stage->descriptors[0]) == 0);
        stage->attached[0] = false;
    }
}

static void attach_cleanup(struct stage *stage)
{
    for (unsigned at = 0; at < 4; at++) {
        unsigned char got[2 * PAGE];
        unsigned char wanted[2 * PAGE];
        if (!stage->attached[at])
            continue;
        fill_pattern(wanted, sizeof(wanted), 12);
        MUST(xmem_move_in(&stage->descriptors[at], 3 * REGION - PAGE, got, sizeof(got), NULL));
        EXPECT(memcmp(got, wanted, sizeof(got)) == 0);
        MUST(xmem_detach(&stage->descriptors[at]));
    }
    close_process(stage);
}

static void moves_prepare(struct stage *stage)
{
    close_prepare(stage);
}

#define MOVE_ERRORS EFAULT, EIO, ENOMEM, ENOSPC

/* Moves allocate nothing and depend on the host for imported memory only. */
static void moves_body(struct stage *stage)
{
    unsigned char bytes[3 * PAGE];
    struct xmem_range ranges[] = {{EDGE - PAGE, PAGE}, {EDGE, PAGE}, {EDGE + 8 * PAGE, 100}};
    struct iovec vector = {bytes, sizeof(bytes)};
    size_t done = 9;
    uint32_t word;
    if (!ALLOW(xmem_copy_in(stage->process, EDGE - PAGE, bytes, 2 * PAGE, &done), MOVE_ERRORS))
        EXPECT(done < 2 * PAGE);
    ALLOW(xmem_copy_in(stage->process, EDGE + 8 * PAGE, bytes, 2 * PAGE, NULL), ENOENT);
    ALLOW(xmem_copy_out(stage->process, bytes, EDGE + 8 * PAGE, 2 * PAGE, NULL), ENOENT);
    ALLOW(xmem_string_in(stage->process, EDGE - PAGE, (char *)bytes, PAGE, &done), E2BIG,
          MOVE_ERRORS);
    ALLOW(xmem_copy_inv(stage->process, ranges, 3, &vector, 1, &done), MOVE_ERRORS);
    EXPECT(done <= 2 * PAGE + 100);
    ALLOW(xmem_move_in(&stage->descriptors[0], EDGE - 100, bytes, 200, &done), MOVE_ERRORS);
    ALLOW(xmem_move_inv(&stage->descriptors[0], ranges, 2, &vector, 1, &done), MOVE_ERRORS);
    ALLOW(xmem_move_atomic32(&stage->descriptors[0], EDGE, XMEM_ATOMIC_ADD, 0, 0, &word),
          MOVE_ERRORS);
    ALLOW(xmem_atomic32(stage->process, EDGE + 4, XMEM_ATOMIC_LOAD, 0, 0, &word), MOVE_ERRORS);
}

static void moves_cleanup(struct stage *stage)
{
    unsigned char got[2 * PAGE];
    expect_user(stage->process, EDGE + 8 * PAGE, 2 * PAGE, 44);
    MUST(xmem_move_in(&stage->descriptors[0], EDGE - PAGE, got, sizeof(got), NULL));
    MUST(xmem_detach(&stage->descriptors[0]));
    expect_file(stage->file);
    close_process(stage);
    close(stage->file);
}

/* ---- map-ins and pins ---- */

static void pins_body(struct stage *stage)
{
    stage->attached[0] = true;
    stage->done = ALLOW(xmem_pin(&stage->descriptors[0], EDGE - 2 * PAGE, 4 * PAGE), ENOMEM);
    stage->attached[1] = ALLOW(xmem_pin(&stage->descriptors[0], EDGE - PAGE, PAGE), ENOMEM);
    EXPECT(xmem_map_in(&stage->descriptors[0], EDGE, PAGE, &stage->mapped[0]) == 0);
    EXPECT(xmem_map_out(stage->mapped[0]) == 0);
}

static void pins_cleanup(struct stage *stage)
{
    /* All or nothing: exactly the pins that succeeded can be undone. */
    if (stage->attached[1])
        MUST(xmem_unpin(&stage->descriptors[0], EDGE - PAGE, PAGE));
    if (stage->done)
        MUST(xmem_unpin(&stage->descriptors[0], EDGE - 2 * PAGE, 4 * PAGE));
    for (unsigned page = 0; page < 4; page++)
        EXPECT(xmem_unpin(&stage->descriptors[0], EDGE + page * PAGE - 2 * PAGE, PAGE) == EINVAL);
    moves_cleanup(stage);
}

/* ---- segments and regions ---- */

static void regions_prepare(struct stage *stage)
{
    map_prepare(stage);
    MUST(xmem_process_create(32, &stage->other));
}

static void regions_body(struct stage *stage)
{
    if (!ALLOW(xmem_segment_create(3 * PAGE, &stage->segment), ENOMEM)) {
        stage->segment = 0;
        return;
    }
    stage->handle = xmem_handle(stage->segment, XMEM_KEY_ALL);
    stage->attached[0] =
        ALLOW(xmem_region_attach(stage->other, stage->handle, &stage->address), ENOMEM);
    /* Over what is mapped there: it goes, or it stays, as a whole. */
    stage->attached[1] =
        ALLOW(xmem_region_attach_at(stage->process, stage->handle, EDGE - 1), ENOMEM);
    if (stage->attached[0])
        stage->held =
            ALLOW(xmem_region_handle(stage->other, stage->address, 1, &stage->handle), ENOMEM);
    if (stage->attached[1] && ALLOW(xmem_region_detach(stage->process, EDGE - 1), ENOMEM))
        stage->done = true;
    if (ALLOW(xmem_handle_map(stage->handle, &stage->mapped[0]), ENOENT))
        EXPECT(xmem_map_out(stage->mapped[0]) == 0);
}

static void regions_cleanup(struct stage *stage)
{
    if (!stage->attached[1])
        expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    else if (!stage->done)
        MUST(xmem_region_detach(stage->process, EDGE - 1));
    if (stage->attached[0]) {
        put_user(stage->other, stage->address, 3 * PAGE, 21);
        expect_user(stage->other, stage->address, 3 * PAGE, 21);
    }
    if (stage->segment)
        MUST(xmem_segment_delete(stage->segment));
    if (stage->held) {
        expect_user(stage->other, stage->address, 3 * PAGE, 21);
        MUST(xmem_region_release(stage->address, stage->handle));
    }
    if (stage->attached[0])
        MUST(xmem_region_detach(stage->other, stage->address));
    MUST(xmem_process_close(stage->other));
    close_process(stage);
}

/* Deleting and closing while nothing can be allocated, mapped or punched. */
static void delete_prepare(struct stage *stage)
{
    regions_prepare(stage);
    MUST(xmem_segment_create(3 * PAGE, &stage->segment));
    stage->handle = xmem_handle(stage->segment, XMEM_KEY_USER);
    MUST(xmem_region_attach(stage->other, stage->handle, &stage->address));
    put_user(stage->other, stage->address, 3 * PAGE, 31);
    MUST(xmem_region_handle(stage->other, stage->address, 1, &stage->handle));
}

static void delete_body(struct stage *stage)
{
    EXPECT(xmem_segment_delete(stage->segment) == 0);
    EXPECT(xmem_region_release(stage->address, stage->handle) == 0);
    EXPECT(xmem_region_detach(stage->other, stage->address) == 0);
    EXPECT(xmem_process_close(stage->other) == 0);
}

static void delete_cleanup(struct stage *stage)
{
    expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    expect_fresh(stage->process, 5 * REGION, 4);
    close_process(stage);
}

/* ---- another Linux process ---- */

#define FOREIGN_PAGES 4u

static void foreign_prepare(struct stage *stage)
{
    stage->memory = mmap(NULL, FOREIGN_PAGES * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT(stage->memory != MAP_FAILED);
    fill_pattern(stage->memory, FOREIGN_PAGES * PAGE, 61);
    stage->pid = fork();
    EXPECT(stage->pid >= 0);
    if (stage->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
}

#define OPEN_ERRORS ESRCH, EACCES, EPERM, EMFILE, ENOMEM
#define FOREIGN_ERRORS EFAULT, EIO, ENOMEM, ENOSPC, ESRCH, ETIMEDOUT, EPERM

static void foreign_moves(struct stage *stage)
{
    uint64_t address = (uintptr_t)stage->memory;
    unsigned char bytes[2 * PAGE];
    unsigned char wanted[2 * PAGE];
    struct xmem_range ranges[] = {{address, PAGE}, {address + 2 * PAGE, PAGE}};
    struct iovec vector = {bytes, sizeof(bytes)};
    struct xmem_descriptor descriptor;
    size_t done = 9;
    fill_pattern(wanted, sizeof(wanted), 61);
    if (ALLOW(xmem_copy_in(stage->process, address, bytes, sizeof(bytes), &done), FOREIGN_ERRORS))
        EXPECT(done == sizeof(bytes) && memcmp(bytes, wanted, sizeof(bytes)) == 0);
    ALLOW(xmem_copy_out(stage->process, wanted, address, sizeof(wanted), &done), FOREIGN_ERRORS);
    ALLOW(xmem_copy_inv(stage->process, ranges, 2, &vector, 1, &done), FOREIGN_ERRORS);
    ALLOW(xmem_string_in(stage->process, address, (char *)bytes, 100, &done), E2BIG,
          FOREIGN_ERRORS);
    if (!ALLOW(xmem_attach(stage->process, address, sizeof(bytes), &descriptor), FOREIGN_ERRORS))
        return;
    ALLOW(xmem_move_in(&descriptor, address, bytes, sizeof(bytes), &done), FOREIGN_ERRORS);
    ALLOW(xmem_move_zero(&descriptor, address + 100, 10, &done), FOREIGN_ERRORS);
    ALLOW(xmem_move_out(&descriptor, wanted, address, sizeof(wanted), &done), FOREIGN_ERRORS);
    EXPECT(xmem_detach(&descriptor) == 0);
}

static void foreign_body(struct stage *stage)
{
    if (!ALLOW(xmem_process_open(stage->pid, &stage->process), OPEN_ERRORS)) {
        EXPECT(stage->process == NULL);
        return;
    }
    foreign_moves(stage);
    EXPECT(xmem_process_close(stage->process) == 0);
}

static void foreign_cleanup(struct stage *stage)
{
    unsigned char byte = 0;
    MUST(xmem_process_open(stage->pid, &stage->process));
    MUST(xmem_copy_in(stage->process, (uintptr_t)stage->memory + 3 * PAGE, &byte, 1, NULL));
    EXPECT(byte == stage->memory[3 * PAGE]);
    close_process(stage);
    kill(stage->pid, SIGKILL);
    waitpid(stage->pid, NULL, 0);
    munmap(stage->memory, FOREIGN_PAGES * PAGE);
}

/* Imported pages in an opened process, too. */
static void foreign_import_prepare(struct stage *stage)
{
    foreign_prepare(stage);
    make_file(stage);
    MUST(xmem_process_open(stage->pid, &stage->process));
}

static void foreign_import_body(struct stage *stage)
{
    uint64_t address = (uintptr_t)stage->memory + PAGE;
    unsigned char byte = 0;
    stage->done =
        ALLOW(xmem_process_map_fd(stage->process, address, PAGE, PROT_READ, stage->file, PAGE),
              ENOMEM, EMFILE, EACCES, EBADF, ENODEV, ESRCH);
    ALLOW(xmem_copy_in(stage->process, address, &byte, 1, NULL), FOREIGN_ERRORS);
    if (stage->done && ALLOW(xmem_process_unmap(stage->process, address, PAGE), ENOMEM))
        stage->done = false;
}

static void foreign_import_cleanup(struct stage *stage)
{
    uint64_t address = (uintptr_t)stage->memory + PAGE;
    unsigned char byte = 0;
    if (stage->done)
        MUST(xmem_process_unmap(stage->process, address, PAGE));
    MUST(xmem_copy_in(stage->process, address, &byte, 1, NULL));
    EXPECT(byte == stage->memory[PAGE]);
    close_process(stage);
    expect_file(stage->file);
    close(stage->file);
    foreign_cleanup(stage);
}

/* ---- the kernel's own memory ---- */

static void own_body(struct stage *stage)
{
    static unsigned char own[3 * PAGE];
    uint64_t address = (uintptr_t)own;
    unsigned char bytes[PAGE];
    struct xmem_descriptor descriptor;
    uint64_t before;
    (void)stage;
    if (!ALLOW(xmem_attach(xmem_process_kernel(), address, sizeof(own), &descriptor), ENOMEM,
               EFAULT))
        return;
    ALLOW(xmem_move_in(&descriptor, address + 1, bytes, sizeof(bytes), NULL), EFAULT);
    ALLOW(xmem_move_out(&descriptor, bytes, address + PAGE, sizeof(bytes), NULL), EFAULT);
    ALLOW(xmem_move_atomic64(&descriptor, (address + 7) & ~UINT64_C(7), XMEM_ATOMIC_OR, 0, 0,
                             &before),
          EFAULT);
    ALLOW(xmem_atomic64(xmem_process_kernel(), (address + 7) & ~UINT64_C(7), XMEM_ATOMIC_LOAD, 0, 0,
                        &before),
          EFAULT);
    EXPECT(xmem_detach(&descriptor) == 0);
}

/* ---- interrupts ---- */

struct interrupted {
    struct stage *stage;
    int moved;
    int detached;
    unsigned times;
};

static void handler(void *argument)
{
    struct interrupted *interrupted = argument;
    char byte;
    interrupted->times++;
    interrupted->moved =
        xmem_move_in(&interrupted->stage->descriptors[0], EDGE - 4 * PAGE, &byte, 1, NULL);
    interrupted->detached = xmem_detach(&interrupted->stage->descriptors[0]);
}

static void interrupt_prepare(struct stage *stage)
{
    map_prepare(stage);
    MUST(xmem_attach(stage->process, EDGE - 4 * PAGE, PAGE, &stage->descriptors[0]));
}

/* A handler runs once and finds everything, or not at all. */
static void interrupt_body(struct stage *stage)
{
    struct interrupted interrupted = {stage, -1, -1, 0};
    int error = xmem_interrupt(XMEM_INTCLASS0, handler, &interrupted);
    EXPECT(error == xmem_last_failure()->error || error == 0);
    EXPECT(interrupted.times == (error == 0));
    stage->done = error == 0;
    EXPECT(error != 0 || (interrupted.moved == 0 && interrupted.detached == 0));
}

static void interrupt_cleanup(struct stage *stage)
{
    if (!stage->done)
        MUST(xmem_detach(&stage->descriptors[0]));
    struct interrupted interrupted = {stage, -1, -1, 0};
    MUST(xmem_interrupt(XMEM_INTCLASS0, handler, &interrupted));
    EXPECT(interrupted.moved == EINVAL && interrupted.detached == EINVAL);
    expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    close_process(stage);
}

/* ---- threads ---- */

static void *newcomer(void *argument)
{
    struct stage *stage = argument;
    char byte;
    ALLOW(xmem_thread_prepare(), ENOMEM);
    ALLOW(xmem_copy_in(stage->process, EDGE - 4 * PAGE, &byte, 1, NULL), ENOMEM, EPERM);
    if (ALLOW(xmem_attach(stage->process, EDGE - 4 * PAGE, PAGE, &stage->descriptors[0]), ENOMEM,
              EPERM)) {
        ALLOW(xmem_move_in(&stage->descriptors[0], EDGE - 4 * PAGE, &byte, 1, NULL), ENOENT);
        ALLOW(xmem_detach(&stage->descriptors[0]), ENOENT);
    }
    return NULL;
}

static void thread_body(struct stage *stage)
{
    for (unsigned round = 0; round < 2; round++) {
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, newcomer, stage) == 0);
        pthread_join(thread, NULL);
    }
}

static void thread_cleanup(struct stage *stage)
{
    expect_user(stage->process, EDGE - 4 * PAGE, PAGE, 3);
    close_process(stage);
}

/* ---- locked memory ---- */

static void lock_body(struct stage *stage)
{
    struct xmem_config config = {.size = sizeof(config), .lock_memory = 1};
    if (!ALLOW(xmem_start(&config), ENOMEM, EINVAL, ENOTSUP, EPERM, ENOSYS))
        return;
    stage->held = true; /* started */
    if (!ALLOW(xmem_process_create(64, &stage->process), ENOMEM))
        return;
    stage->attached[0] = true;
    stage->done = ALLOW(xmem_process_map(stage->process, EDGE - PAGE, 2 * PAGE, READ_WRITE), ENOMEM,
                        EMFILE, EPERM);
}

static void lock_cleanup(struct stage *stage)
{
    if (stage->attached[0]) {
        expect_all_mapped(stage->process, EDGE - PAGE, 2, stage->done);
        close_process(stage);
    }
    if (stage->held)
        MUST(xmem_stop());
}

/* ---- memory of the kernel ---- */

static void kernel_memory_body(struct stage *stage)
{
    struct xmem_config config = {.size = sizeof(config), .lock_memory = 1};
    void *memory = NULL;
    if (!ALLOW(xmem_start(&config), ENOMEM, EINVAL, ENOTSUP, EPERM, ENOSYS))
        return;
    stage->held = true; /* started */
    if (ALLOW(xmem_memory_create(3 * PAGE - 5, XMEM_MEMORY_PINNED, &memory), ENOMEM)) {
        memset(memory, 1, 3 * PAGE);
        MUST(xmem_memory_delete(memory, 3 * PAGE - 5));
    } else {
        EXPECT(memory == NULL);
    }
}

/* ---- extensions ---- */

/* The mathematics library stands for an extension: it is there, and has no entry point. */
static const char extension_path[] = "libm.so.6";

static void extension_body(struct stage *stage)
{
    static const char directories[] = "/nonexistent:/lib:/usr/lib:/usr/lib64:"
                                      "/usr/lib/x86_64-linux-gnu";
    uint32_t number, again;
    void *address;
    (void)stage;
    if (ALLOW(xmem_extension_load(extension_path, directories, &number), ENOENT, ENOEXEC))
        MUST(xmem_extension_unload(number));
    if (!ALLOW(xmem_extension_load(extension_path, NULL, &number), ENOEXEC)) {
        EXPECT(number == 0);
        return;
    }
    if (ALLOW(xmem_extension_query(extension_path, NULL, &again), ENOENT))
        EXPECT(again == number);
    if (ALLOW(xmem_extension_find(number, "cos", &address), ENOENT)) {
        void *hold;
        EXPECT(address);
        if (!ALLOW(xmem_extension_hold(address, &hold), ENOMEM))
            EXPECT(!hold);
        xmem_extension_release(hold);
    }
    ALLOW(xmem_extension_entry(number, &address), ENOENT);
    MUST(xmem_extension_unload(number));
}

static void extension_cleanup(struct stage *stage)
{
    uint32_t number;
    void *address;
    (void)stage;
    MUST(xmem_extension_load(extension_path, NULL, &number));
    MUST(xmem_extension_find(number, "cos", &address));
    MUST(xmem_extension_unload(number));
}

static const struct scenario scenarios[] = {
    {"start", SCENARIO_BARE, NULL, start_body, start_cleanup},
    {"create", 0, NULL, create_body, NULL},
    {"extensions", 0, NULL, extension_body, extension_cleanup},
    {"map", 0, map_prepare, map_body, map_cleanup},
    {"import", 0, import_prepare, import_body, import_cleanup},
    {"unmap", 0, unmap_prepare, unmap_body, unmap_cleanup},
    {"remap", 0, remap_prepare, remap_body, remap_cleanup},
    {"close", 0, close_prepare, close_body, close_cleanup},
    {"attach", 0, attach_prepare, attach_body, attach_cleanup},
    {"moves", 0, moves_prepare, moves_body, moves_cleanup},
    {"pins", 0, close_prepare, pins_body, pins_cleanup},
    {"regions", 0, regions_prepare, regions_body, regions_cleanup},
    {"delete", 0, delete_prepare, delete_body, delete_cleanup},
    {"foreign", 0, foreign_prepare, foreign_body, foreign_cleanup},
    {"foreign import", 0, foreign_import_prepare, foreign_import_body, foreign_import_cleanup},
    {"own memory", 0, NULL, own_body, NULL},
    {"interrupt", 0, interrupt_prepare, interrupt_body, interrupt_cleanup},
    {"kernel", 0, NULL, kernel_body, NULL},
    {"thread", 0, map_prepare, thread_body, thread_cleanup},
    {"lock", SCENARIO_BARE, NULL, lock_body, lock_cleanup},
    {"trapped", SCENARIO_SPARSE, trapped_prepare, trapped_body, trapped_cleanup},
    {"kernel memory", SCENARIO_BARE, NULL, kernel_memory_body, lock_cleanup},
};

static bool wanted(const char *name, int count, char **words)
{
    for (int at = 1; at < count; at++)
        if (strcmp(words[at], name) == 0)
            return true;
    return count == 1;
}

int main(int count, char **words)
{
    int failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t at = 0; at < sizeof(scenarios) / sizeof(*scenarios); at++)
        if (wanted(scenarios[at].name, count, words))
            failed |= faults_run(&scenarios[at]);
    return failed;
}
