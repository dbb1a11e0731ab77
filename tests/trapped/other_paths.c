/* SPDX-License-Identifier: MIT */
/*
 * Which paths name devices (src/trapped/paths.h), as a child process sees them that goes to other
 * directories and roots and opens descriptors.  No trapped program is needed: the walk looks at any
 * process.  Beside each path that names the device there is one, hardly different, that does not.
 */
#include "trapped/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[64]; /* a directory of our own: top/holder holds the device "dev0" */
static char device[128];
static pid_t caller;

/* ---------------------------------------------------------------- the caller ----------- */

#define CANNOT 77

struct stance {
    const char *directory; /* NULL: ours */
    const char *root;
    const char *mount_from; /* bound onto mount_to, in mounts of its own */
    const char *mount_to;
    const char *open; /* becomes descriptor 20 */
};

static void take_stance(const struct stance *stance)
{
    if (stance->mount_from &&
        (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
         mount(stance->mount_from, stance->mount_to, NULL, MS_BIND, NULL)))
        _exit(CANNOT);
    if (stance->root && chroot(stance->root))
        _exit(CANNOT);
    if (stance->directory && chdir(stance->directory))
        _exit(1);
    if (stance->open) {
        int fd = open(stance->open, O_RDONLY);
        if (fd < 0 || dup2(fd, 20) != 20)
            _exit(1);
    }
}

/* False: not possible here. */
static bool caller_start(const struct stance *stance)
{
    int ends[2];
    char byte;
    int status;
    assert_int_equal(pipe(ends), 0);
    caller = fork();
    assert_true(caller >= 0);
    if (caller == 0) {
        take_stance(stance);
        ssize_t written = write(ends[1], "", 1);
        (void)written;
        for (;;)
            pause();
    }
    close(ends[1]);
    ssize_t got = read(ends[0], &byte, 1);
    close(ends[0]);
    if (got == 1)
        return true;
    assert_int_equal(waitpid(caller, &status, 0), caller);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == CANNOT);
    return false;
}

static void caller_end(void)
{
    kill(caller, SIGKILL);
    assert_int_equal(waitpid(caller, NULL, 0), caller);
}

static struct path_found found;

static enum path_kind look_from(int directory, const char *path, enum path_last last)
{
    path_find(&(struct path_request){.process = caller,
                                     .thread = caller,
                                     .directory = directory,
                                     .path = path,
                                     .last = last},
              &found);
    return found.kind;
}

static enum path_kind look(const char *path)
{
    return look_from(AT_FDCWD, path, PATH_FOLLOW);
}

static const char *in_top(const char *rest)
{
    static char texts[8][256];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof(texts[0]), "%s%s", top, rest);
    return text;
}

static void is_device(const char *path)
{
    if (look(path) != PATH_DEVICE)
        fail_msg("%s is no device", path);
    assert_string_equal(found.device, device);
    assert_string_equal(found.rest, "");
}

static void is_other(const char *path)
{
    if (look(path) != PATH_OTHER)
        fail_msg("%s: found %d", path, (int)found.kind);
}

static void is_refused(const char *path, int error)
{
    if (look(path) != PATH_REFUSED)
        fail_msg("%s: found %d", path, (int)found.kind);
    assert_int_equal(found.error, error);
}

/* ---------------------------------------------------------------- cases ---------------- */

static void names(void **state)
{
    (void)state;
    assert_int_equal(path_name_add(device, false), EEXIST);
    assert_int_equal(path_name_add("dev/x", false), EINVAL);
    assert_int_equal(path_name_add("", false), EINVAL);
    assert_int_equal(path_name_add(NULL, false), EINVAL);
    assert_int_equal(path_name_add("/", false), EINVAL);
    assert_int_equal(path_name_add("/dev//x", false), EINVAL);
    assert_int_equal(path_name_add("/dev/./x", false), EINVAL);
    assert_int_equal(path_name_add("/dev/../x", false), EINVAL);
    assert_int_equal(path_name_add("/dev/x/", false), EINVAL);
    assert_int_equal(path_name_add(in_top("/holder/multi"), true), 0);
    assert_int_equal(path_name_add(in_top("/holder/multi/a"), false), EEXIST);
    assert_int_equal(path_name_add(in_top("/holder/multi2"), false), 0);
    path_name_remove(in_top("/holder/multi"));
    path_name_remove(in_top("/holder/multi2"));
    path_name_remove(in_top("/holder/nothing"));
    assert_int_equal(path_name_add(in_top("/holder/multi/a"), false), 0);
    path_name_remove(in_top("/holder/multi/a"));
}

