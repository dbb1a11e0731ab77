/* SPDX-License-Identifier: MIT */
/*
 * <sys/sysconfig.h>: loading, configuring and unloading kernel extensions.
 *
 * An extension is a shared object.  Its entry point is that of the file (`-Wl,-e,NAME`, as AIX's
 * linker has it), or else the function `ddconfig`.
 */
#ifndef XMEM_AIX_SYS_SYSCONFIG_H
#define XMEM_AIX_SYS_SYSCONFIG_H

#pragma GCC system_header
#include <sys/types.h>
#include <sys/device.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned long mid_t; /* a loaded extension; 0 is none */

/* Cmd */
#define SYS_KLOAD 1      /* struct cfg_load: load; loaded again, its use count goes up */
#define SYS_SINGLELOAD 2 /* struct cfg_load: load, unless it is loaded */
#define SYS_QUERYLOAD 3  /* struct cfg_load: kmid becomes that of the loaded one, or 0 */
#define SYS_KULOAD 4     /* struct cfg_load: the use count goes down; at 0 unload kmid */
#define SYS_CFGKMOD 5    /* struct cfg_kmod: call an extension's entry point */
#define SYS_CFGDD 6      /* struct cfg_dd: call a driver's ddconfig */
#define SYS_QDVSW 7      /* struct qry_devsw: status becomes what devswqry() tells */
#define SYS_64BIT 0x1000 /* may be added to the loading ones; there is no other kind */

struct cfg_load {
    caddr_t path;    /* of the shared object; without a slash it is looked for in libpath */
    caddr_t libpath; /* directories with colons in between, or NULL */
    mid_t kmid;
};

struct cfg_kmod {
    mid_t kmid;
    int cmd;        /* as a rule CFG_INIT or CFG_TERM */
    caddr_t mdiptr; /* data for the extension, or NULL: it gets no uio */
    int mdilen;
};

struct cfg_dd {
    mid_t kmid; /* 0: the driver that the switch table has for devno */
    dev_t devno;
    int cmd;        /* CFG_INIT and others */
    caddr_t ddsptr; /* the device-dependent structure */
    int ddslen;
};

struct qry_devsw {
    dev_t devno;
    uint status;
};

/*
 * Does what Cmd says with the structure at Parmp, which is Parmlen bytes long.  All addresses are
 * the current process's; without a current process, the kernel program's own.
 * Entry points are called as
 *     int entry(int cmd, struct uio *uiop)                  (SYS_CFGKMOD)
 *     int ddconfig(dev_t devno, int cmd, struct uio *uiop)  (SYS_CFGDD)
 * where uiop describes the data, for uiomove() in either direction.
 * Returns 0; -1, with errno: EFAULT: the structure or a path cannot be reached; EINVAL: Cmd,
 * Parmlen, or kmid is no loaded extension; ENOENT, EACCES, ENOEXEC ...: it cannot be loaded (the
 * words of xmem_last_failure() say what is missing); EBUSY: the last SYS_KULOAD of an extension of
 * which the device switch table still has routines; ENODEV: no driver (SYS_CFGDD with kmid 0), no
 * entry point; EPERM: at interrupt level (counted as a usage error); or what the entry point
 * returned.
 * Context: process; blocks, allocates.
 * Follows "sysconfig Subroutine" and the pages of its operations.
 */
int sysconfig XMEM_AIX_PARAMETERS((int Cmd, void *Parmp, int Parmlen));

#ifdef __cplusplus
}
#endif

#endif
