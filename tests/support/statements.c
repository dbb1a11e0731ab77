/* SPDX-License-Identifier: MIT */
/* The record of what was shown; see statements.h.  Lines are appended whole, since cases run in
 * processes of their own. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTES_MAX 256

struct note {
    char statement[64];
    const char *reason; /* NULL: passed */
    enum kind kind;
};

static struct note notes[NOTES_MAX];
static size_t note_count;
static const char *current_program, *current_test;

static int open_table(const char *program, int flags)
{
    char path[4096];
    const char *directory = getenv("XMEM_TEST_CONFORMANCE_DIR");
    if (!directory)
        return -1;
    mkdir(directory, 0777);
    snprintf(path, sizeof path, "%s/%s.tsv", directory, program);
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
}

void statements_start(const char *program)
{
    int table = open_table(program, O_TRUNC);
    if (table < 0)
        return;
    dprintf(table, "statement\tkind\tresult\tcase\treason\n");
    close(table);
}

void statements_begin(const char *program, const char *test)
{
    current_program = program;
    current_test = test;
    note_count = 0;
}

static void add_note(const char *service, const char *number, enum kind kind, const char *reason)
{
    assert_true(note_count < NOTES_MAX);
    struct note *note = &notes[note_count++];
    snprintf(note->statement, sizeof note->statement, number ? "%s.%s" : "%s%s", service,
             number ? number : "");
    note->reason = reason;
    note->kind = kind;
}

void covers(const char *statement, enum kind kind)
{
    add_note(statement, NULL, kind, NULL);
}

void not_applicable(const char *statement, enum kind kind, const char *reason)
{
    add_note(statement, NULL, kind, reason);
}

void covers_of(const char *service, const char *number, enum kind kind)
{
    add_note(service, number, kind, NULL);
}

void not_applicable_of(const char *service, const char *number, enum kind kind, const char *reason)
{
    add_note(service, number, kind, reason);
}

void statements_passed(void)
{
    int table = open_table(current_program, O_APPEND);
    if (table < 0)
        return;
    for (size_t index = 0; index < note_count; index++) {
        const struct note *note = &notes[index];
        dprintf(table, "%s\t%s\t%s\t%s:%s\t%s\n", note->statement, kind_name(note->kind),
                note->reason ? "not applicable" : "passed", current_program, current_test,
                note->reason ? note->reason : "");
    }
    close(table);
}
