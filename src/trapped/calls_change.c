/* SPDX-License-Identifier: MIT */
/*
 * Calls that would change a device's name, mode, owner, times or attributes, or make something
 * under its name.
 *
 * The kernel program registers devices, and nobody else changes them: EPERM, as for a node that
 * belongs to somebody else.  A name that a device has is taken (EEXIST), and a device is no
 * directory (ENOTDIR).  By descriptor the answer is the same; the placeholder must not be touched.
 */
#include "trapped/call.h"

#include "trapped/tables.h"
#include "trapped/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FCHMODAT2 452 /* on every machine */
#define XATTR_SIZE_MOST 65536u

/* ---------------------------------------------------------------- frames --------------- */

/* The path in argument `index`: fails with the error if it names a device. */
static struct answer refuse(struct call *call, int directory, unsigned index, enum path_last last,
                            int error)
{
    struct target target = target_of_path(call, directory, call->arguments[index], last, false);
    return target_answer(&target, error);
}

static struct answer refuse_descriptor(struct call *call, int error)
{
    struct target target = target_of_descriptor(call, call_int(call, 0));
    return target_answer(&target, error);
}

/* 0, or EFAULT if a byte of the range cannot be read. */
static int probe(struct call *call, uint64_t address, uint64_t size)
{
    char piece[1024];
    while (size > 0) {
        size_t length = size < sizeof(piece) ? (size_t)size : sizeof(piece);
        if (call_copy_in(call, address, piece, length))
            return EFAULT;
        address += length;
        size -= length;
    }
    return 0;
}

/* ---------------------------------------------------------------- modes and owners ----- */

static struct answer call_chmod(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_FOLLOW, EPERM);
}

static struct answer call_lchown(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_STAY, EPERM);
}

static struct answer call_fchmod(struct call *call)
{
    return refuse_descriptor(call, EPERM);
}

static struct answer call_fchmodat(struct call *call)
{
    return refuse(call, call_int(call, 0), 1, PATH_FOLLOW, EPERM);
}

static struct answer refuse_with_flags(struct call *call, int flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return call_continue();
    enum path_last last = flags & AT_SYMLINK_NOFOLLOW ? PATH_STAY : PATH_FOLLOW;
    struct target target =
        target_of_path(call, call_int(call, 0), call->arguments[1], last, flags & AT_EMPTY_PATH);
    return target_answer(&target, EPERM);
}

static struct answer call_fchmodat2(struct call *call)
{
    return refuse_with_flags(call, call_int(call, 3));
}

static struct answer call_fchownat(struct call *call)
{
    return refuse_with_flags(call, call_int(call, 4));
}

/* ---------------------------------------------------------------- times ---------------- */

/* Bad times are found before the path is looked at. */
static struct answer refuse_times(struct call *call, struct target *target, uint64_t times,
                                  size_t size)
{
    int error = EPERM;
    if (target->kind == TARGET_DEVICE && times && probe(call, times, size))
        error = EFAULT;
    return target_answer(target, error);
}

static struct answer times_of_path(struct call *call, size_t size)
{
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], PATH_FOLLOW, false);
    return refuse_times(call, &target, call->arguments[1], size);
}

static struct answer call_utime(struct call *call)
{
    return times_of_path(call, call->narrow ? 2 * sizeof(uint32_t) : 2 * sizeof(uint64_t));
}

static struct answer call_utimes(struct call *call)
{
    return times_of_path(call, call->narrow ? 4 * sizeof(uint32_t) : 4 * sizeof(uint64_t));
}

/* futimesat and utimensat take no path as the descriptor itself. */
static struct target times_target(struct call *call, int flags)
{
    if (call->arguments[1] == 0)
        return target_of_descriptor(call, call_int(call, 0));
    enum path_last last = flags & AT_SYMLINK_NOFOLLOW ? PATH_STAY : PATH_FOLLOW;
    return target_of_path(call, call_int(call, 0), call->arguments[1], last, flags & AT_EMPTY_PATH);
}

static struct answer call_futimesat(struct call *call)
{
    struct target target = times_target(call, 0);
    return refuse_times(call, &target, call->arguments[2],
                        call->narrow ? 4 * sizeof(uint32_t) : 4 * sizeof(uint64_t));
}

static struct answer set_times(struct call *call, size_t size)
{
    int flags = call_int(call, 3);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) || (call->arguments[1] == 0 && flags))
        return call_continue();
    struct target target = times_target(call, flags);
    return refuse_times(call, &target, call->arguments[2], size);
}

static struct answer call_utimensat(struct call *call)
{
    return set_times(call, call->narrow ? 4 * sizeof(uint32_t) : 4 * sizeof(uint64_t));
}

static struct answer call_utimensat_time64(struct call *call)
{
    return set_times(call, 4 * sizeof(uint64_t));
}

/* ---------------------------------------------------------------- names ---------------- */

/* The first path that names a device decides. */
static struct answer refuse_either(struct call *call, int from_directory, unsigned from,
                                   int to_directory, unsigned to, int error_to)
{
    struct answer answer = refuse(call, from_directory, from, PATH_STAY, EPERM);
    return answer.kind == ANSWER_CONTINUE ? refuse(call, to_directory, to, PATH_STAY, error_to)
                                          : answer;
}

static struct answer call_rename(struct call *call)
{
    return refuse_either(call, AT_FDCWD, 0, AT_FDCWD, 1, EPERM);
}

static struct answer call_renameat(struct call *call)
{
    return refuse_either(call, call_int(call, 0), 1, call_int(call, 2), 3, EPERM);
}

static struct answer call_unlink(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_STAY, EPERM);
}

