/* SPDX-License-Identifier: MIT */
/*
 * Shows when and how the entry points of a driver are called for a program's system calls, and what
 * of the switch table, selnotify and special files shows in that.
 *
 * The side of the trapped program is this file: it takes the place of xmem_device_add() and its
 * like, keeps the operations that the library registers, and calls them as a supervisor would,
 * under a process of each kind.  tests of trapped programs show the same from the outside.
 */
#include "ram_driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/special_file.h>
#include <sys/sysconfig.h>
#include <unistd.h>
#include <xmem/devices.h>

#define MAJOR 80
#define DEVICE makedev(MAJOR, 3)
#define PATH "/dev/test"
#define PAGES 32

/* ---- the native side ---- */

#define KNOWN 300
static struct xmem_device known[KNOWN];
static char paths[KNOWN][64];
static int known_count;
static void *ready_device;
static short ready_events;
static int ready_calls, refuse_adding, refuse_removing;

int xmem_device_add(const struct xmem_device *device)
{
    if (refuse_adding || known_count == KNOWN)
        return refuse_adding ? refuse_adding : ENOMEM;
    assert_int_equal(device->size, sizeof *device);
    assert_int_equal(device->operations->size, sizeof *device->operations);
    for (int index = 0; index < known_count; index++)
        if (strcmp(paths[index], device->path) == 0)
            return EEXIST;
    strncpy(paths[known_count], device->path, sizeof paths[0] - 1);
    known[known_count++] = *device;
    return 0;
}

int xmem_device_remove(const char *path)
{
    for (int index = 0; !refuse_removing && index < known_count; index++)
        if (strcmp(paths[index], path) == 0) {
            known_count--;
            known[index] = known[known_count];
            memcpy(paths[index], paths[known_count], sizeof paths[0]);
            return 0;
        }
    return refuse_removing ? refuse_removing : ENOENT;
}

void xmem_device_ready(void *device, short events)
{
    ready_device = device;
    ready_events = events;
    ready_calls++;
}

/* ---- the driver ---- */

/* What it is to do, and what it saw. */
static struct {
    int open_error, close_error, read_error, control_error, mpx_error, give_back_error;
    size_t bytes; /* that a transfer moves at most */
    ushort events;
    chan_t channel; /* that ddmpx hands out */
    int takes;      /* microseconds of a read */
} does;

static struct {
    int opens, closes, reads, controls, selects, allocations, given_back;
    dev_t devno;
    ulong devflag, fmode;
    chan_t channel;
    int ext, cmd;
    void *argument;
    ushort events;
    struct uio uio;
    pid_t pid;
    char name[64];
    int inside, most_inside;
} saw;

static char driver_bytes[128 * 1024];

static int driver_open(dev_t devno, ulong devflag, chan_t chan, int ext)
{
    saw.opens++;
    saw.devno = devno;
    saw.devflag = devflag;
    saw.channel = chan;
    saw.ext = ext;
    return does.open_error;
}

static int driver_close(dev_t devno, chan_t chan)
{
    saw.closes++;
    saw.devno = devno;
    saw.channel = chan;
    return does.close_error;
}

static pthread_mutex_t saw_mutex = PTHREAD_MUTEX_INITIALIZER;

static void goes_in(void)
{
    pthread_mutex_lock(&saw_mutex);
    saw.reads++;
    if (++saw.inside > saw.most_inside)
        saw.most_inside = saw.inside;
    pthread_mutex_unlock(&saw_mutex);
}

static void goes_out(void)
{
    pthread_mutex_lock(&saw_mutex);
    saw.inside--;
    pthread_mutex_unlock(&saw_mutex);
}

static int transfer(dev_t devno, struct uio *uiop, chan_t chan, int ext, enum uio_rw rw)
{
    goes_in();
    pthread_mutex_lock(&saw_mutex);
    saw.devno = devno;
    saw.channel = chan;
    saw.ext = ext;
    saw.uio = *uiop;
    saw.fmode = uiop->uio_fmode;
    saw.pid = xmem_aix_getpid();
    pthread_mutex_unlock(&saw_mutex);
    if (does.takes)
        usleep((useconds_t)does.takes);
    int error = uiomove(driver_bytes, (int)does.bytes, rw, uiop);
    goes_out();
    return error ? error : does.read_error;
}

