/* SPDX-License-Identifier: MIT */
/*
 * Who has a lock: a value that tells living threads apart, the same at each interrupt level of a
 * thread.  Never 0.
 */
#ifndef XMEM_AIX_SELF_H
#define XMEM_AIX_SELF_H

#include "host/platform.h"

extern THREAD_LOCAL char self_place __attribute__((visibility("hidden")));

static ALWAYS_INLINE uintptr_t self(void)
{
    return (uintptr_t)&self_place;
}

#endif
