/* SPDX-License-Identifier: MIT */
/*
 * After a fork of the kernel program every call of the child fails with EPERM and says why, however
 * the parent was employed at the moment of the fork; the parent is not disturbed.
 */
#include "../support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmem/kernel.h>

#define PAGES 2

struct subject {
    struct memory *memory;
    struct xmem_descriptor descriptor;
    void *mapped;
};

static void nothing(void *argument)
{
    (void)argument;
}

/* The number of the first call that did not fail with EPERM and words about the fork; 0: none. */
static int first_wrong_call(struct subject *subject)
{
    struct xmem_process *process = memory_process(subject->memory), *made = NULL;
    uint64_t base = memory_base(subject->memory), address;
    struct xmem_descriptor fresh, own = subject->descriptor;
    struct xmem_statistics statistics = {.size = sizeof statistics};
    struct xmem_range range = {base, 1};
    xmem_segment_t segment;
    xmem_handle_t handle;
    size_t size, done;
    char byte = 0;
    struct iovec vector = {&byte, 1};
    void *mapped;
    struct xmem_interrupt_work work = {nothing, NULL, XMEM_INTCLASS0, NULL, 0};
    struct xmem_timer timer = {.work = work};
    pid_t number;
    uint32_t word = 0;
    int results[60], count = 0;
    results[count++] = xmem_start(NULL);
    results[count++] = xmem_stop();
    results[count++] = xmem_process_create(64, &made);
    results[count++] = xmem_process_open(getppid(), &made);
    results[count++] = xmem_process_map(process, base + 64 * PAGE, PAGE, PROT_READ);
    results[count++] = xmem_process_map_fd(process, base + 64 * PAGE, PAGE, PROT_READ, 0, 0);
    results[count++] = xmem_process_protect(process, base, PAGE, PROT_READ);
    results[count++] = xmem_process_unmap(process, base, PAGE);
    results[count++] = xmem_interrupt(XMEM_INTCLASS0, nothing, NULL);
    results[count++] = xmem_thread_prepare();
    results[count++] = xmem_copy_in(process, base, &byte, 1, &done);
    results[count++] = xmem_copy_out(process, &byte, base, 1, &done);
    results[count++] = xmem_string_in(process, base, &byte, 1, &done);
    results[count++] = xmem_copy_inv(process, &range, 1, &vector, 1, &done);
    results[count++] = xmem_atomic32(process, base, XMEM_ATOMIC_ADD, 1, 0, NULL);
    results[count++] = xmem_attach(process, base, 1, &fresh);
    results[count++] = xmem_move_in(&own, base, &byte, 1, &done);
    results[count++] = xmem_move_out(&own, &byte, base, 1, &done);
    results[count++] = xmem_move_inv(&own, &range, 1, &vector, 1, &done);
    results[count++] = xmem_move_outv(&own, &vector, 1, &range, 1, &done);
    results[count++] = xmem_move_zero(&own, base, 1, &done);
    results[count++] = xmem_move_atomic64(&own, base, XMEM_ATOMIC_ADD, 1, 0, NULL);
    results[count++] = xmem_map_limit(&own, base, &size);
    results[count++] = xmem_map_in(&own, base, 1, &mapped);
    results[count++] = xmem_map_out(subject->mapped);
    results[count++] = xmem_page_size(&own, base, 1, &size);
    results[count++] = xmem_pin(&own, base, 1);
    results[count++] = xmem_unpin(&own, base, 1);
    results[count++] = xmem_detach(&own);
    results[count++] = xmem_segment_create(PAGE, &segment);
    results[count++] = xmem_region_attach(process, 1, &address);
    results[count++] = xmem_region_handle(process, base, 1, &handle);
    results[count++] = xmem_get_statistics(&statistics);
    results[count++] = xmem_kernel_process_create(&number);
    results[count++] = xmem_kernel_process_start(getppid(), nothing, NULL, NULL);
    results[count++] = xmem_kernel_process_cancel(getppid());
    results[count++] = xmem_signal_post(getppid(), 15);
    results[count++] = xmem_wait(&word, 0, 0, 0);
    results[count++] = xmem_post_interrupt(&work);
    results[count++] = xmem_cancel_interrupt(&work);
    results[count++] = xmem_timer_start(&timer, 0);
    results[count++] = xmem_timer_stop(&timer);
    xmem_interrupts_restore(xmem_interrupts_hold(XMEM_INTMAX)); /* nothing to hold off */
    xmem_wake(&word, 1);
    results[count++] = xmem_process_close(process);
    for (int index = 0; index < count; index++)
        if (results[index] != EPERM)
            return index + 1;
    return strstr(xmem_last_failure()->words, "fork") ? 0 : count + 1;
}

