/* SPDX-License-Identifier: MIT */
/*
 * A driver for tests, every entry point of which returns what its client asked for.
 *
 * Two majors: the first has the control device (minor 0) and the device (minor 1), the second the
 * multiplexed one.
 */
#include "errors.h"

#include <sys/types.h>
#include <sys/errno.h>
#include <sys/device.h>
#include <sys/lock_def.h>
#include <sys/special_file.h>
#include <sys/uio.h>

#define MAJOR 60
#define CHANNELS_MAJOR 61
#define CONTROL 0
#define ROOM 4096
#define CHANNEL 7

static Simple_lock lock; /* of these two */
static struct errors_plan plans[ERRORS_ENTRIES];
static struct errors_calls calls;

static char bytes[ROOM];
static int configured;

static int act(enum errors_entry entry)
{
    simple_lock(&lock);
    calls.calls[entry]++;
    int error = (int)plans[entry].error;
    simple_unlock(&lock);
    return error;
}

static int planned_bytes(enum errors_entry entry)
{
    simple_lock(&lock);
    uint32_t moved = plans[entry].moved;
    simple_unlock(&lock);
    return moved < ROOM ? (int)moved : ROOM;
}

static int is_control(dev_t devno)
{
    return major(devno) == MAJOR && minor(devno) == CONTROL;
}

static int errors_open(dev_t devno, ulong devflag, chan_t chan, int ext)
{
    (void)devflag;
    (void)chan;
    (void)ext;
    return is_control(devno) ? 0 : act(ERRORS_OPEN);
}

static int errors_close(dev_t devno, chan_t chan)
{
    (void)chan;
    return is_control(devno) ? 0 : act(ERRORS_CLOSE);
}

static int transfer(enum errors_entry entry, enum uio_rw rw, struct uio *uiop)
{
    int error = uiomove(bytes, planned_bytes(entry), rw, uiop);
    return error ? error : act(entry);
}

static int errors_read(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    (void)devno;
    (void)chan;
    (void)ext;
    return transfer(ERRORS_READ, UIO_READ, uiop);
}

static int errors_write(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    (void)devno;
    (void)chan;
    (void)ext;
    return transfer(ERRORS_WRITE, UIO_WRITE, uiop);
}

static int plan(void *arg)
{
    struct errors_plan wanted;
    int error = copyin(arg, &wanted, sizeof wanted);
    if (error || wanted.entry >= ERRORS_ENTRIES)
        return error ? error : EINVAL;
    simple_lock(&lock);
    plans[wanted.entry] = wanted;
    simple_unlock(&lock);
    return 0;
}

static int calls_out(void *arg)
{
    simple_lock(&lock);
    struct errors_calls now = calls;
    simple_unlock(&lock);
    return copyout(&now, arg, sizeof now);
}

static int errors_ioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext)
{
    (void)devflag;
    (void)chan;
    (void)ext;
    if (!is_control(devno))
        return act(ERRORS_IOCTL);
    if ((unsigned)cmd == ERRORS_PLAN)
        return plan(arg);
    return (unsigned)cmd == ERRORS_CALLS ? calls_out(arg) : EINVAL;
}

static int errors_select(dev_t devno, ushort events, ushort *reventp, int chan)
{
    (void)devno;
    (void)chan;
    *reventp = events;
    return act(ERRORS_SELECT);
}

/* A name of NULL takes the channel back. */
static int errors_mpx(dev_t devno, chan_t *chanp, char *channame)
{
    (void)devno;
    if (!channame)
        return 0;
    *chanp = CHANNEL;
    return act(ERRORS_MPX);
}

int errors_config(dev_t devno, int cmd, struct uio *uiop);

static int initialise(dev_t devno)
{
    struct devsw entries = {
        .d_open = errors_open,
        .d_close = errors_close,
        .d_read = errors_read,
        .d_write = errors_write,
        .d_ioctl = errors_ioctl,
        .d_strategy = nodev,
        .d_select = errors_select,
        .d_config = errors_config,
        .d_mpx = major(devno) == CHANNELS_MAJOR ? errors_mpx : nodev,
        .d_opts = DEV_MPSAFE,
    };
    if (major(devno) == MAJOR && configured++ > 0)
        return 0;
    return devswadd(devno, &entries);
}

static int terminate(dev_t devno)
{
    if (major(devno) == MAJOR && --configured > 0)
        return 0;
    return devswdel(devno) == 0 ? 0 : EBUSY;
}

int errors_config(dev_t devno, int cmd, struct uio *uiop)
{
    (void)uiop;
    switch (cmd) {
    case CFG_INIT:
        return initialise(devno);
    case CFG_TERM:
        return terminate(devno);
    default:
        return EINVAL;
    }
}

extern const struct xmem_special_file xmem_special_files[];
const struct xmem_special_file xmem_special_files[] = {
    {ERRORS_CONTROL, makedev(MAJOR, CONTROL), S_IFCHR | 0666, NULL, 0, 0, 0},
    {ERRORS_DEVICE, makedev(MAJOR, 1), S_IFCHR | 0666, NULL, 0, 0, 0},
    {ERRORS_CHANNELS, makedev(CHANNELS_MAJOR, 0), S_IFCHR | 0666, NULL, 0, 0, 0},
    {NULL, 0, 0, NULL, 0, 0, 0},
};
