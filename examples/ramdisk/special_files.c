/* SPDX-License-Identifier: MIT */
/*
 * What a configuration method would do on AIX: the names of the devices, and the data that they are
 * configured with.  `xmem run` reads this table.
 */
#include "ramdisk.h"

#include <stddef.h>
#include <sys/special_file.h>
#include <sys/device.h>

#define MAJOR 42
#define ALL_MAY (S_IFCHR | 0666)
#define MIB (UINT64_C(1) << 20)

extern const struct xmem_special_file xmem_special_files[];

static const struct rd_configuration large = {.size = 64 * MIB};
static const struct rd_configuration small = {.size = MIB};
static const struct rd_configuration exclusive = {.size = MIB, .flags = RD_EXCLUSIVE};

const struct xmem_special_file xmem_special_files[] = {
    {"/dev/rd0", makedev(MAJOR, 0), ALL_MAY, &large, sizeof large, 0, 0},
    {"/dev/rrd0", makedev(MAJOR, 1), ALL_MAY, NULL, 0, 0, 0}, /* raw */
    {"/dev/rd1", makedev(MAJOR, 2), ALL_MAY, &small, sizeof small, 0, 0},
    {"/dev/rd2", makedev(MAJOR, 4), ALL_MAY, &exclusive, sizeof exclusive, 0, 0},
    {NULL, 0, 0, NULL, 0, 0, 0},
};
