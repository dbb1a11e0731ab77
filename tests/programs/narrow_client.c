/* SPDX-License-Identifier: MIT */
/*
 * A 32-bit program without any library that uses /dev/rd0 in all the ways that have a form of their
 * own on i386: 64-bit offsets in two registers, vectors of 32-bit addresses, old and new forms of
 * stat, addresses that end at 4 GiB.
 *
 * Exit status: 0, or the number of the step that went wrong.
 */
#define _SYS_IOCTL_H 1 /* which is a library's; the kernel's is as good for the numbers */
#include <asm-generic/ioctl.h>
#include "../../examples/ramdisk/ramdisk.h"

#define O_RDWR 2
#define ENXIO 6
#define EFAULT 14
#define EINVAL 22
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define DISK_SIZE (64 << 20)
#define LENGTH 1000

struct piece {
    void *base;
    unsigned length;
};

struct wait {
    int file;
    short events, returned;
};

static char out[LENGTH], in[LENGTH];
static unsigned status[48];

static long call6(int number, long first, long second, long third, long fourth, long fifth,
                  long sixth)
{
    long result, last[2] = {third, sixth}, *lasts = last;
    /* The sixth argument goes into the frame pointer. */
    __asm__ volatile("push %%ebp\n\tmov %%edx, %%ebp\n\tmov (%%ebp), %%edx\n\t"
                     "mov 4(%%ebp), %%ebp\n\tint $0x80\n\tpop %%ebp"
                     : "=a"(result), "+d"(lasts)
                     : "a"(number), "b"(first), "c"(second), "S"(fourth), "D"(fifth)
                     : "memory");
    return result;
}

static long call(int number, long first, long second, long third)
{
    return call6(number, first, second, third, 0, 0, 0);
}

static long call_at(int number, int file, const void *data, unsigned length, long long offset)
{
    return call6(number, file, (long)data, (long)length, (long)offset, (long)(offset >> 32), 0);
}

static long seek(int file, long long offset, int whence, long long *result)
{
    return call6(140, file, (long)(offset >> 32), (long)offset, (long)result, whence, 0);
}

static void fill(char first)
{
    for (int at = 0; at < LENGTH; at++) {
        out[at] = (char)(first + at);
        in[at] = 0;
    }
}

static int agree(void)
{
    for (int at = 0; at < LENGTH; at++)
        if (in[at] != out[at])
            return 0;
    return 1;
}

static void end(int step) __attribute__((noreturn));
static void end(int step)
{
    for (;;)
        call(1, step, 0, 0);
}

#define STEP(number, holds)                                                                        \
    do {                                                                                           \
        if (!(holds))                                                                              \
            end(number);                                                                           \
    } while (0)

static void transfers(int file)
{
    struct piece pieces[2] = {{out, 300}, {out + 300, LENGTH - 300}};
    struct piece back[2] = {{in, 1}, {in + 1, LENGTH - 1}};
    long long place = -1;
    fill(1);
    STEP(10, call(4, file, (long)out, LENGTH) == LENGTH); /* write */
    STEP(11, call(19, file, 0, 0) == 0);                  /* lseek */
    STEP(12, call(3, file, (long)in, LENGTH) == LENGTH);  /* read */
    STEP(13, agree());
    fill(2);
    STEP(14, seek(file, 5000, 0, &place) == 0 && place == 5000);
    STEP(15, call(146, file, (long)pieces, 2) == LENGTH); /* writev */
    STEP(16, seek(file, -LENGTH, 1, &place) == 0 && place == 5000);
    STEP(17, call(145, file, (long)back, 2) == LENGTH); /* readv */
    STEP(18, agree());
    fill(3);
    STEP(19, call_at(181, file, out, LENGTH, 33333333) == LENGTH); /* pwrite64 */
    STEP(20, call_at(180, file, in, LENGTH, 33333333) == LENGTH);  /* pread64 */
    STEP(21, agree());
    fill(4);
    STEP(22, call_at(334, file, pieces, 2, 7) == LENGTH); /* pwritev */
    STEP(23, call_at(333, file, back, 2, 7) == LENGTH);   /* preadv */
    STEP(24, agree());
    STEP(25, call_at(180, file, in, 1, DISK_SIZE) == 0);
    STEP(26, call_at(180, file, in, 1, 1LL << 33) == -ENXIO);
    STEP(27, call_at(180, file, in, 1, -1) == -EINVAL);
}

static void bad_pointers(int file)
{
    struct piece bad[2] = {{out, 10}, {(void *)0xfffff000u, 0x2000}};
    STEP(30, call(3, file, 16, 100) == -EFAULT);
    STEP(31, call(4, file, 16, 100) == -EFAULT);
    STEP(32, call(4, file, (long)0xfffff800u, 0x1000) == -EFAULT);
    STEP(33, call(145, file, 16, 2) == -EFAULT);
    STEP(34, call(146, file, (long)bad, 2) == -EFAULT || call(146, file, (long)bad, 2) >= 0);
    STEP(35, call(54, file, (long)RD_GEOMETRY, 16) == -EFAULT);
    STEP(36, call(5, 16, O_RDWR, 0) == -EFAULT);
    STEP(37, call(195, 16, (long)status, 0) == -EFAULT);
}

static void commands(int file)
{
    struct rd_geometry geometry = {0};
    struct rd_find find = {.text = (unsigned)"needle", .most = 1};
    uint64_t place = 0;
    find.places = (unsigned)&place;
    STEP(40, call(54, file, (long)RD_GEOMETRY, (long)&geometry) == 0);
    STEP(41, geometry.size == DISK_SIZE && geometry.block_size == RD_BLOCK);
    STEP(42, call_at(181, file, "needle", 6, 44444444) == 6);
    STEP(43, call(54, file, (long)RD_FIND, (long)&find) == 0);
    STEP(44, find.found == 1 && place == 44444444);
    STEP(45, call(54, file, 0x1234, 0) == -EINVAL);
}

static void others(int file)
{
    struct wait wait = {file, 1, 0};
    STEP(50, call(197, file, (long)status, 0) == 0); /* fstat64 */
    STEP(51, (status[4] & S_IFMT) == S_IFCHR);
    STEP(52, call(195, (long)"/dev/rd0", (long)status, 0) == 0); /* stat64 */
    STEP(53, (status[4] & S_IFMT) == S_IFCHR);
    STEP(54, call(168, (long)&wait, 1, 0) == 1 && wait.returned == 1); /* poll */
    STEP(55, call(33, (long)"/dev/rd0", 6, 0) == 0);                   /* access */
    STEP(56, call(118, file, 0, 0) == 0);                              /* fsync */
    STEP(57, call(63, file, 0, 0) == 0);                               /* dup2 */
    STEP(58, call(19, 0, 0, 0) == 0 && call(3, 0, (long)in, 10) == 10);
    /* mmap2 */
    STEP(59, call6(192, 0, 4096, 3, 1, file, 0) < 0 && call6(192, 0, 4096, 3, 1, file, 0) > -4096);
    STEP(60, call(6, file, 0, 0) == 0 && call(6, 0, 0, 0) == 0); /* close */
    STEP(61, call(3, file, (long)in, 10) == -9);                 /* EBADF */
}

void _start(void) __attribute__((noreturn));

__attribute__((force_align_arg_pointer)) void _start(void)
{
    int file = (int)call(5, (long)"/dev/rd0", O_RDWR, 0); /* open */
    STEP(1, file > 2);
    transfers(file);
    bad_pointers(file);
    commands(file);
    others(file);
    end(0);
}
