/* SPDX-License-Identifier: MIT */
/*
 * Foreign memory: an opened Linux process as a backing.
 *
 * A move runs outside read sections, since the target can park its caller in the Linux kernel (by
 * a page-fault handler of its own).  foreign_retire, called as the process is closed, lets no move
 * begin any more and waits for those under way, for one second at most; the structure lives until
 * the last of them has dropped its reference.
 */
#ifndef XMEM_SEGMENTS_FOREIGN_H
#define XMEM_SEGMENTS_FOREIGN_H

#include "host/process.h"
#include "segments/segment.h"

#define FOREIGN_RANGES_MOST 64
#define FOREIGN_WAIT_MILLISECONDS 1000

/* One reference, the caller's.  0; or the errno of host_process_open(). */
int foreign_create(pid_t pid, struct segment **segment, unsigned *bits);
void foreign_relax(struct segment *segment, bool relaxed);

/* For this thread, until it is called with NULL: vouch(argument) tells whether the process still
 * runs the program that was opened, in place of a look that costs more. */
void foreign_vouch(const struct segment *segment, bool (*vouch)(void *), void *argument);

/* Waits until *word >> shift is 0, FOREIGN_WAIT_MILLISECONDS at most.  False: it took longer. */
bool foreign_wait(const uint64_t *word, unsigned shift);

#endif
