/* SPDX-License-Identifier: MIT */
/*
 * Heaps, timers, time-outs and watchdogs under four threads, which signals interrupt at random
 * instructions; the handlers call what may be called at interrupt level.
 *
 * XMEM_TEST_SECONDS: how long each case runs (default 1).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../conformance/services.h"

#include <sys/timer.h>
#include <sys/watchdog.h>
#include <sys/xmalloc.h>
#include <xmem/kernel.h>

#define WORKERS 4
#define SIGNAL (SIGRTMIN + 11)

/* ---------------------------------------------------------------- the frame ------------ */

struct worker {
    pthread_t thread;
    timer_t timer;
    unsigned random, interrupt_random;
    int number, line; /* line: of the first wrong result */
    unsigned long rounds, interrupts;
    double end;
    void (*step)(struct worker *);
    void (*interrupted)(struct worker *);
    struct trb *steady, *fickle;
    int runs, started, active, early, ran_stopped;
    uint64_t due;
    struct watchdog dog;
};

static struct worker workers[WORKERS];
static __thread struct worker *own;

static void expect(struct worker *worker, int true_so, int line)
{
    if (!true_so && !worker->line)
        worker->line = line;
}

#define EXPECT(condition) expect(worker, condition, __LINE__)

static unsigned below(unsigned *random, unsigned limit)
{
    *random = *random * 1103515245u + 12345u;
    return (*random >> 8) % limit;
}

static void arm(struct worker *worker)
{
    struct itimerspec when = {.it_value.tv_nsec = 20000 + below(&worker->interrupt_random, 200000)};
    timer_settime(worker->timer, 0, &when, NULL);
}

static void handler(void *argument)
{
    struct worker *worker = argument;
    EXPECT(xmem_in_interrupt());
    worker->interrupts++;
    worker->interrupted(worker);
}

static void on_signal(int signal)
{
    int saved = errno;
    (void)signal;
    if (own) {
        struct worker *worker = own;
        int error = xmem_interrupt(INTCLASS2, handler, worker);
        EXPECT(error == 0 || error == EBUSY || error == EAGAIN); /* too many wait already */
        arm(worker);
    }
    errno = saved;
}

static void start_interrupts(struct worker *worker)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    EXPECT(timer_create(CLOCK_MONOTONIC, &event, &worker->timer) == 0);
    own = worker;
    arm(worker);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    EXPECT(xmem_thread_prepare() == 0);
    if (HANDLERS_ARE_REAL)
        start_interrupts(worker);
    for (; seconds_now() < worker->end && !worker->line; worker->rounds++)
        worker->step(worker);
    own = NULL;
    if (HANDLERS_ARE_REAL)
        timer_delete(worker->timer);
    return NULL;
}

static void run(void (*step)(struct worker *), void (*interrupted)(struct worker *))
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(SIGNAL, &action, NULL), 0);
    for (int number = 0; number < WORKERS; number++) {
        struct worker *worker = &workers[number];
        worker->random = worker->interrupt_random = 77u + (unsigned)number;
        worker->number = number;
        worker->end = seconds_now() + test_seconds(1);
        worker->step = step;
        worker->interrupted = interrupted;
        assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
    }
    for (int number = 0; number < WORKERS; number++) {
        pthread_join(workers[number].thread, NULL);
        if (workers[number].line)
            fail_msg("worker %d: a wrong result in line %d, after %lu rounds and %lu interrupts",
                     number, workers[number].line, workers[number].rounds,
                     workers[number].interrupts);
        assert_true(workers[number].rounds > 10);
        assert_true(!HANDLERS_ARE_REAL || workers[number].interrupts > 10);
    }
}

/* ---------------------------------------------------------------- heaps ---------------- */

#define SLOTS 96

struct record {
    heapaddr_t heap;
    unsigned size, seed;
    unsigned char bytes[];
};

static struct record *slots[SLOTS];
static heapaddr_t heaps[4];

static void put_back(struct worker *worker, struct record *record)
{
    for (unsigned index = 0; index < record->size; index++)
        if (record->bytes[index] != pattern_byte(index, record->seed)) {
            expect(worker, 0, __LINE__);
            return;
        }
    EXPECT(xmem_aix_xmfree(record, record->heap) == 0);
}

static struct record *take(struct worker *worker)
{
    unsigned size = below(&worker->random, below(&worker->random, 8) ? 300 : 40000);
    heapaddr_t heap = heaps[below(&worker->random, 4)];
    int align = (int)below(&worker->random, 13);
    struct record *record = (void *)xmem_aix_xmalloc((int)(sizeof *record + size), align, heap);
    if (!record) {
        EXPECT(heap == heaps[2]); /* the one that cannot grow */
        return NULL;
    }
    EXPECT((uintptr_t)record % ((uintptr_t)1 << align) == 0);
    record->heap = heap;
    record->size = size;
    record->seed = worker->random;
    pattern_fill(record->bytes, size, record->seed);
    return record;
}

