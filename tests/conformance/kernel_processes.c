/* SPDX-License-Identifier: MIT */
/*
 * Shows kernel processes: how they are made and started, what their function gets, who they are,
 * and what they can reach of user memory.
 */
#define XMEM_AIX_COMMON_NAMES
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services.h"

/* What a kernel process saw; it writes `done` last. */
struct seen {
    int flag, length, has_parameters;
    unsigned char bytes[64];
    pid_t pid;
    tid_t tid;
    int init;
    int in_interrupt;
    int aligned;
    char name[32];
    int go, done; /* go: set by the test to let it return */
};

/* Parameters that carry their own length. */
struct parameters {
    struct seen *seen;
    unsigned char bytes[50];
};

static struct seen shared;

static void note_name(struct seen *seen)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)seen->tid);
    FILE *file = fopen(path, "r");
    if (file && fgets(seen->name, sizeof seen->name, file))
        seen->name[strcspn(seen->name, "\n")] = 0;
    if (file)
        fclose(file);
}

static void look(int flag, void *init_parms, int parms_length)
{
    struct seen *seen = &shared;
    seen->flag = flag;
    seen->length = parms_length;
    seen->has_parameters = init_parms != NULL;
    seen->aligned = (uintptr_t)init_parms % 16 == 0;
    if (init_parms && parms_length <= (int)sizeof seen->bytes)
        memcpy(seen->bytes, init_parms, (size_t)parms_length);
    seen->pid = getpid();
    seen->tid = thread_self();
    seen->init = setpinit();
    seen->in_interrupt = xmem_in_interrupt();
    note_name(seen);
    __atomic_store_n(&seen->done, 1, __ATOMIC_RELEASE);
    comes_to(&seen->go, 1);
}

static void reset(void)
{
    memset(&shared, 0, sizeof shared);
}

/* The thread of the process has gone. */
static int has_ended(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)pid);
    for (double limit = seconds_now() + 10; seconds_now() < limit; usleep(500))
        if (access(path, F_OK) != 0)
            return 1;
    return 0;
}

static void let_end(pid_t pid)
{
    __atomic_store_n(&shared.go, 1, __ATOMIC_RELEASE);
    assert_true(has_ended(pid));
}

static void runs_what_it_is_given(enum kind kind)
{
    unsigned char parameters[48];
    pattern_fill(parameters, sizeof parameters, 3);
    reset();
    pid_t pid = creatp();
    assert_true(pid > 0);
    usleep(20000);
    assert_int_equal(shared.done, 0); /* idle */
    assert_int_equal(initp(pid, look, parameters, 37, "worker"), 0);
    memset(parameters, 0xff, sizeof parameters);
    assert_true(comes_to(&shared.done, 1));
    assert_int_equal(shared.flag, 0);
    assert_int_equal(shared.length, 37);
    assert_true(shared.has_parameters);
    assert_true(shared.aligned);
    for (size_t index = 0; index < 37; index++)
        assert_int_equal(shared.bytes[index], pattern_byte(index, 3));
    assert_int_equal(strncmp(shared.name, "work", 4), 0);
    assert_int_equal(shared.pid, pid);
    assert_int_equal(shared.in_interrupt, 0);
    assert_int_equal(shared.init, 0);
    assert_true(shared.tid > 0 && shared.tid != thread_self());
    let_end(pid);
    covers("creatp.1", kind);
    covers("initp.1", kind);
    covers("initp.2", kind);
    covers("initp.4", kind);
    covers("initp.5", kind);
    covers("kproc.identity", kind);
    covers("setpinit.1", kind);
}

static void without_parameters(enum kind kind)
{
    reset();
    pid_t pid = creatp();
    assert_int_equal(initp(pid, look, NULL, 0, NULL), 0);
    assert_true(comes_to(&shared.done, 1));
    assert_false(shared.has_parameters);
    assert_int_equal(shared.length, 0);
    let_end(pid);
    reset();
    pid = creatp();
    char none[] = "";
    assert_int_equal(initp(pid, look, none, 0, none),
                     0); /* 0 bytes at an address are a copy, too */
    assert_true(comes_to(&shared.done, 1));
    assert_true(shared.has_parameters);
    let_end(pid);
    covers("initp.3", kind);
}

