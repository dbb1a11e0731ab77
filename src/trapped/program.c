/* SPDX-License-Identifier: MIT */
/*
 * xmem_run(): one program and everything it starts.
 *
 * The caller's thread starts the program and becomes the watcher, who sleeps on one epoll instance:
 * for the program's end, the ends of processes that have made calls, the end of everybody under the
 * filter, and an event by which others and signal handlers ask it to look.  At each of these, and
 * every second, it looks whether placeholders are gone; after what may close one without a call
 * that we see (an exit, an exec) it looks again after 1, 10 and 100 ms.  While calls come it also
 * looks every 10 ms whether the worker that receives them is stuck with one (supervisor.c).
 *
 * Stops.  The terminal's stop signal reaches this program and the trapped one.  If this one stopped
 * at once, a program that first puts its terminal in order could not, as its calls would wait.  So
 * the watcher waits until the program has stopped, and stops then; a program that goes on, goes on.
 *
 * Ends.  What the program started is served as long as it lives, since without an answer to its
 * calls it could not go on; the run ends when nobody is under the filter.  A signal that asks this
 * program to end, when the trapped one has ended already, ends the run at once.  Between the two
 * stands a guard (host/guard.h): it kills everybody who is left when the run ends, or this program
 * does, however that comes.  Linux then closes the listener, so that nobody waits for an answer.
 */
#include "engine/failure.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "host/memory.h"
#include "host/notify.h"
#include "host/programs.h"
#include "host/threads.h"
#include "host/waits.h"
#include "trapped/calls.h"
#include "trapped/processes.h"
#include "trapped/readiness.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <linux/filter.h>

#define IDENTITY_EVENT 0
#define IDENTITY_CHILD UINT64_MAX
#define IDENTITY_LISTENER (UINT64_MAX - 1)

#define STOP_PATIENCE 1000 /* milliseconds from a stop signal to the program's stop */
#define STOP_LOOK 20
#define SWEEP 1000
#define BUSY_LOOK 10

static const int look_after[] = {0, 1, 10, 100}; /* milliseconds */
#define LOOKS (sizeof(look_after) / sizeof(look_after[0]))

static bool running;
static int watch = -1;
static int event = -1;
static bool stop_signal;
static bool end_signal;

struct watcher {
    struct host_started started;
    int status;
    unsigned looked; /* of look_after */
    uint64_t stop_until;
    uint64_t swept_at;
    bool busy;
    bool child_ended;
    bool all_ended;
};

/* ---------------------------------------------------------------- watching ------------- */

static void ask_to_look(void)
{
    host_event_raise(event);
}

/* In a signal handler. */
static void stop_asked(void)
{
    store_relaxed(&stop_signal, true);
    host_event_raise(event);
}

/* In a signal handler. */
static void end_asked(void)
{
    store_relaxed(&end_signal, true);
    host_event_raise(event);
}

static int patience(const struct watcher *watcher)
{
    int looks = watcher->looked < LOOKS ? look_after[watcher->looked] : SWEEP;
    if (watcher->stop_until && looks > STOP_LOOK)
        looks = STOP_LOOK;
    return watcher->busy && looks > BUSY_LOOK ? BUSY_LOOK : looks;
}

static void child_ended(struct watcher *watcher)
{
    host_watch_remove(watch, watcher->started.pidfd);
    supervisor_set_child(0);
    host_guard_child_status(&watcher->started.guard, &watcher->status);
    watcher->child_ended = true;
    watcher->stop_until = 0;
}

static void happened(struct watcher *watcher, uint64_t identity)
{
    watcher->looked = 0;
    switch (identity) {
    case IDENTITY_EVENT:
        host_event_clear(event);
        if (exchange(&stop_signal, false) && !watcher->child_ended)
            watcher->stop_until = host_milliseconds() + STOP_PATIENCE;
        break;
    case IDENTITY_CHILD:
        child_ended(watcher);
        break;
    case IDENTITY_LISTENER:
        watcher->all_ended = true;
        host_watch_remove(watch, watcher->started.listener);
        break;
    default:
        process_ended(identity);
    }
}

static void look_for_stop(struct watcher *watcher)
{
    if (host_process_stopped(watcher->started.pid)) {
        watcher->stop_until = 0;
        if (host_in_foreground())
            host_stop_with_child(watcher->started.pid);
    } else if (host_milliseconds() >= watcher->stop_until) {
        watcher->stop_until = 0;
    }
}

/* Placeholders are looked at when something happened, soon after it, and every second. */
static void look(struct watcher *watcher, bool something)
{
    uint64_t now = host_milliseconds();
    if (!something && watcher->looked < LOOKS)
        watcher->looked++;
    else if (!something && now < watcher->swept_at + SWEEP)
        return;
    watcher->swept_at = now;
    placeholders_check();
    processes_tidy();
}