/* A slot changes hands: what one thread has allocated another one frees. */
static void heap_step(struct worker *worker)
{
    struct record **slot = &slots[below(&worker->random, SLOTS)];
    struct record *found = __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL);
    struct record *fresh = found && below(&worker->random, 2) ? NULL : take(worker);
    if (fresh)
        fresh = __atomic_exchange_n(slot, fresh, __ATOMIC_ACQ_REL);
    if (found)
        put_back(worker, found);
    if (fresh)
        put_back(worker, fresh);
}

static void heap_interrupt(struct worker *worker)
{
    EXPECT(xmem_aix_xmalloc(40, 0, heaps[worker->number]) == NULL);
    EXPECT(xmem_aix_xmfree(&slots, heaps[0]) == -1);
}

static void heaps_are_shared(enum kind kind)
{
    static _Alignas(4096) char area[64 * 4096];
    heapattr_t attributes = {
        .hpa_eyec = EYEC_HEAPATTR, .hpa_version = HPA_VERSION, .hpa_flags = HPA_PAGED | HPA_SHARED};
    (void)kind;
    heaps[0] = kernel_heap;
    heaps[1] = pinned_heap;
    heaps[2] = init_heap(area, sizeof area, NULL);
    assert_non_null(heaps[2]);
    assert_int_equal(heap_create(&attributes, &heaps[3]), 0);
    run(heap_step, heap_interrupt);
    for (int index = 0; index < SLOTS; index++)
        if (slots[index])
            put_back(&workers[0], slots[index]);
    assert_int_equal(workers[0].line, 0);
    caddr_t whole = xmem_aix_xmalloc(62 * 4096, 0, heaps[2]); /* all of it came together again */
    assert_non_null(whole);
}

/* ---------------------------------------------------------------- timers --------------- */

static struct worker *worker_of(struct trb *t)
{
    return t->t_union.addr;
}

/* Of the block that its thread alone starts and stops. */
static void steady_runs(struct trb *t)
{
    struct worker *worker = worker_of(t);
    if (!__atomic_load_n(&worker->active, __ATOMIC_ACQUIRE))
        worker->ran_stopped = 1;
    if (xmem_clock() < worker->due)
        worker->early = 1;
    __atomic_add_fetch(&worker->runs, 1, __ATOMIC_RELEASE);
}

/* Of the block that handlers start and stop as well; sometimes it starts itself again. */
static void fickle_runs(struct trb *t)
{
    static unsigned count;
    if (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) % 3 == 0)
        tstart(t);
}

static struct trb *timer_new(struct worker *worker, void (*func)(struct trb *))
{
    struct trb *t = talloc();
    if (!t) {
        expect(worker, 0, __LINE__);
        return NULL;
    }
    t->flags = T_INCINTERVAL;
    t->func = func;
    t->ipri = INTTIMER;
    t->t_union.addr = worker;
    return t;
}

static void timer_end(struct trb *t)
{
    while (tstop(t) != 0)
        sched_yield();
    tfree(t);
}

static void run_or_stop(struct worker *worker)
{
    struct trb *t = worker->steady;
    long wait = below(&worker->random, 4) ? (long)below(&worker->random, 200000) : 0;
    int runs = worker->runs;
    t->timeout.it_value.tv_nsec = wait;
    worker->due = xmem_clock() + (uint64_t)wait;
    __atomic_store_n(&worker->active, 1, __ATOMIC_RELEASE);
    tstart(t);
    if (below(&worker->random, 2))
        EXPECT(comes_to(&worker->runs, runs + 1));
    while (tstop(t) != 0)
        sched_yield();
    __atomic_store_n(&worker->active, 0, __ATOMIC_RELEASE);
    EXPECT(worker->runs <= runs + 1);
}

static void timer_step(struct worker *worker)
{
    run_or_stop(worker);
    (void)tstop(worker->fickle);
    tstart(worker->fickle);
    if (below(&worker->random, 8) == 0) {
        timer_end(worker->steady);
        worker->steady = timer_new(worker, steady_runs);
    }
    struct trb *spare = timer_new(worker, fickle_runs);
    if (spare)
        tfree(spare);
    EXPECT(!worker->early);
    EXPECT(!worker->ran_stopped);
}

static void timer_interrupt(struct worker *worker)
{
    if (below(&worker->interrupt_random, 2))
        tstart(worker->fickle);
    else
        (void)tstop(worker->fickle);
    EXPECT(talloc() == NULL);
}

