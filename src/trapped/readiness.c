/* SPDX-License-Identifier: MIT */
/*
 * Who waits for events on devices; readiness.h has the rules.
 */
#include "trapped/readiness.h"

#include "host/memory.h"
#include "host/programs.h"
#include "host/threads.h"
#include "host/waits.h"
#include "xmem/kernel.h"

#include <errno.h>
#include <sys/epoll.h>

#define EVENTS_ASKED (POLLIN | POLLOUT | POLLPRI)

struct stand_in {
    struct stand_in *next; /* never changes once it is in the list */
    void *device;          /* of the operations; NULL: not in use.  Also read by the hook */
    uint32_t told;         /* events of xmem_device_ready() since the last look */
    host_mutex lock;       /* covers what follows */
    struct device_file
        *file; /* not held: readiness_forget() comes before it goes.  NULL: not in use */
    int number;
    unsigned instances; /* epoll instances that have it, as far as we know */
    short wanted;
    short shown;
    struct host_stand_in pair;
};

static host_mutex readiness_lock = HOST_MUTEX_INITIALIZER;
static struct stand_in *stand_ins; /* grows at its head only */
static unsigned stand_ins_used;
static struct readiness_listener *listeners;
static bool watcher_runs;
static bool watcher_stops;
static pthread_t watcher_thread;

/* ---------------------------------------------------------------- asking --------------- */

int readiness_ask(struct device_file *file, short events, bool watch, short *returned)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    *returned = events & EVENTS_ASKED;
    if (!operations->poll)
        return 0;
    short held = 0;
    int error =
        operations->poll(file->device->is.device, &file->file, events & EVENTS_ASKED, watch, &held);
    *returned = error ? 0 : held & events & EVENTS_ASKED;
    return error;
}

/* Which of the wanted events hold now; one that cannot be asked for holds, so that the program
 * finds out by its call. */
static short ask_each(struct stand_in *stand_in)
{
    static const short events[] = {POLLIN, POLLOUT};
    short held = 0;
    for (size_t index = 0; index < sizeof(events) / sizeof(events[0]); index++) {
        short returned = 0;
        if (!(stand_in->wanted & events[index]))
            continue;
        if (readiness_ask(stand_in->file, events[index], true, &returned))
            returned = events[index];
        held |= returned;
    }
    return held;
}

/* Shows what holds.  The stand-in's lock is held. */
static void look_again(struct stand_in *stand_in)
{
    short told = (short)exchange(&stand_in->told, 0);
    short held = ask_each(stand_in);
    short changed = held ^ stand_in->shown;
    if ((changed | (held & told)) & POLLIN)
        host_stand_in_readable(&stand_in->pair, held & POLLIN);
    if ((changed | (held & told)) & POLLOUT)
        host_stand_in_writable(&stand_in->pair, held & POLLOUT);
    stand_in->shown = held;
}

static void look_at_all(void *device)
{
    for (struct stand_in *stand_in = load_acquire(&stand_ins); stand_in;
         stand_in = stand_in->next) {
        void *its = load_acquire(&stand_in->device);
        if (!its || (device && its != device) || (!device && !load_relaxed(&stand_in->told)))
            continue;
        host_lock(&stand_in->lock);
        if (stand_in->file)
            look_again(stand_in);
        host_unlock(&stand_in->lock);
    }
}

/* The operations' handle may be NULL; the list's mark for "in use" may not. */
static void *mark_of(const struct device_file *file)
{
    return file->device->is.device ? file->device->is.device : (void *)&stand_ins;
}

void readiness_refresh(struct device_file *file)
{
    if (load_acquire(&stand_ins_used))
        look_at_all(mark_of(file));
}

/* ---------------------------------------------------------------- the watcher ---------- */

/* In any environment.  The watcher may have looked already when it is told what to look for, and is
 * then woken again. */
static void device_told(void *device, short events)
{
    void *mark = device ? device : (void *)&stand_ins;
    bool any = false;
    for (struct stand_in *stand_in = load_acquire(&stand_ins); stand_in; stand_in = stand_in->next)
        if (load_acquire(&stand_in->device) == mark) {
            or_fetch(&stand_in->told, (uint32_t)(uint16_t)events);
            any = true;
        }
    if (!any)
        return;
    add_fetch(&devices_ready_word, 1);
    xmem_wake(&devices_ready_word, INT32_MAX);
}

static void raise_listeners(void)
{
    host_lock(&readiness_lock);
    for (struct readiness_listener *listener = listeners; listener; listener = listener->next)
        host_event_raise(listener->fd);
    host_unlock(&readiness_lock);
}

static void *watch(void *unused)
{
    (void)unused;
    while (!load_acquire(&watcher_stops)) {
        uint32_t seen = load_acquire(&devices_ready_word);
        raise_listeners();
        look_at_all(NULL);
        if (!load_acquire(&watcher_stops))
            xmem_wait(&devices_ready_word, seen, 0, 0);
    }
    return NULL;
}

