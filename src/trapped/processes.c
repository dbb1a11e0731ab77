/* SPDX-License-Identifier: MIT */
/*
 * Trapped processes and their threads; processes.h has the rules.
 */
#include "trapped/processes.h"

#include "host/memory.h"
#include "host/programs.h"
#include "host/tracees.h"
#include "host/waits.h"

#include <errno.h>

/* Of the processor's time stamp: 13 ms at 5 GHz, 67 ms at 1 GHz.  It costs no page of memory, as
 * the clocks do: after a switch of address spaces each page is found anew. */
#if defined(__x86_64__)
#define TRUSTED_TICKS (UINT64_C(1) << 26)
#elif defined(__aarch64__)
#define TRUSTED_TICKS (UINT64_C(1) << 20)
#endif
#define FORGOTTEN_AFTER 5000
#define BUCKETS 256
#define REMEMBERED 4
#define SHED_MOST 16
/* Descriptors of a process: its pidfd, and two of its memory; one is for whatever else is done with
 * it.  Some are for the rest of this program. */
#define DESCRIPTORS_EACH 4
#define DESCRIPTORS_SPARE 64
#define PROCESSES_LEAST 4

struct caller_thread {
    pid_t number;
    struct trapped_process *process; /* its table entry holds it */
    uint64_t verified;               /* milliseconds: for those that are to be forgotten */
    uint64_t trusted;                /* ticks */
    bool own_descriptors;
    bool in_exec;
    uint64_t generation; /* of what is remembered */
    unsigned turn;
    struct {
        int fd;
        struct device_file *file; /* not held: good while the generation is */
    } remembered[REMEMBERED];
    struct caller_thread *next;
};

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct caller_thread *threads[BUCKETS];
static struct trapped_process *processes;
static uint64_t process_count;
static uint64_t processes_most; /* more are forgotten again when they can be */
static uint64_t last_identity;
static uint64_t generation = 1;
static int process_watch = -1;

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    uint64_t now;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
    return now;
#endif
}

/* ---------------------------------------------------------------- tables --------------- */

