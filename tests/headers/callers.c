/* SPDX-License-Identifier: MIT */
/*
 * Code in the manner of AIX kernel extensions of three decades, which has to compile without a
 * warning as gnu89, c99, c11 and c17.  It is never run: what it shows is what the headers accept.
 * With _NO_PROTO, callers that declare the services themselves, with types of their own.
 *
 * The function names say what each caller relies upon.
 */
#define XMEM_AIX_COMMON_NAMES
#include <sys/types.h>
#include <sys/errno.h>
#include <sys/buf.h>
#include <sys/adspace.h>
#include <sys/vmuser.h>
#include <sys/intr.h>
#include <sys/thread.h>
#include <sys/user.h>
#include <sys/malloc.h>
#include <sys/xmalloc.h>
#include <sys/timer.h>
#include <sys/watchdog.h>
#include <sys/m_param.h>
#include <sys/device.h>
#include <sys/buf.h>
#include <sys/poll.h>
#include <sys/ioctl.h>
#include <sys/devinfo.h>
#include <sys/sysconfig.h>
#include <sys/special_file.h>
#include <string.h>

#if !defined getpid || !defined thread_self || !defined xmalloc || !defined delay
#error "the common names were asked for"
#endif

typedef struct {
    char name[8];
    long value;
} sym_t;

int declared_before_use(void);
int structures_go_where_the_pages_print_caddr_t(sym_t *theirs, sym_t *ours);
int strings_count_in_uint(char *from, caddr_t to);
int strings_count_in_size_t(void *from, void *to);
int strings_count_in_nothing(char *from, caddr_t to);
int words_and_bytes(unsigned long long far_address, int *words, uchar *bytes);
int descriptor_with_garbage(caddr_t buffer, int length);
int descriptor_as_a_value(void *buffer, int length);
int handle_from_descriptor(struct xmem *one, struct xmem *other, caddr_t buffer);
int mapped_piecewise(struct xmem *dp, char *buffer, size_t length);
int uio_built_by_hand(char *kernel, caddr_t user, int length);
int flags_used_interchangeably(struct uio *uiop, struct xmem *dp);
int one_character_at_a_time(struct uio *uiop);
int attached_objects(vmid_t object);
int which_environment(void);
int memory_from_heaps(int count);
int timers_of_a_driver(struct trb *t, struct watchdog *w);
int kernel_process_of_a_driver(sym_t *parameters);
int a_driver_is_configured(dev_t devno, int cmd, struct uio *uiop);
int requests_of_a_driver(struct buf *bp);
int extensions_are_loaded(char *path);
int priorities(int bus_level);

#ifdef _NO_PROTO
/* Declared again, with other pointer types than ours, by the caller. */
extern int copyin(sym_t *, sym_t *, int);
extern int copyout();
extern int copyinstr(char *, char *, unsigned, unsigned *);
extern int xmemin(caddr_t *, caddr_t *, int, struct xmem *);
extern int xmemout(char *, char *, int, struct xmem *);
extern int subyte();
extern int uiomove(caddr_t, int, enum uio_rw, struct uio *);
extern int xmattach(char *, int, struct xmem *, int);
extern pid_t creatp();
extern caddr_t xmalloc();
extern void timeout();
#else
/* The same after the headers, as the 1990s wrote it. */
extern int copyin(void *, void *, int);
extern int copyout(void *, void *, int);
extern int uiomove();
extern int xmdetach();
#endif

/* A unit test of an extension, which brings services of its own. */
caddr_t vm_att(vmhandle_t handle, caddr_t offset)
{
    return handle == 0 ? NULL : offset;
}

void vm_det(caddr_t address)
{
    (void)address;
}

int declared_before_use(void)
{
    int (*service)(void *, void *, int);

#ifdef _NO_PROTO
    service = NULL;
#else
    service = copyin;
#endif
    return service != NULL;
}

int structures_go_where_the_pages_print_caddr_t(sym_t *theirs, sym_t *ours)
{
    int rc;

    if ((rc = copyin(theirs, ours, sizeof(sym_t))) != 0)
        return rc;
    if (copyout((caddr_t)ours, (caddr_t)theirs, sizeof *ours))
        return EFAULT;
    return copyin64((unsigned long long)(ulong)theirs, (char *)ours, sizeof *ours);
}

int strings_count_in_uint(char *from, caddr_t to)
{
    uint actual;

    if (copyinstr(from, to, 64, &actual) == E2BIG)
        return -1;
    if (copyinstr64((unsigned long long)(ulong)from, to, 64u, &actual))
        return -1;
    return (int)actual;
}

