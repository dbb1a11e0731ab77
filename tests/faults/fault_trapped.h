/* SPDX-License-Identifier: MIT */
/* The scenario of fault_trapped.c. */
#ifndef XMEM_TEST_FAULT_TRAPPED_H
#define XMEM_TEST_FAULT_TRAPPED_H

#include "fault_run.h"

void trapped_prepare(struct stage *stage);
void trapped_body(struct stage *stage);
void trapped_cleanup(struct stage *stage);

#endif