static void absolute(void **state)
{
    (void)state;
    assert_true(caller_start(&(struct stance){0}));
    is_device(in_top("/holder/dev0"));
    is_device(in_top("//holder///dev0"));
    is_device(in_top("/./holder/./dev0"));
    is_device(in_top("/holder/../holder/dev0"));
    is_device(in_top("/plain/../holder/dev0"));
    is_other(in_top("/holder/dev"));
    is_other(in_top("/holder/dev01"));
    is_other(in_top("/plain/dev0"));
    is_other(in_top("/nowhere/../holder/dev0"));
    is_other(in_top("/holder/file/../dev0"));
    is_other(in_top("/holder/file"));
    is_other("/dev/null");
    is_other("/");
    is_other("");
    is_refused(in_top("/holder/dev0/"), ENOTDIR);
    is_refused(in_top("/holder/dev0/x"), ENOTDIR);
    is_refused(in_top("/holder/dev0/.."), ENOTDIR);
    is_refused(in_top("/holder/dev0/."), ENOTDIR);
    caller_end();
}

static void relative(void **state)
{
    (void)state;
    assert_true(caller_start(&(struct stance){.directory = in_top("/holder")}));
    is_device("dev0");
    is_device("./dev0");
    is_device("../holder/dev0");
    is_other("dev1");
    is_other("holder/dev0");
    is_other("../dev0");
    caller_end();
    assert_true(
        caller_start(&(struct stance){.directory = in_top("/plain"), .open = in_top("/holder")}));
    is_device("../holder/dev0");
    is_other("dev0");
    assert_int_equal(look_from(20, "dev0", PATH_FOLLOW), PATH_DEVICE);
    assert_int_equal(look_from(20, "../holder/dev0", PATH_FOLLOW), PATH_DEVICE);
    assert_int_equal(look_from(20, "../plain/dev0", PATH_FOLLOW), PATH_OTHER);
    assert_int_equal(look_from(20, in_top("/holder/dev0"), PATH_FOLLOW), PATH_DEVICE);
    assert_int_equal(look_from(21, "dev0", PATH_FOLLOW), PATH_OTHER);
    assert_int_equal(look_from(-1, "dev0", PATH_FOLLOW), PATH_OTHER);
    caller_end();
}

static void link_to(const char *text, const char *place)
{
    assert_int_equal(symlink(text, place), 0);
}

static void symbolic_links(void **state)
{
    (void)state;
    char text[64];
    link_to(device, in_top("/plain/absolute"));
    link_to("../holder/dev0", in_top("/plain/relative"));
    link_to("relative", in_top("/plain/second"));
    link_to("../holder", in_top("/plain/folder"));
    link_to("../holder/none", in_top("/plain/dangling"));
    link_to("loop", in_top("/plain/loop"));
    link_to("../holder/dev0/", in_top("/plain/slash"));
    link_to("absolute", in_top("/plain/link40"));
    for (int index = 39; index > 0; index--) {
        char place[64];
        snprintf(text, sizeof(text), "link%d", index + 1);
        snprintf(place, sizeof(place), "/plain/link%d", index);
        link_to(text, in_top(place));
    }
    assert_true(caller_start(&(struct stance){.directory = in_top("/plain")}));
    is_device("absolute");
    is_device("relative");
    is_device("second");
    is_device("folder/dev0");
    is_device("folder/../holder/dev0");
    is_device("link3"); /* 38 of these, and "absolute" */
    is_other("link1");
    is_other("dangling");
    is_other("loop");
    is_other("loop/dev0");
    is_other("folder");
    is_refused("slash", ENOTDIR);
    is_refused("relative/", ENOTDIR);
    assert_int_equal(look_from(AT_FDCWD, "relative", PATH_STAY), PATH_OTHER);
    assert_int_equal(look_from(AT_FDCWD, "second", PATH_STAY), PATH_OTHER);
    assert_int_equal(look_from(AT_FDCWD, "folder/dev0", PATH_STAY), PATH_DEVICE);
    caller_end();
}

