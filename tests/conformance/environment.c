/* SPDX-License-Identifier: MIT */
/*
 * Shows the two environments: what getpid, thread_self and IS64U say in each, that a service for
 * processes only fails with its documented value and is counted, and that what may be called at
 * interrupt level works there, on every thread, at every priority, nested.
 */
#define XMEM_AIX_COMMON_NAMES
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services.h"

#define PAGES 2

struct identity {
    pid_t pid;
    tid_t tid;
    int wide;
    int interrupted;
    struct xmem_process *process;
};

static void identify(void *argument)
{
    struct identity *identity = argument;
    identity->pid = getpid();
    identity->tid = thread_self();
    identity->wide = IS64U;
    identity->interrupted = xmem_in_interrupt();
    identity->process = xmem_current();
}

static void *identify_thread(void *argument)
{
    identify(argument);
    return NULL;
}

static void who_runs(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct identity none, process, interrupt, thread;
    identify(&none);
    assert_int_equal(none.pid, 0);
    assert_int_equal(none.wide, 0);
    assert_null(none.process);
    xmem_enter(memory_process(memory));
    identify(&process);
    at_interrupt(identify, &interrupt);
    xmem_leave();
    assert_int_equal(process.pid, kind == KIND_OPENED ? memory_pid(memory) : 0);
    assert_int_equal(process.wide, kind != KIND_EMBEDDED32);
    assert_int_equal(process.tid, none.tid);
    assert_int_equal(process.tid, syscall(SYS_gettid));
    assert_int_equal(process.interrupted, 0);
    assert_ptr_equal(process.process, memory_process(memory));
    assert_int_equal(interrupt.pid, -1);
    assert_int_equal(interrupt.tid, -1);
    assert_int_equal(interrupt.wide, process.wide); /* of the space that was interrupted */
    assert_true(interrupt.interrupted);
    assert_null(interrupt.process);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, identify_thread, &thread), 0);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_true(thread.tid > 0 && thread.tid != none.tid);
    covers("getpid.process", kind);
    covers("getpid.interrupt", kind);
    covers("thread_self.process", kind);
    covers("thread_self.interrupt", kind);
    covers("IS64U.value", kind);
}

/* Every service for processes only, at interrupt level. */
struct refusals {
    struct memory *memory;
    uint64_t base;
    struct xmem descriptor;
    char bytes[16];
    uint actual;
    struct uio uio;
    struct iovec area;
    int copies[8], fetches[8], moves[3], attaches[2];
};

static void call_process_services(void *argument)
{
    struct refusals *call = argument;
    caddr_t address = ADDRESS(call->base);
    call->copies[0] = copyin(address, call->bytes, 4);
    call->copies[1] = copyin64(call->base, call->bytes, 4);
    call->copies[2] = copyout(call->bytes, address, 4);
    call->copies[3] = copyout64(call->bytes, call->base, 4);
    call->copies[4] = copyinstr(address, call->bytes, 4, &call->actual);
    call->copies[5] = copyinstr64(call->base, call->bytes, 4, &call->actual);
    call->copies[6] = uiomove(call->bytes, 4, UIO_READ, &call->uio);
    call->copies[7] = ureadc(1, &call->uio);
    call->fetches[0] = fubyte(address);
    call->fetches[1] = fubyte64(call->base);
    call->fetches[2] = fuword(address);
    call->fetches[3] = fuword64(call->base);
    call->fetches[4] = subyte(address, 1);
    call->fetches[5] = subyte64(call->base, 1);
    call->fetches[6] = suword(address, 1);
    call->fetches[7] = suword64(call->base, 1);
    call->moves[0] = uwritec(&call->uio);
    call->attaches[0] = xmattach(address, 4, &call->descriptor, USER_ADSPACE);
    call->attaches[1] = xmattach64(call->base, 4, &call->descriptor, SYS_ADSPACE);
}

static void refuses_and_counts(enum kind kind)
{
    struct memory *memory = memory_open(kind, PAGES);
    struct xmem_statistics before = {.size = sizeof before}, after = {.size = sizeof after};
    struct refusals call = {.memory = memory, .base = memory_base(memory)};
    call.area.iov_base = ADDRESS(call.base);
    call.area.iov_len = 8;
    call.uio = (struct uio){
        .uio_iov = &call.area, .uio_iovcnt = 1, .uio_resid = 8, .uio_segflg = UIO_USERSPACE};
    garbage_descriptor(&call.descriptor, 0);
    owner_fill(memory, call.base, 1, PAGE);
    unsigned char *bytes = snapshot(memory);
    must(xmem_get_statistics(&before));
    xmem_enter(memory_process(memory));
    at_interrupt(call_process_services, &call);
    xmem_leave();
    must(xmem_get_statistics(&after));
    for (size_t index = 0; index < 8; index++) {
        assert_int_equal(call.copies[index], EFAULT);
        assert_int_equal(call.fetches[index], -1);
    }
    assert_int_equal(call.moves[0], -1);
    assert_int_equal(call.attaches[0], XMEM_FAIL);
    assert_int_equal(call.attaches[1], XMEM_FAIL);
    assert_int_equal(call.uio.uio_resid, 8);
    static const char zeros[16];
    assert_memory_equal(call.bytes, zeros, sizeof zeros);
    assert_int_equal(after.usage_errors, before.usage_errors + 19);
    unchanged(memory, bytes);
    covers("environment.refuses", kind);
}

