/* SPDX-License-Identifier: MIT */
/* The table, the causes and the file of results; see report.h. */
#include "report.h"
#include "costs.h"
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS_MOST 256u

struct line {
    const struct row *row;
    struct result result;
};

static struct line lines[RESULTS_MOST];
static unsigned line_count;

static void target_words(const struct row *row, char *words, size_t size)
{
    double value = row->target.value;
    switch (row->target.kind) {
    case REPORTED:
        snprintf(words, size, "reported");
        break;
    case AT_MOST_NS:
        snprintf(words, size, "<= %g ns", value);
        break;
    case AT_MOST_PLUS:
        snprintf(words, size, "<= %s + %g ns", row->baseline, value);
        break;
    case AT_MOST_TIMES:
        snprintf(words, size, "<= %.2f x %s", value, row->baseline);
        break;
    case AT_LEAST_TIMES:
        snprintf(words, size, ">= %.2f x %s", value, row->baseline);
        break;
    }
}

/* The most (or least) that meets the target. */
static double bound(const struct line *line)
{
    const struct target *target = &line->row->target;
    switch (target->kind) {
    case AT_MOST_PLUS:
        return line->result.baseline_ns + target->value;
    case AT_MOST_TIMES:
    case AT_LEAST_TIMES:
        return line->result.baseline_ns * target->value;
    case AT_MOST_NS:
    case REPORTED:
        break;
    }
    return target->value;
}

static bool met(const struct line *line)
{
    if (line->result.problem)
        return false;
    if (line->row->target.kind == AT_LEAST_TIMES)
        return line->result.ns >= bound(line);
    return line->result.ns <= bound(line);
}

static const char *met_words(const struct line *line)
{
    if (line->row->target.kind == REPORTED || line->result.impossible)
        return "reported";
    return met(line) ? "yes" : "no";
}

static double ratio(const struct result *result)
{
    return result->baseline_ns > 0 ? result->ns / result->baseline_ns : 0;
}

/* ---- the table ---- */

static void size_words(uint64_t size, char *words, size_t room)
{
    if (size >= UINT64_C(1) << 20)
        snprintf(words, room, "%u MiB", (unsigned)(size >> 20));
    else if (size >= 1024)
        snprintf(words, room, "%u KiB", (unsigned)(size >> 10));
    else
        snprintf(words, room, "%u B", (unsigned)size);
}

static void number_words(double number, char *words, size_t room)
{
    snprintf(words, room, number < 1000 ? "%.2f" : "%.0f", number);
}

void report_heading(void)
{
    printf("%-56s %7s %10s %10s %7s  %-8s  %s\n", "row", "size", "ns", "baseline", "ratio", "met",
           "target");
}

static void print_line(const struct line *line)
{
    const struct result *result = &line->result;
    char size[16];
    char ours[32];
    char baseline[32] = "-";
    char times[32] = "-";
    char target[96];
    size_words(line->row->size, size, sizeof(size));
    number_words(result->ns, ours, sizeof(ours));
    if (result->baseline_ns > 0) {
        number_words(result->baseline_ns, baseline, sizeof(baseline));
        snprintf(times, sizeof(times), "%.3f", ratio(result));
    }
    target_words(line->row, target, sizeof(target));
    if (result->problem)
        printf("%-56s %7s  not measured: %s\n", line->row->name, size, result->problem);
    else
        printf("%-56s %7s %10s %10s %7s  %-8s  %s\n", line->row->name, size, ours, baseline, times,
               met_words(line), target);
    if (result->note[0])
        printf("    %s\n", result->note);
}

void report_add(const struct row *row, const struct result *result)
{
    if (line_count == RESULTS_MOST)
        abort();
    struct line *line = &lines[line_count++];
    line->row = row;
    line->result = *result;
    print_line(line);
    fflush(stdout);
}

/* ---- causes ---- */

static void print_cause(const struct line *line)
{
    const struct result *result = &line->result;
    double allowed = bound(line);
    double beyond = (result->ns - allowed) / allowed;
    char parts[256];
    char size[16];
    size_words(line->row->size, size, sizeof(size));
    costs_explain(line->row->hint, parts, sizeof(parts));
    printf("  %s, %s: %.2f where %.2f is allowed", line->row->name, size, result->ns, allowed);
    if (line->row->target.kind != AT_MOST_NS && result->baseline_ns > 0)
        printf("; the baseline is %.2f", result->baseline_ns);
    if (beyond < 0)
        beyond = -beyond;
    if (result->spread > beyond || result->baseline_spread > beyond)
        printf("; rounds differ by more (%.0f %%, baseline %.0f %%)", result->spread * 100,
               result->baseline_spread * 100);
    if (parts[0])
        printf("; costs of the run: %s", parts);
    printf("\n");
}

void report_causes(void)
{
    unsigned targets = 0;
    unsigned missed = 0;
    for (unsigned at = 0; at < line_count; at++) {
        if (lines[at].row->target.kind == REPORTED || lines[at].result.impossible)
            continue;
        targets++;
        missed += !met(&lines[at]);
    }
    costs_print();
    printf("\n%u of %u targets met", targets - missed, targets);
    printf(missed ? "; missed:\n" : "\n");
    for (unsigned at = 0; at < line_count; at++)
        if (lines[at].row->target.kind != REPORTED && !met(&lines[at]) && !lines[at].result.problem)
            print_cause(&lines[at]);
}

unsigned report_problems(void)
{
    unsigned count = 0;
    for (unsigned at = 0; at < line_count; at++)
        count += lines[at].result.problem && !lines[at].result.impossible;
    return count;
}

/* ---- the file ---- */

static void write_line(FILE *file, const struct line *line)
{
    const struct result *result = &line->result;
    char target[96];
    target_words(line->row, target, sizeof(target));
    fprintf(file, "%s\t%llu\t", line->row->name, (unsigned long long)line->row->size);
    if (result->problem)
        fprintf(file, "-\t%s\t-\t-", line->row->baseline);
    else if (result->baseline_ns > 0)
        fprintf(file, "%.3f\t%s\t%.3f\t%.4f", result->ns, line->row->baseline, result->baseline_ns,
                ratio(result));
    else
        fprintf(file, "%.3f\t%s\t-\t-", result->ns, line->row->baseline);
    fprintf(file, "\t%s\t%s\n", target, met_words(line));
}

bool report_write(const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        fprintf(stderr, "xmem-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(file, "name\tsize\tns\tbaseline\tbaseline_ns\tratio\ttarget\tmet\n");
    for (unsigned at = 0; at < line_count; at++)
        write_line(file, &lines[at]);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (failed)
        fprintf(stderr, "xmem-bench: %s: not completely written\n", path);
    return !failed;
}