static void large_parameters(int flag, void *init_parms, int parms_length)
{
    const unsigned char *bytes = init_parms;
    int same = flag == 0;
    for (int index = 0; index < parms_length; index++)
        same &= bytes[index] == pattern_byte((size_t)index, 5);
    shared.length = parms_length;
    shared.flag = same ? 77 : 0;
    __atomic_store_n(&shared.done, 1, __ATOMIC_RELEASE);
}

static void any_number_of_bytes(enum kind kind)
{
    static unsigned char parameters[1 << 20];
    pattern_fill(parameters, sizeof parameters, 5);
    for (int length = 1; length <= (int)sizeof parameters; length *= 4) {
        reset();
        pid_t pid = creatp();
        assert_int_equal(initp(pid, large_parameters, parameters, length, "large"), 0);
        assert_true(comes_to(&shared.done, 1));
        assert_int_equal(shared.length, length);
        assert_int_equal(shared.flag, 77);
        assert_true(has_ended(pid));
    }
    covers("initp.2", kind);
}

static void refused_starts(enum kind kind)
{
    char byte = 1;
    reset();
    pid_t pid = creatp();
    assert_int_equal(initp(-1, look, NULL, 0, NULL), EINVAL);
    assert_int_equal(initp(0, look, NULL, 0, NULL), EINVAL);
    assert_int_equal(initp(1, look, NULL, 0, NULL), EINVAL);
    assert_int_equal(initp((pid_t)thread_self(), look, NULL, 0, NULL), EINVAL);
    assert_int_equal(initp(pid, NULL, NULL, 0, NULL), EINVAL);
    assert_int_equal(initp(pid, look, &byte, -1, NULL), EINVAL);
    assert_int_equal(initp(pid, look, &byte, INT_MAX, NULL), ENOMEM);
    assert_int_equal(shared.done, 0);
    assert_int_equal(initp(pid, look, &byte, 1, "x"), 0); /* as idle as before */
    assert_true(comes_to(&shared.done, 1));
    assert_int_equal(initp(pid, look, &byte, 1, "x"), EINVAL); /* idle no more */
    let_end(pid);
    assert_int_equal(initp(pid, look, &byte, 1, "x"), EINVAL);
    assert_int_equal(setpinit(), EINVAL);
    covers("initp.EINVAL", kind);
    covers("initp.ENOMEM", kind);
    covers("setpinit.EINVAL", kind);
}

/* The process that called creatp, and no other. */
static void only_its_maker_starts_it(enum kind kind)
{
    struct memory *memory = memory_open(KIND_OPENED, 1);
    reset();
    xmem_enter(memory_process(memory));
    pid_t pid = creatp();
    xmem_leave();
    assert_true(pid > 0);
    assert_int_equal(initp(pid, look, NULL, 0, NULL), EINVAL);
    xmem_enter(memory_process(memory));
    assert_int_equal(initp(pid, look, NULL, 0, NULL), 0);
    xmem_leave();
    assert_true(comes_to(&shared.done, 1));
    let_end(pid);
    reset();
    pid = creatp();
    xmem_enter(memory_process(memory));
    assert_int_equal(initp(pid, look, NULL, 0, NULL), EINVAL);
    xmem_leave();
    assert_int_equal(initp(pid, look, NULL, 0, NULL), 0);
    let_end(pid);
    covers("initp.maker", kind);
}

/* ---------------------------------------------------------------- user memory ---------- */

struct reach {
    struct xmem descriptor;
    uint64_t address;
    int copied, moved, attached;
    char bytes[32];
};

static struct reach reach;

static void reaches(int flag, void *init_parms, int parms_length)
{
    struct xmem own;
    struct reach *mine = *(struct reach **)init_parms;
    char byte = 0;
    (void)parms_length;
    mine->copied = copyin(ADDRESS(mine->address), &byte, 1);
    mine->moved =
        xmemin(ADDRESS(mine->address), mine->bytes, sizeof mine->bytes, &mine->descriptor);
    garbage_descriptor(&own, 7);
    mine->attached = xmattach(ADDRESS(mine->address), 1, &own, USER_ADSPACE);
    __atomic_store_n(&shared.done, 1 + flag, __ATOMIC_RELEASE);
}

