/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about the device switch table that needs no open device: devswadd,
 * devswdel, devswchg, devswqry, nodev and nulldev.  special_file.c shows the others.
 *
 * The table is seen through what it makes others do: SYS_CFGDD calls the d_config of an entry, and
 * devstrat() its d_strategy.
 */
#include "services.h"

#include <string.h>
#include <sys/buf.h>
#include <sys/device.h>
#include <sys/sysconfig.h>

#define MAJOR 77

typedef int config_function(dev_t devno, int cmd, struct uio *uiop);

static int calls;
static dev_t called_for;
static char data_of_entry[8];

static int first_config(dev_t devno, int cmd, struct uio *uiop)
{
    (void)uiop;
    called_for = devno;
    calls++;
    return cmd == CFG_INIT ? 0 : 100 + cmd;
}

static int second_config(dev_t devno, int cmd, struct uio *uiop)
{
    (void)uiop;
    called_for = devno;
    return cmd + 200;
}

static void strategy(struct buf *bp)
{
    calls++;
    bp->b_resid = 0;
    iodone(bp);
}

static int any_select(dev_t devno, ushort events, ushort *reventp, int chan)
{
    (void)devno;
    (void)chan;
    *reventp = events;
    return 0;
}

/* What the d_config of the entry answers. */
static int configure(dev_t devno, int cmd)
{
    struct cfg_dd cfg = {.devno = devno, .cmd = cmd};
    return sysconfig(SYS_CFGDD, &cfg, sizeof cfg) == 0 ? 0 : errno;
}

static int start_io(dev_t devno)
{
    struct buf request;
    memset(&request, 0, sizeof request);
    request.b_dev = devno;
    return devstrat(&request);
}

static uint status_of(dev_t devno)
{
    uint status = 0xFFFF;
    assert_int_equal(devswqry(devno, &status, NULL), 0);
    return status;
}

static void adds_a_copy(enum kind kind)
{
    struct devsw entry = {.d_config = first_config, .d_strategy = strategy};
    assert_int_equal(configure(makedev(MAJOR, 1), CFG_INIT), ENODEV);
    assert_int_equal(start_io(makedev(MAJOR, 1)), ENODEV);
    assert_int_equal(devswadd(makedev(MAJOR, 3), &entry), 0);
    memset(&entry, 0xEE, sizeof entry);
    assert_int_equal(configure(makedev(MAJOR, 1), 5), 105);
    assert_int_equal(called_for, makedev(MAJOR, 1));
    calls = 0;
    assert_int_equal(start_io(makedev(MAJOR, 0)), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(devswdel(makedev(MAJOR, 9)), 0);
    covers("devswadd.0", kind);
    covers("devsw.major", kind);
    covers("devstrat.ENODEV", kind);
}

static void replaces(enum kind kind)
{
    struct devsw entry = {.d_config = first_config, .d_strategy = strategy};
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    struct devsw other = {.d_config = second_config};
    assert_int_equal(devswadd(makedev(MAJOR, 0), &other), 0);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 205);
    assert_int_equal(start_io(makedev(MAJOR, 0)), ENODEV);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    covers("devswadd.replaces", kind);
    covers("devsw.R-null", kind);
}

static void deletes(enum kind kind)
{
    struct devsw entry = {.d_config = first_config, .d_dsdptr = data_of_entry};
    caddr_t data = data_of_entry;
    assert_int_equal(devswdel(makedev(MAJOR, 0)), ENODEV);
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    assert_int_equal(configure(makedev(MAJOR, 0), CFG_INIT), ENODEV);
    assert_int_equal(devswqry(makedev(MAJOR, 0), NULL, &data), 0);
    assert_null(data);
    assert_int_equal(status_of(makedev(MAJOR, 0)), DSW_UNDEFINED);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), ENODEV);
    covers("devswdel.0", kind);
    covers("devswdel.ENODEV", kind);
    covers("devswqry.R-undefined", kind);
}

