/* SPDX-License-Identifier: MIT */
/*
 * <sys/devinfo.h>: what a driver answers to the ioctl IOCINFO.  The first two members are those
 * that every driver fills in; the values and the rest of the structure are ours.
 */
#ifndef XMEM_AIX_SYS_DEVINFO_H
#define XMEM_AIX_SYS_DEVINFO_H

#pragma GCC system_header
#include <sys/types.h>

#define IOCINFO 0x4981 /* argument: a struct devinfo, which the driver stores */

/* devtype */
#define DD_DISK 'R'
#define DD_PSEU 'Z' /* a pseudo-device */
#define DD_TTY 'T'
#define DD_RTAPE 'C'
#define DD_LP 'P'

/* flags */
#define DF_FIXED 0x01 /* the medium cannot be removed */
#define DF_RAND 0x02  /* random access */
#define DF_FAST 0x04

struct devinfo {
    char devtype;
    char flags;
    char devsubtype;
    union {
        struct {
            uint bytpsec;  /* bytes in a block */
            uint numblks;  /* blocks on the device */
        } dk;              /* DD_DISK */
        uint reserved[14]; /* of other types */
    } un;
};

#endif
