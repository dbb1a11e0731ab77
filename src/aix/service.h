/* SPDX-License-Identifier: MIT */
/*
 * What the services have in common: the view of an AIX descriptor as the native one, the check of
 * the environment, and the documented panics.
 */
#ifndef XMEM_AIX_SERVICE_H
#define XMEM_AIX_SERVICE_H

#include "host/platform.h"

#include <sys/xmem.h>
#include <xmem/xmem.h>

/* struct xmem and struct xmem_descriptor are one layout under two sets of names, so that a
 * descriptor of either header is one of the other too.  This library passes the pointer on and
 * never looks at members through the native type, which the compiler takes for another one. */
#define SAME_MEMBER(aix, native)                                                                   \
    _Static_assert(offsetof(struct xmem, aix) == offsetof(struct xmem_descriptor, native) &&       \
                       sizeof(((struct xmem *)0)->aix) ==                                          \
                           sizeof(((struct xmem_descriptor *)0)->native),                          \
                   "struct xmem." #aix " and struct xmem_descriptor." #native)
SAME_MEMBER(aspace_id, kind);
SAME_MEMBER(xm_index, index);
SAME_MEMBER(subspace_id, handle);
SAME_MEMBER(xm_generation, generation);
SAME_MEMBER(xm_check, check);
#undef SAME_MEMBER
_Static_assert(sizeof(struct xmem) == sizeof(struct xmem_descriptor), "size of a descriptor");
_Static_assert(XMEM_INVAL == XMEM_DESCRIPTOR_INVALID, "XMEM_INVAL");
_Static_assert(XMEM_PROC == XMEM_DESCRIPTOR_PROCESS, "XMEM_PROC");
_Static_assert(XMEM_GLOBAL == XMEM_DESCRIPTOR_KERNEL, "XMEM_GLOBAL");

static ALWAYS_INLINE struct xmem_descriptor *native(struct xmem *dp)
{
    return (struct xmem_descriptor *)dp;
}

static ALWAYS_INLINE uint64_t address_of(const void *pointer)
{
    return (uintptr_t)pointer;
}

/* True, and counted, where a service of the process environment may not be called. */
static ALWAYS_INLINE bool refused_at_interrupt_level(void)
{
    if (LIKELY(!xmem_in_interrupt()))
        return false;
    xmem_count_usage_error();
    return true;
}

/* Ends the program with "<service>: <what happened>: <words of the last failure>". */
void service_panic(const char *service, const char *happened)
    __attribute__((noreturn, cold, visibility("hidden")));
/* The same with "<service>: <what>: <address>". */
void address_panic(const char *service, const char *what, const void *address)
    __attribute__((noreturn, cold, visibility("hidden")));

#endif
