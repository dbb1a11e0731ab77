/* SPDX-License-Identifier: MIT */
/*
 * Kernel extensions that sysconfig.c loads.  Built in several ways:
 *   EXTENSION_MODULE   an extension whose entry point (-Wl,-e,begin) takes a command and data
 *   EXTENSION_DRIVER   a driver whose entry point is the symbol ddconfig
 *   EXTENSION_BROKEN   needs a function that is nowhere
 */
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/device.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXTENSION_STARTS_PROCESS 100 /* a command, as in sysconfig.c */

struct extension_record {
    int calls, cmd, had_data;
    dev_t devno;
    ssize_t resid;
    char data[64];
};

struct extension_record record;

/* Takes the data in, or hands "vital data" back. */
static int use_data(int cmd, struct uio *uiop)
{
    char vital[] = "vital data";
    record.calls++;
    record.cmd = cmd;
    record.had_data = uiop != NULL;
    if (uiop == NULL)
        return 0;
    record.resid = uiop->uio_resid;
    if (cmd == CFG_QVPD)
        return uiomove(vital, sizeof vital, UIO_READ, uiop);
    return uiomove(record.data, sizeof record.data, UIO_WRITE, uiop);
}

#ifdef EXTENSION_MODULE
/* The data are a pointer to three flags of the test: begun, leave, told. */
static void linger(int flag, void *parameters, int length)
{
    int *flags = *(int **)parameters;
    __atomic_store_n(&flags[0], 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&flags[1], __ATOMIC_ACQUIRE))
        usleep(100);
    __atomic_store_n(&flags[2], 1 + flag + length, __ATOMIC_RELEASE);
    usleep(30000); /* the last instructions; the test unloads meanwhile */
    record.calls++;
}

static int start_process(void)
{
    pid_t number = creatp();
    return number == -1 ? EAGAIN : initp(number, linger, record.data, sizeof(int *), "linger");
}

int begin(int cmd, struct uio *uiop);
int begin(int cmd, struct uio *uiop)
{
    int error = use_data(cmd, uiop);
    if (error == 0 && cmd == EXTENSION_STARTS_PROCESS)
        return start_process();
    return error != 0 || cmd <= CFG_QVPD ? error : cmd;
}
#endif

#ifdef EXTENSION_DRIVER
int ddconfig(dev_t devno, int cmd, struct uio *uiop);
int ddconfig(dev_t devno, int cmd, struct uio *uiop)
{
    struct devsw entry = {.d_open = nulldev, .d_close = nulldev, .d_config = ddconfig};
    int error = use_data(cmd, uiop);
    record.devno = devno;
    if (error == 0 && cmd == CFG_INIT)
        error = devswadd(devno, &entry);
    if (error == 0 && cmd == CFG_TERM)
        error = devswdel(devno);
    return error != 0 || cmd <= CFG_QVPD ? error : cmd;
}
#endif

#ifdef EXTENSION_BROKEN
int a_function_that_is_nowhere(void);
int ddconfig(dev_t devno, int cmd, struct uio *uiop);
int ddconfig(dev_t devno, int cmd, struct uio *uiop)
{
    (void)devno;
    return use_data(cmd, uiop) + a_function_that_is_nowhere();
}
#endif
