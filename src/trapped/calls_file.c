/* SPDX-License-Identifier: MIT */
/*
 * Calls on an open device other than transfers and waiting: lseek, ioctl, fcntl, fsync, and those
 * that move data between descriptors without the caller's memory.
 *
 * The position is the open file's, 64 bits wide and not bound to the device's extent.  Flags that
 * F_SETFL sets are kept here and in the placeholder, but for O_DIRECT, which the placeholder cannot
 * have.  Locks by fcntl are refused (EINVAL): the placeholder is locked already.  What a null
 * device answers as any device does (mmap, ftruncate, fallocate, fadvise64, flock ...) is not
 * trapped at all.
 */
#include "trapped/call.h"

#include "trapped/readiness.h"
#include "trapped/tables.h"
#include "trapped/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---------------------------------------------------------------- frame ---------------- */

/* Runs what a call does with an open device, and answers with its outcome. */
static struct answer with_device(struct call *call, int fd,
                                 int (*work)(struct call *, struct device_file *, int64_t *))
{
    struct device_file *file = call_device_file(call, fd);
    int64_t value = 0;
    if (!file)
        return call_continue();
    int error = file->path_only ? EBADF : call_begin(call);
    if (!error)
        error = work(call, file, &value);
    device_file_release(file);
    return error ? call_error(error) : call_value(value);
}

/* ---------------------------------------------------------------- lseek ---------------- */

static int64_t extent_of(struct device_file *file)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    return operations->extent ? operations->extent(file->device->is.device, &file->file) : 0;
}

/* The sum, or EOVERFLOW; negative: EINVAL. */
static int position_from(int64_t base, int64_t offset, int64_t *position)
{
    if (__builtin_add_overflow(base, offset, position))
        return EOVERFLOW;
    return *position < 0 ? EINVAL : 0;
}

static int seek_to(struct device_file *file, int64_t offset, unsigned whence, int64_t *position)
{
    int64_t extent = extent_of(file);
    if (extent == XMEM_SEEK_NONE)
        return ESPIPE;
    switch (whence) {
    case SEEK_SET:
        return position_from(0, offset, position);
    case SEEK_CUR:
        return position_from(load_relaxed(&file->position), offset, position);
    case SEEK_END:
        return position_from(extent, offset, position);
    case SEEK_DATA: /* all of a device is data */
    case SEEK_HOLE:
        *position = whence == SEEK_DATA ? offset : extent;
        return offset < 0 || offset >= extent ? ENXIO : 0;
    default:
        return EINVAL;
    }
}

static int seek(struct device_file *file, int64_t offset, unsigned whence, int64_t *position)
{
    int error = seek_to(file, offset, whence, position);
    if (!error)
        store_relaxed(&file->position, *position);
    return error;
}

static int do_lseek(struct call *call, struct device_file *file, int64_t *value)
{
    int error = seek(file, call_signed(call, 1), (unsigned)call_int(call, 2), value);
    return !error && call->narrow && *value > INT32_MAX ? EOVERFLOW : error;
}

static struct answer call_lseek(struct call *call)
{
    return with_device(call, call_int(call, 0), do_lseek);
}

/* i386: the offset in two halves, the high one first; the position goes to memory. */
static int do_llseek(struct call *call, struct device_file *file, int64_t *value)
{
    int64_t position;
    int64_t offset = (int64_t)(call->arguments[1] << 32 | (uint32_t)call->arguments[2]);
    int error = seek(file, offset, (unsigned)call_int(call, 4), &position);
    *value = 0;
    return error ? error : call_copy_out(call, &position, call->arguments[3], sizeof(position));
}

static struct answer call_llseek(struct call *call)
{
    return with_device(call, call_int(call, 0), do_llseek);
}

/* ---------------------------------------------------------------- ioctl ---------------- */

#define IOCTL_FIGETBSZ 2u
#define IOCTL_FICLONE 0x40049409u
#define IOCTL_FICLONERANGE 0x4020940du
#define IOCTL_FIDEDUPERANGE 0xc0189436u
#define IOCTL_FIEMAP 0xc020660bu

/* Requests that Linux itself answers for every file, the same for a null device as for ours. */
static bool is_generic(unsigned request)
{
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
    case FIOASYNC:
    case IOCTL_FIGETBSZ:
    case IOCTL_FICLONE:
    case IOCTL_FICLONERANGE:
    case IOCTL_FIDEDUPERANGE:
    case IOCTL_FIEMAP:
        return true;
    default:
        return false;
    }
}

static void set_flags(struct device_file *file, int flags, int changed)
{
    store_relaxed(&file->flags, (load_relaxed(&file->flags) & ~changed) | (flags & changed));
}

/* Linux does the same to the placeholder, and refuses a bad address. */
static struct answer set_nonblocking(struct call *call, struct device_file *file)
{
    int on;
    if (call_begin(call) == 0 && call_copy_in(call, call->arguments[2], &on, sizeof(on)) == 0)
        set_flags(file, on ? O_NONBLOCK : 0, O_NONBLOCK);
    device_file_release(file);
    return call_continue();
}