static void user_memory_by_descriptors_only(enum kind kind)
{
    struct memory *memory = memory_open(kind, 2);
    struct reach *parameters = &reach;
    reset();
    memset(&reach, 0, sizeof reach);
    reach.address = memory_base(memory);
    owner_fill(memory, reach.address, 0x4d, PAGE);
    must_attach(memory, reach.address, PAGE, &reach.descriptor);
    xmem_enter(memory_process(memory)); /* the kernel process has no part in that */
    pid_t pid = creatp();
    assert_int_equal(initp(pid, reaches, &parameters, sizeof parameters, "reach"), 0);
    assert_true(comes_to(&shared.done, 1));
    xmem_leave();
    assert_int_equal(reach.copied, EFAULT);
    assert_int_equal(reach.attached, XMEM_FAIL);
    assert_int_equal(reach.moved, XMEM_SUCC);
    for (size_t index = 0; index < sizeof reach.bytes; index++)
        assert_int_equal(reach.bytes[index], 0x4d);
    must_detach(&reach.descriptor);
    assert_true(has_ended(pid));
    covers("kproc.user-memory", kind);
}

/* ---------------------------------------------------------------- kproc makes kproc ---- */

static pid_t child_pid;
static int child_result, child_made;

static void makes_another(int flag, void *init_parms, int parms_length)
{
    (void)init_parms;
    (void)parms_length;
    child_pid = creatp();
    child_result = initp(child_pid, look, &flag, sizeof flag, "child");
    __atomic_store_n(&child_made, 1, __ATOMIC_RELEASE);
}

static void kernel_processes_make_others(enum kind kind)
{
    reset();
    pid_t pid = creatp();
    assert_int_equal(initp(pid, makes_another, NULL, 0, "parent"), 0);
    assert_true(comes_to(&shared.done, 1));
    assert_true(comes_to(&child_made, 1));
    assert_true(has_ended(pid));
    assert_int_equal(child_result, 0);
    assert_int_equal(shared.pid, child_pid);
    let_end(child_pid);
    covers("creatp.kproc", kind);
}

static int counted;

static void counts(int flag, void *init_parms, int parms_length)
{
    (void)init_parms;
    __atomic_add_fetch(&counted, 1 + flag + parms_length, __ATOMIC_ACQ_REL);
}

static void many_at_once(enum kind kind)
{
    enum { MANY = 40 };
    pid_t pids[MANY];
    reset();
    for (int index = 0; index < MANY; index++) {
        pids[index] = creatp();
        assert_true(pids[index] > 0);
        for (int other = 0; other < index; other++)
            assert_int_not_equal(pids[index], pids[other]);
    }
    for (int index = MANY - 1; index >= 0; index--)
        assert_int_equal(initp(pids[index], counts, NULL, 0, "many"), 0);
    for (int index = 0; index < MANY; index++)
        assert_true(has_ended(pids[index]));
    assert_true(comes_to(&counted, MANY));
    covers("creatp.numbers", kind);
}

/* ---------------------------------------------------------------- interrupt level ------ */

struct refusal {
    pid_t idle, created;
    int started, init;
};

static void call_at_interrupt(void *argument)
{
    struct refusal *refusal = argument;
    refusal->created = creatp();
    refusal->started = initp(refusal->idle, look, NULL, 0, NULL);
    refusal->init = setpinit();
}

static void refuses(enum kind kind)
{
    struct refusal refusal = {.idle = creatp()};
    uint64_t before = usage_errors_counted();
    reset();
    at_interrupt(call_at_interrupt, &refusal);
    assert_int_equal(refusal.created, -1);
    assert_int_equal(refusal.started, EINVAL);
    assert_int_equal(refusal.init, EINVAL);
    assert_int_equal(usage_errors_counted(), before + 3);
    assert_int_equal(shared.done, 0);
    assert_int_equal(initp(refusal.idle, look, NULL, 0, NULL), 0);
    let_end(refusal.idle);
    covers("kproc.interrupt", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(runs_what_it_is_given, ONCE),
        EACH(without_parameters, ONCE),
        EACH(any_number_of_bytes, ONCE),
        EACH(refused_starts, ONCE),
        EACH(only_its_maker_starts_it, ONCE),
        EACH(user_memory_by_descriptors_only, USER_KINDS),
        EACH(kernel_processes_make_others, ONCE),
        EACH(many_at_once, ONCE),
        EACH(refuses, ONCE),
    };
    return RUN_CASES("kernel_processes", cases);
}
