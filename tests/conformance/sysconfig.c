/* SPDX-License-Identifier: MIT */
/*
 * Shows every statement about sysconfig, and the native services below it: with extensions of
 * extension.c, whose files XMEM_TEST_EXTENSION_* name.  The parameters are in the memory of each
 * kind of process, or, for a thread without one, in the program itself.
 */
#include "services.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/device.h>
#include <sys/mman.h>
#include <sys/sysconfig.h>
#include <unistd.h>
#include <xmem/extensions.h>

#define DEVICE makedev(78, 5)
#define EXTENSION_STARTS_PROCESS 100 /* as in extension.c */

struct extension_record { /* as in extension.c */
    int calls, cmd, had_data;
    dev_t devno;
    ssize_t resid;
    char data[64];
};

/* ---- the caller's memory ---- */

static struct memory *memory;
static size_t used;

static void begin(enum kind kind)
{
    memory = memory_open(kind, 8);
    used = 16;
    if (kind != KIND_KERNEL)
        xmem_enter(memory_process(memory));
}

static void end(void)
{
    if (memory_kind(memory) != KIND_KERNEL)
        xmem_leave();
    memory_close(memory);
}

/* Puts bytes into it. */
static caddr_t put(const void *bytes, size_t n)
{
    uint64_t address = memory_base(memory) + used;
    owner_store(memory, address, bytes, n);
    used += (n + 31) / 16 * 16;
    return ADDRESS(address);
}

static caddr_t put_text(const char *text)
{
    return put(text, strlen(text) + 1);
}

static void get(caddr_t from, void *bytes, size_t n)
{
    owner_load(memory, (uintptr_t)from, bytes, n);
}

/* ---- calls ---- */

/* 0 or errno. */
static int call(int cmd, void *parameters, int length)
{
    errno = 0;
    int result = sysconfig(cmd, parameters, length);
    assert_true(result == 0 || (result == -1 && errno != 0));
    return result == 0 ? 0 : errno;
}

static int load(int cmd, const char *path, const char *libpath, mid_t *kmid)
{
    struct cfg_load cfg = {.kmid = *kmid};
    cfg.path = path ? put_text(path) : NULL;
    cfg.libpath = libpath ? put_text(libpath) : NULL;
    caddr_t at = put(&cfg, sizeof cfg);
    int error = call(cmd, at, sizeof cfg);
    get(at, &cfg, sizeof cfg);
    *kmid = cfg.kmid;
    return error;
}

static int unload(mid_t kmid)
{
    return load(SYS_KULOAD, NULL, NULL, &kmid);
}

static const char *module(void)
{
    return getenv("XMEM_TEST_EXTENSION_MODULE");
}

static const char *driver(void)
{
    return getenv("XMEM_TEST_EXTENSION_DRIVER");
}

static struct extension_record *record_of(mid_t kmid)
{
    void *address;
    must(xmem_extension_find((uint32_t)kmid, "record", &address));
    return address;
}

static bool is_loaded(const char *path)
{
    mid_t kmid = 99;
    assert_int_equal(load(SYS_QUERYLOAD, path, NULL, &kmid), 0);
    return kmid != 0;
}

/* ---- loading ---- */

