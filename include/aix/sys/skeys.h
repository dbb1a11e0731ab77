/* SPDX-License-Identifier: MIT */
/*
 * <sys/skeys.h>: storage-protection keys of kernel memory.  There are none here: every kernel key
 * is accepted and protects nothing.
 */
#ifndef XMEM_AIX_SYS_SKEYS_H
#define XMEM_AIX_SYS_SKEYS_H

#pragma GCC system_header

typedef unsigned int kkey_t;

#define KKEY_PUBLIC 0
#define KKEY_BLOCK_DEV 1

#endif
