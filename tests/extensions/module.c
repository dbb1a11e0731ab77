/* SPDX-License-Identifier: MIT */
/*
 * A kernel extension without a table of special files, for tests: its entry point is called once
 * for the whole of it, and makes a device by itself.
 */
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/device.h>
#include <sys/special_file.h>
#include <sys/uio.h>

#define MAJOR 70

static int module_write(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    (void)devno;
    (void)chan;
    (void)ext;
    uiop->uio_resid = 0;
    return 0;
}

int module_entry(int cmd, struct uio *uiop);

static int begin(void)
{
    static struct devsw entries = {
        .d_open = nulldev,
        .d_close = nulldev,
        .d_read = nulldev, /* finds nothing */
        .d_write = module_write,
        .d_ioctl = nodev,
        .d_strategy = nodev,
        .d_select = nodev,
        .d_config = nodev,
    };
    static const struct xmem_special_file file = {
        .path = "/dev/module-null", .devno = makedev(MAJOR, 0), .mode = S_IFCHR | 0666};
    int error = devswadd(file.devno, &entries);
    return error ? error : xmem_aix_special_file(&file);
}

static int end(void)
{
    int error = xmem_aix_special_file_remove("/dev/module-null");
    return error ? error : devswdel(makedev(MAJOR, 0));
}

int module_entry(int cmd, struct uio *uiop)
{
    if (uiop)
        return EINVAL; /* there are no data */
    switch (cmd) {
    case CFG_INIT:
        return begin();
    case CFG_TERM:
        return end();
    default:
        return EINVAL;
    }
}
