/* SPDX-License-Identifier: MIT */
/*
 * read, write and their p-, v- and 2-forms.
 *
 * All become one transfer: ranges of the caller's memory, an offset, flags.  Arguments are checked
 * in Linux's order: descriptor and its access mode, the array of vectors, lengths, the offset.
 * What was transferred before an error counts: the call then returns the count, and the error is
 * gone, as with Linux's own files.
 *
 * The position is the open file's: read before the transfer and stored after it, without a lock
 * over both, as with Linux's character devices.  p-forms leave it alone.
 */
#include "trapped/call.h"

#include "trapped/readiness.h"

#include <errno.h>
#include <fcntl.h>

#define LENGTH_MOST 0x7ffff000

/* RWF_* of <linux/fs.h>, which does not go with the C library's headers. */
#define FLAG_HIPRI 0x1
#define FLAG_DSYNC 0x2
#define FLAG_SYNC 0x4
#define FLAG_NOWAIT 0x8
#define FLAG_APPEND 0x10
#define FLAGS_SERVED (FLAG_HIPRI | FLAG_DSYNC | FLAG_SYNC | FLAG_APPEND)

enum place { AT_POSITION, AT_OFFSET };

/* What a call asks for. */
struct order {
    bool write;
    bool vectors; /* arguments 1 and 2 are an array and its count; else an address and a length */
    enum place place;
    int64_t offset;
    int flags; /* RWF_* */
};

/* ---------------------------------------------------------------- checks --------------- */

static bool open_for(const struct device_file *file, bool write)
{
    int access = file->file.flags & O_ACCMODE;
    return !file->path_only && access != O_ACCMODE && access != (write ? O_RDONLY : O_WRONLY);
}

static int64_t extent_of(struct device_file *file)
{
    struct device *device = file->device;
    return device->operations.extent ? device->operations.extent(device->is.device, &file->file)
                                     : 0;
}

/* What Linux refuses at sight, even for no bytes: no program's memory is, or ends, up there. */
static bool out_of_reach(uint64_t address, uint64_t length)
{
    uint64_t end;
    return __builtin_add_overflow(address, length, &end) || end > INT64_MAX;
}

static int plain_range(const struct call *call, struct call_ranges *ranges)
{
    uint64_t length = call->arguments[2]; /* a negative one of i386 is a large one */
    ranges->ranges = ranges->inside;
    ranges->count = 0;
    ranges->length = 0;
    if (out_of_reach(call->arguments[1], length))
        return EFAULT;
    if (length > LENGTH_MOST)
        length = LENGTH_MOST;
    if (length == 0)
        return 0;
    ranges->inside[0] = (struct xmem_range){call->arguments[1], length};
    ranges->count = 1;
    ranges->length = length;
    return 0;
}

static int ranges_of(struct call *call, const struct order *order, struct call_ranges *ranges)
{
    return order->vectors ? call_ranges_in(call, call->arguments[1], call_signed(call, 2), ranges)
                          : plain_range(call, ranges);
}

/* The order is checked as far as Linux would before it asks the device. */
HOT static int check(struct device_file *file, const struct order *order)
{
    if (order->place == AT_OFFSET && order->offset < 0)
        return EINVAL;
    if (!open_for(file, order->write))
        return EBADF;
    if (order->place == AT_OFFSET && extent_of(file) == XMEM_SEEK_NONE)
        return ESPIPE;
    return order->flags & ~FLAGS_SERVED ? EOPNOTSUPP : 0;
}

/* ---------------------------------------------------------------- the transfer --------- */

static bool appends(const struct device_file *file, const struct order *order)
{
    return order->write &&
           ((load_relaxed(&file->flags) & O_APPEND) || (order->flags & FLAG_APPEND));
}

static int64_t offset_of(struct device_file *file, const struct order *order)
{
    if (appends(file, order)) {
        int64_t end = extent_of(file);
        if (end != XMEM_SEEK_NONE)
            return end;
    }
    return order->place == AT_OFFSET ? order->offset : load_relaxed(&file->position);
}

static int operate(struct device_file *file, const struct order *order,
                   struct xmem_transfer *transfer)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    int (*operation)(void *, struct xmem_open_file *, struct xmem_transfer *) =
        order->write ? operations->write : operations->read;
    return operation ? operation(file->device->is.device, &file->file, transfer) : ENODEV;
}

/* For files opened with O_SYNC or O_DSYNC, and for the flags of the same meaning. */
static int synchronize(struct device_file *file, const struct order *order)
{
    const struct xmem_device_operations *operations = &file->device->operations;
    bool asked =
        (file->file.flags & (O_SYNC | O_DSYNC)) || (order->flags & (FLAG_SYNC | FLAG_DSYNC));
    if (!order->write || !asked || !operations->sync)
        return 0;
    return operations->sync(file->device->is.device, &file->file);
}

