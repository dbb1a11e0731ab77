/* SPDX-License-Identifier: MIT */
/*
 * Placeholders: what stands for an open device among a program's descriptors.
 *
 * A placeholder is an open file of the null device, one for each open of a device, put into the
 * program in answer to its open.  Linux passes it on as it does with any open file: dup, fork,
 * exec, close-on-exec and descriptor passing need nothing of us.
 *
 *   1. It is known by its mark, a lock of one byte that belongs to the open file, at a place that
 *      no other placeholder of this run has.  Numbers say nothing.
 *   2. The mark goes when the last reference to the open file goes, wherever that was (a descriptor
 *      of any process, a message in a socket), and not before.  Whether it is there can be asked at
 *      any time: that is the last close.  The supervisor keeps no descriptor on a placeholder, but
 *      for the moment of putting it into the caller, and for that of looking at one (4).
 *   3. A file is listed from before its placeholder reaches a program to when its mark is found
 *      gone; it is found gone once, by whoever takes it off the list under the mutex, and the
 *      list's hold is dropped then.  The last holder calls the device's close: calls that are under
 *      way when the last descriptor is closed end first, as in a real kernel.
 *   4. To see what a descriptor is, we take a duplicate of it for some microseconds: is it the null
 *      device? then, which mark?  Who finds a mark there while such a look is under way (`looks`)
 *      asks again after it.
 *   5. Nothing is marked by anybody else: fcntl's locks are refused on placeholders, and a program
 *      that marks a null device of its own at one of our places (it can read them in /proc) only
 *      makes that a descriptor of the device that it has already.
 *
 * Remembered identities.  A descriptor that holds a placeholder can come to hold something else
 * only by close, dup2, dup3 and close_range, by exec (close-on-exec), and with the end of the
 * process: other calls fill free numbers.  The calls are all trapped.  Their handlers make sure
 * that the change is done, and then that identities_generation has gone up, before the program
 * goes on (calls_close.c); execs are counted (processes.h, 3).  So what was seen in a generation,
 * and is used in that generation, is still so.  What is no placeholder is not remembered: too many
 * calls would change that.
 *
 * Asking.  A last close is noticed at once where a handler knows of it (close, dup2 ...).  For ends
 * of processes and execs, the watcher is woken (supervisor.c) and asks soon and every second; and
 * every open of a device asks for all first and waits for closes under way, and for calls of the
 * dead (supervisor.c, rule 7), so that a program sees a device closed by one that ended before.
 *
 * Locks: the placeholders mutex covers the list and `listed`, and nests inside nothing.
 */
#include "trapped/placeholders.h"

#include "host/futex.h"
#include "host/memory.h"
#include "host/null_device.h"
#include "host/programs.h"
#include "host/threads.h"
#include "trapped/call.h"
#include "trapped/processes.h"
#include "trapped/readiness.h"
#include "trapped/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

uint32_t placeholders_count;

static host_mutex mutex = HOST_MUTEX_INITIALIZER;
static struct device_file *files;
static uint64_t next_place; /* 0: none was given out yet */
static int asker = -1;      /* our own open of the null device, to ask for marks */
static uint32_t looks;

/* ---------------------------------------------------------------- open files ----------- */

int device_file_new(struct device *device, int flags, const char *rest, struct device_file **made)
{
    size_t rest_size = strlen(rest) + 1;
    struct device_file *file = host_allocate(sizeof(*file) + rest_size);
    if (!file)
        return ENOMEM;
    char *own_rest = (char *)(file + 1);
    memcpy(own_rest, rest, rest_size);
    *file = (struct device_file){
        .device = device,
        .file = {.flags = flags, .rest = own_rest},
        .flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC),
        .path_only = (flags & O_PATH) != 0,
        .references = 1,
    };
    *made = file;
    return 0;
}

struct device_file *device_file_hold(struct device_file *file)
{
    add_fetch(&file->references, 1);
    return file;
}

static int call_close(struct device_file *file)
{
    struct device *device = file->device;
    if (!file->opened || !device->operations.close)
        return 0;
    return device->operations.close(device->is.device, &file->file);
}