static void timers_come_and_go(enum kind kind)
{
    (void)kind;
    for (int number = 0; number < WORKERS; number++) {
        workers[number].steady = timer_new(&workers[number], steady_runs);
        workers[number].fickle = timer_new(&workers[number], fickle_runs);
        workers[number].fickle->timeout.it_value.tv_nsec = 30000;
    }
    run(timer_step, timer_interrupt);
    for (int number = 0; number < WORKERS; number++) {
        timer_end(workers[number].fickle);
        timer_end(workers[number].steady);
    }
}

/* ---------------------------------------------------------------- time-outs ------------ */

static uint64_t not_before[WORKERS];
static int calls[WORKERS], early_calls, reserved;

static void called(caddr_t *arg)
{
    int number = (int)((int *)(void *)arg - calls);
    if (xmem_clock() < __atomic_load_n(&not_before[number], __ATOMIC_ACQUIRE))
        __atomic_store_n(&early_calls, 1, __ATOMIC_RELEASE);
    __atomic_add_fetch(&calls[number], 1, __ATOMIC_RELEASE);
}

static void called_any_time(caddr_t *arg)
{
    (void)arg;
}

static caddr_t *argument_of(struct worker *worker)
{
    return (caddr_t *)(void *)&calls[worker->number];
}

static void timeout_step(struct worker *worker)
{
    int before = calls[worker->number];
    xmem_aix_timeout(called, argument_of(worker), 0);
    EXPECT(comes_to(&calls[worker->number], before + 1));
    __atomic_store_n(&not_before[worker->number], xmem_clock() + 10000000, __ATOMIC_RELEASE);
    xmem_aix_timeout(called, argument_of(worker), 1);
    if (below(&worker->random, 4))
        xmem_aix_untimeout(called, argument_of(worker));
    else
        EXPECT(comes_to(&calls[worker->number], before + 2));
    __atomic_store_n(&not_before[worker->number], 0, __ATOMIC_RELEASE);
    xmem_aix_timeout(called_any_time, argument_of(worker), 0);
    if (below(&worker->random, 4) == 0) {
        EXPECT(timeoutcf(1) == 0);
        if (timeoutcf(-1) != 0) /* they wait, all of them */
            __atomic_add_fetch(&reserved, 1, __ATOMIC_RELAXED);
    }
    EXPECT(!early_calls);
}

static void timeout_interrupt(struct worker *worker)
{
    xmem_aix_timeout(called_any_time, argument_of(worker), 0);
    if (below(&worker->interrupt_random, 2))
        xmem_aix_untimeout(called_any_time, argument_of(worker));
}

static void time_outs_come_and_go(enum kind kind)
{
    (void)kind;
    reserved = 2 * WORKERS;
    assert_int_equal(timeoutcf(reserved), 0);
    run(timeout_step, timeout_interrupt);
    for (int number = 0; number < WORKERS; number++) {
        xmem_aix_untimeout(called, argument_of(&workers[number]));
        xmem_aix_untimeout(called_any_time, argument_of(&workers[number]));
    }
    assert_int_equal(timeoutcf(-reserved), 0);
    assert_int_equal(timeoutcf(-1), -1);
}

/* ---------------------------------------------------------------- watchdogs ------------ */

static void barks(struct watchdog *w)
{
    w_start(w);
}

static void dog_step(struct worker *worker)
{
    struct watchdog *dog = &worker->dog;
    memset(dog, 0x5a, sizeof *dog);
    dog->next = dog->prev = NULL;
    dog->func = barks;
    dog->count = 0;
    dog->restart = 1 + (int)below(&worker->random, 3);
    EXPECT(w_init(dog) == 0);
    __atomic_store_n(&worker->active, 1, __ATOMIC_SEQ_CST);
    for (unsigned round = below(&worker->random, 50); round > 0; round--) {
        w_start(dog);
        EXPECT(__atomic_load_n(&dog->count, __ATOMIC_RELAXED) <= 3);
        if (below(&worker->random, 2))
            w_stop(dog);
    }
    if (below(&worker->random, 50) == 0) {
        w_start(dog);
        usleep(1050000);
    }
    __atomic_store_n(&worker->active, 0, __ATOMIC_SEQ_CST);
    while (w_clear(dog) != 0)
        sched_yield();
}

static void dog_interrupt(struct worker *worker)
{
    if (!__atomic_load_n(&worker->active, __ATOMIC_SEQ_CST))
        return;
    if (below(&worker->interrupt_random, 2))
        w_start(&worker->dog);
    else
        w_stop(&worker->dog);
}

static void watchdogs_come_and_go(enum kind kind)
{
    (void)kind;
    run(dog_step, dog_interrupt);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(heaps_are_shared, ONCE),
        EACH(timers_come_and_go, ONCE),
        EACH(time_outs_come_and_go, ONCE),
        EACH(watchdogs_come_and_go, ONCE),
    };
    return RUN_CASES("heaps_timers", cases);
}