static struct caller_thread **thread_link(pid_t number)
{
    struct caller_thread **link = &threads[(unsigned)number % BUCKETS];
    while (*link && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

/* Mutex held.  The thread is back from an execve that failed, or is what runs the new program. */
static void exec_over(struct caller_thread *thread)
{
    thread->in_exec = false;
    thread->process->execs--;
    thread->process->replaced = true;
}

static void forget_thread(struct caller_thread **link)
{
    struct caller_thread *thread = *link;
    if (thread->in_exec)
        exec_over(thread);
    *link = thread->next;
    host_free(thread);
}

/* Threads of the process (NULL: of any) that last called before `before`. */
static void forget_threads(const struct trapped_process *process, uint64_t before)
{
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
        for (struct caller_thread **link = &threads[bucket]; *link;) {
            bool theirs = !process || (*link)->process == process;
            if (theirs && (*link)->verified < before && !((*link)->in_exec && before != UINT64_MAX))
                forget_thread(link);
            else
                link = &(*link)->next;
        }
}

static struct trapped_process *find_process(pid_t group)
{
    struct trapped_process *process = processes;
    while (process && process->group != group)
        process = process->next;
    return process;
}

/* Mutex held; the table's hold becomes the caller's. */
static void unlist(struct trapped_process *process)
{
    struct trapped_process **link = &processes;
    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    process_count--;
    forget_threads(process, UINT64_MAX);
    host_watch_remove(process_watch, process->pidfd);
}

HOT void process_release(struct trapped_process *process)
{
    if (sub_fetch(&process->references, 1) != 0)
        return;
    if (process->memory)
        xmem_process_close(process->memory);
    host_close(process->pidfd);
    host_free(process);
}

/* ---------------------------------------------------------------- shortages ------------ */

/* Mutex held.  Nobody uses it now, and what is known of it can be found out again. */
static bool idle(const struct trapped_process *process)
{
    return load_relaxed(&process->references) == 1 && process->execs == 0 &&
           !process->own_descriptors;
}

bool processes_shed(void)
{
    struct trapped_process *shed[SHED_MOST] = {NULL};
    unsigned seen = 0;
    host_lock(&mutex);
    for (struct trapped_process *process = processes; process; process = process->next)
        if (idle(process))
            shed[seen++ % SHED_MOST] = process; /* the last ones are the oldest */
    unsigned count = seen < SHED_MOST ? seen : SHED_MOST;
    for (unsigned index = 0; index < count; index++)
        unlist(shed[index]);
    host_unlock(&mutex);
    for (unsigned index = 0; index < count; index++)
        process_release(shed[index]);
    return count != 0;
}

static bool shed_for(int error)
{
    return (error == EMFILE || error == ENFILE) && processes_shed();
}

/* ---------------------------------------------------------------- looking up ----------- */

static bool still_right(struct call *call, const struct caller_thread *thread)
{
    pid_t group;
    if (host_pidfd_ended(thread->process->pidfd))
        return false;
    if (thread->number != thread->process->group &&
        (host_thread_group(thread->number, &group) || group != thread->process->group))
        return false;
    return call_valid(call);
}

/* Mutex held. */
static bool quick_look(struct call *call)
{
    struct caller_thread **link = thread_link(call->thread);
    struct caller_thread *thread = *link;
    if (!thread)
        return false;
    if (ticks() - thread->trusted >= TRUSTED_TICKS) {
        uint64_t now = ticks();
        if (!still_right(call, thread)) {
            forget_thread(link);
            return false;
        }
        thread->trusted = now;
        thread->verified = host_milliseconds();
    }
    if (thread->in_exec)
        exec_over(thread);
    add_fetch(&thread->process->references, 1);
    call->caller = thread->process;
    return true;
}

/* Mutex held; takes the pidfd over on success. */
static struct trapped_process *add_process(pid_t group, int pidfd)
{
    struct trapped_process *process = host_allocate(sizeof(*process));
    if (!process)
        return NULL;
    *process = (struct trapped_process){.group = group,
                                        .pidfd = pidfd,
                                        .identity = ++last_identity,
                                        .references = 1,
                                        .memory_mutex = HOST_MUTEX_INITIALIZER,
                                        .next = processes};
    if (host_watch_add(process_watch, pidfd, process->identity)) {
        host_free(process);
        return NULL;
    }
    processes = process;
    process_count++;
    return process;
}

/* Mutex held. */
static int add_thread(struct call *call, struct trapped_process *process, bool own_descriptors,
                      uint64_t now)
{
    struct caller_thread **link = thread_link(call->thread);
    if (*link)
        forget_thread(link);
    struct caller_thread *thread = host_allocate(sizeof(*thread));
    if (!thread)
        return ENOMEM;
    *thread = (struct caller_thread){.number = call->thread,
                                     .process = process,
                                     .verified = host_milliseconds(),
                                     .trusted = now,
                                     .own_descriptors = own_descriptors};
    thread->next = threads[(unsigned)call->thread % BUCKETS];
    threads[(unsigned)call->thread % BUCKETS] = thread;
    return 0;
}

/* What an entry leaves to be done without the mutex. */
struct leftovers {
    struct trapped_process *ended;
    int pidfd; /* -1: taken over */
};

/* Mutex held. */
static int enter_caller(struct call *call, pid_t group, bool own_descriptors, uint64_t now,
                        struct leftovers *leftovers)
{
    struct trapped_process *process = find_process(group);
    if (process && host_pidfd_ended(process->pidfd)) {
        unlist(process);
        leftovers->ended = process;
        process = NULL;
    }
    if (!process) {
        process = add_process(group, leftovers->pidfd);
        if (!process)
            return ENOMEM;
        leftovers->pidfd = -1;
    }
    int error = add_thread(call, process, own_descriptors, now);
    if (error)
        return error;
    add_fetch(&process->references, 1);
    call->caller = process;
    return 0;
}

static int open_pidfd(pid_t process, int *pidfd)
{
    int error = host_pidfd_open(process, pidfd);
    return shed_for(error) ? host_pidfd_open(process, pidfd) : error;
}

/* A pidfd of the thread's process. */
static int open_group(pid_t thread, pid_t *group, int *pidfd)
{
    *group = thread;
    int error = open_pidfd(thread, pidfd);
    if (error != EINVAL)
        return error;
    error = host_thread_group(thread, group);
    return error ? error : open_pidfd(*group, pidfd);
}

static int look_up(struct call *call)
{
    pid_t group;
    struct leftovers leftovers = {NULL, -1};
    uint64_t now = ticks();
    int error = open_group(call->thread, &group, &leftovers.pidfd);
    if (error)
        return error;
    bool own_descriptors = group != call->thread && !host_same_descriptors(call->thread, group);
    bool too_many = false;
    error = ESRCH;
    if (call_valid(call)) {
        host_lock(&mutex);
        error = enter_caller(call, group, own_descriptors, now, &leftovers);
        too_many = process_count > processes_most;
        host_unlock(&mutex);
    }
    if (too_many)
        processes_shed();
    if (leftovers.ended)
        process_release(leftovers.ended);
    if (leftovers.pidfd >= 0)
        host_close(leftovers.pidfd);
    return error;
}

int process_of(struct call *call)
{
    if (call->caller)
        return 0;
    host_lock(&mutex);
    bool known = quick_look(call);
    host_unlock(&mutex);
    return known ? 0 : look_up(call);
}

/* ---------------------------------------------------------------- memory --------------- */

static bool program_replaced(struct xmem_process *memory)
{
    char byte;
    size_t done;
    return xmem_copy_in(memory, 0, &byte, 1, &done) == ESRCH;
}

/* A thread other than the first one has replaced the program: none of the others came back. */
static void all_execs_over(struct trapped_process *process)
{
    host_lock(&mutex);
    forget_threads(process, UINT64_MAX);
    process->execs = 0;
    host_unlock(&mutex);
}

/* Memory mutex held. */
static void renew(struct trapped_process *process)
{
    bool suspect = load_relaxed(&process->replaced) || load_relaxed(&process->execs);
    if (!process->memory || !suspect)
        return;
    store_relaxed(&process->replaced, false);
    if (!program_replaced(process->memory))
        return;
    xmem_process_close(process->memory);
    process->memory = NULL;
    all_execs_over(process);
}

int process_memory(struct trapped_process *process, struct xmem_process **memory)
{
    int error = 0;
    host_lock(&process->memory_mutex);
    renew(process);
    if (!process->memory) {
        error = xmem_process_open(process->group, &process->memory);
        if (shed_for(error))
            error = xmem_process_open(process->group, &process->memory);
    }
    *memory = process->memory;
    host_unlock(&process->memory_mutex);
    return error;
}

/* ---------------------------------------------------------------- descriptors ---------- */

bool process_own_descriptors(struct call *call)
{
    host_lock(&mutex);
    const struct caller_thread *thread = *thread_link(call->thread);
    bool own = call->caller->own_descriptors || !thread || thread->own_descriptors;
    host_unlock(&mutex);
    return own;
}

void process_descriptors_differ(struct call *call)
{
    if (process_of(call))
        return;
    host_lock(&mutex);
    call->caller->own_descriptors = true;
    generation++;
    host_unlock(&mutex);
}

void process_exec(struct call *call)
{
    if (process_of(call))
        return;
    host_lock(&mutex);
    struct caller_thread *thread = *thread_link(call->thread);
    if (thread && thread->process == call->caller) {
        thread->in_exec = true;
        thread->process->execs++;
    }
    generation++;
    host_unlock(&mutex);
}

uint64_t identities_generation(void)
{
    host_lock(&mutex);
    uint64_t now = generation;
    host_unlock(&mutex);
    return now;
}

void identities_changed(void)
{
    host_lock(&mutex);
    generation++;
    host_unlock(&mutex);
}

/* Mutex held.  The caller's thread, if its memories of descriptors count. */
static struct caller_thread *remembering(const struct call *call)
{
    struct caller_thread *thread = *thread_link(call->thread);
    bool counts =
        thread && thread->process->execs == 0 && (!call->caller || thread->process == call->caller);
    return counts ? thread : NULL;
}

/* Mutex held. */
static struct device_file *recall(const struct caller_thread *thread, int fd)
{
    if (!thread || thread->generation != generation)
        return NULL;
    for (unsigned index = 0; index < REMEMBERED; index++)
        if (thread->remembered[index].fd == fd && thread->remembered[index].file)
            return thread->remembered[index].file;
    return NULL;
}

HOT struct device_file *identity_recall(struct call *call, int fd)
{
    host_lock(&mutex);
    struct caller_thread *thread = remembering(call);
    struct device_file *file = recall(thread, fd);
    if (file && ticks() - thread->trusted >= TRUSTED_TICKS)
        file = NULL;
    if (file) {
        device_file_hold(file);
        if (!call->caller) {
            add_fetch(&thread->process->references, 1);
            call->caller = thread->process;
        }
        /* It is replaced only after an exec: not while this thread is in a call. */
        if (!load_relaxed(&thread->process->replaced))
            call->known_memory = load_relaxed(&thread->process->memory);
    }
    host_unlock(&mutex);
    return file;
}

void identity_remember(struct call *call, int fd, struct device_file *file, uint64_t looked_in)
{
    host_lock(&mutex);
    struct caller_thread *thread = remembering(call);
    if (thread && looked_in == generation) {
        if (thread->generation != generation)
            for (unsigned index = 0; index < REMEMBERED; index++)
                thread->remembered[index].file = NULL;
        thread->generation = generation;
        unsigned index = thread->turn++ % REMEMBERED;
        thread->remembered[index].fd = fd;
        thread->remembered[index].file = file;
    }
    host_unlock(&mutex);
}

/* ---------------------------------------------------------------- beginning and end ---- */

void processes_begin(int watch)
{
    uint64_t descriptors = host_descriptor_limit(0);
    process_watch = watch;
    processes_most = PROCESSES_LEAST;
    if (descriptors > DESCRIPTORS_SPARE)
        processes_most += (descriptors - DESCRIPTORS_SPARE) / DESCRIPTORS_EACH;
}

void process_ended(uint64_t identity)
{
    host_lock(&mutex);
    struct trapped_process *process = processes;
    while (process && process->identity != identity)
        process = process->next;
    if (process)
        unlist(process);
    host_unlock(&mutex);
    if (process)
        process_release(process);
}

void processes_tidy(void)
{
    uint64_t now = host_milliseconds();
    host_lock(&mutex);
    if (now > FORGOTTEN_AFTER)
        forget_threads(NULL, now - FORGOTTEN_AFTER);
    host_unlock(&mutex);
}

void processes_end(void)
{
    for (;;) {
        host_lock(&mutex);
        struct trapped_process *process = processes;
        if (process)
            unlist(process);
        host_unlock(&mutex);
        if (!process)
            return;
        process_release(process);
    }
}