static int run_child(struct subject *subject)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(first_wrong_call(subject));
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void begin(struct subject *subject, enum kind kind)
{
    subject->memory = memory_open(kind, PAGES);
    must(xmem_attach(memory_process(subject->memory), memory_base(subject->memory), PAGES * PAGE,
                     &subject->descriptor));
    subject->mapped = NULL;
    if (kind != KIND_OPENED)
        must(xmem_map_in(&subject->descriptor, memory_base(subject->memory), PAGE,
                         &subject->mapped));
    owner_fill(subject->memory, memory_base(subject->memory), 7, PAGES * PAGE);
}

static void end(struct subject *subject)
{
    unsigned char byte = 0;
    must(xmem_move_in(&subject->descriptor, memory_base(subject->memory), &byte, 1, NULL));
    assert_int_equal(byte, 7);
    if (subject->mapped)
        must(xmem_map_out(subject->mapped));
    must(xmem_detach(&subject->descriptor));
}

static void child_is_refused(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    for (int round = 0; round < 3; round++) {
        int status = run_child(&subject);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    end(&subject);
}

static int handler_status;

static void fork_in_handler(void *argument)
{
    pid_t child = fork();
    if (child == 0)
        _exit(first_wrong_call(argument));
    waitpid(child, &handler_status, 0);
}

static void child_of_a_handler_is_refused(enum kind kind)
{
    struct subject subject;
    begin(&subject, kind);
    handler_status = -1;
    at_interrupt(fork_in_handler, &subject);
    assert_true(WIFEXITED(handler_status));
    assert_int_equal(WEXITSTATUS(handler_status), 0);
    end(&subject);
}

static atomic_int stop;

static void *work(void *argument)
{
    struct subject *subject = argument;
    struct xmem_process *process;
    struct xmem_descriptor descriptor;
    unsigned char bytes[64];
    while (!atomic_load(&stop)) {
        uint64_t base = memory_base(subject->memory);
        xmem_move_in(&subject->descriptor, base, bytes, sizeof bytes, NULL);
        if (xmem_attach(memory_process(subject->memory), base, 64, &descriptor) == 0)
            xmem_detach(&descriptor);
        if (xmem_process_create(64, &process) == 0)
            xmem_process_close(process);
    }
    return NULL;
}

/* Other threads hold locks of the library at the moment of the fork. */
static void fork_beside_busy_threads(enum kind kind)
{
    struct subject subject;
    pthread_t threads[2];
    begin(&subject, kind);
    atomic_store(&stop, 0);
    for (int index = 0; index < 2; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, work, &subject), 0);
    int failed = 0;
    for (int round = 0; round < 30; round++) {
        int status = run_child(&subject);
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    atomic_store(&stop, 1);
    for (int index = 0; index < 2; index++)
        pthread_join(threads[index], NULL);
    assert_int_equal(failed, 0);
    end(&subject);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(child_is_refused, ALL_KINDS),
        EACH(child_of_a_handler_is_refused, ALL_KINDS),
        EACH(fork_beside_busy_threads, ALL_KINDS),
    };
    return RUN_CASES("fork", cases);
}
