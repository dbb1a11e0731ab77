/* SPDX-License-Identifier: MIT */
/* Starting, stopping, processes and their memory, through the native interface: what each function
 * returns, and what it leaves as it was. */
#include "../support/check.h"

#include <fcntl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/peer.h"

#define PAGES 4
#define BASE UINT64_C(0x50000000)

static struct xmem_statistics statistics(void)
{
    struct xmem_statistics now = {.size = sizeof now};
    must(xmem_get_statistics(&now));
    return now;
}

/* ---------------------------------------------------------------- start and stop ------- */

static void counts_starts(enum kind kind)
{
    (void)kind;
    struct xmem_process *process;
    assert_int_equal(xmem_stop(), EINVAL);
    assert_int_equal(xmem_process_create(64, &process), EPERM);
    assert_null(process);
    must(xmem_start(NULL));
    must(xmem_start(NULL));
    must(xmem_process_create(64, &process));
    must(xmem_stop());
    must_fail(xmem_stop(), EBUSY);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_BUSY);
    must(xmem_process_close(process)); /* it stayed started */
    must(xmem_stop());
    assert_int_equal(xmem_stop(), EINVAL);
    for (int round = 0; round < 20; round++) {
        must(xmem_start(NULL));
        must(xmem_process_create(32, &process));
        must(xmem_process_map(process, BASE, PAGE, PROT_READ));
        must(xmem_process_close(process));
        must(xmem_stop());
    }
}

static void refuses_configurations(enum kind kind)
{
    (void)kind;
    const struct xmem_config good = {.size = sizeof good};
    struct xmem_config config = good;
    config.size = 0;
    assert_int_equal(xmem_start(&config), EINVAL);
    config.size = sizeof config - 8;
    assert_int_equal(xmem_start(&config), EINVAL);
    config.size = sizeof config + 8;
    assert_int_equal(xmem_start(&config), EINVAL);
    static const int signals[] = {-1, SIGKILL, SIGSEGV, SIGTERM, 1000};
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) {
        config = good;
        config.interrupt_signal = signals[index];
        assert_int_equal(xmem_start(&config), EINVAL);
    }
    config = good;
    config.real_memory = 1 << 20;
    assert_int_equal(xmem_start(&config), ENOTSUP);
    config = good;
    config.paging_space = "/tmp/there is no paging";
    assert_int_equal(xmem_start(&config), ENOTSUP);
    config = good;
    config.paging_space_size = 1 << 20;
    assert_int_equal(xmem_start(&config), ENOTSUP);
    config = good;
    config.interrupt_signal = SIGRTMIN + 9;
    must(xmem_start(&config));
    must(xmem_start(&(struct xmem_config){.size = sizeof good, .interrupt_signal = 0}));
    must(xmem_stop());
    must(xmem_stop());
}

static void stop_is_refused_while_in_use(enum kind kind)
{
    (void)kind;
    struct xmem_process *process;
    struct xmem_descriptor descriptor;
    xmem_segment_t segment;
    xmem_handle_t handle;
    void *mapped;
    must(xmem_start(NULL));
    must(xmem_segment_create(PAGE, &segment));
    must_fail(xmem_stop(), EBUSY);
    must(xmem_handle_map(xmem_handle(segment, XMEM_KEY_ALL), &mapped));
    must(xmem_segment_delete(segment));
    must_fail(xmem_stop(), EBUSY);
    must(xmem_map_out(mapped));
    must(xmem_process_create(64, &process));
    must(xmem_process_map(process, BASE, PAGE, PROT_READ));
    must(xmem_attach(process, BASE, PAGE, &descriptor));
    must(xmem_region_handle(process, BASE, 1, &handle));
    must(xmem_process_close(process));
    must_fail(xmem_stop(), EBUSY);
    assert_non_null(strpbrk(xmem_last_failure()->words, "123456789")); /* the words count them */
    must(xmem_detach(&descriptor));
    must_fail(xmem_stop(), EBUSY);
    must(xmem_region_release(BASE, handle));
    must(xmem_stop());
}

/* ---------------------------------------------------------------- life of processes ---- */

