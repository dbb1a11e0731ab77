/* SPDX-License-Identifier: MIT */
/*
 * The process that a thread runs under; xmem_enter() and xmem_leave() are the public face.
 */
#ifndef XMEM_ENGINE_CURRENT_H
#define XMEM_ENGINE_CURRENT_H

/* Leaves every process that this thread has entered: it ends. */
void leave_all(void);

#endif