int strings_count_in_size_t(void *from, void *to)
{
#ifdef _NO_PROTO
    return from == to;
#else
    size_t actual;
    size_t *pointer = &actual;

    if (copyinstr(from, to, sizeof(sym_t), &actual))
        return -1;
    if (copyinstr64((unsigned long long)(ulong)from, (char *)to, sizeof(sym_t), pointer))
        return -1;
    return (int)*pointer;
#endif
}

int strings_count_in_nothing(char *from, caddr_t to)
{
#ifdef _NO_PROTO
    return copyinstr(from, to, 8u, (unsigned *)NULL);
#else
    return copyinstr(from, to, 8, NULL) + copyinstr(from, to, 8, 0) + (copyinstr)(from, to, 8, 0) +
           copyinstr64(0x100000000ull, to, 8, NULL);
#endif
}

int words_and_bytes(unsigned long long far_address, int *words, uchar *bytes)
{
    int c = fubyte(bytes);

    if (c == -1 || fuword(words) == -1)
        return EFAULT;
    if (subyte(bytes, (uchar)c) || suword(words + 1, 12))
        return EFAULT;
    if (subyte64(far_address, 'x') == -1 || suword64(far_address + 1, -1) == -1)
        return EFAULT;
    return fubyte64(far_address) + fuword64(far_address + 1);
}

int descriptor_with_garbage(caddr_t buffer, int length)
{
    struct xmem dp;
    char block[512];

    dp.aspace_id = XMEM_INVAL;
    if (xmattach(buffer, (length + 511) & ~511, &dp, USER_ADSPACE) != XMEM_SUCC)
        return EINVAL;
    if (xmemin((void *)buffer, (void *)block, sizeof block, &dp) == XMEM_FAIL)
        (void)xmemzero(&dp, buffer, 1L);
    xmdetach(&dp);
    return xmdetach(&dp) == XMEM_FAIL ? 0 : EIO;
}

/* What a driver hangs on a request: the descriptor moves with it. */
struct request {
    struct request *av_forw;
    caddr_t address;
    struct xmem xmemd;
};

int descriptor_as_a_value(void *buffer, int length)
{
    struct request first, second;
    static caddr_t data;

    memset(&first, 0, sizeof first);
    first.xmemd.aspace_id = XMEM_INVAL;
    if (xmattach64((unsigned long long)(ulong)buffer, length, &first.xmemd, SYS_ADSPACE))
        return -1;
    second = first;
    if (second.xmemd.aspace_id == XMEM_GLOBAL || second.xmemd.aspace_id == XMEM_PROC)
        xmemout((void *)&data, buffer, sizeof data, &second.xmemd);
    return xmdetach(&first.xmemd);
}

int handle_from_descriptor(struct xmem *one, struct xmem *other, caddr_t buffer)
{
    vmhandle_t handle = one->subspace_id;
    caddr_t old = buffer;
    struct request request;

    if (one->subspace_id == other->subspace_id)
        return 0;
    request.address = vm_att(handle, old);
    vm_det((void *)request.address);
    request.address = vm_att((vmhandle_t)other->subspace_id, (caddr_t)0x10000000);
    vm_det(request.address);
    request.address = old;
    return request.address == buffer;
}

int mapped_piecewise(struct xmem *dp, char *buffer, size_t length)
{
    char *address;
    caddr_t other;
    size_t len;

    xm_mapin(dp, buffer, 1, &address);
    xm_det(address, dp);
    while (length > 0) {
        if (xm_maxmap(dp, buffer, &len) != XMEM_SUCC)
            return EFAULT;
        len = len < length ? len : length;
        if (xm_mapin(dp, (caddr_t)buffer, len, &other) == EAGAIN)
            return EAGAIN;
        xm_det((void *)other, dp);
        buffer += len;
        length -= len;
    }
    return (int)xmempsize(dp, buffer, 1);
}

int uio_built_by_hand(char *kernel, caddr_t user, int length)
{
    struct uio uio;
    struct iovec iov;
    int moved;

    memset((char *)&uio, 0, sizeof(struct uio));
    iov.iov_base = user;
    iov.iov_len = (size_t)length;
    uio.uio_iov = &iov;
    uio.uio_iovcnt = 1;
    uio.uio_resid = length;
    uio.uio_segflg = UIO_USERSPACE;
    uio.uio_offset = 0x100000000ll;
    (void)uiomove(kernel, length + 1, UIO_READ, &uio);
    moved = length - (int)uio.uio_resid;
    return uio.uio_iovdcnt == 1 && uio.uio_fmode == 0 ? moved : -1;
}