static void creates(enum kind kind)
{
    (void)kind;
    struct xmem_process *process = (void *)8;
    static const unsigned wrong[] = {0, 1, 31, 33, 60, 63, 65, 128};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        must_fail(xmem_process_create(wrong[index], &process), EINVAL);
        assert_null(process);
    }
    struct xmem_statistics before = statistics();
    must(xmem_process_create(32, &process));
    assert_int_equal(xmem_process_bits(process), 32);
    assert_int_equal(xmem_process_pid(process), 0);
    assert_int_equal(statistics().processes, before.processes + 1);
    assert_int_equal(xmem_process_bits(NULL), 0);
    xmem_enter(process);
    assert_int_equal(xmem_process_bits(NULL), 32);
    xmem_leave();
    must_fail(xmem_process_relax(process, 1), EINVAL);
    must(xmem_process_close(process));
    must_fail(xmem_process_close(process), EINVAL); /* a stale pointer is noticed */
    must_fail(xmem_process_close(NULL), EINVAL);
    must_fail(xmem_process_close(xmem_process_kernel()), EINVAL);
    assert_int_equal(statistics().processes, before.processes);
}

static void opens(enum kind kind)
{
    (void)kind;
    int socket;
    pid_t pid = peer_start(-1, &socket);
    struct xmem_process *process = NULL, *second = NULL;
    must(xmem_process_open(pid, &process));
    must(xmem_process_open(pid, &second));
    assert_int_equal(xmem_process_pid(process), pid);
    assert_int_equal(xmem_process_bits(process), 64);
    must(xmem_process_relax(process, 1));
    must(xmem_process_relax(process, 0));
    must(xmem_process_close(second));
    peer_end(pid, socket);
    char byte;
    size_t done = 9;
    must_fail(xmem_copy_in(process, BASE, &byte, 1, &done), ESRCH);
    assert_int_equal(done, 0);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_PEER_GONE);
    must(xmem_process_close(process));
    must_fail(xmem_process_open(pid, &process), ESRCH);
    assert_null(process);
    must_fail(xmem_process_open(0, &process), ESRCH);
    must_fail(xmem_process_open(-1, &process), ESRCH);
    must_fail(xmem_process_open(INT32_MAX, &process), ESRCH);
}

static void exec_is_noticed(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_process *process = memory_process(memory);
    struct xmem_descriptor descriptor;
    char byte;
    must(xmem_attach(process, memory_base(memory), PAGE, &descriptor));
    memory_exec(memory);
    must_fail(xmem_copy_in(process, memory_base(memory), &byte, 1, NULL), ESRCH);
    must_fail(xmem_copy_out(process, &byte, memory_base(memory), 1, NULL), ESRCH);
    must_fail(xmem_move_in(&descriptor, memory_base(memory), &byte, 1, NULL), ESRCH);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_PEER_GONE);
    must(xmem_detach(&descriptor));
}

/* root may open everything; anybody else not the processes of root. */
static void refusal_says_why(enum kind kind)
{
    (void)kind;
    struct xmem_process *process = NULL;
    if (geteuid() == 0)
        return;
    int error = xmem_process_open(1, &process);
    assert_true(error == EPERM || error == EACCES);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_PERMISSION);
    assert_true(strlen(xmem_last_failure()->words) > 20);
}

/* ---------------------------------------------------------------- maps ----------------- */

