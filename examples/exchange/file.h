/* SPDX-License-Identifier: MIT */
/* Which file is moved. */
#ifndef EXCHANGE_FILE_H
#define EXCHANGE_FILE_H

#define FILE_MOST (64u << 20)

/* A large file that every machine has: the largest readable one among a few, up to FILE_MOST bytes.
 * The path is the caller's, to be freed; NULL: none. */
char *file_by_default(void);

/* NULL, or why this file cannot be moved. */
const char *file_problem(const char *path);

#endif