int flags_used_interchangeably(struct uio *uiop, struct xmem *dp)
{
    uiop->uio_segflg = USER_ADSPACE;
    dp->aspace_id = XMEM_INVAL;
    if (xmattach(uiop->uio_iov->iov_base, (int)uiop->uio_iov->iov_len, dp, uiop->uio_segflg))
        return xmattach((char *)dp, sizeof *dp, dp, UIO_SYSSPACE);
    uiop->uio_segflg = UIO_XMEM;
    uiop->uio_xmem = dp;
    switch (uiop->uio_segflg) {
    case UIO_USERSPACE:
    case UIO_SYSSPACE:
    case UIO_XMEM:
    case USERI_ADSPACE:
    case SYS_ADSPACE_ASSIGN_KEYSET:
        return 0;
    }
    return EINVAL;
}

int one_character_at_a_time(struct uio *uiop)
{
    int c;

    while (uiop->uio_resid > 0) {
        if ((c = uwritec(uiop)) == -1)
            return EFAULT;
        if (ureadc(c, uiop) == ENOMEM)
            break;
    }
    return 0;
}

int attached_objects(vmid_t object)
{
    vmhandle_t handle = vm_handle(object, 0);
    unsigned long long address = as_att64(handle, 0x1000);
    vmhandle_t held;

    if (address == 0)
        return errno;
    held = as_geth64(address);
    if (held == INVLSID || as_getsrval64(address) == INVLSID)
        return EINVAL;
    if (as_det64(address) != 0 || as_seth64(0x40000000ull, held))
        return EINVAL;
    return as_puth64(address, held);
}

int which_environment(void)
{
    if (getpid() == -1 || thread_self() == -1)
        return 1;
    return IS64U ? 64 : 32;
}

int memory_from_heaps(int count)
{
    sym_t *symbols = (sym_t *)xmalloc(count * (int)sizeof(sym_t), 3, pinned_heap);
    char *bytes = malloc(64);
    caddr_t page = palloc(4096, 12);
    heapaddr_t null = NULL, heap = init_heap(page, 4096, &null);
    caddr_t private_bytes = xmalloc(16, 4, heap);

    if (symbols == NULL || bytes == NULL || private_bytes == NULL)
        return ENOMEM;
    xmfree(private_bytes, heap);
    free(page);
    free(bytes);
    return xmfree((caddr_t)symbols, pinned_heap) || xmfree(symbols, kernel_heap_4K_64K);
}

static void timer_expired(struct trb *t)
{
    t->timeout.it_value.tv_nsec = 1000000;
    tstart(t);
}

static void watchdog_expired(struct watchdog *w)
{
    w_start(w);
}

static void timed_out(caddr_t *arg)
{
    *arg = NULL;
}

int timers_of_a_driver(struct trb *t, struct watchdog *w)
{
    static caddr_t word;

    if (t == NULL && (t = talloc()) == NULL)
        return ENOMEM;
    t->flags = T_INCINTERVAL | T_LOWRES;
    t->timeout.it_value.tv_sec = 1;
    t->func = timer_expired;
    t->ipri = INTTIMER;
    t->id = -1;
    t->t_union.data = 5;
    tstart(t);
    while (tstop(t))
        continue;
    tfree(t);
    w->next = w->prev = NULL;
    w->func = watchdog_expired;
    w->restart = 10;
    w->count = 0;
    w_init(w);
    w_start(w);
    w_stop(w);
    while (w_clear(w) == -1)
        delay(HZ / 10);
    if (timeoutcf(1) == 0)
        timeout(timed_out, &word, HZ);
    untimeout(timed_out, &word);
    return 0;
}

static void process(int flag, void *parameters, int length)
{
    if (flag == 0 && length == (int)sizeof(sym_t) && setpinit() == EINVAL)
        memset(parameters, 0, sizeof(sym_t));
}

int kernel_process_of_a_driver(sym_t *parameters)
{
    pid_t pid = creatp();

    if (pid == (pid_t)-1)
        return setuerror(EAGAIN);
    if (initp(pid, process, (char *)parameters, sizeof *parameters, "syms"))
        return getuerror();
    return 0;
}

static int drv_open(dev_t devno, ulong devflag, chan_t chan, int ext)
{
    return minor(devno) > 3 || chan || ext || (devflag & DKERNEL) ? ENXIO : 0;
}

static int drv_select(dev_t devno, ushort events, ushort *reventp, int chan)
{
    if (!(events & POLLSYNC))
        selnotify((int)devno, chan, POLLIN);
    *reventp = POLLOUT;
    return 0;
}

static void drv_strategy(struct buf *bp)
{
    struct buf *next = bp->av_forw;

    bp->b_resid = (bp->b_flags & B_READ) ? 0 : bp->b_bcount;
    bp->b_baddr = bp->b_un.b_addr;
    iodone(bp);
    if (next != NULL)
        drv_strategy(next);
}

static int drv_raw_strategy(struct buf *bp)
{
    drv_strategy(bp);
    return 0;
}