static int do_ioctl(struct call *call, struct device_file *file, int64_t *value)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    int result = 0;
    if (!operations->ioctl)
        return ENOTTY;
    int error = operations->ioctl(file->device->is.device, &file->file,
                                  (unsigned)call->arguments[1], call->arguments[2], &result);
    *value = result;
    readiness_refresh(file);
    return error;
}

static struct answer call_ioctl(struct call *call)
{
    unsigned request = (unsigned)call->arguments[1];
    if (is_generic(request))
        return call_continue();
    if (request == FIONBIO) {
        struct device_file *file = call_device_file(call, call_int(call, 0));
        return file ? set_nonblocking(call, file) : call_continue();
    }
    return with_device(call, call_int(call, 0), do_ioctl);
}

/* ---------------------------------------------------------------- fcntl ---------------- */

#define F_SETFL_CHANGES (O_APPEND | O_NONBLOCK | O_DIRECT)
#define NOT_IN_F_GETFL (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define LARGE_FILE 0100000 /* O_LARGEFILE, which the C library hides on 64-bit machines */
#define NARROW_GETLK64 12
#define NARROW_SETLKW64 14

static bool is_lock(int command)
{
    switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return true;
    default:
        return command >= NARROW_GETLK64 && command <= NARROW_SETLKW64;
    }
}

static struct answer set_file_flags(struct call *call, struct device_file *file)
{
    int flags = call_int(call, 2);
    bool direct = (flags | load_relaxed(&file->flags)) & O_DIRECT;
    set_flags(file, flags, F_SETFL_CHANGES);
    return direct ? call_value(0) : call_continue();
}

static struct answer call_fcntl(struct call *call)
{
    int command = call_int(call, 1);
    bool lock = is_lock(command);
    if (command != F_GETFL && command != F_SETFL && !lock)
        return call_continue();
    struct device_file *file = call_device_file(call, call_int(call, 0));
    if (!file)
        return call_continue();
    struct answer answer = call_continue(); /* an O_PATH descriptor is the placeholder's alone */
    if (!file->path_only && lock)
        answer = call_error(EINVAL);
    else if (!file->path_only && command == F_SETFL)
        answer = set_file_flags(call, file);
    else if (!file->path_only)
        answer = call_value((load_relaxed(&file->flags) & ~NOT_IN_F_GETFL) |
                            (call->narrow ? 0 : LARGE_FILE));
    device_file_release(file);
    return answer;
}

/* ---------------------------------------------------------------- fsync ---------------- */

static int do_sync(struct call *call, struct device_file *file, int64_t *value)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    (void)call;
    *value = 0;
    return operations->sync ? operations->sync(file->device->is.device, &file->file) : 0;
}

static struct answer call_fsync(struct call *call)
{
    return with_device(call, call_int(call, 0), do_sync);
}

/* ---------------------------------------------------------------- between descriptors -- */

/* Programs take it as the sign to read and write instead. */
static int refuse_it(struct call *call, struct device_file *file, int64_t *value)
{
    (void)call;
    (void)file;
    (void)value;
    return EINVAL;
}

static struct answer refuse_either(struct call *call, int one, int other)
{
    struct answer answer = with_device(call, one, refuse_it);
    return answer.kind == ANSWER_CONTINUE ? with_device(call, other, refuse_it) : answer;
}

static struct answer call_sendfile(struct call *call)
{
    return refuse_either(call, call_int(call, 0), call_int(call, 1));
}

static struct answer call_splice(struct call *call)
{
    return refuse_either(call, call_int(call, 0), call_int(call, 2));
}

#define CONTROL_BLOCKS_MOST 4096
#define CONTROL_BLOCK_FILE 20 /* where struct iocb has the descriptor */

/* Asynchronous I/O on a device would reach the placeholder. */
static struct answer call_io_submit(struct call *call)
{
    int64_t count = call_signed(call, 1);
    size_t width = call->narrow ? sizeof(uint32_t) : sizeof(uint64_t);
    if (!devices_are_open() || call_begin(call))
        return call_continue();
    for (int64_t index = 0; index < count && index < CONTROL_BLOCKS_MOST; index++) {
        uint64_t block = 0;
        uint32_t fd;
        if (call_copy_in(call, call->arguments[2] + (uint64_t)index * width, &block, width) ||
            call_copy_in(call, block + CONTROL_BLOCK_FILE, &fd, sizeof(fd)))
            break;
        struct answer answer = with_device(call, (int)fd, refuse_it);
        if (answer.kind != ANSWER_CONTINUE)
            return answer;
    }
    return call_continue();
}

const struct call_row calls_file[] = {
    CALL(lseek, 19, call_lseek),
    CALL_I386(_llseek, 140, call_llseek),
    CALL(ioctl, 54, call_ioctl),
    CALL(fcntl, 55, call_fcntl),
    CALL_I386(fcntl64, 221, call_fcntl),
    CALL(fsync, 118, call_fsync),
    CALL(fdatasync, 148, call_fsync),
    CALL(sendfile, 187, call_sendfile),
    CALL_I386(sendfile64, 239, call_sendfile),
    CALL(splice, 313, call_splice),
    CALL(io_submit, 248, call_io_submit),
    CALL_TABLE_END,
};
