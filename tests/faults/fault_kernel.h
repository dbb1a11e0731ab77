/* SPDX-License-Identifier: MIT */
/*
 * The body of the scenario of what kernel code needs around the memory services.
 */
#ifndef XMEM_TEST_FAULT_KERNEL_H
#define XMEM_TEST_FAULT_KERNEL_H

#include "fault_run.h"

void kernel_body(struct stage *stage);

#endif