static int driver_read(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    return transfer(devno, uiop, chan, ext, UIO_READ);
}

static int driver_write(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    return transfer(devno, uiop, chan, ext, UIO_WRITE);
}

static int driver_ioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext)
{
    saw.controls++;
    saw.devno = devno;
    saw.cmd = cmd;
    saw.argument = arg;
    saw.devflag = devflag;
    saw.channel = chan;
    saw.ext = ext;
    return does.control_error;
}

static int driver_select(dev_t devno, ushort events, ushort *reventp, int chan)
{
    assert_int_equal(*reventp, 0);
    saw.selects++;
    saw.devno = devno;
    saw.events = events;
    saw.channel = chan;
    *reventp = does.events;
    return 0;
}

static int driver_mpx(dev_t devno, chan_t *chanp, char *channame)
{
    saw.devno = devno;
    if (channame == NULL) {
        saw.given_back++;
        saw.channel = *chanp;
        return does.give_back_error;
    }
    saw.allocations++;
    strncpy(saw.name, channame, sizeof saw.name - 1);
    *chanp = does.channel;
    return does.mpx_error;
}

static struct devsw plain = {.d_open = driver_open,
                             .d_close = driver_close,
                             .d_read = driver_read,
                             .d_write = driver_write,
                             .d_ioctl = driver_ioctl,
                             .d_select = driver_select,
                             .d_mpx = nodev};

/* ---- the frame ---- */

static struct xmem_device *device;

static void make_file(const char *path, dev_t devno, mode_t mode)
{
    struct xmem_special_file file = {.path = path, .devno = devno, .mode = mode};
    assert_int_equal(xmem_aix_special_file(&file), 0);
    device = &known[known_count - 1];
}

static void begin_with(struct devsw *entry)
{
    memset(&does, 0, sizeof does);
    memset(&saw, 0, sizeof saw);
    assert_int_equal(devswadd(DEVICE, entry), 0);
    make_file(PATH, DEVICE, S_IFCHR | 0666);
}

static void end(void)
{
    assert_int_equal(xmem_aix_special_file_remove(PATH), 0);
    assert_int_equal(devswdel(DEVICE), 0);
}

static int open_file(struct xmem_open_file *file, int flags, const char *rest)
{
    *file = (struct xmem_open_file){.flags = flags, .rest = rest};
    return device->operations->open(device->device, file);
}

static int close_file(struct xmem_open_file *file)
{
    return device->operations->close(device->device, file);
}

/* ---- open and close ---- */

static void opens_and_closes(enum kind kind)
{
    static const struct {
        int flags;
        ulong devflag;
    } flags[] = {{O_RDONLY, DREAD},
                 {O_WRONLY, DWRITE},
                 {O_RDWR, DREAD | DWRITE},
                 {O_RDWR | O_NONBLOCK, DREAD | DWRITE | DNDELAY},
                 {O_WRONLY | O_APPEND, DWRITE | DAPPEND}};
    struct xmem_open_file first, second;
    begin_with(&plain);
    for (size_t index = 0; index < sizeof flags / sizeof *flags; index++) {
        assert_int_equal(open_file(&first, flags[index].flags, ""), 0);
        assert_int_equal(saw.devflag, flags[index].devflag);
        assert_int_equal(saw.devno, DEVICE);
        assert_int_equal(saw.channel, 0);
        assert_int_equal(saw.ext, 0);
        assert_int_equal(close_file(&first), 0);
    }
    int opens = saw.opens, closes = saw.closes;
    assert_int_equal(closes, opens);
    assert_int_equal(open_file(&first, O_RDWR, ""), 0);
    assert_int_equal(open_file(&second, O_RDWR, ""), 0);
    assert_int_equal(saw.opens, opens + 2);
    assert_int_equal(close_file(&first), 0);
    assert_int_equal(saw.closes, closes); /* not the last */
    does.close_error = EIO;
    assert_int_equal(close_file(&second), EIO);
    assert_int_equal(saw.closes, closes + 1);
    does.close_error = 0;
    assert_int_equal(open_file(&first, O_RDWR, ""), 0); /* it counts as closed all the same */
    assert_int_equal(close_file(&first), 0);
    assert_int_equal(saw.closes, closes + 2);
    end();
    covers("ddopen.0", kind);
    covers("ddopen.devflag", kind);
    covers("ddclose.last", kind);
    covers("ddclose.error", kind);
}