static void beyond_the_table(enum kind kind)
{
    struct devsw entry = {.d_config = first_config};
    config_function *old = nulldev;
    uint status;
    dev_t devno = makedev(70000, 0);
    assert_int_equal(major(devno), 70000);
    assert_int_equal(devswadd(devno, &entry), EINVAL);
    assert_int_equal(devswdel(devno), EINVAL);
    assert_int_equal(devswchg(devno, DSW_CREAD, nodev, &old), EINVAL);
    assert_int_equal(devswqry(devno, &status, NULL), EINVAL);
    assert_int_equal(start_io(devno), ENODEV);
    assert_int_equal(devswadd(makedev(255, 0), &entry), 0);
    assert_int_equal(devswdel(makedev(255, 0)), 0);
    covers("devswadd.EINVAL", kind);
    covers("devswdel.EINVAL", kind);
    covers("devswchg.EINVAL", kind);
    covers("devswqry.EINVAL", kind);
}

static const struct {
    int type, conditional;
} exchanges[] = {
    {DSW_BLOCK, DSW_BLOCK_COND},   {DSW_CONFIG, DSW_CONFIG_COND}, {DSW_CREAD, DSW_CREAD_COND},
    {DSW_CWRITE, DSW_CWRITE_COND}, {DSW_DUMP, DSW_DUMP_COND},     {DSW_MPX, DSW_MPX_COND},
    {DSW_SELECT, DSW_SELECT_COND}, {DSW_TCPATH, DSW_TCPATH_COND}, {DSW_IOCTL, DSW_IOCTL_COND},
};
#define EXCHANGES (sizeof exchanges / sizeof *exchanges)

static void tells_what_there_is(enum kind kind)
{
    struct devsw entry = {.d_dsdptr = (caddr_t)&calls};
    caddr_t data = NULL;
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    assert_int_equal(status_of(makedev(MAJOR, 0)), DSW_DEFINED);
    uint all = DSW_DEFINED;
    for (size_t index = 0; index < EXCHANGES; index++) {
        config_function *old = nulldev;
        assert_int_equal(devswchg(makedev(MAJOR, 0), exchanges[index].type, nulldev, &old), 0);
        assert_ptr_equal(old, nodev);
        all |= (uint)exchanges[index].type;
        assert_int_equal(status_of(makedev(MAJOR, 0)), all);
    }
    assert_int_equal(devswqry(makedev(MAJOR, 0), NULL, &data), 0);
    assert_ptr_equal(data, &calls);
    assert_int_equal(devswqry(makedev(MAJOR, 0), NULL, NULL), 0);
    struct devsw full = {.d_read = nodev,
                         .d_write = nodev,
                         .d_strategy = nodev,
                         .d_mpx = nodev,
                         .d_select = nodev,
                         .d_revoke = nulldev};
    assert_int_equal(devswadd(makedev(MAJOR, 0), &full), 0);
    assert_int_equal(status_of(makedev(MAJOR, 0)), DSW_DEFINED | DSW_TCPATH);
    struct devsw chooses = {.d_select = any_select};
    assert_int_equal(devswadd(makedev(MAJOR, 0), &chooses), 0);
    assert_int_equal(status_of(makedev(MAJOR, 0)), DSW_DEFINED | DSW_SELECT);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    covers("devswqry.0", kind);
    covers("devswqry.null", kind);
    covers("devswchg.0", kind);
    covers("devswchg.types", kind);
}

static void exchanges_one(enum kind kind)
{
    struct devsw entry = {.d_config = first_config};
    config_function *old = NULL;
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG, nulldev, &old), ENODEV);
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG, second_config, &old), 0);
    assert_ptr_equal(old, first_config);
    assert_int_equal(configure(makedev(MAJOR, 0), 1), 201);
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG, first_config, NULL), 0);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 105);
    static const int wrong[] = {0, DSW_DEFINED, DSW_CREAD | DSW_CWRITE, -1, 0x4000, 0x10000};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++)
        assert_int_equal(devswchg(makedev(MAJOR, 0), wrong[index], nodev, &old), EINVAL);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 105);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    covers("devswchg.0", kind);
    covers("devswchg.ENODEV", kind);
    covers("devswchg.EINVAL", kind);
}

