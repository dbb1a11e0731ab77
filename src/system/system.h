/* SPDX-License-Identifier: MIT */
/*
 * Starting and stopping, and what the parts of the system layer need of each other.
 */
#ifndef XMEM_SYSTEM_SYSTEM_H
#define XMEM_SYSTEM_SYSTEM_H

#include "host/platform.h"
#include "xmem/xmem.h"

int interrupts_start(bool own_faults, int interrupt_signal);
void messages_set(void (*on_panic)(const char *), void (*on_message)(const char *));
/* Something that an administrator should know.  Process environment. */
void message(const char *words);
void statistics_collect(struct xmem_statistics *statistics);

#endif
