/* SPDX-License-Identifier: MIT */
/*
 * Which statements of the specification a case shows, and for which kind of memory.
 *
 * A case names them while it runs; they count as passed when the whole case has passed.  Each
 * program writes a table (statement, kind, result, case, reason) into the directory that
 * XMEM_TEST_CONFORMANCE_DIR names; without it nothing is written.
 */
#ifndef XMEM_TEST_STATEMENTS_H
#define XMEM_TEST_STATEMENTS_H

enum kind;

void covers(const char *statement, enum kind kind);
/* A statement that this kind of memory cannot show, and why. */
void not_applicable(const char *statement, enum kind kind, const char *reason);

/* The same for cases that several services share: the statement is "service.number". */
void covers_of(const char *service, const char *number, enum kind kind);
void not_applicable_of(const char *service, const char *number, enum kind kind, const char *reason);

/* For the frame: a program starts, a case begins, a case has passed. */
void statements_start(const char *program);
void statements_begin(const char *program, const char *test);
void statements_passed(void);

#endif
