/* SPDX-License-Identifier: MIT */
/*
 * Timer signals interrupt the engine at random instructions; their handlers run interrupts, which
 * call every service that may be called there, and check what each returns.  Two timers of
 * different priority, so that handlers are interrupted as well, on two threads.
 *
 * XMEM_TEST_ROUNDS: how many interrupts, over all kinds of memory (default 20,000).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../conformance/services.h"

#define PAGES 6
#define SPARE 8 /* descriptors that handlers detach */

/* One for each thread; its handlers run on that thread. */
struct worker {
    struct memory *stable;   /* every access succeeds */
    struct memory *changing; /* mapped, protected and unmapped all the while */
    struct xmem steady, fickle, spare[SPARE];
    atomic_int full[SPARE];
    vmhandle_t handle;
    unsigned long runs, busy;
    unsigned long wrong; /* the line of the first wrong result */
    unsigned random;
    pthread_t thread;
    timer_t timers[2];
    unsigned long wanted;
    unsigned number;
};

static __thread struct worker *own;

static void expect(struct worker *worker, int true_so, unsigned long line)
{
    if (!true_so && !worker->wrong)
        worker->wrong = line;
}

#define EXPECT(condition) expect(worker, condition, __LINE__)

/* ---------------------------------------------------------------- the handlers --------- */

/* Bytes that the handlers own; the process level leaves them alone. */
static uint64_t handler_place(const struct worker *worker, int level)
{
    return memory_base(worker->stable) + PAGE + (uint64_t)level * 2048;
}

static void moves(struct worker *worker, int level, int reachable)
{
    uint64_t place = handler_place(worker, level);
    char out[600], in[600];
    struct xmem_range range = {place, 64};
    struct iovec vector = {in, 64};
    struct xmem_descriptor native;
    memcpy(&native, &worker->steady, sizeof native);
    memset(out, (int)(worker->runs % 200) + 1, sizeof out);
    int result = xmemout(out, ADDRESS(place), sizeof out, &worker->steady);
    EXPECT(result == (reachable ? XMEM_SUCC : XMEM_FAIL));
    result = xmemin(ADDRESS(place), in, sizeof in, &worker->steady);
    EXPECT(result == (reachable ? XMEM_SUCC : XMEM_FAIL));
    EXPECT(!reachable || memcmp(in, out, sizeof in) == 0);
    EXPECT((xmem_move_inv(&native, &range, 1, &vector, 1, NULL) == 0) == reachable);
    EXPECT((xmem_move_outv(&native, &vector, 1, &range, 1, NULL) == 0) == reachable);
    EXPECT(xmemzero(&worker->steady, ADDRESS(place), 100) == (reachable ? XMEM_SUCC : XMEM_FAIL));
    uint64_t before = 0;
    result = xmem_move_atomic64(&native, place, XMEM_ATOMIC_ADD, 5, 0, &before);
    EXPECT(reachable ? result == 0 && before == 0 : result != 0);
    uint32_t word = 0;
    result = xmem_move_atomic32(&native, place, XMEM_ATOMIC_EXCHANGE, 6, 0, &word);
    EXPECT(reachable ? result == 0 && word == 5 : result != 0);
    (void)xmemout(out, ADDRESS(memory_base(worker->changing)), sizeof out, &worker->fickle);
    (void)xmemin(ADDRESS(memory_base(worker->changing) + 100), in, sizeof in, &worker->fickle);
}

static void mappings(struct worker *worker, int level, int mappable)
{
    uint64_t place = handler_place(worker, level);
    caddr_t mapped = NULL;
    size_t length = 0;
    EXPECT(xm_maxmap(&worker->steady, ADDRESS(place), &length) == XMEM_SUCC && length > 0);
    EXPECT(xmempsize(&worker->steady, ADDRESS(place), 8) == PAGE);
    int result = xm_mapin(&worker->steady, ADDRESS(place), 600, &mapped);
    EXPECT(mappable ? result == 0 && mapped : result == XMEM_FAIL && !mapped);
    if (mapped) {
        mapped[599] = 1;
        xm_det(mapped, &worker->steady);
    }
    mapped = NULL;
    if (xm_mapin(&worker->fickle, ADDRESS(memory_base(worker->changing)), 8, &mapped) == 0)
        xm_det(mapped, &worker->fickle);
    if (worker->handle) {
        mapped = vm_att(worker->handle, ADDRESS(place));
        mapped[599] = 2;
        vm_det(mapped);
    }
}

