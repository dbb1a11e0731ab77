/* SPDX-License-Identifier: MIT */
/*
 * <sys/types.h> for AIX kernel extensions: the system's own header, and what extensions expect of
 * it beyond that.
 *
 * This directory comes before the system's in the include path, so that every program header that
 * includes <sys/types.h> passes through here.  Nothing of the system's header is changed or hidden.
 * Include guards, feature-test macros and strict -std= modes are the system header's business; the
 * typedefs below repeat it where the mode in use leaves names out, and are always the same types.
 */
#ifndef XMEM_AIX_SYS_TYPES_H
#define XMEM_AIX_SYS_TYPES_H

#pragma GCC system_header
#include_next <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef char *caddr_t;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef long long offset_t; /* a byte offset on a device or in a file */

/* Arithmetic types of the virtual memory manager.  0 is no object and no handle. */
typedef uint64_t vmid_t;     /* a virtual memory object (a segment) */
typedef uint64_t vmhandle_t; /* an object and the access key of a mapping of it */
typedef uint64_t vpn_t;      /* number of a page in an object */
typedef uint64_t vmsize_t;   /* bytes */
typedef int vmkey_t;         /* access key */

typedef long tid_t; /* a thread */
typedef int boolean_t; /* 0: false */

/*
 * How the services are declared.  Extensions that declare services themselves, with other pointer
 * types than ours, define _NO_PROTO before their first include: services are then declared without
 * parameters, which agrees with any declaration, and are no macros.
 */
#ifdef _NO_PROTO
#define XMEM_AIX_PARAMETERS(list) ()
#else
#define XMEM_AIX_PARAMETERS(list) list
#endif

/*
 * The number of the process that the caller runs for.
 * Returns a kernel process's own number; the pid of the trapped program whose call is served, or of
 * the current process if it is an opened Linux process; 0 under an embedded process, and for a
 * thread without a current process, which runs for the kernel program; -1 in the interrupt
 * environment: the documented way to tell the environments apart.
 * Context: process, interrupt; never blocks, pages or allocates.  Follows "getpid Kernel Service".
 */
pid_t xmem_aix_getpid(void);

#ifdef __cplusplus
}
#endif

#endif

/* `getpid` is the C library's name, so that AIX's meaning of it has to be asked for.  Outside the
 * guard: somebody else's include may have come first. */
#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_TYPES
#define XMEM_AIX_COMMON_NAMES_TYPES
#pragma GCC system_header
#include <unistd.h>
#define getpid xmem_aix_getpid
#endif