static void maps(enum kind kind)
{
    struct xmem_process *process;
    uint64_t limit = kind == KIND_EMBEDDED32 ? UINT64_C(1) << 32 : UINT64_C(1) << 60;
    must(xmem_process_create(kind_bits(kind), &process));
    must_fail(xmem_process_map(process, BASE + 1, PAGE, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, BASE, PAGE + 1, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, BASE, 0, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, BASE, PAGE, 0x1000), EINVAL);
    must_fail(xmem_process_map(process, limit, PAGE, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, limit - PAGE, 2 * PAGE, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, BASE, UINT64_MAX - PAGE + 1, PROT_READ), EINVAL);
    must_fail(xmem_process_map(process, UINT64_MAX - PAGE + 1, PAGE, PROT_READ), EINVAL);
    must(xmem_process_map(process, limit - PAGE, PAGE, PROT_READ));
    must(xmem_process_map(process, 0, PAGE, PROT_READ)); /* 0 is an address like any other */

    uint64_t before = statistics().mapped_bytes;
    must(xmem_process_map(process, BASE, 4 * PAGE, PROT_READ | PROT_WRITE));
    assert_int_equal(statistics().mapped_bytes, before + 4 * PAGE);
    must_fail(xmem_process_map(process, BASE + 3 * PAGE, 2 * PAGE, PROT_READ), EEXIST);
    must_fail(xmem_process_map(process, BASE - PAGE, 2 * PAGE, PROT_READ), EEXIST);
    char byte = 1;
    must_fail(xmem_copy_in(process, BASE + 4 * PAGE, &byte, 1, NULL), EFAULT); /* nothing mapped */
    must_fail(xmem_copy_in(process, BASE - PAGE, &byte, 1, NULL), EFAULT);
    must(xmem_process_unmap(process, BASE + PAGE, PAGE));
    must_fail(xmem_process_unmap(process, BASE, 4 * PAGE), EFAULT); /* all or nothing */
    must_fail(xmem_process_protect(process, BASE, 4 * PAGE, PROT_NONE), EFAULT);
    must(xmem_copy_out(process, &byte, BASE, 1, NULL));
    must(xmem_copy_out(process, &byte, BASE + 3 * PAGE, 1, NULL));
    must(xmem_process_map(process, BASE + PAGE, PAGE, PROT_READ));
    must(xmem_copy_in(process, BASE + PAGE, &byte, 1, NULL));
    assert_int_equal(byte, 0);
    must(xmem_process_unmap(process, BASE, 4 * PAGE));
    assert_int_equal(statistics().mapped_bytes, before);
    must_fail(xmem_process_unmap(process, BASE, PAGE), EFAULT);
    must_fail(xmem_process_unmap(process, BASE, 0), EINVAL);
    must_fail(xmem_process_unmap(process, BASE + 1, PAGE), EINVAL);
    must_fail(xmem_process_protect(process, BASE, 0, PROT_READ), EINVAL);
    must_fail(xmem_process_protect(process, limit - PAGE, PAGE, 0x1000), EINVAL);
    must(xmem_process_close(process));
    must_fail(xmem_process_map(process, BASE, PAGE, PROT_READ), ESRCH);
    must_fail(xmem_process_unmap(process, BASE, PAGE), ESRCH);
    must_fail(xmem_process_protect(process, BASE, PAGE, PROT_READ), ESRCH);
}