static void detaches(struct worker *worker)
{
    unsigned place = worker->random % SPARE;
    int full = 1;
    if (!atomic_compare_exchange_strong(&worker->full[place], &full, 2)) /* 2: claimed */
        return;
    struct xmem copy = worker->spare[place];
    EXPECT(xmdetach(&worker->spare[place]) == XMEM_SUCC);
    EXPECT(xmdetach(&copy) == XMEM_FAIL);
    atomic_store(&worker->full[place], 0);
}

static void refusals(struct worker *worker)
{
    char byte = 0;
    struct xmem descriptor = {.aspace_id = XMEM_INVAL};
    EXPECT(xmem_in_interrupt());
    EXPECT(xmem_current() == NULL);
    EXPECT(copyin(ADDRESS(memory_base(worker->stable)), &byte, 1) == EFAULT);
    EXPECT(xmattach(ADDRESS(memory_base(worker->stable)), 1, &descriptor, USER_ADSPACE) ==
           XMEM_FAIL);
    /* EBUSY: a timer found the thread in a handler that is as favoured. */
    EXPECT(xmem_last_failure()->error == EPERM || xmem_last_failure()->error == EBUSY);
    EXPECT(xmem_aix_getpid() == -1 && xmem_aix_thread_self() == -1);
}

static void handler(void *argument)
{
    struct worker *worker = own;
    int level = *(int *)argument;
    enum kind kind = memory_kind(worker->stable);
    worker->runs++;
    worker->random = worker->random * 1103515245u + 12345u;
    moves(worker, level, kind != KIND_OPENED);
    mappings(worker, level, kind != KIND_OPENED);
    detaches(worker);
    refusals(worker);
}

static void arm(struct worker *worker, int which)
{
    unsigned random = worker->random = worker->random * 1103515245u + 12345u;
    struct itimerspec when = {.it_value.tv_nsec = 1000 + random / 65536 % 60000 * (which + 1)};
    timer_settime(worker->timers[which], 0, &when, NULL);
}

/* A signal of the program's own, whose handler is where the hardware's interrupt would be. */
static void on_timer(int signal)
{
    static const int priorities[2] = {INTCLASS0, INTCLASS3};
    int saved = errno, which = signal != SIGRTMIN + 10;
    if (own) {
        int error = xmem_interrupt(priorities[which], handler, &which);
        if (error == EBUSY)
            own->busy++;
        else
            expect(own, error == 0, __LINE__);
        if (own->runs < own->wanted)
            arm(own, which);
    }
    errno = saved;
}

/* ---------------------------------------------------------------- the process level ---- */

static void start_timers(struct worker *worker)
{
    for (int which = 0; which < 2; which++) {
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                                 .sigev_signo = SIGRTMIN + 10 + which};
        event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
        expect(worker, timer_create(CLOCK_MONOTONIC, &event, &worker->timers[which]) == 0,
               __LINE__);
        arm(worker, which);
    }
}

static void stop_timers(struct worker *worker)
{
    for (int which = 0; which < 2; which++)
        timer_delete(worker->timers[which]);
}

/* A change of the memory that handlers use as well; false: nothing was changed. */
static void change(struct worker *worker, unsigned round)
{
    struct xmem_process *process = memory_process(worker->changing);
    uint64_t base = memory_base(worker->changing);
    if (!(KIND_BIT(memory_kind(worker->changing)) & SEGMENT_KINDS))
        return;
    int prot = round % 3 == 0 ? PROT_NONE : round % 3 == 1 ? PROT_READ : PROT_READ | PROT_WRITE;
    EXPECT(xmem_process_protect(process, base, 2 * PAGE, prot) == 0);
    if (round % 4 == 0) {
        EXPECT(xmem_process_map(process, base + 64 * PAGE, PAGE, PROT_READ) == 0);
        EXPECT(xmem_process_unmap(process, base + 64 * PAGE, PAGE) == 0);
    }
}

static void process_level_moves(struct worker *worker, unsigned round)
{
    static __thread char out[9000], in[9000];
    uint64_t place = memory_base(worker->stable) + 2 * PAGE + round * 37 % 5000;
    memset(out, (int)(round % 200) + 1, sizeof out);
    EXPECT(xmemout(out, ADDRESS(place), sizeof out, &worker->steady) == XMEM_SUCC);
    EXPECT(xmemin(ADDRESS(place), in, sizeof in, &worker->steady) == XMEM_SUCC);
    EXPECT(memcmp(in, out, sizeof in) == 0);
    if (memory_kind(worker->stable) == KIND_KERNEL)
        return;
    memset(in, 0, 500);
    EXPECT(copyin64(place, in, 500) == 0);
    EXPECT(memcmp(in, out, 500) == 0);
    EXPECT(copyin64(0, in, 1) == EFAULT);
    EXPECT(xmem_last_failure()->error == EFAULT); /* not the handler's */
}