/* The last holder has let go, after device_closing_begin(). */
static NOINLINE int end_file(struct device_file *file)
{
    struct device *device = file->device;
    readiness_forget(file);
    supervisor_may_wait();
    int error = call_close(file);
    device_count_close(device);
    device_closing_end(device);
    device_drop(device);
    host_free(file);
    return error;
}

HOT int device_file_release(struct device_file *file)
{
    if (LIKELY(sub_fetch(&file->references, 1) != 0))
        return 0;
    device_closing_begin(file->device);
    return end_file(file);
}

/* ---------------------------------------------------------------- opening -------------- */

/* Mutex held. */
static int prepare(void)
{
    uint64_t base;
    int error = asker < 0 ? host_null_open(O_RDWR, &asker) : 0;
    if (!error && next_place == 0) {
        error = host_random(&base, sizeof(base));
        next_place = (base & (UINT64_MAX >> 2)) + 1;
    }
    return error;
}

static int take_place(uint64_t *place)
{
    host_lock(&mutex);
    int error = prepare();
    *place = next_place++;
    host_unlock(&mutex);
    return error;
}

static int placeholder_flags(int flags)
{
    const int kept = O_APPEND | O_NONBLOCK;
    if (flags & O_PATH)
        return O_RDONLY;
    int access = flags & O_ACCMODE;
    return (access == O_ACCMODE ? O_RDWR : access) | (flags & kept);
}

int placeholder_open(struct device_file *file, int *fd)
{
    int flags = placeholder_flags(file->file.flags);
    int error = take_place(&file->place);
    if (!error)
        error = host_null_open(flags, fd);
    if (error)
        return error;
    error = host_mark_set(*fd, (flags & O_ACCMODE) != O_RDONLY, file->place);
    if (error) {
        host_close(*fd);
        return error;
    }
    device_file_hold(file);
    host_lock(&mutex);
    file->listed = true;
    file->next = files;
    files = file;
    add_fetch(&placeholders_count, 1);
    host_unlock(&mutex);
    return 0;
}

/* ---------------------------------------------------------------- identifying ---------- */

/* NULL: it is no place of ours. */
static struct device_file *file_at(uint64_t place)
{
    struct device_file *file;
    host_lock(&mutex);
    for (file = files; file && file->place != place; file = file->next) {
    }
    if (file)
        device_file_hold(file);
    host_unlock(&mutex);
    return file;
}

/* Whether the duplicate may be a placeholder, without reading its mark.  A placeholder has the
 * access mode that it was opened with.  One for writing has the only lock there can be at its
 * place, so that whoever finds that somebody else has it is another file; at a place of one for
 * reading anybody may have another lock, so that there is no telling.  Who finds none does not
 * know either: the mark may have gone this moment. */
static bool may_be_placeholder(int own)
{
    const unsigned most = 8; /* more questions take longer than to read the mark */
    unsigned asked = 0;
    bool may_be = false;
    int access = host_access_mode(own);
    host_lock(&mutex);
    for (struct device_file *file = files; file && !may_be; file = file->next) {
        if ((placeholder_flags(file->file.flags) & O_ACCMODE) != access)
            continue;
        may_be = access == O_RDONLY || ++asked > most || !host_mark_is_elsewhere(own, file->place);
    }
    host_unlock(&mutex);
    return may_be;
}

/* By a duplicate.  0; ENOENT: no placeholder; other values: could not be looked at. */
static int look_once(int pidfd, int fd, uint64_t *place)
{
    int own;
    add_fetch(&looks, 1);
    int error = host_pidfd_take(pidfd, fd, &own);
    if (error) {
        sub_fetch(&looks, 1);
        return error;
    }
    bool candidate = may_be_placeholder(own) && host_null_is(own);
    error = candidate ? host_mark_of(own, place) : ENOENT;
    if (!candidate) /* its close may block, and is nothing that anybody asks for */
        sub_fetch(&looks, 1);
    host_close(own);
    if (candidate)
        sub_fetch(&looks, 1);
    return error;
}