struct nested {
    int priority;
    int inner[12];
    int outer;
};

static void count_run(void *argument)
{
    ++*(int *)argument;
}

static void nest(void *argument)
{
    struct nested *nested = argument;
    for (int priority = 0; priority < 12; priority++) {
        int runs = 0;
        int result = xmem_interrupt(priority, count_run, &runs);
        nested->inner[priority] = runs ? 100 + result : result;
    }
    nested->outer = xmem_in_interrupt();
}

/* A handler is interrupted by more favoured ones only. */
static void priorities(enum kind kind)
{
    struct nested nested = {0};
    for (int priority = INTMAX; priority <= INTOFFL3; priority++) {
        must(xmem_interrupt(priority, nest, &nested));
        for (int inner = 0; inner <= INTOFFL3; inner++)
            assert_int_equal(nested.inner[inner], inner < priority ? 100 : EBUSY);
        assert_int_equal(nested.inner[INTBASE], EINVAL);
        assert_true(nested.outer);
        assert_false(xmem_in_interrupt());
    }
    must_fail(xmem_interrupt(INTBASE, nest, &nested), EINVAL);
    must_fail(xmem_interrupt(-1, nest, &nested), EINVAL);
    must_fail(xmem_interrupt(INTCLASS0, NULL, &nested), EINVAL);
    covers("interrupt.priorities", kind);
}

struct failing {
    struct xmem_descriptor descriptor;
    int result;
    const char *words;
    int error, saved_errno;
};

static void fail_at_interrupt(void *argument)
{
    struct failing *call = argument;
    char byte;
    call->result = xmem_move_in(&call->descriptor, 1, &byte, 1, NULL);
    call->error = xmem_last_failure()->error;
    call->words = xmem_last_failure()->words;
    errno = ENOTTY;
}

/* errno and the last failure are kept per level. */
static void failures_per_level(enum kind kind)
{
    struct failing call = {.result = 99};
    call.descriptor.kind = XMEM_DESCRIPTOR_INVALID;
    must_fail(xmem_process_create(33, &(struct xmem_process *){NULL}), EINVAL);
    struct xmem_failure before = *xmem_last_failure();
    errno = EDOM;
    at_interrupt(fail_at_interrupt, &call);
    assert_int_equal(errno, EDOM);
    assert_int_equal(call.result, EINVAL);
    assert_int_equal(call.error, EINVAL);
    assert_non_null(call.words);
    assert_int_equal(xmem_last_failure()->failure_class, before.failure_class);
    assert_int_equal(xmem_last_failure()->address, before.address);
    covers("environment.per-level", kind);
}

static void enter_at_interrupt(void *argument)
{
    struct memory *memory = argument;
    xmem_enter(memory_process(memory));
    xmem_leave();
}

static void enter_is_for_processes(enum kind kind)
{
    struct memory *memory = memory_open(KIND_EMBEDDED64, 1);
    struct xmem_statistics before = {.size = sizeof before}, after = {.size = sizeof after};
    must(xmem_get_statistics(&before));
    at_interrupt(enter_at_interrupt, memory);
    must(xmem_get_statistics(&after));
    assert_true(after.usage_errors > before.usage_errors);
    assert_null(xmem_current());
    covers("environment.enter", kind);
}

static volatile sig_atomic_t handled;
static struct failing signal_call;

static void on_signal(int signal)
{
    (void)signal;
    handled = xmem_interrupt(INTCLASS2, fail_at_interrupt, &signal_call) == 0;
}

/* From any signal handler, on a thread that was prepared. */
static void *interrupt_from_signal(void *argument)
{
    (void)argument;
    if (xmem_thread_prepare() == 0)
        pthread_kill(pthread_self(), SIGUSR1);
    return NULL;
}

static void from_a_signal_handler(enum kind kind)
{
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_from_signal, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(handled);
    assert_int_equal(signal_call.result, EINVAL);
    signal(SIGUSR1, SIG_DFL);
    covers("interrupt.from-signal", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(who_runs, USER_KINDS),
        EACH(refuses_and_counts, USER_KINDS),
        EACH(priorities, ONCE),
        EACH(failures_per_level, ONCE),
        EACH(enter_is_for_processes, ONCE),
        EACH(from_a_signal_handler, ONCE),
    };
    return RUN_CASES("environment", cases);
}