static void refill(struct worker *worker)
{
    for (int place = 0; place < SPARE; place++) {
        if (atomic_load(&worker->full[place]))
            continue;
        struct xmem descriptor;
        garbage_descriptor(&descriptor, 9);
        EXPECT(xmattach64(memory_base(worker->stable), PAGE, &descriptor,
                          segflag_of(memory_kind(worker->stable))) == XMEM_SUCC);
        worker->spare[place] = descriptor;
        atomic_store(&worker->full[place], 1);
    }
}

static void processes_and_segments(struct worker *worker)
{
    struct xmem_process *process;
    xmem_segment_t segment;
    uint64_t address;
    EXPECT(xmem_process_create(64, &process) == 0);
    EXPECT(xmem_process_map(process, REGION - PAGE, 2 * PAGE, PROT_READ) == 0);
    EXPECT(xmem_segment_create(PAGE, &segment) == 0);
    EXPECT(xmem_region_attach(process, xmem_handle(segment, XMEM_KEY_ALL), &address) == 0);
    EXPECT(xmem_segment_delete(segment) == 0);
    EXPECT(xmem_process_close(process) == 0);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    double limit = seconds_now() + 600;
    if (memory_kind(worker->stable) != KIND_KERNEL)
        xmem_enter(memory_process(worker->stable));
    EXPECT(xmem_thread_prepare() == 0);
    own = worker;
    start_timers(worker);
    for (unsigned round = 0; worker->runs < worker->wanted && !worker->wrong; round++) {
        refill(worker);
        process_level_moves(worker, round);
        change(worker, round);
        if (round % 8 == 0)
            processes_and_segments(worker);
        EXPECT(seconds_now() < limit);
    }
    stop_timers(worker);
    own = NULL;
    for (int place = 0; place < SPARE; place++)
        if (atomic_load(&worker->full[place]))
            EXPECT(xmdetach(&worker->spare[place]) == XMEM_SUCC);
    if (memory_kind(worker->stable) != KIND_KERNEL)
        xmem_leave();
    return NULL;
}

static void install_handlers(void)
{
    for (int which = 0; which < 2; which++) {
        struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        assert_int_equal(sigaction(SIGRTMIN + 10 + which, &action, NULL), 0);
    }
}

static void prepare(struct worker *worker, enum kind kind, unsigned number)
{
    memset(worker, 0, sizeof *worker);
    worker->stable = memory_open(kind, PAGES);
    worker->changing = memory_open(kind, 2);
    worker->number = number;
    worker->random = 7 + number;
    worker->wanted = (unsigned long)test_rounds(20000) / (2 * KIND_COUNT);
    must_attach(worker->stable, memory_base(worker->stable), PAGES * PAGE, &worker->steady);
    must_attach(worker->changing, memory_base(worker->changing), 2 * PAGE, &worker->fickle);
    if (KIND_BIT(kind) & SEGMENT_KINDS)
        worker->handle = worker->steady.subspace_id;
}

static void at_random_instructions(enum kind kind)
{
    static struct worker workers[2];
    install_handlers();
    for (unsigned number = 0; number < 2; number++)
        prepare(&workers[number], kind, number);
    assert_int_equal(pthread_create(&workers[1].thread, NULL, work, &workers[1]), 0);
    work(&workers[0]);
    pthread_join(workers[1].thread, NULL);
    for (unsigned number = 0; number < 2; number++) {
        if (workers[number].wrong)
            fail_msg("a wrong result in line %lu after %lu interrupts", workers[number].wrong,
                     workers[number].runs);
        assert_true(workers[number].runs >= workers[number].wanted);
        must_detach(&workers[number].steady);
        must_detach(&workers[number].fickle);
    }
}

int main(void)
{
    static const struct test_case cases[] = {EACH(at_random_instructions, ALL_KINDS)};
    if (!HANDLERS_ARE_REAL) {
        puts("skipped: the thread sanitizer cannot run handlers that interrupt handlers");
        return EXIT_SKIPPED;
    }
    return RUN_CASES("interrupts", cases);
}