/* Whoever waits for an answer, or makes a handled call from now on, gets ENOSYS. */
static COLD void end_early(struct watcher *watcher)
{
    host_watch_remove(watch, watcher->started.listener);
    supervisor_end();
    watcher->all_ended = true;
}

static void watch_all(struct watcher *watcher)
{
    while (!watcher->child_ended || !(watcher->all_ended || load_relaxed(&end_signal))) {
        uint64_t identity;
        bool something = host_watch_wait(watch, patience(watcher), &identity);
        if (something)
            happened(watcher, identity);
        if (watcher->stop_until)
            look_for_stop(watcher);
        look(watcher, something);
        watcher->busy = supervisor_busy();
        if (supervisor_broken() && !watcher->all_ended)
            end_early(watcher);
    }
}

/* ---------------------------------------------------------------- beginning and end ---- */

/* The listener is there; the child waits for nobody but us. */
static int ready(const struct host_started *started)
{
    host_notify_same_processor(started->listener);
    supervisor_set_child(started->pid);
    int error = host_watch_add(watch, started->pidfd, IDENTITY_CHILD);
    if (!error)
        error = host_watch_add_end(watch, started->listener, IDENTITY_LISTENER);
    if (!error)
        error = supervisor_begin(started->listener);
    return error;
}

static int prepare(void)
{
    int error = host_notify_prepare();
    if (!error)
        error = host_watch_create(&watch);
    if (!error)
        error = host_event_create(&event);
    if (!error)
        error = host_watch_add(watch, event, IDENTITY_EVENT);
    if (error)
        return error;
    host_descriptors_many();
    processes_begin(watch);
    store_release(&supervisor_look_hook, ask_to_look);
    return 0;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        host_close(*fd);
    *fd = -1;
}

static void clean_up(void)
{
    if (supervisor_listener() >= 0)
        supervisor_end();
    placeholders_end();
    readiness_stop();
    processes_end();
    store_release(&supervisor_look_hook, NULL);
    close_one(&event);
    close_one(&watch);
}

static int start(const struct xmem_program *program, struct host_started *started)
{
    static struct sock_filter filter[FILTER_ROOM];
    calls_prepare();
    struct host_program request = {
        .path = program->path,
        .arguments = program->arguments,
        .environment = program->environment,
        .filter = filter,
        .filter_length = filter_build(calls_handled, filter),
        .ready = ready,
        .hopeless = supervisor_broken,
    };
    return host_program_start(&request, started);
}

static int run(const struct xmem_program *program, int *status)
{
    struct watcher watcher = {.looked = LOOKS};
    int error = prepare();
    if (!error)
        error = start(program, &watcher.started);
    if (!error) {
        store_relaxed(&end_signal, false);
        host_signals_pass_on(watcher.started.pidfd, stop_asked, end_asked);
        watch_all(&watcher);
        host_signals_pass_on_end();
        host_guard_end(&watcher.started.guard);
        host_close(watcher.started.pidfd);
        *status = watcher.status;
    }
    clean_up();
    return error;
}

static int refused(const char *operation, int error)
{
    if (error == ENOSYS)
        return fail(operation,
                    outcome_failure(XMEM_FAILURE_PERMISSION, ENOSYS,
                                    "seccomp user notification is needed (Linux 6.1 or later), and "
                                    "this kernel has none, or a sandbox forbids it"));
    if (error == EBUSY)
        return fail(operation, outcome_failure(
                                   XMEM_FAILURE_BUSY, EBUSY,
                                   "this program is itself under a filter with a listener, such as "
                                   "that of another xmem run"));
    if (error == ENOMEM)
        return fail_no_memory(operation);
    if (error == EMFILE || error == ENFILE || error == EAGAIN)
        return fail(operation, outcome_failure(XMEM_FAILURE_NO_MEMORY, error,
                                               "no descriptor, process or thread is left for it; "
                                               "raise the limits (ulimit -n, ulimit -u)"));
    return fail(operation,
                outcome_failure(XMEM_FAILURE_ARGUMENT, error, "the program could not be started"));
}

EXPORT int xmem_run(const struct xmem_program *program, int *status)
{
    static const char operation[] = "xmem_run";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!program || program->size != sizeof(*program) || !program->path || !program->arguments ||
        !status)
        return fail_argument(operation, "program->size is not sizeof(struct xmem_program) of this "
                                        "version, or a path, arguments or status is missing");
    error = making_begin(operation); /* refuses if xmem is not started */
    if (error)
        return error;
    making_end();
    error = xmem_start(NULL); /* a stop meanwhile does not stop what the run needs */
    if (error)
        return error;
    bool idle = false;
    if (compare_exchange(&running, &idle, true)) {
        error = run(program, status);
        store_release(&running, false);
        if (error)
            error = refused(operation, error);
    } else {
        error =
            fail(operation, outcome_failure(XMEM_FAILURE_BUSY, EBUSY, "a program runs already"));
    }
    xmem_stop();
    return error;
}