static void suffixes(void **state)
{
    (void)state;
    const char *multi = in_top("/holder/multi");
    assert_int_equal(path_name_add(multi, true), 0);
    link_to("../holder/multi", in_top("/plain/multi-link"));
    assert_true(caller_start(&(struct stance){.directory = in_top("/plain")}));
    assert_int_equal(look(in_top("/holder/multi")), PATH_DEVICE);
    assert_string_equal(found.rest, "");
    assert_int_equal(look(in_top("/holder/multi/")), PATH_DEVICE);
    assert_string_equal(found.rest, "");
    assert_int_equal(look("../holder//multi//channel/7"), PATH_DEVICE);
    assert_string_equal(found.rest, "channel/7");
    assert_string_equal(found.device, in_top("/holder/multi"));
    assert_int_equal(look("multi-link/other"), PATH_DEVICE);
    assert_string_equal(found.rest, "other");
    is_other(in_top("/holder/multiple/x"));
    caller_end();
    path_name_remove(in_top("/holder/multi"));
}

/* The device's directory need not exist, and may come into being later. */
static void missing_directories(void **state)
{
    (void)state;
    assert_int_equal(path_name_add(in_top("/holder/a/b/dev9"), false), 0);
    link_to("../holder/a", in_top("/plain/to-a"));
    assert_true(caller_start(&(struct stance){.directory = in_top("/holder")}));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(look("a/b/dev9"), PATH_DEVICE);
        assert_int_equal(look(in_top("/holder//a/./b//dev9")), PATH_DEVICE);
        is_other("a/dev9");
        is_other("a/b");
        is_other("dev9");
        if (round == 0)
            assert_int_equal(mkdir(in_top("/holder/a"), 0700), 0);
        if (round == 1)
            assert_int_equal(mkdir(in_top("/holder/a/b"), 0700), 0);
    }
    assert_int_equal(look("../plain/to-a/b/dev9"), PATH_DEVICE);
    caller_end();
    assert_int_equal(rmdir(in_top("/holder/a/b")), 0);
    assert_int_equal(rmdir(in_top("/holder/a")), 0);
    path_name_remove(in_top("/holder/a/b/dev9"));
}

static void other_roots(void **state)
{
    (void)state;
    link_to("/dev0", in_top("/holder/inside"));
    link_to("/holder/dev0", in_top("/plain/from-root"));
    if (!caller_start(&(struct stance){.root = in_top("/holder"), .directory = "/"})) {
        print_message("left out: no right to change the root\n");
        return;
    }
    is_device("/dev0");
    is_device("/../../dev0");
    is_device("inside");
    is_device("../dev0");
    is_other(in_top("/holder/dev0"));
    caller_end();
    assert_true(caller_start(&(struct stance){.root = top, .directory = "/plain"}));
    is_device("/holder/dev0");
    is_device("from-root");
    is_other("/dev0");
    is_other(in_top("/holder/dev0"));
    caller_end();
    assert_true(caller_start(&(struct stance){.root = in_top("/plain"), .directory = "/"}));
    is_other("/dev0");
    is_other("/holder/dev0");
    is_other("../holder/dev0");
    caller_end();
}

static void other_mounts(void **state)
{
    (void)state;
    if (!caller_start(&(struct stance){.mount_from = in_top("/holder"),
                                       .mount_to = in_top("/plain"),
                                       .directory = in_top("/plain")})) {
        print_message("left out: no right to mount\n");
        return;
    }
    is_device(in_top("/plain/dev0"));
    is_device(in_top("/holder/dev0"));
    is_other(in_top("/dev0"));
    caller_end();
    assert_true(caller_start(&(struct stance){.mount_from = in_top("/plain"),
                                              .mount_to = in_top("/holder"),
                                              .directory = in_top("/holder")}));
    is_other(in_top("/holder/dev0"));
    caller_end();
}

