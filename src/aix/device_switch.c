/* SPDX-License-Identifier: MIT */
/*
 * devswadd, devswdel, devswchg, devswqry, nodev and nulldev: the device switch table;
 * device_switch.h has its rules.
 */
#include "aix/device_switch.h"

#include "aix/block_io.h"
#include "aix/locks.h"
#include "aix/service.h"

#include <sys/errno.h>

#define ENTRIES 256

struct entry {
    void *routines[ROUTINES];
    caddr_t data;
    ulong options;
    uint32_t uses;
    bool defined;
};

static struct entry table[ENTRIES]; /* NULL in a routine's place: nodev */
static struct wait_lock switch_lock;

int nodev(void); /* the headers leave parameters open */
int nulldev(void);

EXPORT int nodev(void)
{
    return ENODEV;
}

EXPORT int nulldev(void)
{
    return 0;
}

static struct entry *find(dev_t devno)
{
    int number = major(devno);

    return number >= 0 && number < ENTRIES ? &table[number] : NULL;
}

/* ---- for the other parts ---- */

void *device_routine(dev_t devno, enum routine which)
{
    const struct entry *entry = find(devno);
    void *routine = entry == NULL ? NULL : load_acquire(&entry->routines[which]);

    return routine == NULL ? (void *)nodev : routine;
}

bool device_has(dev_t devno, enum routine which)
{
    return device_routine(devno, which) != (void *)nodev;
}

bool device_is_mpsafe(dev_t devno)
{
    const struct entry *entry = find(devno);

    return entry != NULL && (load_relaxed(&entry->options) & DEV_MPSAFE) != 0;
}

int device_use(dev_t devno)
{
    struct entry *entry = find(devno);
    int error = ENODEV;

    if (entry == NULL)
        return error;
    wait_lock_take(&switch_lock);
    if (entry->defined) {
        entry->uses++;
        error = 0;
    }
    wait_lock_give(&switch_lock);
    return error;
}

void device_unuse(dev_t devno)
{
    struct entry *entry = find(devno);

    wait_lock_take(&switch_lock);
    entry->uses--;
    wait_lock_give(&switch_lock);
}

size_t device_routines(void **routines, size_t most)
{
    size_t count = 0;

    wait_lock_take(&switch_lock);
    for (size_t index = 0; index < ENTRIES; index++)
        for (int which = 0; table[index].defined && which < ROUTINES; which++) {
            if (count < most)
                routines[count] = table[index].routines[which];
            count++;
        }
    wait_lock_give(&switch_lock);
    return count;
}

/* ---- the services ---- */

static void define(struct entry *entry, const struct devsw *given)
{
    void *const routines[ROUTINES] = {
        [ROUTINE_OPEN] = (void *)given->d_open,   [ROUTINE_CLOSE] = (void *)given->d_close,
        [ROUTINE_READ] = (void *)given->d_read,   [ROUTINE_WRITE] = (void *)given->d_write,
        [ROUTINE_IOCTL] = (void *)given->d_ioctl, [ROUTINE_STRATEGY] = given->d_strategy,
        [ROUTINE_SELECT] = given->d_select,       [ROUTINE_CONFIG] = (void *)given->d_config,
        [ROUTINE_PRINT] = (void *)given->d_print, [ROUTINE_DUMP] = (void *)given->d_dump,
        [ROUTINE_MPX] = (void *)given->d_mpx,     [ROUTINE_REVOKE] = (void *)given->d_revoke,
    };

    store_relaxed(&entry->options, given->d_opts);
    store_release(&entry->data, given->d_dsdptr);
    for (int which = 0; which < ROUTINES; which++)
        store_release(&entry->routines[which], routines[which]);
    store_release(&entry->defined, true);
}

