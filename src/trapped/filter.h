/* SPDX-License-Identifier: MIT */
/*
 * The filter that stops the handled calls, as a program for the Linux kernel's seccomp.
 */
#ifndef XMEM_TRAPPED_FILTER_H
#define XMEM_TRAPPED_FILTER_H

#include "host/platform.h"

#define FILTER_ROOM 4096

struct sock_filter;

/* Numbers of calls are below this on every architecture; a row with a larger one is a mistake. */
#define CALL_NUMBERS 1024

enum call_architecture { CALL_ARCHITECTURE_NATIVE, CALL_ARCHITECTURE_I386, CALL_ARCHITECTURES };

/* Builds it for the calls that handled() says are ours.  Returns its length. */
unsigned short filter_build(bool (*handled)(enum call_architecture architecture, int number),
                            struct sock_filter *program);

/* Which architecture a notification's code is; CALL_ARCHITECTURES: none that is served. */
enum call_architecture filter_architecture(uint32_t code);

#endif