/* A shortage of descriptors here passes, mostly; a device that is not seen would not. */
static int look(int pidfd, int fd, uint64_t *place)
{
    const unsigned patience = 1000;
    int error = look_once(pidfd, fd, place);
    for (unsigned round = 0; round < patience; round++) {
        if (error != EMFILE && error != ENFILE && error != ENOMEM)
            break;
        host_sleep_microseconds(1000);
        error = look_once(pidfd, fd, place);
    }
    return error;
}

/* A first thread that has ended while others run has no descriptors, and its pidfd none to give:
 * then, too, the thread's own are looked at by /proc. */
static int place_of(struct call *call, int fd, uint64_t *place)
{
    if (!process_own_descriptors(call)) {
        int error = look(call->caller->pidfd, fd, place);
        if (!error || error == ENOENT || call->thread == call->caller->group)
            return error;
    }
    return host_mark_of_thread(call->thread, fd, place);
}

/* Around finding a file: a worker says that it may use a device before it holds its file. */
HOT static struct device_file *serve(struct device_file *file, const void *served_before)
{
    supervisor_serves_also(file ? file->device : NULL, served_before);
    return file;
}

struct device_file *placeholder_of_thread(pid_t thread, int fd)
{
    uint64_t place;
    if (load_relaxed(&placeholders_count) == 0 || host_mark_of_thread(thread, fd, &place))
        return NULL;
    const void *before = supervisor_serves_any();
    return serve(file_at(place), before);
}

static NOINLINE struct device_file *find_out(struct call *call, int fd)
{
    uint64_t place;
    if (process_of(call))
        return NULL;
    uint64_t generation = identities_generation();
    if (place_of(call, fd, &place))
        return NULL;
    struct device_file *file = file_at(place);
    if (file)
        identity_remember(call, fd, file, generation);
    return file;
}

HOT struct device_file *placeholder_of(struct call *call, int fd)
{
    if (fd < 0 || load_relaxed(&placeholders_count) == 0)
        return NULL;
    const void *before = supervisor_serves_any();
    struct device_file *file = identity_recall(call, fd);
    return serve(file ? file : find_out(call, fd), before);
}

/* ---------------------------------------------------------------- last closes ---------- */

/* Mutex held. */
static void unlist(struct device_file *file)
{
    struct device_file **link = &files;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    file->listed = false;
    sub_fetch(&placeholders_count, 1);
    device_closing_begin(file->device);
}

/* Mutex held.  Whether no reference to the placeholder is left. */
static bool gone(const struct device_file *file)
{
    const unsigned patience = 20;
    for (unsigned round = 0; host_mark_exists(asker, file->place); round++) {
        if (load_strong(&looks) == 0 || round == patience)
            return !host_mark_exists(asker, file->place);
        host_yield();
    }
    return true;
}

/* The list's hold, after unlist(). */
static void let_go(struct device_file *file)
{
    struct device *device = device_hold(file->device);
    identities_changed(); /* nobody finds it by what he remembers any more */
    if (sub_fetch(&file->references, 1) == 0)
        end_file(file);
    else
        device_closing_end(device); /* a call is still under way; its end will be the file's */
    device_drop(device);
    if (supervisor_child() == 0) /* the watcher may wait for the last one to go */
        supervisor_look();
}

void placeholder_check(struct device_file *file)
{
    host_lock(&mutex);
    bool last = file->listed && gone(file);
    if (last)
        unlist(file);
    host_unlock(&mutex);
    if (last)
        let_go(file);
}

static void let_all_go(struct device_file *list)
{
    while (list) {
        struct device_file *next = list->next;
        let_go(list);
        list = next;
    }
}

static void take_off(bool all)
{
    struct device_file *taken = NULL;
    if (load_relaxed(&placeholders_count) == 0)
        return;
    host_lock(&mutex);
    for (struct device_file *file = files, *next; file; file = next) {
        next = file->next;
        if (!all && !gone(file))
            continue;
        unlist(file);
        file->next = taken;
        taken = file;
    }
    host_unlock(&mutex);
    let_all_go(taken);
}

void placeholders_check(void)
{
    take_off(false);
}

void placeholders_end(void)
{
    take_off(true);
    host_lock(&mutex);
    if (asker >= 0)
        host_close(asker);
    asker = -1;
    host_unlock(&mutex);
}