static void loads_and_unloads(enum kind kind)
{
    mid_t kmid = 0, again = 0, third = 0;
    begin(kind);
    assert_false(is_loaded(module()));
    assert_int_equal(load(SYS_SINGLELOAD, module(), NULL, &kmid), 0);
    assert_int_not_equal(kmid, 0);
    assert_true(is_loaded(module()));
    assert_int_equal(load(SYS_SINGLELOAD | SYS_64BIT, module(), NULL, &again), 0);
    assert_int_equal(again, kmid);
    assert_int_equal(load(SYS_QUERYLOAD, module(), NULL, &again), 0);
    assert_int_equal(again, kmid);
    assert_int_equal(unload(kmid), 0);
    assert_false(is_loaded(module()));
    assert_int_equal(unload(kmid), EINVAL);
    assert_int_equal(load(SYS_KLOAD, module(), NULL, &again), 0);
    assert_int_equal(load(SYS_KLOAD, module(), NULL, &third), 0);
    assert_int_equal(third, again);
    assert_int_equal(unload(kmid), EINVAL); /* the number of one that is gone is nobody's */
    assert_int_equal(unload(again), 0);
    assert_true(is_loaded(module()));
    assert_int_equal(unload(again), 0);
    assert_false(is_loaded(module()));
    assert_int_equal(unload(0), EINVAL);
    assert_int_equal(unload((mid_t)1 << 40), EINVAL);
    end();
    covers("sysconfig.KLOAD", kind);
    covers("sysconfig.SINGLELOAD", kind);
    covers("sysconfig.QUERYLOAD", kind);
    covers("sysconfig.KULOAD", kind);
}

static void looks_in_directories(enum kind kind)
{
    mid_t kmid = 0;
    char directories[4200], name[256];
    begin(kind);
    const char *slash = strrchr(module(), '/');
    snprintf(name, sizeof name, "%s", slash + 1);
    snprintf(directories, sizeof directories, "/nonexistent::%.*s:/tmp", (int)(slash - module()),
             module());
    assert_int_equal(load(SYS_KLOAD, name, directories, &kmid), 0);
    assert_int_equal(load(SYS_QUERYLOAD, module(), NULL, &kmid), 0);
    assert_int_not_equal(kmid, 0);
    assert_int_equal(unload(kmid), 0);
    assert_int_equal(load(SYS_KLOAD, name, "/nonexistent", &kmid), ENOENT);
    end();
    covers("sysconfig.libpath", kind);
}

static void cannot_be_loaded(enum kind kind)
{
    mid_t kmid = 7;
    begin(kind);
    assert_int_equal(load(SYS_KLOAD, "/nonexistent/extension.so", NULL, &kmid), ENOENT);
    assert_int_equal(kmid, 7); /* nothing was stored */
    assert_int_equal(load(SYS_KLOAD, "/proc/self/status", NULL, &kmid), ENOEXEC);
    assert_int_equal(load(SYS_KLOAD, NULL, NULL, &kmid), EINVAL);
    assert_int_equal(load(SYS_KLOAD, "", NULL, &kmid), EINVAL);
    assert_int_equal(load(SYS_KLOAD, getenv("XMEM_TEST_EXTENSION_BROKEN"), NULL, &kmid), ENOEXEC);
    assert_non_null(strstr(xmem_last_failure()->words, "a_function_that_is_nowhere"));
    char file[] = "/tmp/xmem-test-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
    close(fd);
    assert_int_equal(load(SYS_KLOAD, file, NULL, &kmid), ENOEXEC);
    unlink(file);
    end();
    covers("sysconfig.cannot-load", kind);
}

/* ---- calling ---- */

static void configures_modules(enum kind kind)
{
    mid_t kmid = 0;
    char data[] = "data of the module", vital[20] = "?";
    begin(kind);
    assert_int_equal(load(SYS_KLOAD, module(), NULL, &kmid), 0);
    struct extension_record *record = record_of(kmid);
    struct cfg_kmod cfg = {.kmid = kmid, .cmd = CFG_INIT, .mdilen = sizeof data};
    cfg.mdiptr = put(data, sizeof data);
    assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), 0);
    assert_int_equal(record->calls, 1);
    assert_int_equal(record->cmd, CFG_INIT);
    assert_int_equal(record->resid, sizeof data);
    assert_string_equal(record->data, data);
    cfg.cmd = CFG_QVPD;
    cfg.mdiptr = put(vital, sizeof vital);
    cfg.mdilen = sizeof vital;
    assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), 0);
    get(cfg.mdiptr, vital, sizeof vital);
    assert_string_equal(vital, "vital data");
    cfg.cmd = 4444; /* not looked at, and what it returns is errno */
    cfg.mdiptr = NULL;
    assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), 4444);
    assert_int_equal(record->had_data, 0);
    cfg.cmd = CFG_INIT;
    cfg.mdiptr = ADDRESS(UINT64_MAX - 4095);
    if (kind != KIND_KERNEL) /* the kernel's own pointers are not checked */
        assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), EFAULT);
    cfg.mdilen = -1;
    assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), EINVAL);
    cfg.mdilen = 0;
    cfg.kmid = kmid + 1;
    assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), EINVAL);
    assert_int_equal(unload(kmid), 0);
    end();
    covers("sysconfig.CFGKMOD", kind);
    covers("sysconfig.uio", kind);
    covers("sysconfig.entry-error", kind);
}