static void opening_fails(enum kind kind)
{
    struct xmem_open_file first, second;
    begin_with(&plain);
    does.open_error = EBUSY;
    assert_int_equal(open_file(&first, O_RDWR, ""), EBUSY);
    assert_int_equal(saw.closes, 1); /* it was the first open: the driver cleans up */
    does.open_error = 0;
    assert_int_equal(open_file(&first, O_RDWR, ""), 0);
    does.open_error = EBUSY;
    assert_int_equal(open_file(&second, O_RDWR, ""), EBUSY);
    assert_int_equal(saw.closes, 1);
    assert_int_equal(open_file(&second, O_RDWR, "below"), ENOTDIR);
    assert_int_equal(saw.opens, 3);
    assert_int_equal(close_file(&first), 0);
    assert_int_equal(saw.closes, 2);
    assert_int_equal(open_file(&second, O_RDWR, "below"), ENOTDIR);
    assert_int_equal(saw.closes, 2);
    end();
    covers("ddopen.error", kind);
}

static void table_while_open(enum kind kind)
{
    struct xmem_open_file file;
    begin_with(&plain);
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    assert_int_equal(devswadd(makedev(MAJOR, 9), &plain), EEXIST);
    assert_int_equal(devswdel(makedev(MAJOR, 9)), EEXIST);
    int (*old)(dev_t, int, void *, ulong, chan_t, int) = NULL;
    assert_int_equal(devswchg(DEVICE, DSW_IOCTL, nodev, &old), 0);
    assert_ptr_equal(old, driver_ioctl);
    int result = 9;
    assert_int_equal(device->operations->ioctl(device->device, &file, 1, 2, &result), ENODEV);
    assert_int_equal(close_file(&file), 0);
    does.open_error = ENXIO;
    assert_int_equal(open_file(&file, O_RDWR, ""), ENXIO);
    assert_int_equal(devswadd(makedev(MAJOR, 9), &plain), 0);
    assert_int_equal(devswdel(DEVICE), 0);
    assert_int_equal(open_file(&file, O_RDWR, ""), ENODEV);
    assert_int_equal(devswadd(DEVICE, &plain), 0);
    end();
    covers("devswadd.EEXIST", kind);
    covers("devswdel.EEXIST", kind);
    covers("devsw.ENODEV", kind);
}

/* ---- read and write ---- */

static struct memory *memory;

static void begin_in(enum kind kind, struct devsw *entry)
{
    memory = memory_open(kind, PAGES);
    begin_with(entry);
    xmem_enter(memory_process(memory));
}

static void end_in(void)
{
    xmem_leave();
    end();
    memory_close(memory);
}

static int move_bytes(struct xmem_open_file *file, bool reads, const struct xmem_range *ranges,
                      size_t count, int64_t offset, uint64_t *done)
{
    struct xmem_transfer moved = {
        .ranges = ranges, .count = count, .offset = offset, .flags = file->flags, .done = 99};
    for (size_t index = 0; index < count; index++)
        moved.length += ranges[index].length;
    int error = reads ? device->operations->read(device->device, file, &moved)
                      : device->operations->write(device->device, file, &moved);
    *done = moved.done;
    return error;
}

