/* SPDX-License-Identifier: MIT */
/* What the run showed, in print. */
#ifndef EXCHANGE_TABLE_H
#define EXCHANGE_TABLE_H

#include "move.h"
#include "refuse.h"

void print_rows(struct row *rows, size_t count);
void print_services(void);
void print_refusals(void);

#endif