static void configures_devices(enum kind kind)
{
    mid_t kmid = 0;
    char data[] = "dds", vital[20] = "?";
    begin(kind);
    struct cfg_dd cfg = {.devno = DEVICE, .cmd = CFG_INIT, .ddslen = sizeof data};
    cfg.ddsptr = put(data, sizeof data);
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), ENODEV);
    assert_int_equal(load(SYS_KLOAD, driver(), NULL, &kmid), 0);
    struct extension_record *record = record_of(kmid);
    cfg.kmid = kmid;
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), 0);
    assert_int_equal(record->devno, DEVICE);
    assert_string_equal(record->data, data);

    struct qry_devsw query = {.devno = DEVICE, .status = 0xFFFF};
    caddr_t at = put(&query, sizeof query);
    assert_int_equal(call(SYS_QDVSW, at, sizeof query), 0);
    get(at, &query, sizeof query);
    assert_int_equal(query.status, DSW_DEFINED | DSW_CONFIG);

    mid_t again =
        0; /* it cannot go while the table names it, but a load of several can be undone */
    assert_int_equal(unload(kmid), EBUSY);
    assert_non_null(strstr(xmem_last_failure()->words, "still in use"));
    assert_int_equal(load(SYS_KLOAD, driver(), NULL, &again), 0);
    assert_int_equal(unload(again), 0);
    assert_int_equal(unload(kmid), EBUSY);

    cfg.kmid = 0; /* by the switch table now, for any minor */
    cfg.devno = makedev(78, 9);
    cfg.cmd = CFG_QVPD;
    cfg.ddsptr = put(vital, sizeof vital);
    cfg.ddslen = sizeof vital;
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), 0);
    assert_int_equal(record->devno, makedev(78, 9));
    get(cfg.ddsptr, vital, sizeof vital);
    assert_string_equal(vital, "vital data");
    cfg.cmd = 4444;
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), 4444);
    cfg.cmd = CFG_TERM;
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), 0);
    assert_int_equal(call(SYS_CFGDD, put(&cfg, sizeof cfg), sizeof cfg), ENODEV);
    assert_int_equal(unload(kmid), 0);

    query.devno = makedev(70000, 0);
    assert_int_equal(call(SYS_QDVSW, put(&query, sizeof query), sizeof query), EINVAL);
    query.devno = DEVICE;
    at = put(&query, sizeof query);
    assert_int_equal(call(SYS_QDVSW, at, sizeof query), 0);
    get(at, &query, sizeof query);
    assert_int_equal(query.status, DSW_UNDEFINED);
    end();
    covers("sysconfig.CFGDD", kind);
    covers("sysconfig.CFGDD-table", kind);
    covers("sysconfig.QDVSW", kind);
    covers("sysconfig.uio", kind);
}