EXPORT int devswadd(dev_t devno, struct devsw *dswptr)
{
    struct entry *entry = find(devno);
    int error = EEXIST;

    if (refused_at_interrupt_level() || entry == NULL || dswptr == NULL)
        return EINVAL;
    wait_lock_take(&switch_lock);
    if (entry->uses == 0) {
        define(entry, dswptr);
        error = 0;
    }
    wait_lock_give(&switch_lock);
    if (error == 0)
        cache_forget_driver(major(devno)); /* what another driver has read */
    return error;
}

static int undefine(struct entry *entry)
{
    static const struct devsw nothing;

    if (!entry->defined)
        return ENODEV;
    if (entry->uses != 0)
        return EEXIST;
    define(entry, &nothing);
    store_release(&entry->defined, false);
    return 0;
}

EXPORT int devswdel(dev_t devno)
{
    struct entry *entry = find(devno);
    int error;

    if (refused_at_interrupt_level() || entry == NULL)
        return EINVAL;
    wait_lock_take(&switch_lock);
    error = undefine(entry);
    wait_lock_give(&switch_lock);
    if (error == 0)
        cache_forget_driver(major(devno));
    return error;
}

/* What devswchg() can name, and the status tells. */
static const struct {
    int flag;
    enum routine which;
} named[] = {
    {DSW_BLOCK, ROUTINE_STRATEGY}, {DSW_CONFIG, ROUTINE_CONFIG}, {DSW_CREAD, ROUTINE_READ},
    {DSW_CWRITE, ROUTINE_WRITE},   {DSW_DUMP, ROUTINE_DUMP},     {DSW_MPX, ROUTINE_MPX},
    {DSW_SELECT, ROUTINE_SELECT},  {DSW_TCPATH, ROUTINE_REVOKE}, {DSW_IOCTL, ROUTINE_IOCTL},
};
#define NAMED (sizeof named / sizeof *named)
#define CONDITION (DSW_BLOCK_COND & ~DSW_BLOCK)

static int exchange_routine(dev_t devno, struct entry *entry, int type, void *new, void **old)
{
    bool conditional = (type & CONDITION) != 0;
    size_t index = 0;
    void *present;

    while (index < NAMED && named[index].flag != (type & ~CONDITION))
        index++;
    if (index == NAMED || (conditional && old == NULL))
        return EINVAL;
    if (!entry->defined)
        return ENODEV;
    present = device_routine(devno, named[index].which);
    if (conditional && *old != present) {
        *old = present;
        return EPERM;
    }
    store_release(&entry->routines[named[index].which], new);
    if (old != NULL)
        *old = present;
    return 0;
}

EXPORT int devswchg(dev_t devno, int type, int (*newfunc)(void), int (**oldfunc)(void))
{
    struct entry *entry = find(devno);
    void *old = oldfunc == NULL ? NULL : (void *)*oldfunc;
    int error;

    if (refused_at_interrupt_level() || entry == NULL)
        return EINVAL;
    wait_lock_take(&switch_lock);
    error = exchange_routine(devno, entry, type, (void *)newfunc, oldfunc == NULL ? NULL : &old);
    wait_lock_give(&switch_lock);
    if (oldfunc != NULL && (error == 0 || error == EPERM))
        *oldfunc = (int (*)(void))old;
    return error;
}

static uint status_of(dev_t devno)
{
    uint status = DSW_DEFINED;

    for (size_t index = 0; index < NAMED; index++)
        if (device_has(devno, named[index].which))
            status |= (uint)named[index].flag;
    return status;
}

EXPORT int devswqry(dev_t devno, uint *status, caddr_t *dsdptr)
{
    const struct entry *entry = find(devno);
    bool defined;

    if (entry == NULL)
        return EINVAL;
    defined = load_acquire(&entry->defined);
    if (status != NULL)
        *status = defined ? status_of(devno) : DSW_UNDEFINED;
    if (dsdptr != NULL)
        *dsdptr = defined ? load_acquire(&entry->data) : NULL;
    return 0;
}
