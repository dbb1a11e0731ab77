/* SPDX-License-Identifier: MIT */
/*
 * xmem-bench: what the services cost, against what the same costs without them.
 *
 *   xmem-bench [--output FILE] [--rows REGEX] [--quick] [--list]
 *
 * Exit status: 0 everything was measured, targets met or not; 1 a row could not be measured, or the
 * results not be written; 2 usage.
 */
#include "costs.h"
#include "rows.h"

#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <xmem/xmem.h>

#define MICROSECONDS(n) (UINT64_C(1000) * (n))
#define MILLISECONDS(n) (UINT64_C(1000000) * (n))

/* The crowd comes last: it is large. */
static const struct family *const families[] = {&resident_family, &bookkeeping_family,
                                                &opened_family,   &imported_family,
                                                &threads_family,  &devices_family,
                                                &crowd_family};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const struct effort thorough = {301, MICROSECONDS(100), MILLISECONDS(1500), 31};
static const struct effort cursory = {5, MICROSECONDS(20), MILLISECONDS(20), 3};

struct options {
    const char *output;
    const char *rows;
    bool list;
};

bool quick;

void measure_pair(struct contender pair[2], struct result *result)
{
    measure(pair, 2);
    result->ns = pair[0].ns;
    result->spread = pair[0].spread;
    result->baseline_ns = pair[1].ns;
    result->baseline_spread = pair[1].spread;
}

static int usage(void)
{
    fprintf(stderr, "usage: xmem-bench [--output FILE] [--rows REGEX] [--quick] [--list]\n"
                    "  --output FILE  write the results there, tab-separated\n"
                    "  --rows REGEX   only rows whose \"name size\" matches (extended, any case)\n"
                    "  --quick        few rounds and no crowds: shows that everything runs\n"
                    "  --list         print the rows, measure nothing\n");
    return 2;
}

static bool parse(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {{"output", required_argument, NULL, 'o'},
                                          {"rows", required_argument, NULL, 'r'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"list", no_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
        switch (option) {
        case 'o':
            options->output = optarg;
            break;
        case 'r':
            options->rows = optarg;
            break;
        case 'q':
            quick = true;
            break;
        case 'l':
            options->list = true;
            break;
        default:
            return false;
        }
    }
    return optind == count;
}

static bool wanted(const struct row *row, const regex_t *expression)
{
    char words[160];
    snprintf(words, sizeof(words), "%s %llu", row->name, (unsigned long long)row->size);
    return regexec(expression, words, 0, NULL, 0) == 0;
}

static void run_family(const struct family *family, const regex_t *expression, bool list)
{
    bool titled = list;
    for (const struct row *row = family->rows; row < family->rows + family->count; row++) {
        struct result result = {0};
        if (!wanted(row, expression))
            continue;
        if (list) {
            printf("%s %llu\n", row->name, (unsigned long long)row->size);
            continue;
        }
        if (!titled)
            printf("\n%s\n", family->title);
        titled = true;
        row->measure(row, &result);
        report_add(row, &result);
    }
    if (family->finish)
        family->finish();
}

static void run_families(const regex_t *expression, bool list)
{
    for (size_t at = 0; at < FAMILIES; at++)
        run_family(families[at], expression, list);
}

static int measure_all(const struct options *options, const regex_t *expression)
{
    effort = quick ? cursory : thorough;
    if (xmem_start(NULL) != 0) {
        fprintf(stderr, "xmem-bench: %s\n", xmem_last_failure()->words);
        return 1;
    }
    cpu_bind(0);
    report_heading();
    run_families(expression, false);
    costs_measure();
    report_causes();
    if (xmem_stop() != 0) {
        fprintf(stderr, "xmem-bench: %s\n", xmem_last_failure()->words);
        return 1;
    }
    if (options->output && !report_write(options->output))
        return 1;
    if (report_problems() == 0)
        return 0;
    fprintf(stderr, "xmem-bench: %u rows could not be measured\n", report_problems());
    return 1;
}

int main(int count, char **arguments)
{
    struct options options = {NULL, NULL, false};
    regex_t expression;
    int status = 0;
    if (!parse(count, arguments, &options))
        return usage();
    if (regcomp(&expression, options.rows ? options.rows : ".",
                REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        fprintf(stderr, "xmem-bench: not a regular expression: %s\n", options.rows);
        return 2;
    }
    if (options.list)
        run_families(&expression, true);
    else
        status = measure_all(&options, &expression);
    regfree(&expression);
    return status;
}