static struct answer call_unlinkat(struct call *call)
{
    int flags = call_int(call, 2);
    if (flags & ~AT_REMOVEDIR)
        return call_continue();
    return refuse(call, call_int(call, 0), 1, PATH_STAY, flags & AT_REMOVEDIR ? ENOTDIR : EPERM);
}

static struct answer call_rmdir(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_STAY, ENOTDIR);
}

static struct answer call_link(struct call *call)
{
    return refuse_either(call, AT_FDCWD, 0, AT_FDCWD, 1, EEXIST);
}

static struct answer call_linkat(struct call *call)
{
    int flags = call_int(call, 4);
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return call_continue();
    enum path_last last = flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : PATH_STAY;
    struct target target =
        target_of_path(call, call_int(call, 0), call->arguments[1], last, flags & AT_EMPTY_PATH);
    struct answer answer = target_answer(&target, EPERM);
    return answer.kind == ANSWER_CONTINUE ? refuse(call, call_int(call, 2), 3, PATH_STAY, EEXIST)
                                          : answer;
}

/* symlink(text, path) and the calls that make a node at a path. */
static struct answer call_symlink(struct call *call)
{
    return refuse(call, AT_FDCWD, 1, PATH_STAY, EEXIST);
}

static struct answer call_symlinkat(struct call *call)
{
    return refuse(call, call_int(call, 1), 2, PATH_STAY, EEXIST);
}

static struct answer call_mknod(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_STAY, EEXIST);
}

static struct answer call_mknodat(struct call *call)
{
    return refuse(call, call_int(call, 0), 1, PATH_STAY, EEXIST);
}

static struct answer call_chdir(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_FOLLOW, ENOTDIR);
}

static struct answer call_truncate(struct call *call)
{
    return refuse(call, AT_FDCWD, 0, PATH_FOLLOW, EINVAL);
}

/* ---------------------------------------------------------------- extended attributes -- */

static struct answer refuse_attribute(struct call *call, struct target *target, bool value)
{
    char name[XATTR_NAME_ROOM];
    int error = EPERM;
    if (target->kind == TARGET_DEVICE) {
        int copied = call_string_in(call, call->arguments[1], name, sizeof(name));
        if (value && (uint32_t)call->arguments[4] & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
            error = EINVAL;
        else if (copied || name[0] == '\0')
            error = copied == EFAULT ? EFAULT : ERANGE;
        else if (value && call->arguments[3] > XATTR_SIZE_MOST)
            error = E2BIG;
        else if (value && probe(call, call->arguments[2], call->arguments[3]))
            error = EFAULT;
    }
    return target_answer(target, error);
}

static struct answer attribute_of_path(struct call *call, enum path_last last, bool value)
{
    struct target target = target_of_path(call, AT_FDCWD, call->arguments[0], last, false);
    return refuse_attribute(call, &target, value);
}

static struct answer call_setxattr(struct call *call)
{
    return attribute_of_path(call, PATH_FOLLOW, true);
}

static struct answer call_lsetxattr(struct call *call)
{
    return attribute_of_path(call, PATH_STAY, true);
}

static struct answer call_fsetxattr(struct call *call)
{
    struct target target = target_of_descriptor(call, call_int(call, 0));
    return refuse_attribute(call, &target, true);
}

static struct answer call_removexattr(struct call *call)
{
    return attribute_of_path(call, PATH_FOLLOW, false);
}

static struct answer call_lremovexattr(struct call *call)
{
    return attribute_of_path(call, PATH_STAY, false);
}

static struct answer call_fremovexattr(struct call *call)
{
    struct target target = target_of_descriptor(call, call_int(call, 0));
    return refuse_attribute(call, &target, false);
}

const struct call_row calls_change[] = {
    CALL(chmod, 15, call_chmod),
    CALL(fchmod, 94, call_fchmod),
    CALL(fchmodat, 306, call_fchmodat),
    {"fchmodat2", FCHMODAT2, FCHMODAT2, call_fchmodat2},
    CALL(chown, 182, call_chmod),
    CALL_I386(chown32, 212, call_chmod),
    CALL(lchown, 16, call_lchown),
    CALL_I386(lchown32, 198, call_lchown),
    CALL(fchown, 95, call_fchmod),
    CALL_I386(fchown32, 207, call_fchmod),
    CALL(fchownat, 298, call_fchownat),
    CALL(utime, 30, call_utime),
    CALL(utimes, 271, call_utimes),
    CALL(futimesat, 299, call_futimesat),
    CALL(utimensat, 320, call_utimensat),
    CALL_I386(utimensat_time64, 412, call_utimensat_time64),
    CALL(rename, 38, call_rename),
    CALL(renameat, 302, call_renameat),
    CALL(renameat2, 353, call_renameat),
    CALL(unlink, 10, call_unlink),
    CALL(unlinkat, 301, call_unlinkat),
    CALL(rmdir, 40, call_rmdir),
    CALL(link, 9, call_link),
    CALL(linkat, 303, call_linkat),
    CALL(symlink, 83, call_symlink),
    CALL(symlinkat, 304, call_symlinkat),
    CALL(mknod, 14, call_mknod),
    CALL(mknodat, 297, call_mknodat),
    CALL(mkdir, 39, call_mknod),
    CALL(mkdirat, 296, call_mknodat),
    CALL(chdir, 12, call_chdir),
    CALL(chroot, 61, call_chdir),
    CALL(truncate, 92, call_truncate),
    CALL_I386(truncate64, 193, call_truncate),
    CALL(setxattr, 226, call_setxattr),
    CALL(lsetxattr, 227, call_lsetxattr),
    CALL(fsetxattr, 228, call_fsetxattr),
    CALL(removexattr, 235, call_removexattr),
    CALL(lremovexattr, 236, call_lremovexattr),
    CALL(fremovexattr, 237, call_fremovexattr),
    CALL_TABLE_END,
};
