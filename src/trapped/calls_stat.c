/* SPDX-License-Identifier: MIT */
/*
 * Calls that look at a device by its path or descriptor: the stat family, access, readlink, statfs,
 * and those that get extended attributes or a handle.
 *
 * A device looks like a node on the file system that would hold it.  What Linux refuses whatever
 * the path is (unknown flags, bad masks) is left to Linux.
 */
#include "trapped/call.h"

#include "host/paths.h"
#include "trapped/permission.h"
#include "trapped/status.h"
#include "trapped/tables.h"
#include "trapped/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- stat ----------------- */

enum form { FORM_NATIVE, FORM_NARROW, FORM_NARROW_OLD, FORM_NARROW64 };

static int store_form(struct call *call, const struct device_status *status, enum form form,
                      uint64_t address)
{
    union {
        struct stat native;
        struct narrow_stat narrow;
        struct narrow_old_stat old;
        struct narrow_stat64 narrow64;
    } answer;
    size_t size = 0;
    int error = 0;
    switch (form) {
    case FORM_NATIVE:
        error = status_native(status, &answer.native);
        size = sizeof(answer.native);
        break;
    case FORM_NARROW:
        error = status_narrow(status, &answer.narrow);
        size = sizeof(answer.narrow);
        break;
    case FORM_NARROW_OLD:
        error = status_narrow_old(status, &answer.old);
        size = sizeof(answer.old);
        break;
    case FORM_NARROW64:
        error = status_narrow64(status, &answer.narrow64);
        size = sizeof(answer.narrow64);
        break;
    }
    return error ? error : call_copy_out(call, &answer, address, size);
}

static struct answer answer_status(struct call *call, struct target *target, enum form form,
                                   uint64_t address)
{
    struct device_status status;
    int error = 0;
    if (target->kind == TARGET_DEVICE) {
        device_status(target->device, &status);
        error = store_form(call, &status, form, address);
    }
    return target_answer(target, error);
}

static struct answer by_path(struct call *call, enum path_last last, enum form form)
{
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], last, false);
    return answer_status(call, &target, form, call->arguments[1]);
}

static struct answer by_descriptor(struct call *call, enum form form)
{
    struct target target = target_of_descriptor(call, call_int(call, 0));
    return answer_status(call, &target, form, call->arguments[1]);
}

static struct answer call_stat(struct call *call)
{
    return by_path(call, PATH_FOLLOW, call->narrow ? FORM_NARROW : FORM_NATIVE);
}

static struct answer call_lstat(struct call *call)
{
    return by_path(call, PATH_STAY, call->narrow ? FORM_NARROW : FORM_NATIVE);
}

static struct answer call_fstat(struct call *call)
{
    return by_descriptor(call, call->narrow ? FORM_NARROW : FORM_NATIVE);
}

static struct answer call_oldstat(struct call *call)
{
    return by_path(call, PATH_FOLLOW, FORM_NARROW_OLD);
}

static struct answer call_oldlstat(struct call *call)
{
    return by_path(call, PATH_STAY, FORM_NARROW_OLD);
}

static struct answer call_oldfstat(struct call *call)
{
    return by_descriptor(call, FORM_NARROW_OLD);
}

static struct answer call_stat64(struct call *call)
{
    return by_path(call, PATH_FOLLOW, FORM_NARROW64);
}

static struct answer call_lstat64(struct call *call)
{
    return by_path(call, PATH_STAY, FORM_NARROW64);
}

static struct answer call_fstat64(struct call *call)
{
    return by_descriptor(call, FORM_NARROW64);
}

static enum path_last last_of(int flags)
{
    return flags & AT_SYMLINK_NOFOLLOW ? PATH_STAY : PATH_FOLLOW;
}

static struct answer call_newfstatat(struct call *call)
{
    int flags = call_int(call, 3);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return call_continue();
    struct target target = target_of_path(call, call_int(call, 0), call->arguments[1],
                                          last_of(flags), flags & AT_EMPTY_PATH);
    return answer_status(call, &target, call->narrow ? FORM_NARROW64 : FORM_NATIVE,
                         call->arguments[2]);
}

static struct answer call_statx(struct call *call)
{
    int flags = call_int(call, 2);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE) ||
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        (uint32_t)call->arguments[3] & STATX__RESERVED)
        return call_continue();
    struct device_status status;
    struct statx form;
    int error = 0;
    struct target target = target_of_path(call, call_int(call, 0), call->arguments[1],
                                          last_of(flags), flags & AT_EMPTY_PATH);
    if (target.kind == TARGET_DEVICE) {
        device_status(target.device, &status);
        status_extended(&status, &form);
        error = call_copy_out(call, &form, call->arguments[4], sizeof(form));
    }
    return target_answer(&target, error);
}

