/* SPDX-License-Identifier: MIT */
/*
 * The filter.
 *
 * For each architecture the numbers are cut into segments with the same action, and a binary search
 * over the segments' beginnings finds the action: seven or eight comparisons for a call that is not
 * ours.  Since it looks at nothing but architecture and number, Linux (5.11 and later) asks it once
 * per call that passes and remembers the answer.
 *
 * io_uring is told to be absent, since its requests would pass unseen.  The x32 architecture, whose
 * numbers have a bit of their own, and others that are not served get ENOSYS for everything, so
 * that no call reaches a placeholder unseen.
 */
#include "trapped/filter.h"

#include <errno.h>
#include <stddef.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define ACTION_ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

/* The same on every architecture. */
#define NUMBER_IO_URING_SETUP 425
/* Numbers of x32 calls, and those that are no numbers; but for the last one, by which a tracer says
 * that a call is not to be executed, and which returns what the tracer has set. */
#define NUMBERS_OF_X32 0x40000000u
#define NUMBER_SKIPPED 0xffffffffu

#if defined(__x86_64__)
#define CODE_NATIVE AUDIT_ARCH_X86_64
#define CODE_I386 AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define CODE_NATIVE AUDIT_ARCH_AARCH64
#define CODE_I386 0xffffffffu /* there is none */
#endif

struct segment {
    uint32_t first;
    uint32_t action;
};

struct writer {
    struct sock_filter *program;
    unsigned short used;
};

static void emit(struct writer *writer, struct sock_filter instruction)
{
    writer->program[writer->used++] = instruction;
}

static uint32_t action_for(bool (*handled)(enum call_architecture, int),
                           enum call_architecture architecture, int number)
{
    if (number == NUMBER_IO_URING_SETUP)
        return ACTION_ABSENT;
    return handled(architecture, number) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
}

/* Returns how many. */
static size_t cut(bool (*handled)(enum call_architecture, int), enum call_architecture architecture,
                  struct segment *segments)
{
    size_t count = 0;
    for (int number = 0; number <= CALL_NUMBERS; number++) {
        uint32_t action = number < CALL_NUMBERS ? action_for(handled, architecture, number)
                                                : (uint32_t)SECCOMP_RET_ALLOW;
        if (count == 0 || segments[count - 1].action != action)
            segments[count++] = (struct segment){(uint32_t)number, action};
    }
    segments[count++] = (struct segment){NUMBERS_OF_X32, ACTION_ABSENT};
    segments[count++] = (struct segment){NUMBER_SKIPPED, SECCOMP_RET_ALLOW};
    return count;
}

/* One comparison with the beginning of the upper half, which stands behind the lower one: too far
 * away for a conditional jump at times. */
static void search(struct writer *writer, const struct segment *segments, size_t count)
{
    if (count == 1) {
        emit(writer, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, segments[0].action));
        return;
    }
    size_t middle = count / 2;
    const bool far = 3 * middle > UINT8_MAX; /* a segment takes three instructions at most */
    emit(writer,
         (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, segments[middle].first, 0, far));
    if (far)
        emit(writer, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    unsigned short lower = writer->used;
    search(writer, segments, middle);
    if (far)
        writer->program[lower - 1].k = (uint32_t)(writer->used - lower);
    else
        writer->program[lower - 1].jt = (uint8_t)(writer->used - lower);
    search(writer, segments + middle, count - middle);
}

static void numbers(struct writer *writer, bool (*handled)(enum call_architecture, int),
                    enum call_architecture architecture)
{
    struct segment segments[CALL_NUMBERS + 3];
    size_t count = cut(handled, architecture, segments);
    emit(writer,
         (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    search(writer, segments, count);
}

unsigned short filter_build(bool (*handled)(enum call_architecture, int),
                            struct sock_filter *program)
{
    struct writer writer = {program, 0};
    emit(&writer, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                               offsetof(struct seccomp_data, arch)));
    emit(&writer, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CODE_NATIVE, 1, 0));
    unsigned short leap = writer.used;
    emit(&writer, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    numbers(&writer, handled, CALL_ARCHITECTURE_NATIVE);
    program[leap].k = (uint32_t)(writer.used - leap - 1);
    emit(&writer, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CODE_I386, 1, 0));
    emit(&writer, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ACTION_ABSENT));
    numbers(&writer, handled, CALL_ARCHITECTURE_I386);
    return writer.used;
}

HOT enum call_architecture filter_architecture(uint32_t code)
{
    return code == CODE_NATIVE ? CALL_ARCHITECTURE_NATIVE
           : code == CODE_I386 ? CALL_ARCHITECTURE_I386
                               : CALL_ARCHITECTURES;
}
