/* SPDX-License-Identifier: MIT */
/*
 * Last failures.
 *
 * A record belongs to its thread and level: a handler that interrupts the thread writes another
 * one.  Formatting uses no library function, since it may run at interrupt level.
 */
#include "engine/failure.h"

#include "engine/thread.h"
#include "host/process.h"

#include <errno.h>

static const struct xmem_failure no_failure = {
    .words = "no call of this thread has failed at this level"};
static const struct xmem_failure no_record = {
    .failure_class = XMEM_FAILURE_ENVIRONMENT,
    .error = EPERM,
    .words = "this thread has no record: it never called xmem before, or it is ending, or it is "
             "the child of a fork, where xmem does not work"};

static struct failure_record *own_record(void)
{
    struct thread_record *record = thread_state.record;
    if (!record)
        return NULL;
    uint32_t level = thread_state.level;
    return &record->failures[level < LEVELS ? level : LEVELS - 1];
}

int fail_at(const char *operation, enum xmem_failure_class cause, int error, uint64_t address,
            const char *detail, const char *kind, size_t asked)
{
    struct failure_record *record = own_record();
    if (UNLIKELY(!record))
        return error;
    record->shown.failure_class = cause;
    record->shown.error = error;
    record->shown.address = address;
    record->operation = operation;
    record->detail = detail;
    record->kind = kind;
    record->pid = 0;
    record->peer = 0;
    record->asked = asked;
    record->done = 0;
    record->in_words = false;
    return error;
}

int fail_move(const char *operation, struct outcome outcome, const char *kind, pid_t pid,
              size_t asked)
{
    int error = fail_at(operation, outcome.cause, outcome.error, outcome.address, outcome.detail,
                        kind, asked);
    struct failure_record *record = own_record();
    if (record) {
        record->pid = pid ? pid : outcome.peer;
        record->peer = outcome.peer;
        record->done = outcome.done;
    }
    return error;
}

int fail(const char *operation, struct outcome outcome)
{
    return fail_move(operation, outcome, NULL, 0, 0);
}

int fail_argument(const char *operation, const char *detail)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_ARGUMENT, EINVAL, detail));
}

int fail_no_memory(const char *operation)
{
    return fail(operation, outcome_failure(XMEM_FAILURE_NO_MEMORY, ENOMEM,
                                           "the program is out of memory or of mappings"));
}

/* ---- words ---- */

struct text {
    char *at;
    char *end;
};

static void add(struct text *text, const char *words)
{
    while (*words && text->at < text->end)
        *text->at++ = *words++;
}

static void add_number(struct text *text, uint64_t value, unsigned base)
{
    char digits[24];
    char *digit = digits + sizeof(digits) - 1;
    *digit = 0;
    do {
        *--digit = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    add(text, digit);
}

static const char *class_words(enum xmem_failure_class failure_class)
{
    switch (failure_class) {
    case XMEM_FAILURE_NONE:
        return "nothing is wrong";
    case XMEM_FAILURE_NO_MAPPING:
        return "no memory there";
    case XMEM_FAILURE_NO_AUTHORITY:
        return "no authority for this access";
    case XMEM_FAILURE_DELETED:
        return "the segment was deleted";
    case XMEM_FAILURE_NOT_RESIDENT:
        return "not in memory";
    case XMEM_FAILURE_IO:
        return "input/output error";
    case XMEM_FAILURE_NO_MEMORY:
        return "not enough memory";
    case XMEM_FAILURE_NO_SPACE:
        return "no space";
    case XMEM_FAILURE_TIMED_OUT:
        return "timed out";
    case XMEM_FAILURE_PEER_GONE:
        return "the process is gone";
    case XMEM_FAILURE_KIND:
        return "this kind of memory cannot do that";
    case XMEM_FAILURE_ARGUMENT:
        return "invalid argument";
    case XMEM_FAILURE_DESCRIPTOR:
        return "invalid descriptor or handle";
    case XMEM_FAILURE_ENVIRONMENT:
        return "wrong environment";
    case XMEM_FAILURE_BUSY:
        return "in use";
    case XMEM_FAILURE_PERMISSION:
        return "permission denied";
    }
    return "unknown";
}

static void describe_memory(struct text *text, const struct failure_record *record)
{
    if (!record->kind)
        return;
    add(text, " on ");
    if (record->asked) {
        add_number(text, record->asked, 10);
        add(text, " bytes of ");
    }
    add(text, record->kind);
    add(text, " memory");
    if (record->pid) {
        add(text, " of process ");
        add_number(text, (uint64_t)record->pid, 10);
    }
}

static void describe_place(struct text *text, const struct failure_record *record)
{
    if (record->shown.address) {
        add(text, " at 0x");
        add_number(text, record->shown.address, 16);
    }
    if (record->done) {
        add(text, " after ");
        add_number(text, record->done, 10);
        add(text, " bytes");
    }
}

static void put_in_words(struct failure_record *record)
{
    struct text text = {record->words, record->words + WORDS_SIZE - 1};
    add(&text, record->operation);
    describe_memory(&text, record);
    add(&text, ": ");
    add(&text, class_words(record->shown.failure_class));
    describe_place(&text, record);
    if (record->detail) {
        add(&text, ": ");
        add(&text, record->detail);
    }
    *text.at = 0;
    record->shown.words = record->words;
    record->in_words = true;
}

/* Linux gives one error for "not mapped" and "not allowed"; the process's map tells them apart. */
static void refine_opened(struct failure_record *record)
{
    if (record->peer && record->shown.failure_class == XMEM_FAILURE_NO_MAPPING &&
        thread_state.mode == THREAD_PROCESS &&
        host_process_page_mapped(record->peer, record->shown.address))
        record->shown.failure_class = XMEM_FAILURE_NO_AUTHORITY;
}

EXPORT const struct xmem_failure *xmem_last_failure(void)
{
    struct failure_record *record = own_record();
    if (!record || thread_state.mode == THREAD_FORKED)
        return &no_record;
    if (!record->operation)
        return &no_failure;
    if (!record->in_words) {
        refine_opened(record);
        put_in_words(record);
    }
    return &record->shown;
}