/* ---------------------------------------------------------------- access --------------- */

static struct answer permit(struct call *call, struct target *target, int mode, bool real)
{
    int error = 0;
    if (target->kind == TARGET_DEVICE && mode != F_OK)
        error = device_permission(target->device, call->thread, mode, real);
    return target_answer(target, error);
}

static bool mode_is_wrong(int mode)
{
    return mode & ~(R_OK | W_OK | X_OK);
}

static struct answer call_access(struct call *call)
{
    int mode = call_int(call, 1);
    if (mode_is_wrong(mode))
        return call_continue();
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_FOLLOW, false);
    return permit(call, &target, mode, true);
}

static struct answer call_faccessat(struct call *call)
{
    int mode = call_int(call, 2);
    if (mode_is_wrong(mode))
        return call_continue();
    struct target target =
        target_of_path(call, call_int(call, 0), call->arguments[1], PATH_FOLLOW, false);
    return permit(call, &target, mode, true);
}

static struct answer call_faccessat2(struct call *call)
{
    int mode = call_int(call, 2);
    int flags = call_int(call, 3);
    if (mode_is_wrong(mode) || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return call_continue();
    struct target target = target_of_path(call, call_int(call, 0), call->arguments[1],
                                          last_of(flags), flags & AT_EMPTY_PATH);
    return permit(call, &target, mode, !(flags & AT_EACCESS));
}

/* ---------------------------------------------------------------- readlink ------------- */

/* A device is no link; a link of /proc to an open one tells the device's path. */
static struct answer read_link(struct call *call, int directory, unsigned first)
{
    uint64_t buffer = call->arguments[first + 1];
    int room = call_int(call, first + 2);
    if (room <= 0)
        return call_continue();
    struct target target =
        target_of_path(call, directory, call->arguments[first], PATH_STAY_FD, false);
    if (target.kind != TARGET_DEVICE || !target.file)
        return target_answer(&target, EINVAL);
    size_t length = strlen(target.device->is.path);
    if (length > (size_t)room)
        length = (size_t)room;
    int error = call_copy_out(call, target.device->is.path, buffer, length);
    target_release(&target);
    return error ? call_error(error) : call_value((int64_t)length);
}

static struct answer call_readlink(struct call *call)
{
    return read_link(call, AT_FDCWD, 0);
}

static struct answer call_readlinkat(struct call *call)
{
    return read_link(call, call_int(call, 0), 1);
}

/* ---------------------------------------------------------------- statfs --------------- */

/* i386's struct statfs and struct statfs64 */
struct narrow_statfs {
    uint32_t type;
    uint32_t block_size;
    uint32_t blocks;
    uint32_t blocks_free;
    uint32_t blocks_available;
    uint32_t files;
    uint32_t files_free;
    uint32_t id[2];
    uint32_t name_length;
    uint32_t fragment_size;
    uint32_t flags;
    uint32_t spare[4];
};

struct __attribute__((packed)) narrow_statfs64 {
    uint32_t type;
    uint32_t block_size;
    uint64_t blocks;
    uint64_t blocks_free;
    uint64_t blocks_available;
    uint64_t files;
    uint64_t files_free;
    uint32_t id[2];
    uint32_t name_length;
    uint32_t fragment_size;
    uint32_t flags;
    uint32_t spare[4];
};

_Static_assert(sizeof(struct narrow_statfs) == 64, "i386's struct statfs");
_Static_assert(sizeof(struct narrow_statfs64) == 84, "i386's struct statfs64");

static int store_statfs_narrow(struct call *call, const struct host_file_system *system,
                               uint64_t address)
{
    if ((system->blocks | system->blocks_free | system->files | system->files_free) > UINT32_MAX)
        return EOVERFLOW;
    struct narrow_statfs form = {
        .type = (uint32_t)system->type,
        .block_size = (uint32_t)system->block_size,
        .blocks = (uint32_t)system->blocks,
        .blocks_free = (uint32_t)system->blocks_free,
        .blocks_available = (uint32_t)system->blocks_available,
        .files = (uint32_t)system->files,
        .files_free = (uint32_t)system->files_free,
        .id = {system->id[0], system->id[1]},
        .name_length = (uint32_t)system->name_length,
        .fragment_size = (uint32_t)system->fragment_size,
        .flags = (uint32_t)system->flags,
    };
    return call_copy_out(call, &form, address, sizeof(form));
}

static int store_statfs_narrow64(struct call *call, const struct host_file_system *system,
                                 uint64_t address)
{
    struct narrow_statfs64 form = {
        .type = (uint32_t)system->type,
        .block_size = (uint32_t)system->block_size,
        .blocks = system->blocks,
        .blocks_free = system->blocks_free,
        .blocks_available = system->blocks_available,
        .files = system->files,
        .files_free = system->files_free,
        .id = {system->id[0], system->id[1]},
        .name_length = (uint32_t)system->name_length,
        .fragment_size = (uint32_t)system->fragment_size,
        .flags = (uint32_t)system->flags,
    };
    return call_copy_out(call, &form, address, sizeof(form));
}

static int look_at_file_system(const struct device *device, struct host_file_system *system)
{
    char directory[PATH_MAX];
    device_directory(device, directory);
    return host_file_system(directory, system);
}

static struct answer call_statfs(struct call *call)
{
    struct host_file_system system;
    int error = 0;
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_FOLLOW, false);
    if (target.kind == TARGET_DEVICE) {
        error = look_at_file_system(target.device, &system);
        if (!error && call->narrow)
            error = store_statfs_narrow(call, &system, call->arguments[1]);
        else if (!error)
            error = call_copy_out(call, &system.native, call->arguments[1], sizeof(system.native));
    }
    return target_answer(&target, error);
}

