/* SPDX-License-Identifier: MIT */
/*
 * A host layer that fails on demand: every call of the real one that can fail is wrapped at link
 * time (-Wl,--wrap), and the n-th use of one of them, or of any, fails as its header documents,
 * once or from then on.
 *
 * What is armed is the program's, not a thread's: helper threads of the library fail too.
 */
#ifndef XMEM_TEST_FAULTY_HOST_H
#define XMEM_TEST_FAULTY_HOST_H

#include <stdbool.h>

enum fault_mode { FAULT_ONCE, FAULT_FROM_THEN_ON };

/* call: its name, or NULL for any.  n counts from 1. */
void faults_arm(const char *call, unsigned long n, enum fault_mode mode);
void faults_disarm(void);

/* The number of calls that failed since the last faults_arm(). */
unsigned long faults_hit(void);
/* Stores the name of the first that fails from here on. */
void faults_tell(const char **first);

/* Allocations of the host layer that have not been freed. */
long faults_allocations(void);

/* The names of the calls, for those who go through them one by one; NULL: no more. */
const char *faults_call(unsigned index);

#endif
