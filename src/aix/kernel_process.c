/* SPDX-License-Identifier: MIT */
/*
 * Kernel processes: creatp, initp, setpinit.
 *
 * The native interface makes and starts them.  What AIX adds is who may start one, the process that
 * made it, and that the parameters are copied.  An idle process has an entry in a list; initp()
 * takes it off first, so that one call starts it.  The copy of the parameters is the new process's,
 * and is freed when its function has returned; until then the extension that has the function is
 * held, so that it can be unloaded by those who were told of the end by the function itself.
 */
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/types.h>
#include <xmem/extensions.h>

#define ANY_MAKER (-1)

struct idle_process {
    struct idle_process *next;
    pid_t number;
    pid_t maker;
};

struct start {
    void (*func)(int flag, void *init_parms, int parms_length);
    void *hold; /* of the extension that has it */
    bool has_parameters;
    int length;
    _Alignas(16) char parameters[];
};

static struct wait_lock lock;
static struct idle_process *idle; /* under the lock */

static void add(struct idle_process *entry)
{
    wait_lock_take(&lock);
    entry->next = idle;
    idle = entry;
    wait_lock_give(&lock);
}

/* Takes the entry off that has this number, and this maker unless that is ANY_MAKER. */
static struct idle_process *take(pid_t number, pid_t maker)
{
    struct idle_process **link = &idle;
    struct idle_process *found;

    wait_lock_take(&lock);
    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    found = *link;
    if (found != NULL && maker != ANY_MAKER && found->maker != maker)
        found = NULL;
    if (found != NULL)
        *link = found->next;
    wait_lock_give(&lock);
    return found;
}

static void discard(struct idle_process *entry)
{
    if (entry != NULL)
        (void)xmem_aix_xmfree(entry, kernel_heap);
}

EXPORT pid_t creatp(void)
{
    struct idle_process *made;
    pid_t number;

    if (!wait_locks_usable())
        return -1;
    made = (void *)xmem_aix_xmalloc(sizeof *made, 4, kernel_heap);
    if (made == NULL)
        return -1;
    made->maker = xmem_aix_getpid();
    if (xmem_kernel_process_create(&number) != 0) {
        discard(made);
        return -1;
    }
    discard(take(number, ANY_MAKER)); /* one from before a stop of xmem may have had the number */
    made->number = number;
    add(made);
    return number;
}

static void discard_start(struct start *start)
{
    xmem_extension_release(start->hold);
    (void)xmem_aix_xmfree(start, kernel_heap);
}

static void run(void *argument)
{
    struct start *start = argument;

    start->func(0, start->has_parameters ? start->parameters : NULL, start->length);
    discard_start(start);
}

/* NULL: no memory. */
static struct start *prepare(void (*func)(int, void *, int), const void *parameters, int length)
{
    int bytes = parameters == NULL ? 0 : length;
    struct start *start = NULL;

    if (bytes <= INT32_MAX - (int)sizeof *start)
        start = (void *)xmem_aix_xmalloc((int)sizeof *start + bytes, 4, kernel_heap);
    if (start == NULL)
        return NULL;
    if (xmem_extension_hold((const void *)func, &start->hold) != 0) {
        (void)xmem_aix_xmfree(start, kernel_heap);
        return NULL;
    }
    start->func = func;
    start->has_parameters = parameters != NULL;
    start->length = length;
    if (bytes > 0)
        __builtin_memcpy(start->parameters, parameters, (size_t)bytes);
    return start;
}

static int start_process(pid_t pid, struct start *start, const char *name)
{
    int error;

    if (start == NULL)
        return ENOMEM;
    error = xmem_kernel_process_start(pid, run, start, name);
    if (error != 0)
        discard_start(start);
    return error == 0 || error == EINVAL || error == ENOMEM ? error : ENODEV;
}

EXPORT int initp(pid_t pid, void (*func)(int flag, void *init_parms, int parms_length),
                 void *init_parms, int parms_length, const char *name)
{
    struct idle_process *entry;
    int error;

    if (!wait_locks_usable() || func == NULL || parms_length < 0)
        return EINVAL;
    entry = take(pid, xmem_aix_getpid());
    if (entry == NULL)
        return EINVAL;
    error = start_process(pid, prepare(func, init_parms, parms_length), name);
    if (error == ENOMEM || error == ENODEV)
        add(entry);
    else
        discard(entry);
    return error;
}

EXPORT int setpinit(void)
{
    struct xmem_caller caller;

    if (refused_at_interrupt_level())
        return EINVAL;
    xmem_get_caller(&caller);
    return caller.kernel ? 0 : EINVAL;
}
