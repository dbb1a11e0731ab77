/* SPDX-License-Identifier: MIT */
/*
 * ramdisk-info [--delay MILLISECONDS] DEVICE [TEXT]: asks a RAM disk what it is and what it has
 * done, and where on it TEXT stands.  An ordinary program, which knows nothing of xmem.
 *
 * Exit: 0; 1: the device refused something; 2: usage.
 */
#include "ramdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/devinfo.h>
#include <unistd.h>

#define PLACES 8

static const char *device;

static int usage(void)
{
    fprintf(stderr, "usage: ramdisk-info [--delay MILLISECONDS] DEVICE [TEXT]\n");
    return 2;
}

static bool refused(const char *what)
{
    fprintf(stderr, "ramdisk-info: %s: %s: %s\n", device, what, strerror(errno));
    return false;
}

static bool print_information(int file)
{
    struct devinfo information;
    if (ioctl(file, IOCINFO, &information) != 0)
        return refused("IOCINFO");
    printf("%s: type '%c', %u blocks of %u bytes\n", device, information.devtype,
           information.un.dk.numblks, information.un.dk.bytpsec);
    return true;
}

static bool print_geometry(int file)
{
    struct rd_geometry geometry;
    if (ioctl(file, RD_GEOMETRY, &geometry) != 0)
        return refused("RD_GEOMETRY");
    printf("  size        %llu bytes, in requests of up to %u\n", (unsigned long long)geometry.size,
           geometry.largest_transfer);
    return true;
}

static bool print_statistics(int file)
{
    struct rd_statistics statistics;
    if (ioctl(file, RD_STATISTICS, &statistics) != 0)
        return refused("RD_STATISTICS");
    printf("  reads       %llu requests, %llu bytes\n", (unsigned long long)statistics.reads,
           (unsigned long long)statistics.bytes_read);
    printf("  writes      %llu requests, %llu bytes\n", (unsigned long long)statistics.writes,
           (unsigned long long)statistics.bytes_written);
    printf("  failed      %llu\n", (unsigned long long)statistics.failed);
    printf("  cancelled   %llu\n", (unsigned long long)statistics.cancelled);
    return true;
}

static bool print_places(int file, const char *text)
{
    uint64_t places[PLACES];
    struct rd_find find = {.text = (uintptr_t)text, .places = (uintptr_t)places, .most = PLACES};
    if (ioctl(file, RD_FIND, &find) != 0)
        return refused("RD_FIND");
    printf("  \"%s\" %u times", text, find.found);
    for (uint32_t at = 0; at < find.found && at < PLACES; at++)
        printf("%s %llu", at == 0 ? ":" : ",", (unsigned long long)places[at]);
    printf("%s\n", find.found > PLACES ? " ..." : "");
    return true;
}

static bool set_delay(int file, const char *milliseconds)
{
    char *end;
    unsigned long value = strtoul(milliseconds, &end, 10);
    if (*milliseconds == '\0' || *end != '\0') {
        fprintf(stderr, "ramdisk-info: not a number: %s\n", milliseconds);
        return false;
    }
    return ioctl(file, RD_DELAY, value) == 0 || refused("RD_DELAY");
}

int main(int count, char **arguments)
{
    static const struct option known[] = {{"delay", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    const char *delay = NULL;
    int option;
    while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
        if (option != 'd')
            return usage();
        delay = optarg;
    }
    if (optind == count || optind + 2 < count)
        return usage();
    device = arguments[optind];
    int file = open(device, delay ? O_RDWR : O_RDONLY);
    if (file == -1) {
        refused("open");
        return 1;
    }
    bool done = delay ? set_delay(file, delay)
                      : print_information(file) && print_geometry(file) && print_statistics(file);
    if (done && optind + 1 < count)
        done = print_places(file, arguments[optind + 1]);
    close(file);
    return !done;
}