/* Unloaded while its kernel process has told its end, but not returned. */
static void a_kernel_process_keeps_its_code(enum kind kind)
{
    mid_t kmid = 0;
    int flags[3] = {0, 0, 0}, *place = flags;
    (void)kind;
    begin(KIND_KERNEL);
    for (int round = 0; round < 3; round++) {
        memset(flags, 0, sizeof flags);
        assert_int_equal(load(SYS_KLOAD, module(), NULL, &kmid), 0);
        struct cfg_kmod cfg = {.kmid = kmid, .cmd = EXTENSION_STARTS_PROCESS};
        cfg.mdiptr = put(&place, sizeof place);
        cfg.mdilen = sizeof place;
        assert_int_equal(call(SYS_CFGKMOD, put(&cfg, sizeof cfg), sizeof cfg), 0);
        assert_true(comes_to(&flags[0], 1));
        __atomic_store_n(&flags[1], 1, __ATOMIC_RELEASE);
        assert_true(comes_to(&flags[2], 1 + (int)sizeof(int *)));
        assert_int_equal(unload(kmid), 0);
        assert_false(is_loaded(module()));
        assert_int_equal(unload(kmid), EINVAL);
        usleep(60000);
        end();
        begin(KIND_KERNEL);
    }
    end();
}

/* Nobody would know the number of what was loaded. */
static void not_loaded_without_an_answer(enum kind kind)
{
    struct cfg_load *cfg =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char path[1024];
    (void)kind;
    assert_ptr_not_equal(cfg, MAP_FAILED);
    snprintf(path, sizeof path, "%s", module());
    cfg->path = path;
    assert_int_equal(mprotect(cfg, PAGE, PROT_READ), 0);
    assert_int_equal(call(SYS_KLOAD, cfg, sizeof *cfg), EFAULT);
    assert_int_equal(call(SYS_SINGLELOAD, cfg, sizeof *cfg), EFAULT);
    munmap(cfg, PAGE);
    begin(KIND_KERNEL);
    assert_false(is_loaded(module()));
    end();
}

static void wrong_parameters(enum kind kind)
{
    static const int all[] = {SYS_KLOAD,   SYS_SINGLELOAD, SYS_QUERYLOAD, SYS_KULOAD,
                              SYS_CFGKMOD, SYS_CFGDD,      SYS_QDVSW};
    char room[256] = "";
    begin(kind);
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        assert_int_equal(call(all[index], ADDRESS(UINT64_MAX - 4095), 200), EFAULT);
        assert_int_equal(call(all[index], NULL, 200), EFAULT);
        assert_int_equal(call(all[index], put(room, 1), 4), EINVAL);
        assert_int_equal(call(all[index], put(room, 1), -1), EINVAL);
    }
    caddr_t at = put(room, sizeof room);
    assert_int_equal(call(0, at, sizeof room), EINVAL);
    assert_int_equal(call(99, at, sizeof room), EINVAL);
    assert_int_equal(call(SYS_CFGDD | SYS_64BIT, at, sizeof room), EINVAL);
    struct cfg_load cfg = {.path = ADDRESS(UINT64_MAX - 4095)};
    assert_int_equal(call(SYS_KLOAD, put(&cfg, sizeof cfg), sizeof cfg), EFAULT);
    cfg.path = put_text("/x");
    cfg.libpath = ADDRESS(UINT64_MAX - 4095);
    assert_int_equal(call(SYS_KLOAD, put(&cfg, sizeof cfg), sizeof cfg), EFAULT);
    end();
    covers("sysconfig.EFAULT", kind);
    covers("sysconfig.EINVAL", kind);
}

struct called {
    int result, error;
};

static void call_at_interrupt(void *argument)
{
    struct called *called = argument;
    struct qry_devsw query = {.devno = DEVICE};
    called->result = sysconfig(SYS_QDVSW, &query, sizeof query);
    called->error = errno;
}

static void process_environment_only(enum kind kind)
{
    struct called called = {99, 0};
    at_interrupt(call_at_interrupt, &called);
    assert_int_equal(called.result, -1);
    assert_int_equal(called.error, EPERM);
    covers("sysconfig.process-only", kind);
}

