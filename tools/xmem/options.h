/* SPDX-License-Identifier: MIT */
/* The command line of `xmem run`. */
#ifndef XMEM_TOOL_OPTIONS_H
#define XMEM_TOOL_OPTIONS_H

#include "extension.h"

struct run_options {
    struct extension *extensions;
    size_t count;
    char **program; /* and its arguments, as for execve */
    bool help;
};

extern const char run_usage[];

/* false: it complained.  options_free() either way; the strings are the command line's own. */
bool options_parse(struct run_options *options, int count, char **arguments);
void options_free(struct run_options *options);

#endif