/* Unmapped and mapped again, a page is zero: nothing of its last owner is left. */
static void fresh_pages_are_zero(enum kind kind)
{
    struct xmem_process *process;
    unsigned char bytes[2 * PAGE];
    for (int round = 0; round < 4; round++) {
        must(xmem_process_create(kind_bits(kind), &process));
        must(xmem_process_map(process, BASE, 4 * PAGE, PROT_READ | PROT_WRITE));
        for (int turn = 0; turn < 3; turn++) {
            must(xmem_copy_in(process, BASE + PAGE, bytes, sizeof bytes, NULL));
            for (size_t index = 0; index < sizeof bytes; index++)
                assert_int_equal(bytes[index], 0);
            memset(bytes, 0xDD, sizeof bytes);
            must(xmem_copy_out(process, bytes, BASE + PAGE, sizeof bytes, NULL));
            must(xmem_process_unmap(process, BASE + PAGE, 2 * PAGE));
            must(xmem_process_map(process, BASE + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
        }
        must(xmem_process_close(process));
    }
}

static void large_maps(enum kind kind)
{
    struct xmem_process *process;
    uint64_t start = 2 * REGION - 3 * PAGE, length = 2 * REGION + 7 * PAGE;
    char byte = 7, seen = 0;
    must(xmem_process_create(kind_bits(kind), &process));
    must(xmem_process_map(process, start, length, PROT_READ | PROT_WRITE));
    for (uint64_t offset = 0; offset < length; offset += REGION / 2 - 5) {
        must(xmem_copy_out(process, &byte, start + offset, 1, NULL));
        must(xmem_copy_in(process, start + offset, &seen, 1, NULL));
        assert_int_equal(seen, 7);
    }
    must(xmem_process_protect(process, start + PAGE, length - PAGE, PROT_READ));
    must_fail(xmem_copy_out(process, &byte, start + length - 1, 1, NULL), EFAULT);
    must(xmem_process_unmap(process, start, length));
    must_fail(xmem_copy_in(process, start + REGION, &byte, 1, NULL), EFAULT);
    must(xmem_process_close(process));
}

static void imports(enum kind kind)
{
    (void)kind;
    struct xmem_process *process;
    int file = memfd_create("import", MFD_CLOEXEC), ends[2];
    char byte = 5, seen = 0;
    must(xmem_process_create(64, &process));
    assert_int_equal(ftruncate(file, 4 * (off_t)PAGE), 0);
    must_fail(xmem_process_map_fd(process, BASE, PAGE, PROT_READ, -1, 0), EBADF);
    must_fail(xmem_process_map_fd(process, BASE, PAGE, PROT_READ, file, 1), EINVAL);
    must_fail(xmem_process_map_fd(process, BASE + 1, PAGE, PROT_READ, file, 0), EINVAL);
    must_fail(xmem_process_map_fd(process, BASE, 0, PROT_READ, file, 0), EINVAL);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    must_fail(xmem_process_map_fd(process, BASE, PAGE, PROT_READ, ends[0], 0), ENODEV);
    close(ends[0]);
    close(ends[1]);
    int readable = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    must_fail(xmem_process_map_fd(process, BASE, PAGE, PROT_READ | PROT_WRITE, readable, 0),
              EACCES);
    must(xmem_process_map_fd(process, BASE, PAGE, PROT_READ, readable, 0));
    must_fail(xmem_process_protect(process, BASE, PAGE, PROT_READ | PROT_WRITE), EACCES);
    must(xmem_copy_in(process, BASE, &seen, 1, NULL));
    assert_int_equal(seen, 0x7F); /* an ELF file */
    must_fail(xmem_process_map_fd(process, BASE, PAGE, PROT_READ, file, 0), EEXIST);
    must(xmem_process_map_fd(process, BASE + REGION, PAGE, PROT_READ | PROT_WRITE, file, PAGE));
    close(file); /* a duplicate is held */
    close(readable);
    must(xmem_copy_out(process, &byte, BASE + REGION, 1, NULL));
    must(xmem_copy_in(process, BASE + REGION, &seen, 1, NULL));
    assert_int_equal(seen, 5);
    must(xmem_process_unmap(process, BASE, PAGE));
    must(xmem_process_close(process));
}

static void other_kinds_refuse_maps(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_process *process = memory_process(memory);
    uint64_t base = memory_base(memory);
    must_fail(xmem_process_map(process, base + 64 * PAGE, PAGE, PROT_READ), ENOTSUP);
    assert_int_equal(xmem_last_failure()->failure_class, XMEM_FAILURE_KIND);
    /* An opened process could have imported pages, but has none. */
    int error = kind == KIND_OPENED ? EFAULT : ENOTSUP;
    must_fail(xmem_process_unmap(process, base, PAGE), error);
    must_fail(xmem_process_protect(process, base, PAGE, PROT_READ), error);
    must_fail(xmem_page_out(process, base, PAGE), ENOTSUP);
}

static void no_page_out_yet(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    must_fail(xmem_page_out(memory_process(memory), memory_base(memory), PAGE), ENOTSUP);
}

/* ---------------------------------------------------------------- current process ------ */

static void enters_and_leaves(enum kind kind)
{
    struct memory *memory = memory_open(kind, 1), *other = memory_open(KIND_EMBEDDED64, 1);
    struct xmem_process *process = memory_process(memory);
    char byte = 1;
    assert_null(xmem_current());
    must_fail(xmem_copy_in(NULL, memory_base(memory), &byte, 1, NULL), EINVAL);
    xmem_enter(process);
    assert_ptr_equal(xmem_current(), process);
    xmem_enter(memory_process(other));
    assert_ptr_equal(xmem_current(), memory_process(other));
    xmem_enter(NULL);
    assert_null(xmem_current());
    must_fail(xmem_copy_in(NULL, memory_base(memory), &byte, 1, NULL), EINVAL);
    xmem_leave();
    xmem_enter(process);
    must(xmem_copy_in(NULL, memory_base(memory), &byte, 1, NULL));
    xmem_leave();
    assert_ptr_equal(xmem_current(), memory_process(other));
    xmem_leave();
    for (int depth = 0; depth < 200; depth++)
        xmem_enter(process);
    must(xmem_copy_in(NULL, memory_base(memory), &byte, 1, NULL));
    for (int depth = 0; depth < 200; depth++)
        xmem_leave();
    assert_ptr_equal(xmem_current(), process);
    xmem_leave();
    assert_null(xmem_current());
    xmem_leave(); /* one too many is harmless */
    assert_null(xmem_current());
}

static void closed_while_entered(enum kind kind)
{
    struct xmem_process *process, *next;
    char byte;
    must(xmem_process_create(kind_bits(kind), &process));
    must(xmem_process_map(process, BASE, PAGE, PROT_READ));
    xmem_enter(process);
    must(xmem_process_close(process));
    int error = xmem_copy_in(NULL, BASE, &byte, 1, NULL);
    assert_true(error == ESRCH || error == EINVAL);
    must(xmem_process_create(32, &next)); /* perhaps in the same place */
    must(xmem_process_map(next, BASE, PAGE, PROT_READ));
    assert_true(xmem_copy_in(NULL, BASE, &byte, 1, NULL) != 0);
    xmem_leave();
    must(xmem_process_close(next));
}

/* ---------------------------------------------------------------- interrupt level ------ */

static int results[12];

static void call_process_functions(void *argument)
{
    struct memory *memory = argument;
    struct xmem_process *process = memory_process(memory), *made = NULL;
    uint64_t base = memory_base(memory);
    xmem_segment_t segment;
    uint64_t address;
    results[0] = xmem_start(NULL);
    results[1] = xmem_stop();
    results[2] = xmem_process_create(64, &made);
    results[3] = xmem_process_open(getpid(), &made);
    results[4] = xmem_process_close(process);
    results[5] = xmem_process_map(process, base + 64 * PAGE, PAGE, PROT_READ);
    results[6] = xmem_process_protect(process, base, PAGE, PROT_READ);
    results[7] = xmem_process_unmap(process, base, PAGE);
    results[8] = xmem_segment_create(PAGE, &segment);
    results[9] = xmem_region_attach(process, 1, &address);
    results[10] = xmem_process_map_fd(process, base + 64 * PAGE, PAGE, PROT_READ, 0, 0);
    results[11] = xmem_thread_prepare();
}

static void not_at_interrupt_level(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    at_interrupt(call_process_functions, memory);
    for (size_t index = 0; index < sizeof results / sizeof *results; index++)
        assert_int_equal(results[index], EPERM);
}

int main(void)
{
    static const struct test_case cases[] = {
        BARE(counts_starts),
        BARE(refuses_configurations),
        BARE(stop_is_refused_while_in_use),
        EACH(creates, ONCE),
        EACH(opens, ONCE),
        EACH(exec_is_noticed, KIND_BIT(KIND_OPENED)),
        EACH(refusal_says_why, ONCE),
        EACH(maps, EMBEDDED_KINDS),
        EACH(fresh_pages_are_zero, EMBEDDED_KINDS),
        EACH(large_maps, EMBEDDED_KINDS),
        EACH(imports, ONCE),
        EACH(other_kinds_refuse_maps, KIND_BIT(KIND_OPENED) | KIND_BIT(KIND_KERNEL)),
        EACH(no_page_out_yet, SEGMENT_KINDS),
        EACH(enters_and_leaves, USER_KINDS),
        EACH(closed_while_entered, EMBEDDED_KINDS),
        EACH(not_at_interrupt_level, SEGMENT_KINDS),
    };
    return RUN_CASES("native_processes", cases);
}