static void exchanges_on_condition(enum kind kind)
{
    struct devsw entry = {.d_config = first_config};
    config_function *old = NULL;
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    old = second_config;
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG_COND, second_config, &old), EPERM);
    assert_ptr_equal(old, first_config);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 105);
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG_COND, second_config, NULL), EINVAL);
    assert_int_equal(devswchg(makedev(MAJOR, 0), DSW_CONFIG_COND, second_config, &old), 0);
    assert_ptr_equal(old, first_config);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 205);
    for (size_t index = 0; index < EXCHANGES; index++) {
        old = first_config;
        assert_int_equal(devswchg(makedev(MAJOR, 0), exchanges[index].conditional, nulldev, &old),
                         EPERM);
        assert_int_equal(devswchg(makedev(MAJOR, 0), exchanges[index].conditional, nulldev, &old),
                         0);
    }
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    covers("devswchg.EPERM", kind);
    covers("devswchg.EINVAL-condition", kind);
    covers("devswchg.types", kind);
}

static void routines_for_entries(enum kind kind)
{
    assert_int_equal(nodev(), ENODEV);
    assert_int_equal(nodev(makedev(1, 2), NULL, 3, 4L, 5), ENODEV);
    assert_int_equal(nulldev(), 0);
    assert_int_equal(nulldev(makedev(1, 2), 7), 0);
    covers("nodev.0", kind);
    covers("nulldev.0", kind);
}

struct results {
    int add, del, change, query;
    uint status;
};

static void call_at_interrupt(void *argument)
{
    struct results *results = argument;
    struct devsw entry = {.d_config = second_config};
    results->add = devswadd(makedev(MAJOR, 0), &entry);
    results->del = devswdel(makedev(MAJOR, 0));
    results->change = devswchg(makedev(MAJOR, 0), DSW_CONFIG, nodev, NULL);
    results->query = devswqry(makedev(MAJOR, 0), &results->status, NULL);
}

static void environments(enum kind kind)
{
    struct devsw entry = {.d_config = first_config};
    struct results results = {99, 99, 99, 99, 99};
    assert_int_equal(devswadd(makedev(MAJOR, 0), &entry), 0);
    at_interrupt(call_at_interrupt, &results);
    assert_int_equal(results.add, EINVAL);
    assert_int_equal(results.del, EINVAL);
    assert_int_equal(results.change, EINVAL);
    assert_int_equal(results.query, 0);
    assert_int_equal(results.status, DSW_DEFINED | DSW_CONFIG);
    assert_int_equal(configure(makedev(MAJOR, 0), 5), 105);
    assert_int_equal(devswdel(makedev(MAJOR, 0)), 0);
    covers("devsw.process-only", kind);
    covers("devswqry.interrupt", kind);
}

static void device_numbers(enum kind kind)
{
    static const unsigned numbers[] = {0, 1, 255, 256, 4095, 4096, 0xFFFFF, 0xFFFFFFFF};
    for (size_t one = 0; one < sizeof numbers / sizeof *numbers; one++)
        for (size_t other = 0; other < sizeof numbers / sizeof *numbers; other++) {
            dev_t devno = makedev(numbers[one], numbers[other]);
            assert_int_equal((unsigned)major(devno), numbers[one]);
            assert_int_equal((unsigned)minor(devno), numbers[other]);
            assert_int_equal(devno, gnu_dev_makedev(numbers[one], numbers[other]));
        }
    covers("devno.0", kind);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(adds_a_copy, ONCE),
        EACH(replaces, ONCE),
        EACH(deletes, ONCE),
        EACH(beyond_the_table, ONCE),
        EACH(tells_what_there_is, ONCE),
        EACH(exchanges_one, ONCE),
        EACH(exchanges_on_condition, ONCE),
        EACH(routines_for_entries, ONCE),
        EACH(environments, ONCE),
        EACH(device_numbers, ONCE),
    };
    return RUN_CASES("device_switch", cases);
}