static void reads_and_writes(enum kind kind)
{
    struct xmem_open_file file;
    uint64_t done;
    char seen[256];
    begin_in(kind, &plain);
    struct xmem_range ranges[] = {{memory_base(memory) + 5, 100}, {memory_base(memory) + 8000, 50}};
    pattern_fill(driver_bytes, sizeof driver_bytes, 3);
    assert_int_equal(open_file(&file, O_RDWR | O_NONBLOCK, ""), 0);
    does.bytes = 1000;
    assert_int_equal(move_bytes(&file, true, ranges, 2, 7000000000, &done), 0);
    assert_int_equal(done, 150);
    assert_int_equal(saw.uio.uio_iovcnt, 2);
    assert_int_equal(saw.uio.uio_iovdcnt, 0);
    assert_int_equal(saw.uio.uio_resid, 150);
    assert_int_equal(saw.uio.uio_offset, 7000000000);
    assert_int_equal(saw.uio.uio_segflg, UIO_USERSPACE);
    assert_int_equal(saw.fmode, DREAD | DWRITE | DNDELAY);
    assert_int_equal(saw.devno, DEVICE);
    owner_load(memory, ranges[0].address, seen, 100);
    owner_load(memory, ranges[1].address, seen + 100, 50);
    assert_memory_equal(seen, driver_bytes, 150);
    does.bytes = 120; /* a short transfer */
    memset(driver_bytes, 0, sizeof driver_bytes);
    assert_int_equal(move_bytes(&file, false, ranges, 2, 0, &done), 0);
    assert_int_equal(done, 120);
    assert_memory_equal(seen, driver_bytes, 120);
    does.read_error = ENOSPC; /* an error is all that the caller gets */
    assert_int_equal(move_bytes(&file, false, ranges, 2, 0, &done), ENOSPC);
    assert_int_equal(done, 0);
    does.read_error = EINTR; /* but what a signal has ended must not be done twice */
    assert_int_equal(move_bytes(&file, false, ranges, 2, 0, &done), EINTR);
    assert_int_equal(done, 120);
    does.bytes = 0;
    assert_int_equal(move_bytes(&file, true, ranges, 2, 0, &done), EINTR);
    assert_int_equal(done, 0);
    does.read_error = 0;
    does.bytes = 150;
    ranges[1].address = UINT64_MAX - 4095;
    assert_int_equal(move_bytes(&file, true, ranges, 2, 0, &done), EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(close_file(&file), 0);
    end_in();
    covers("ddread.0", kind);
    covers("ddread.uio", kind);
    covers("ddread.resid", kind);
    covers("ddread.error", kind);
}

static void many_pieces(enum kind kind)
{
    enum { MANY = 1000 };
    struct xmem_range ranges[MANY];
    struct xmem_open_file file;
    uint64_t done;
    char byte;
    begin_in(kind, &plain);
    pattern_fill(driver_bytes, sizeof driver_bytes, 3);
    does.bytes = MANY * 3;
    for (uint64_t index = 0; index < MANY; index++)
        ranges[index] = (struct xmem_range){memory_base(memory) + index * 64, 3};
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    assert_int_equal(move_bytes(&file, true, ranges, MANY, 0, &done), 0);
    assert_int_equal(done, MANY * 3);
    for (uint64_t index = 0; index < MANY; index++) {
        owner_load(memory, memory_base(memory) + index * 64 + 1, &byte, 1);
        assert_int_equal(byte, driver_bytes[index * 3 + 1]);
    }
    assert_int_equal(close_file(&file), 0);
    end_in();
    covers("ddread.uio", kind);
}

static void routines_that_are_not_there(enum kind kind)
{
    struct devsw entry = {.d_open = nulldev, .d_close = nulldev, .d_read = nulldev};
    struct xmem_open_file file;
    struct xmem_range range = {1 << 20, 10};
    uint64_t done;
    int result = 0;
    short events = 0;
    begin_with(&entry);
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    assert_int_equal(move_bytes(&file, false, &range, 1, 0, &done), ENODEV);
    assert_int_equal(done, 0);
    assert_int_equal(move_bytes(&file, true, &range, 1, 0, &done), 0);
    assert_int_equal(done, 0); /* nulldev moves nothing */
    assert_int_equal(device->operations->ioctl(device->device, &file, 1, 2, &result), ENODEV);
    assert_int_equal(device->operations->poll(device->device, &file, POLLIN | POLLOUT, 1, &events),
                     0);
    assert_int_equal(events, POLLIN | POLLOUT);
    assert_int_equal(close_file(&file), 0);
    end();
    covers("devsw.R-null", kind);
    covers("ddselect.none", kind);
}

/* ---- ioctl and select ---- */

static void controls(enum kind kind)
{
    struct xmem_open_file file;
    int result = 9;
    begin_with(&plain);
    assert_int_equal(open_file(&file, O_RDONLY, ""), 0);
    assert_int_equal(
        device->operations->ioctl(device->device, &file, 0x80044981, 0x123456789ABC, &result), 0);
    assert_int_equal(result, 0);
    assert_int_equal((unsigned)saw.cmd, 0x80044981);
    assert_ptr_equal(saw.argument, (void *)0x123456789ABC);
    assert_int_equal(saw.devflag, DREAD);
    does.control_error = ENOTTY;
    assert_int_equal(device->operations->ioctl(device->device, &file, 1, 0, &result), ENOTTY);
    assert_int_equal(close_file(&file), 0);
    end();
    covers("ddioctl.0", kind);
    covers("ddioctl.error", kind);
}

static void notify_at_interrupt(void *argument)
{
    (void)argument;
    selnotify((int)DEVICE, 0, POLLOUT);
}

static void selects(enum kind kind)
{
    struct xmem_open_file file;
    short events = 0;
    begin_with(&plain);
    assert_int_equal(open_file(&file, O_RDONLY, ""), 0);
    does.events = POLLIN;
    assert_int_equal(device->operations->poll(device->device, &file, POLLIN | POLLPRI, 0, &events),
                     0);
    assert_int_equal(events, POLLIN);
    assert_int_equal(saw.events, POLLIN | POLLPRI | POLLSYNC);
    does.events = 0;
    assert_int_equal(device->operations->poll(device->device, &file, POLLOUT, 1, &events), 0);
    assert_int_equal(events, 0);
    assert_int_equal(saw.events, POLLOUT);
    ready_calls = 0;
    selnotify((int)DEVICE, 0, POLLIN);
    assert_int_equal(ready_calls, 1);
    assert_ptr_equal(ready_device, device->device);
    assert_int_equal(ready_events, POLLIN);
    at_interrupt(notify_at_interrupt, NULL);
    assert_int_equal(ready_calls, 2);
    assert_int_equal(ready_events, POLLOUT);
    selnotify((int)makedev(MAJOR, 4), 0, POLLIN); /* another device */
    assert_int_equal(ready_calls, 2);
    assert_int_equal(close_file(&file), 0);
    end();
    covers("ddselect.0", kind);
    covers("ddselect.POLLSYNC", kind);
    covers("selnotify.0", kind);
    covers("selnotify.interrupt", kind);
}

/* ---- multiplexed drivers ---- */

static void channels(enum kind kind)
{
    struct devsw entry = plain;
    struct xmem_open_file first, second, third;
    struct xmem_range range = {1 << 20, 10};
    uint64_t done;
    int result;
    short events;
    entry.d_mpx = driver_mpx;
    begin_with(&entry);
    assert_true(device->suffixes);
    does.channel = 12;
    assert_int_equal(open_file(&first, O_RDWR, "name/of/channel"), 0);
    assert_string_equal(saw.name, "name/of/channel");
    assert_int_equal(saw.channel, 12);
    assert_int_equal(saw.opens, 1);
    does.channel = 13;
    assert_int_equal(open_file(&second, O_RDWR, ""), 0);
    assert_string_equal(saw.name, "");
    assert_int_equal(open_file(&third, O_RDWR, ""), 0); /* the same channel once more */
    assert_int_equal(move_bytes(&first, true, &range, 1, 0, &done), 0);
    assert_int_equal(saw.channel, 12);
    device->operations->ioctl(device->device, &second, 1, 2, &result);
    assert_int_equal(saw.channel, 13);
    device->operations->poll(device->device, &first, POLLIN, 1, &events);
    assert_int_equal(saw.channel, 12);
    assert_int_equal(close_file(&second), 0); /* once for each open; the channel stays */
    assert_int_equal(saw.closes, 1);
    assert_int_equal(saw.given_back, 0);
    does.close_error = EIO;
    does.give_back_error = EBUSY;
    assert_int_equal(close_file(&third), EIO); /* given back also if the close fails */
    assert_int_equal(saw.given_back, 1);
    assert_int_equal(saw.channel, 13);
    does.close_error = 0;
    assert_int_equal(close_file(&first), EBUSY);
    assert_int_equal(saw.closes, 3);
    assert_int_equal(saw.given_back, 2);
    assert_int_equal(saw.channel, 12);
    end();
    covers("ddmpx.0", kind);
    covers("ddmpx.channel", kind);
    covers("ddmpx.back", kind);
    covers("ddclose.channel", kind);
}

static void channels_fail(enum kind kind)
{
    struct devsw entry = plain;
    struct xmem_open_file file;
    char name[400];
    entry.d_mpx = driver_mpx;
    begin_with(&entry);
    does.mpx_error = ENXIO;
    assert_int_equal(open_file(&file, O_RDWR, "x"), ENXIO);
    assert_int_equal(saw.opens, 0);
    assert_int_equal(saw.given_back, 0);
    does.mpx_error = 0;
    does.open_error = EACCES;
    does.channel = 5;
    assert_int_equal(open_file(&file, O_RDWR, "x"), EACCES);
    assert_int_equal(saw.given_back, 1);
    assert_int_equal(saw.channel, 5);
    assert_int_equal(saw.closes, 0);
    memset(name, 'x', sizeof name);
    name[399] = '\0';
    assert_int_equal(open_file(&file, O_RDWR, name), ENAMETOOLONG);
    end();
    covers("ddmpx.error", kind);
    covers("ddmpx.R-open-fails", kind);
}

/* ---- block devices ---- */

static void blocks(enum kind kind)
{
    struct xmem_open_file file;
    struct xmem_range range = {0, 0};
    unsigned char bytes[20000], wanted[20000];
    uint64_t done;
    memory = memory_open(kind, PAGES);
    ram_begin();
    make_file(PATH, RAM_DEVICE, S_IFBLK | 0600);
    assert_false(device->suffixes);
    xmem_enter(memory_process(memory));
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    range.address = memory_base(memory) + 9;
    range.length = sizeof bytes;
    ram.size = 100001; /* neither a block nor a buffer ends there */
    assert_int_equal(move_bytes(&file, true, &range, 1, 777, &done), 0);
    assert_int_equal(done, sizeof bytes);
    owner_load(memory, range.address, bytes, sizeof bytes);
    assert_memory_equal(bytes, ram_bytes + 777, sizeof bytes);

    memcpy(wanted, ram_bytes + 40000, sizeof wanted); /* what is around stays */
    pattern_fill(bytes, sizeof bytes, 9);
    owner_store(memory, range.address, bytes, sizeof bytes);
    range.length = 9000;
    assert_int_equal(move_bytes(&file, false, &range, 1, 41000, &done), 0);
    assert_int_equal(done, 9000);
    memcpy(wanted + 1000, bytes, 9000);
    assert_memory_equal(ram_bytes + 40000, wanted, sizeof wanted);

    range.length = sizeof bytes; /* from inside to beyond the end */
    assert_int_equal(move_bytes(&file, true, &range, 1, 99000, &done), 0);
    assert_int_equal(done, 1001);
    owner_store(memory, range.address, bytes, sizeof bytes);
    assert_int_equal(move_bytes(&file, false, &range, 1, 99000, &done), 0);
    assert_int_equal(done, 1001);
    assert_memory_equal(ram_bytes + 99000, bytes, 1001);
    assert_int_equal(move_bytes(&file, true, &range, 1, 100001, &done), 0);
    assert_int_equal(done, 0);
    assert_int_equal(move_bytes(&file, false, &range, 1, 100001, &done), ENXIO);
    assert_int_equal(done, 0);
    range.length = 4096;
    assert_int_equal(move_bytes(&file, false, &range, 1, 104 * 1024, &done), ENXIO);

    ram.fail_block = 24; /* the buffer of blocks 24 to 31 */
    ram.fail_error = EIO;
    range.length = 12288;
    assert_int_equal(move_bytes(&file, false, &range, 1, 8192, &done), EIO);
    assert_int_equal(done, 0);
    ram.fail_block = -1;
    range.address = UINT64_MAX - 8191;
    assert_int_equal(move_bytes(&file, true, &range, 1, 0, &done), EFAULT);
    assert_int_equal(move_bytes(&file, false, &range, 1, 0, &done), EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(close_file(&file), 0);

    ram_bytes[777] ^= 0xFF; /* nothing is kept from one use of the device to the next */
    range.address = memory_base(memory);
    range.length = 1;
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    assert_int_equal(move_bytes(&file, true, &range, 1, 777, &done), 0);
    owner_load(memory, range.address, bytes, 1);
    assert_int_equal(bytes[0], ram_bytes[777]);
    assert_int_equal(close_file(&file), 0);
    xmem_leave();
    assert_int_equal(xmem_aix_special_file_remove(PATH), 0);
    ram_end();
    memory_close(memory);
    covers("block-device.0", kind);
    covers("block-device.end", kind);
    covers("block-device.error", kind);
}

/* ---- the funnel ---- */

static void *read_once(void *argument)
{
    struct xmem_range range = {1 << 20, 1};
    uint64_t done;
    assert_int_equal(move_bytes(argument, true, &range, 1, 0, &done), 0);
    return NULL;
}

static int most_inside(struct devsw *entry)
{
    struct xmem_open_file file;
    pthread_t threads[4];
    begin_with(entry);
    does.takes = 30000;
    assert_int_equal(open_file(&file, O_RDWR, ""), 0);
    for (int index = 0; index < 4; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, read_once, &file), 0);
    for (int index = 0; index < 4; index++)
        assert_int_equal(pthread_join(threads[index], NULL), 0);
    assert_int_equal(close_file(&file), 0);
    assert_int_equal(saw.reads, 4);
    end();
    return saw.most_inside;
}

static void one_processor(enum kind kind)
{
    struct devsw safe = plain;
    safe.d_opts = DEV_MPSAFE;
    assert_int_equal(most_inside(&plain), 1);
    assert_true(most_inside(&safe) > 1);
    covers("DEV_MPSAFE.0", kind);
}

static int sleeping_read(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    struct buf request = {.b_dev = RAM_DEVICE, .b_bcount = 0};
    (void)devno;
    (void)uiop;
    (void)chan;
    (void)ext;
    goes_in();
    assert_int_equal(devstrat(&request), 0);
    int error = iowait(&request);
    goes_out();
    return error;
}

static void sleeping_lets_others_run(enum kind kind)
{
    struct devsw entry = plain;
    entry.d_read = sleeping_read;
    ram_begin();
    ram.busy_for = 30000;
    assert_true(most_inside(&entry) > 1);
    ram_end();
    covers("DEV_MPSAFE.sleeps", kind);
}

/* ---- special files ---- */

static void make_at_interrupt(void *argument)
{
    int *errors = argument;
    struct xmem_special_file file = {.path = PATH, .devno = DEVICE, .mode = S_IFCHR};
    errors[0] = xmem_aix_special_file(&file);
    errors[1] = xmem_aix_special_file_remove(PATH);
}

static void special_files(enum kind kind)
{
    struct xmem_special_file file = {
        .path = PATH, .devno = DEVICE, .mode = S_IFCHR | 0640, .owner = 3, .group = 4};
    struct xmem_open_file opened;
    int errors[2] = {0, 0};
    memset(&does, 0, sizeof does);
    memset(&saw, 0, sizeof saw);
    assert_int_equal(xmem_aix_special_file(NULL), EINVAL);
    file.mode = S_IFREG | 0600;
    assert_int_equal(xmem_aix_special_file(&file), EINVAL);
    file.mode = S_IFCHR | 0640;
    assert_int_equal(xmem_aix_special_file(&file), 0);
    device = &known[0];
    assert_string_equal(paths[0], PATH);
    assert_int_equal(device->mode, S_IFCHR | 0640);
    assert_int_equal(device->owner, 3);
    assert_int_equal(device->group, 4);
    assert_int_equal(device->major, MAJOR);
    assert_int_equal(device->minor, 3);
    assert_int_equal(xmem_aix_special_file(&file), EEXIST);
    assert_int_equal(open_file(&opened, O_RDWR, ""), ENODEV); /* no driver yet */
    assert_int_equal(devswadd(DEVICE, &plain), 0);
    assert_int_equal(open_file(&opened, O_RDWR, ""), 0);
    file.path = "/dev/other";
    assert_int_equal(xmem_aix_special_file(&file), 0); /* the same device: one last close */
    assert_ptr_equal(known[1].device, device->device);
    struct xmem_open_file also = {.flags = O_RDONLY, .rest = ""};
    assert_int_equal(known[1].operations->open(known[1].device, &also), 0);
    assert_int_equal(close_file(&opened), 0);
    assert_int_equal(saw.closes, 0);
    assert_int_equal(known[1].operations->close(known[1].device, &also), 0);
    assert_int_equal(saw.closes, 1);
    at_interrupt(make_at_interrupt, errors);
    assert_int_equal(errors[0], EPERM);
    assert_int_equal(errors[1], EPERM);
    refuse_removing = EBUSY;
    assert_int_equal(xmem_aix_special_file_remove(PATH), EBUSY);
    refuse_removing = 0;
    assert_int_equal(xmem_aix_special_file_remove(PATH), 0);
    assert_int_equal(xmem_aix_special_file_remove(PATH), ENOENT);
    assert_int_equal(xmem_aix_special_file_remove("/dev/other"), 0);
    assert_int_equal(devswdel(DEVICE), 0);
    covers("special-file.0", kind);
    covers("special-file.errors", kind);
    covers("special-file.shared", kind);
}

static void too_many_devices(enum kind kind)
{
    char path[32];
    struct xmem_special_file file = {.path = path, .mode = S_IFCHR};
    int count = 0, error = 0;
    for (; error == 0 && count < KNOWN; count++) {
        snprintf(path, sizeof path, "/dev/many%d", count);
        file.devno = makedev(MAJOR, count);
        error = xmem_aix_special_file(&file);
    }
    assert_int_equal(error, ENOSPC);
    assert_int_equal(--count, 256);
    while (count-- > 0) {
        snprintf(path, sizeof path, "/dev/many%d", count);
        assert_int_equal(xmem_aix_special_file_remove(path), 0);
    }
    refuse_adding = ENOMEM;
    for (int round = 0; round < 1000; round++) /* one that fails takes no room */
        assert_int_equal(xmem_aix_special_file(&file), ENOMEM);
    refuse_adding = 0;
    covers("special-file.errors", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(opens_and_closes, ONCE),
        EACH(opening_fails, ONCE),
        EACH(table_while_open, ONCE),
        EACH(reads_and_writes, USER_KINDS),
        EACH(many_pieces, USER_KINDS),
        EACH(routines_that_are_not_there, ONCE),
        EACH(controls, ONCE),
        EACH(selects, ONCE),
        EACH(channels, ONCE),
        EACH(channels_fail, ONCE),
        EACH(blocks, USER_KINDS),
        EACH(one_processor, ONCE),
        EACH(sleeping_lets_others_run, ONCE),
        EACH(special_files, ONCE),
        EACH(too_many_devices, ONCE),
    };
    return RUN_CASES("special_file", cases);
}