HOT static struct answer transfer(struct device_file *file, const struct order *order,
                                  const struct call_ranges *ranges)
{
    struct xmem_transfer transfer = {
        .ranges = ranges->ranges,
        .count = ranges->count,
        .length = ranges->length,
        .offset = offset_of(file, order),
        .flags = load_relaxed(&file->flags) | (order->flags & FLAG_APPEND ? O_APPEND : 0),
    };
    if (transfer.length == 0)
        return call_value(0);
    if (transfer.offset > INT64_MAX - (int64_t)transfer.length)
        return call_error(EINVAL);
    int error = operate(file, order, &transfer);
    if (transfer.done > transfer.length)
        transfer.done = transfer.length;
    if (transfer.done && order->place == AT_POSITION)
        store_relaxed(&file->position, transfer.offset + (int64_t)transfer.done);
    readiness_refresh(file);
    if (transfer.done == 0)
        return error ? call_error(error) : call_value(0);
    error = synchronize(file, order);
    return error ? call_error(error) : call_value((int64_t)transfer.done);
}

HOT static struct answer carry_out(struct call *call, const struct order *order)
{
    struct call_ranges ranges;
    struct device_file *file = call_device_file(call, call_int(call, 0));
    if (!file)
        return call_continue();
    struct answer answer;
    int error = check(file, order);
    if (!error && call_begin(call))
        error = EIO; /* its memory cannot be reached */
    if (!error)
        error = ranges_of(call, order, &ranges);
    if (error) {
        answer = call_error(error);
    } else {
        answer = transfer(file, order, &ranges);
        call_ranges_free(&ranges);
    }
    device_file_release(file);
    return answer;
}

/* ---------------------------------------------------------------- the calls ------------ */

/* The 64-bit offset: in one register, or in two of an i386 call. */
static int64_t offset_argument(const struct call *call)
{
    return call->narrow ? call_pair(call, 3) : (int64_t)call->arguments[3];
}

HOT static struct answer call_read(struct call *call)
{
    return carry_out(call, &(struct order){.write = false});
}

HOT static struct answer call_write(struct call *call)
{
    return carry_out(call, &(struct order){.write = true});
}

static struct answer call_readv(struct call *call)
{
    return carry_out(call, &(struct order){.write = false, .vectors = true});
}

static struct answer call_writev(struct call *call)
{
    return carry_out(call, &(struct order){.write = true, .vectors = true});
}

HOT static struct answer call_pread64(struct call *call)
{
    return carry_out(
        call, &(struct order){.write = false, .place = AT_OFFSET, .offset = offset_argument(call)});
}

HOT static struct answer call_pwrite64(struct call *call)
{
    return carry_out(
        call, &(struct order){.write = true, .place = AT_OFFSET, .offset = offset_argument(call)});
}

static struct answer call_preadv(struct call *call)
{
    return carry_out(call, &(struct order){.write = false,
                                           .vectors = true,
                                           .place = AT_OFFSET,
                                           .offset = offset_argument(call)});
}

static struct answer call_pwritev(struct call *call)
{
    return carry_out(call, &(struct order){.write = true,
                                           .vectors = true,
                                           .place = AT_OFFSET,
                                           .offset = offset_argument(call)});
}

/* An offset of -1 means the position. */
static struct answer vectors_with_flags(struct call *call, bool write)
{
    int64_t offset = offset_argument(call);
    return carry_out(call, &(struct order){.write = write,
                                           .vectors = true,
                                           .place = offset == -1 ? AT_POSITION : AT_OFFSET,
                                           .offset = offset,
                                           .flags = call_int(call, 5)});
}

static struct answer call_preadv2(struct call *call)
{
    return vectors_with_flags(call, false);
}

static struct answer call_pwritev2(struct call *call)
{
    return vectors_with_flags(call, true);
}

const struct call_row calls_transfer[] = {
    CALL(read, 3, call_read),
    CALL(write, 4, call_write),
    CALL(readv, 145, call_readv),
    CALL(writev, 146, call_writev),
    CALL(pread64, 180, call_pread64),
    CALL(pwrite64, 181, call_pwrite64),
    CALL(preadv, 333, call_preadv),
    CALL(pwritev, 334, call_pwritev),
    CALL(preadv2, 378, call_preadv2),
    CALL(pwritev2, 379, call_pwritev2),
    CALL_TABLE_END,
};
