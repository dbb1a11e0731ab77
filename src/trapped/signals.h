/* SPDX-License-Identifier: MIT */
/*
 * Signals of a caller that waits for us.
 *
 * Linux does not tell us of them, and lets none but SIGKILL end the caller's wait, lest a call that
 * was served execute again.  So who waits on its behalf looks for them now and then, and an
 * operation that one has ended before it did anything is answered with Linux's own ERESTARTSYS:
 * on its way back to the program the thread takes the signal, and Linux restarts the call or
 * makes it fail with EINTR, as the handler's SA_RESTART says; a stop signal stops it, and the call
 * is restarted when it is continued.
 *
 *   1. Linux turns ERESTARTSYS into something only on a thread that has been told of a signal.  It
 *      has, if the signal is pending for this thread alone, or for its process and there is no
 *      other thread.  Where another may have taken it meanwhile, the thread is held for a moment
 *      at the end of the call (host/tracees.h), which makes Linux look; then a call whose signal
 *      has gone is restarted unseen.
 *   2. A signal for a process of several threads ends a wait only if it is there at two looks: one
 *      that a running thread takes, as Linux prefers, ends nobody's wait.
 *   3. Where the thread cannot be held (somebody traces it) the answer is a plain EINTR.
 */
#ifndef XMEM_TRAPPED_SIGNALS_H
#define XMEM_TRAPPED_SIGNALS_H

#include "trapped/call.h"

/* For caller_serve(): a signal of the caller's that shall end a wait, or 0; SIGKILL when it is
 * gone, SIGSTOP when its process is being stopped.  Looks every few milliseconds at most.  call:
 * struct call. */
int call_signal_pending(void *call);

/* Answers a call that a signal has ended.  code: CALL_RESTART_SYS or CALL_RESTART_NOHAND.
 * 0; ENOENT: the caller is gone. */
int call_send_interrupted(struct call *call, int code);

#endif
