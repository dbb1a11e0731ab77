/* SPDX-License-Identifier: MIT */
/*
 * Kernel services whose pages name no other header than <sys/types.h> and <sys/errno.h>; reached
 * through <sys/errno.h>: kernel processes, the error of a system call, delays and time-outs.
 */
#ifndef XMEM_AIX_SYS_KERNEL_SERVICES_H
#define XMEM_AIX_SYS_KERNEL_SERVICES_H

#pragma GCC system_header
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Pointers to functions with any parameters: extensions declare what they pass in many ways. */
#if defined __cplusplus || (defined __STDC_VERSION__ && __STDC_VERSION__ > 201710L)
#define XMEM_AIX_CALLED_WITH(list) list
#else
#define XMEM_AIX_CALLED_WITH(list) ()
#endif

/* ---------------------------------------------------------------- kernel processes ----- */

/*
 * Makes a kernel process, idle: it runs when the same process calls initp() for it.
 * Returns its number; -1: no process can be made now.
 * Context: process; blocks, allocates.  At interrupt level: -1, counted as a usage error.
 * Follows "creatp Kernel Service".
 */
pid_t creatp XMEM_AIX_PARAMETERS((void));

/*
 * Starts the kernel process pid in func(0, parameters, parms_length), where parameters is a copy of
 * the parms_length bytes at init_parms: the caller may use its own again at once, and the copy
 * lasts until func returns, which ends the process.  init_parms NULL: func gets NULL.
 * name: what debuggers show, or NULL; 15 characters count.
 * Returns 0; EINVAL: pid is no idle kernel process, or not one that this process made; func is
 * NULL; parms_length is negative; ENOMEM: no memory for the copy; ENODEV: it cannot be scheduled.
 * After ENOMEM and ENODEV the process is idle as before.
 * Context: process; blocks, allocates.  At interrupt level: EINVAL, counted as a usage error.
 * Follows "initp Kernel Service".
 */
int initp XMEM_AIX_PARAMETERS((pid_t pid,
                               void (*func)(int flag, void *init_parms, int parms_length),
                               void *init_parms, int parms_length, const char *name));

/*
 * Makes init the parent of the calling kernel process.  Kernel processes have no parent here that
 * could notice.
 * Returns 0; EINVAL: the caller is not a kernel process, or at interrupt level (counted as a usage
 * error).
 * Context: process; never blocks or allocates.  Follows "setpinit Kernel Service" (which names
 * <sys/device.h> too).
 */
int setpinit XMEM_AIX_PARAMETERS((void));

/* ---------------------------------------------------------------- errors --------------- */

/*
 * Sets the error of the system call that the calling thread executes: what its caller will find in
 * errno if it is not 0.
 * Returns its argument.  Context: process; never blocks or allocates.  At interrupt level nothing
 * is set, and the call is counted as a usage error.  Follows "setuerror Kernel Service".
 */
int setuerror XMEM_AIX_PARAMETERS((int error));

/*
 * Returns the value that this thread set last; 0: none since the system call began, or at interrupt
 * level (counted as a usage error).
 * Context: process; never blocks or allocates.  Follows "getuerror Kernel Service".
 */
int getuerror XMEM_AIX_PARAMETERS((void));

/*
 * What the system call handler does around a function that an extension exports as a system call:
 * the thread's error becomes 0; the function is called; an error other than 0 goes to errno.
 * Evaluates to the function's value.
 */
#define XMEM_AIX_SYSTEM_CALL(call) (xmem_aix_call_begin(), xmem_aix_call_end((long)(call)))
void xmem_aix_call_begin(void);
long xmem_aix_call_end(long value);

/* ---------------------------------------------------------------- delays --------------- */

/*
 * Suspends the calling thread for ticks ticks, HZ of which (<sys/m_param.h>) are a second; signals
 * do not shorten it.  0 or less: returns at once.
 * Context: process; blocks.  At interrupt level it returns at once and is counted as a usage error.
 * Follows "delay Kernel Service".
 */
void xmem_aix_delay(int ticks);

/*
 * Calls func(arg) at interrupt level (INTTIMER) in ticks ticks.  A func and arg that wait already
 * wait for the new time instead.  Entries must have been reserved by timeoutcf(): without a free
 * one the program ends in a panic.
 * Context: process, interrupt; waits only for a handler that runs, see xmem_interrupts_hold(), and
 * allocates nothing.
 * Follows "timeout Kernel Service".
 */
void xmem_aix_timeout(void(*func) XMEM_AIX_CALLED_WITH((caddr_t *)), caddr_t *arg, int ticks);

/*
 * Cancels the call of func(arg) that waits, if one does.  One that runs on another thread is waited
 * for.
 * Context: as timeout().  Follows "untimeout Kernel Service".
 */
void xmem_aix_untimeout(void(*func) XMEM_AIX_CALLED_WITH((caddr_t *)), caddr_t *arg);

/*
 * Reserves cocnt entries for timeout(); less than 0: gives -cocnt unused ones back.
 * Returns 0; -1: no memory, or fewer unused entries than that; nothing has changed.
 * Context: process; blocks, allocates.  At interrupt level: -1, counted as a usage error.
 * Follows "timeoutcf Subroutine".
 */
int timeoutcf XMEM_AIX_PARAMETERS((int cocnt));

#ifdef __cplusplus
}
#endif

#endif

/* Names that other libraries use as well. */
#if defined XMEM_AIX_COMMON_NAMES && !defined XMEM_AIX_COMMON_NAMES_KERNEL_SERVICES
#define XMEM_AIX_COMMON_NAMES_KERNEL_SERVICES
#pragma GCC system_header
#define delay xmem_aix_delay
#define timeout xmem_aix_timeout
#define untimeout xmem_aix_untimeout
#endif