static int drv_mincnt(struct buf *bp, void *minparms)
{
    if (bp->b_bcount > *(size_t *)minparms)
        bp->b_bcount = *(size_t *)minparms;
    return 0;
}

static int drv_read(dev_t devno, struct uio *uiop, chan_t chan, int ext)
{
    size_t most = 65536;

    return chan || ext ? ENXIO
                       : uphysio(uiop, B_READ, 8, devno, drv_raw_strategy, drv_mincnt, &most);
}

static int drv_ioctl(dev_t devno, int cmd, void *arg, ulong devflag, chan_t chan, int ext)
{
    struct devinfo info;

    memset(&info, 0, sizeof info);
    info.devtype = DD_DISK;
    info.flags = DF_RAND | DF_FIXED;
    if (cmd != IOCINFO || chan || ext || major(devno) == 0)
        return EINVAL;
    if (!(devflag & DKERNEL))
        return copyout(&info, arg, sizeof info);
    memcpy(arg, &info, sizeof info);
    return 0;
}

/* Entries filled in by assignment, and at the definition; nodev and nulldev anywhere. */
int a_driver_is_configured(dev_t devno, int cmd, struct uio *uiop)
{
    static struct devsw table;
    static const struct xmem_special_file file = {
        "/dev/drv0", makedev(50, 0), S_IFCHR | 0600, NULL, 0, 0, 0};
    char dds[32];

    if (cmd == CFG_TERM)
        return devswdel(devno);
    if (cmd != CFG_INIT || uiomove(dds, sizeof dds, UIO_WRITE, uiop))
        return EINVAL;
    table.d_open = drv_open;
    table.d_close = nulldev;
    table.d_read = drv_read;
    table.d_write = nodev;
    table.d_ioctl = drv_ioctl;
    table.d_strategy = drv_strategy;
    table.d_select = drv_select;
    table.d_config = a_driver_is_configured;
    table.d_print = table.d_dump = table.d_mpx = table.d_revoke = nodev;
    table.d_opts = DEV_MPSAFE;
    if (devswadd(devno, &table) != 0)
        return nodev();
    table.d_strategy = nodev;
    table.d_select = nulldev;
    return makedev(major(devno), minor(devno)) == file.devno && table.d_write == nodev
               ? nulldev(devno)
               : 0;
}

static int drv_interrupt(struct intr *handler)
{
    i_sched(handler + 1);
    return INTR_SUCC;
}

static int drv_off_level(struct intr *handler)
{
    return handler->flags & INTR_MPSAFE ? INTR_SUCC : INTR_FAIL;
}

int requests_of_a_driver(struct buf *bp)
{
    static struct intr handlers[2];
    struct buf *block;
    uint status;
    caddr_t data;
    int priority = i_disable(INTCLASS2);

    i_enable(priority);
    handlers[0].handler = drv_interrupt;
    handlers[0].flags = INTR_MPSAFE;
    handlers[0].level = 5;
    handlers[0].priority = INTCLASS2;
    INIT_OFFL2(&handlers[1], drv_off_level, INTR_MPSAFE);
    if (i_init(&handlers[0]) == INTR_FAIL)
        return EIO;
    i_mask(&handlers[0]);
    i_unmask(&handlers[0]);
    i_clear(&handlers[0]);
    bp->b_event = EVENT_NULL;
    bp->b_iodone = drv_strategy;
    if (devstrat(bp) || devswqry(bp->b_dev, &status, &data) || !(status & DSW_BLOCK))
        return geterror(bp);
    block = bread(bp->b_dev, (daddr_t)bp->b_blkno);
    if (block->b_flags & B_ERROR)
        brelse(block);
    else
        bwrite(block);
    brelse(geteblk());
    return iowait(bp);
}

int extensions_are_loaded(char *path)
{
    struct cfg_load load;
    struct cfg_dd dd;

    load.path = path;
    load.libpath = NULL;
    if (sysconfig(SYS_SINGLELOAD, &load, sizeof load) || load.kmid == 0)
        return errno;
    dd.kmid = load.kmid;
    dd.devno = makedev(50, 0);
    dd.cmd = CFG_INIT;
    dd.ddsptr = (caddr_t)&load;
    dd.ddslen = sizeof load;
    return sysconfig(SYS_CFGDD, &dd, sizeof dd);
}

int priorities(int bus_level)
{
    switch (bus_level) {
    case 0:
        return INTCLASS0;
    case 1:
        return INTCLASS1;
    case 2:
        return INTCLASS2;
    case 3:
        return INTCLASS3;
    }
    return INTMAX < INTPAGER && INTPAGER < INTIODONE && INTOFFL0 < INTBASE && INTOFFL1 < INTBASE &&
                   INTOFFL2 < INTBASE && INTOFFL3 < INTBASE
               ? INTBASE
               : INTMAX;
}
