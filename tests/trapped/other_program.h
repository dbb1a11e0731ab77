/* SPDX-License-Identifier: MIT */
/*
 * The trapped side of the tests of calls other than opening, closing and transferring: a program
 * that makes system calls on devices and on what Linux has that is like them, and compares.  It
 * uses no part of xmem.  Built for the machine and, where that can be done, as a 32-bit program.
 *
 *   xmem-test-other CASE DIRECTORY     runs the case on the devices in the directory; 0: all well
 */
#ifndef XMEM_TEST_OTHER_PROGRAM_H
#define XMEM_TEST_OTHER_PROGRAM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* What other.c registers in the directory. */
#define DEVICE_MAJOR 240
#define MINOR_PLAIN 1   /* "plain": a character device; reads 0 bytes, takes all; no poll */
#define MINOR_DISK 2    /* "disk": extent DISK_SIZE */
#define MINOR_READY 3   /* "ready": readable when something was written; REQUEST_* */
#define MINOR_STREAM 4  /* "stream": not seekable */
#define MINOR_BLOCK 5   /* "block": a block device */
#define MINOR_MULTI 6   /* "multi": with suffixes; reads what followed the path */
#define MINOR_GUARDED 7 /* "guarded": mode 0600 of root */
#define MINOR_OWNED 8   /* "owned": mode 0640 of user OWNER and group GROUP */
#define OWNER 65534
#define GROUP 65533
#define DISK_SIZE (1 << 20)

#define REQUEST_ECHO 0x5801      /* reads an int, adds one, stores it; returns 7 */
#define REQUEST_FAIL 0x5802      /* fails with the argument as its errno */
#define REQUEST_READY_IN 0x5803  /* a byte can be read so many milliseconds from now */
#define REQUEST_DRAIN 0x5804     /* nothing can be read any more */
#define REQUEST_BLOCK_OUT 0x5805 /* argument: whether nothing can be written */
#define REQUEST_SYNCS 0x5806     /* returns how often it was synchronised */
#define REQUEST_ARGUMENT 0x5807  /* stores the argument, for the next: */
#define REQUEST_ARGUMENT_LOW 0x5808
#define REQUEST_ARGUMENT_HIGH 0x5809

extern unsigned failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

/* A system call: what it returns, or -errno. */
#define raw(...)                                                                                   \
    ({                                                                                             \
        long raw_returned = syscall(__VA_ARGS__);                                                  \
        raw_returned == -1 ? -(long)errno : raw_returned;                                          \
    })
#define CHECK_RAW(expected, ...)                                                                   \
    do {                                                                                           \
        long raw_result = raw(__VA_ARGS__);                                                        \
        if (raw_result != (long)(expected)) {                                                      \
            failures++;                                                                            \
            printf("%s:%d: %s: %ld, not %ld\n", __FILE__, __LINE__, #__VA_ARGS__, raw_result,      \
                   (long)(expected));                                                              \
        }                                                                                          \
    } while (0)

/* The path of a device or of something else in the directory; several at a time. */
const char *in_directory(const char *name);
int open_device(const char *name, int flags);

/* Addresses that cannot be used for `size` bytes: for reading, and for writing. */
enum bad { BAD_NULL, BAD_LOW, BAD_HOLE, BAD_HALF, BAD_HIGH, BAD_READABLE, BAD_KINDS };
#define BAD_TO_READ BAD_READABLE /* the kinds before this one */
void *bad_address(enum bad kind, size_t size);

double seconds(void);
/* Calls `function` after so many milliseconds, in a thread. */
void later(unsigned milliseconds, void (*function)(void));
void later_join(void);

/* The cases. */
void case_status(void);
void case_permission(void);
void case_names(void);
void case_links(void);
void case_bad_paths(void);
void case_bad_buffers(void);
void case_seek(void);
void case_ioctl(void);
void case_flags(void);
void case_between(void);
void case_natural(void);
void case_poll(void);
void case_select(void);
void case_epoll(void);
void case_epoll_edges(void);
void case_wait_signals(void);
void case_masked_signals(void);
void case_poll_bad(void);
void case_wakes(void);
void case_many_waiters(void);
void case_killed_waiters(void);
void case_stopped(void);

#endif