/* ---- the native services ---- */

static void native_services(enum kind kind)
{
    uint32_t number, other;
    void *address = &number;
    (void)kind;
    must_fail(xmem_extension_query(module(), NULL, &number), ENOENT);
    assert_int_equal(number, 0);
    must(xmem_extension_load(module(), NULL, &number));
    must(xmem_extension_load(driver(), NULL, &other));
    assert_int_not_equal(number, other);
    must(xmem_extension_entry(number, &address));
    void *begins;
    must(xmem_extension_find(number, "begin", &begins));
    assert_ptr_equal(address, begins);
    must_fail(xmem_extension_entry(other, &address), ENOENT);
    assert_null(address);
    must_fail(xmem_extension_find(number, "nothing_of_this_name", &address), ENOENT);
    assert_non_null(strstr(xmem_last_failure()->words, "nothing_of_this_name"));
    void *mine, *theirs;
    must(xmem_extension_find(number, "record", &mine));
    must(xmem_extension_find(other, "record", &theirs));
    assert_ptr_not_equal(mine, theirs); /* names are each extension's own */
    void *hold = &number;
    void *const addresses[] = {&number, mine, begins};
    must_fail(xmem_extension_unload_unused(number, addresses, 3), EBUSY);
    must_fail(xmem_extension_unload_unused(number, addresses, 2), EBUSY);
    must(xmem_extension_hold(begins, &hold));
    assert_non_null(hold);
    must(xmem_extension_unload_unused(number, addresses, 1));
    must_fail(xmem_extension_unload_unused(number, addresses, 1), EINVAL);
    must_fail(xmem_extension_query(module(), NULL, &number), ENOENT);
    *(volatile int *)mine = 1; /* it is held */
    xmem_extension_release(hold);
    must(xmem_extension_hold(&number, &hold));
    assert_null(hold);
    xmem_extension_release(hold);
    must(xmem_extension_load(module(), NULL, &number));
    must(xmem_extension_unload(number));
    must(xmem_extension_unload(other));
    must_fail(xmem_extension_unload(number), EINVAL);
    must_fail(xmem_extension_entry(number, &address), EINVAL);
    must_fail(xmem_extension_find(number, "begin", &address), EINVAL);
    must_fail(xmem_extension_load(NULL, NULL, &number), EINVAL);
}

static void interrupted_services(void *argument)
{
    int *errors = argument;
    uint32_t number = 0;
    void *address;
    errors[0] = xmem_extension_load(module(), NULL, &number);
    errors[1] = xmem_extension_query(module(), NULL, &number);
    errors[2] = xmem_extension_unload(1);
    errors[3] = xmem_extension_entry(1, &address);
    errors[4] = xmem_extension_find(1, "begin", &address);
    errors[5] = xmem_extension_unload_unused(1, NULL, 0);
    errors[6] = xmem_extension_hold(errors, &address);
}

static void native_services_process_only(enum kind kind)
{
    int errors[7] = {0};
    (void)kind;
    at_interrupt(interrupted_services, errors);
    for (int index = 0; index < 7; index++)
        assert_int_equal(errors[index], EPERM);
}

int main(void)
{
    static const struct test_case cases[] = {
        EACH(loads_and_unloads, ALL_KINDS),          EACH(looks_in_directories, ALL_KINDS),
        EACH(cannot_be_loaded, ALL_KINDS),           EACH(configures_modules, ALL_KINDS),
        EACH(configures_devices, ALL_KINDS),         EACH(wrong_parameters, ALL_KINDS),
        EACH(a_kernel_process_keeps_its_code, ONCE), EACH(not_loaded_without_an_answer, ONCE),
        EACH(process_environment_only, ONCE),        EACH(native_services, ONCE),
        EACH(native_services_process_only, ONCE),
    };
    return RUN_CASES("sysconfig", cases);
}