static struct answer call_statfs64(struct call *call)
{
    struct host_file_system system;
    /* Some callers count the padding that other machines have at the end. */
    static const size_t padded = sizeof(struct narrow_statfs64) + sizeof(uint32_t);
    int error = 0;
    if (call->arguments[1] != sizeof(struct narrow_statfs64) && call->arguments[1] != padded)
        return call_continue();
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_FOLLOW, false);
    if (target.kind == TARGET_DEVICE) {
        error = look_at_file_system(target.device, &system);
        if (!error)
            error = store_statfs_narrow64(call, &system, call->arguments[2]);
    }
    return target_answer(&target, error);
}

/* ---------------------------------------------------------------- attributes, handles -- */

/* There are none.  The descriptor's own forms are answered by the placeholder. */
static struct answer get_attribute(struct call *call, enum path_last last)
{
    char name[XATTR_NAME_ROOM];
    int error = ENODATA;
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], last, false);
    if (target.kind == TARGET_DEVICE) {
        int copied = call_string_in(call, call->arguments[1], name, sizeof(name));
        if (copied || name[0] == '\0')
            error = copied == EFAULT ? EFAULT : ERANGE;
    }
    return target_answer(&target, error);
}

static struct answer call_getxattr(struct call *call)
{
    return get_attribute(call, PATH_FOLLOW);
}

static struct answer call_lgetxattr(struct call *call)
{
    return get_attribute(call, PATH_STAY);
}

static struct answer call_listxattr(struct call *call)
{
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_FOLLOW, false);
    return target_answer(&target, 0);
}

static struct answer call_llistxattr(struct call *call)
{
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_STAY, false);
    return target_answer(&target, 0);
}

static struct answer call_name_to_handle_at(struct call *call)
{
    int flags = call_int(call, 4);
    enum path_last last = flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : PATH_STAY;
    struct target target =
        target_of_path(call, call_int(call, 0), call->arguments[1], last, flags & AT_EMPTY_PATH);
    return target_answer(&target, EOPNOTSUPP);
}

const struct call_row calls_stat[] = {
    CALL(stat, 106, call_stat),
    CALL(lstat, 107, call_lstat),
    CALL(fstat, 108, call_fstat),
    CALL_I386(oldstat, 18, call_oldstat),
    CALL_I386(oldlstat, 84, call_oldlstat),
    CALL_I386(oldfstat, 28, call_oldfstat),
    CALL_I386(stat64, 195, call_stat64),
    CALL_I386(lstat64, 196, call_lstat64),
    CALL_I386(fstat64, 197, call_fstat64),
    CALL(newfstatat, 300, call_newfstatat),
    CALL(statx, 383, call_statx),
    CALL(access, 33, call_access),
    CALL(faccessat, 307, call_faccessat),
    CALL(faccessat2, 439, call_faccessat2),
    CALL(readlink, 85, call_readlink),
    CALL(readlinkat, 305, call_readlinkat),
    CALL(statfs, 99, call_statfs),
    CALL_I386(statfs64, 268, call_statfs64),
    CALL(getxattr, 229, call_getxattr),
    CALL(lgetxattr, 230, call_lgetxattr),
    CALL(listxattr, 232, call_listxattr),
    CALL(llistxattr, 233, call_llistxattr),
    CALL(name_to_handle_at, 341, call_name_to_handle_at),
    CALL_TABLE_END,
};