/* The readiness lock is held. */
static int start_watcher(void)
{
    if (watcher_runs)
        return 0;
    store_release(&devices_ready_hook, device_told);
    watcher_stops = false;
    int error = host_thread_create(&watcher_thread, watch, NULL);
    watcher_runs = error == 0;
    return error;
}

void readiness_stop(void)
{
    host_lock(&readiness_lock);
    bool runs = watcher_runs;
    watcher_runs = false;
    store_release(&watcher_stops, true);
    host_unlock(&readiness_lock);
    if (!runs)
        return;
    add_fetch(&devices_ready_word, 1);
    xmem_wake(&devices_ready_word, INT32_MAX);
    host_thread_join(watcher_thread);
}

int readiness_listen(struct readiness_listener *listener)
{
    int error = host_event_create(&listener->fd);
    if (error)
        return error;
    host_lock(&readiness_lock);
    error = start_watcher();
    if (!error) {
        listener->next = listeners;
        listeners = listener;
    }
    host_unlock(&readiness_lock);
    if (error)
        host_close(listener->fd);
    return error;
}

void readiness_unlisten(struct readiness_listener *listener)
{
    host_lock(&readiness_lock);
    struct readiness_listener **place = &listeners;
    while (*place != listener)
        place = &(*place)->next;
    *place = listener->next;
    host_unlock(&readiness_lock);
    host_close(listener->fd);
}

/* ---------------------------------------------------------------- stand-ins ------------ */

/* The stand-in's lock is held. */
static void retire(struct stand_in *stand_in)
{
    store_release(&stand_in->device, NULL);
    stand_in->file = NULL;
    host_stand_in_close(&stand_in->pair);
    sub_fetch(&stand_ins_used, 1);
}

void readiness_forget(struct device_file *file)
{
    if (!load_acquire(&stand_ins_used))
        return;
    for (struct stand_in *stand_in = load_acquire(&stand_ins); stand_in;
         stand_in = stand_in->next) {
        host_lock(&stand_in->lock);
        if (stand_in->file == file)
            retire(stand_in);
        host_unlock(&stand_in->lock);
    }
}

/* The one for this descriptor, locked; NULL: there is none. */
static struct stand_in *find(const struct device_file *file, int number)
{
    for (struct stand_in *stand_in = load_acquire(&stand_ins); stand_in;
         stand_in = stand_in->next) {
        host_lock(&stand_in->lock);
        if (stand_in->file == file && stand_in->number == number)
            return stand_in;
        host_unlock(&stand_in->lock);
    }
    return NULL;
}

/* One that nobody uses, locked; made if there is none. */
static struct stand_in *spare(void)
{
    for (struct stand_in *stand_in = load_acquire(&stand_ins); stand_in;
         stand_in = stand_in->next) {
        host_lock(&stand_in->lock);
        if (!stand_in->file)
            return stand_in;
        host_unlock(&stand_in->lock);
    }
    struct stand_in *made = host_allocate(sizeof(*made));
    if (!made)
        return NULL;
    made->lock = (host_mutex)HOST_MUTEX_INITIALIZER;
    host_lock(&made->lock);
    host_lock(&readiness_lock);
    made->next = stand_ins;
    store_release(&stand_ins, made);
    host_unlock(&readiness_lock);
    return made;
}

static int create(struct device_file *file, int number, struct stand_in **created)
{
    struct stand_in *stand_in = spare();
    if (!stand_in)
        return ENOMEM;
    int error = host_stand_in_create(&stand_in->pair);
    if (error) {
        host_unlock(&stand_in->lock);
        return error;
    }
    stand_in->file = file;
    stand_in->number = number;
    stand_in->instances = 0;
    stand_in->wanted = 0;
    stand_in->shown = POLLOUT; /* as a fresh pair is */
    stand_in->told = 0;
    store_release(&stand_in->device, mark_of(file));
    add_fetch(&stand_ins_used, 1);
    *created = stand_in;
    return 0;
}

int readiness_control(struct device_file *file, int number, int epoll, int operation,
                      uint32_t events, uint64_t data)
{
    static host_mutex one_at_a_time = HOST_MUTEX_INITIALIZER; /* outermost: no two are made */
    host_lock(&one_at_a_time);
    host_lock(&readiness_lock);
    int error = start_watcher();
    host_unlock(&readiness_lock);
    struct stand_in *stand_in = error ? NULL : find(file, number);
    if (!error && !stand_in)
        error = operation == EPOLL_CTL_ADD ? create(file, number, &stand_in) : ENOENT;
    if (!error) {
        if (operation != EPOLL_CTL_DEL) {
            stand_in->wanted |= (short)(events & EVENTS_ASKED);
            look_again(stand_in);
        }
        error = host_epoll_control(epoll, operation, stand_in->pair.shown, events, data);
        if (!error && operation == EPOLL_CTL_ADD)
            stand_in->instances++;
        if (!error && operation == EPOLL_CTL_DEL)
            stand_in->instances--;
        if (stand_in->instances == 0)
            retire(stand_in);
        host_unlock(&stand_in->lock);
    }
    host_unlock(&one_at_a_time);
    return error;
}