static void links_of_proc(void **state)
{
    (void)state;
    char path[256];
    assert_true(
        caller_start(&(struct stance){.directory = in_top("/holder"), .open = "/dev/null"}));
    is_device("/proc/self/cwd/dev0");
    is_device("/proc/thread-self/cwd/dev0");
    snprintf(path, sizeof(path), "/proc/self/root%s", device);
    is_device(path);
    is_other("/proc/self/cwd");
    is_other("/proc/self/status");
    is_other("/proc/mounts");
    static const char *const descriptors[] = {"/proc/self/fd/20", "/proc/thread-self/fd/20",
                                              "/dev/fd/20", "/proc/self/fd//20"};
    for (size_t index = 0; index < sizeof(descriptors) / sizeof(descriptors[0]); index++) {
        assert_int_equal(look(descriptors[index]), PATH_DESCRIPTOR);
        assert_int_equal(found.owner, caller);
        assert_int_equal(found.descriptor, 20);
    }
    snprintf(path, sizeof(path), "/proc/%d/fd/20", (int)caller);
    assert_int_equal(look(path), PATH_DESCRIPTOR);
    assert_int_equal(found.owner, caller);
    assert_int_equal(look_from(AT_FDCWD, path, PATH_STAY), PATH_OTHER);
    assert_int_equal(look_from(AT_FDCWD, path, PATH_STAY_FD), PATH_DESCRIPTOR);
    assert_int_equal(look_from(AT_FDCWD, "/proc/self/exe", PATH_STAY_FD), PATH_OTHER);
    is_other("/proc/self/fd/21");
    is_other("/proc/self/fd/20/");
    caller_end();
}

static void links_of_proc_elsewhere(void **state)
{
    (void)state;
    assert_true(
        caller_start(&(struct stance){.directory = in_top("/plain"), .open = in_top("/holder")}));
    is_device("/proc/self/fd/20/dev0");
    is_device("/dev/fd/20/../holder/dev0");
    is_other("/proc/self/fd/20");
    is_other("/proc/self/cwd/dev0");
    caller_end();
}

static void long_paths(void **state)
{
    (void)state;
    static char path[PATH_MAX];
    assert_true(caller_start(&(struct stance){.directory = in_top("/holder")}));
    memset(path, '/', sizeof(path) - 1);
    memcpy(path, "dev0", 4);
    is_refused(path, ENOTDIR);
    memset(path, 'x', sizeof(path) - 1);
    is_other(path);
    for (size_t place = 0; place + 7 < sizeof(path); place += 2)
        memcpy(path + place, "./", 3);
    strcpy(strrchr(path, '/') + 1, "dev0");
    is_device(path);
    caller_end();
    is_other("dev0"); /* the caller is gone */
}

/* With too few descriptors left for the walk, the device does not count as missing. */
static void few_descriptors(void **state)
{
    (void)state;
    const unsigned enough = 8;
    unsigned refused = 0;
    struct rlimit before;
    assert_true(caller_start(&(struct stance){.directory = in_top("/holder")}));
    const char *other = in_top("/plain/x");
    int lowest = dup(0);
    assert_true(lowest >= 0 && close(lowest) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (unsigned left = 0; left <= enough; left++) {
        struct rlimit few = {(rlim_t)lowest + left, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        enum path_kind kind = look(device);
        int error = found.error;
        enum path_kind kind_of_relative = look("dev0");
        enum path_kind kind_of_other = look(other);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(kind == PATH_DEVICE || (kind == PATH_REFUSED && error == ENFILE));
        assert_true(kind_of_relative == PATH_DEVICE || kind_of_relative == PATH_REFUSED);
        assert_int_equal(kind_of_other, PATH_OTHER);
        refused += kind == PATH_REFUSED;
    }
    assert_true(refused > 0 && refused < enough);
    is_device(device);
    assert_int_equal(path_unseen(device, EMFILE), ENFILE);
    assert_int_equal(path_unseen(device, ENOMEM), ENOMEM);
    assert_int_equal(path_unseen(device, ESRCH), 0);
    assert_int_equal(path_unseen(other, EMFILE), 0);
    caller_end();
}

/* ---------------------------------------------------------------- frame ---------------- */

static int set_up(void **state)
{
    (void)state;
    strcpy(top, "/tmp/xmem-paths-XXXXXX");
    if (!mkdtemp(top) || mkdir(in_top("/holder"), 0755) || mkdir(in_top("/plain"), 0755))
        return -1;
    int fd = open(in_top("/holder/file"), O_CREAT | O_WRONLY, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    snprintf(device, sizeof(device), "%s/holder/dev0", top);
    return path_name_add(device, false);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    path_name_remove(device);
    snprintf(command, sizeof(command), "rm -rf '%s'", top);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(absolute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(relative, set_up, tear_down),
        cmocka_unit_test_setup_teardown(symbolic_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(suffixes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_roots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_mounts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_of_proc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_of_proc_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_descriptors, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("other-paths", tests, NULL, NULL) != 0;
}
