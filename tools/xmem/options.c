/* SPDX-License-Identifier: MIT */
/* The command line of `xmem run`; options.h has what comes out of it. */
#include "options.h"
#include "tool.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL_MAY 0666
#define MAJOR_MOST 4095
#define MINOR_MOST 0xfffff

const char run_usage[] =
    "usage: xmem run --extension FILE [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Runs PROGRAM, and whatever it starts, with the devices that kernel extensions\n"
    "serve.  Its exit status is the program's.\n"
    "\n"
    "  -e, --extension FILE   a kernel extension: a shared object; may be repeated\n"
    "  -s, --special-file PATH=TYPE:MAJOR:MINOR\n"
    "                         one more name for programs to open; TYPE is c (character)\n"
    "                         or b (block); the device is configured by the extension\n"
    "                         before it on the command line\n"
    "  -h, --help             print this\n"
    "\n"
    "Exit status: the program's; if it died of a signal, of the same signal; 125 if\n"
    "xmem fails, 126 if PROGRAM cannot be run, 127 if it is not found.\n";

static bool number(const char **text, char end, unsigned long most, unsigned *value)
{
    char *after;
    if (**text < '0' || **text > '9')
        return false;
    unsigned long read = strtoul(*text, &after, 10);
    if (*after != end || read > most)
        return false;
    *value = (unsigned)read;
    *text = after + (end != '\0');
    return true;
}

/* Cuts the word at the last "=", since a path may have one. */
static bool special_file(char *word, struct xmem_special_file *file)
{
    unsigned device_major, device_minor;
    char *equals = strrchr(word, '=');
    if (!equals || word[0] != '/' || (equals[1] != 'c' && equals[1] != 'b') || equals[2] != ':')
        return false;
    const char *rest = equals + 3;
    if (!number(&rest, ':', MAJOR_MOST, &device_major) ||
        !number(&rest, '\0', MINOR_MOST, &device_minor))
        return false;
    *equals = '\0';
    *file = (struct xmem_special_file){.path = word,
                                       .devno = makedev(device_major, device_minor),
                                       .mode = (equals[1] == 'c' ? S_IFCHR : S_IFBLK) | ALL_MAY,
                                       .owner = getuid(),
                                       .group = getgid()};
    return true;
}

static bool add_special_file(struct run_options *options, char *word, size_t most)
{
    if (options->count == 0) {
        complain("--special-file %s: there is no --extension before it to serve it", word);
        return false;
    }
    struct extension *extension = &options->extensions[options->count - 1];
    if (!extension->added)
        extension->added = calloc(most, sizeof *extension->added);
    if (!extension->added) {
        complain("no memory");
        return false;
    }
    if (special_file(word, &extension->added[extension->added_count].file)) {
        extension->added_count++;
        return true;
    }
    complain("--special-file %s: must be PATH=c:MAJOR:MINOR or PATH=b:MAJOR:MINOR with an absolute "
             "path, such as /dev/rd0=c:42:0",
             word);
    return false;
}

static bool add_extension(struct run_options *options, const char *word)
{
    char *path = realpath(word, NULL);
    if (!path) {
        complain("the extension %s cannot be found: %m", word);
        return false;
    }
    for (size_t at = 0; at < options->count; at++) {
        if (strcmp(options->extensions[at].path, path) != 0)
            continue;
        complain("the extension %s is named twice", word);
        free(path);
        return false;
    }
    options->extensions[options->count++].path = path;
    return true;
}

static bool take_option(struct run_options *options, int option, size_t most)
{
    switch (option) {
    case 'e':
        return add_extension(options, optarg);
    case 's':
        return add_special_file(options, optarg, most);
    case 'h':
        return options->help = true;
    default: /* getopt has said what is wrong */
        complain("see xmem run --help");
        return false;
    }
}

bool options_parse(struct run_options *options, int count, char **arguments)
{
    static const struct option known[] = {{"extension", required_argument, NULL, 'e'},
                                          {"special-file", required_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static char name[] = "xmem run"; /* for what getopt says */
    size_t most = (size_t)count;     /* of each option */
    int option;
    arguments[0] = name;
    *options = (struct run_options){.extensions = calloc(most, sizeof *options->extensions)};
    if (!options->extensions) {
        complain("no memory");
        return false;
    }
    while (!options->help && (option = getopt_long(count, arguments, "+e:s:h", known, NULL)) != -1)
        if (!take_option(options, option, most))
            return false;
    options->program = &arguments[optind];
    if (options->help)
        return true;
    if (options->count == 0)
        complain("no --extension was named; see xmem run --help");
    else if (optind == count)
        complain("no program was named; see xmem run --help");
    return options->count > 0 && optind < count;
}

void options_free(struct run_options *options)
{
    for (size_t at = 0; options->extensions && at < options->count; at++) {
        free(options->extensions[at].path);
        free(options->extensions[at].added);
    }
    free(options->extensions);
}
