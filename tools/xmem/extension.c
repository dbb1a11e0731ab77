/* SPDX-License-Identifier: MIT */
/* Kernel extensions; extension.h says what is done with them. */
#include "extension.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xmem/extensions.h>

/* ---- loading ---- */

static bool load(struct extension *extension)
{
    struct cfg_load request = {.path = extension->path};
    if (sysconfig(SYS_SINGLELOAD, &request, sizeof request) != 0) {
        complain("the extension %s cannot be loaded: %s", extension->path,
                 xmem_last_failure()->words[0] ? xmem_last_failure()->words : strerror(errno));
        return false;
    }
    extension->kmid = request.kmid;
    return true;
}

/* NULL: it has none. */
static const struct xmem_special_file *table_of(const struct extension *extension)
{
    uint32_t number;
    void *table;
    if (xmem_extension_query(extension->path, NULL, &number) != 0 ||
        xmem_extension_find(number, "xmem_special_files", &table) != 0)
        return NULL;
    return table;
}

/* ---- configuring ---- */

static int configure_module(const struct extension *extension, int command)
{
    struct cfg_kmod request = {.kmid = extension->kmid, .cmd = command};
    return sysconfig(SYS_CFGKMOD, &request, sizeof request) == 0 ? 0 : errno;
}

static int configure_device(const struct extension *extension, const struct device_name *name,
                            int command)
{
    struct cfg_dd request = {.kmid = extension->kmid,
                             .devno = name->file.devno,
                             .cmd = command,
                             .ddsptr = (caddr_t)(uintptr_t)name->file.dds,
                             .ddslen = (int)name->file.dds_length};
    return sysconfig(SYS_CFGDD, &request, sizeof request) == 0 ? 0 : errno;
}

static bool is_configured(const struct extension *extension, dev_t devno)
{
    for (size_t at = 0; at < extension->count; at++)
        if (extension->names[at].file.devno == devno)
            return true;
    return false;
}

/* Another name of a device that has one already needs no configuration. */
static bool start_device(struct extension *extension, const struct xmem_special_file *file)
{
    struct device_name *name = &extension->names[extension->count];
    int device_major = major(file->devno), device_minor = minor(file->devno);
    *name = (struct device_name){*file, !is_configured(extension, file->devno)};
    int error = name->configured ? configure_device(extension, name, CFG_INIT) : 0;
    if (error) {
        complain("%s: its driver refuses to configure %s (device %d, %d): %s", extension->path,
                 file->path, device_major, device_minor, strerror(error));
        return false;
    }
    error = xmem_aix_special_file(file);
    if (!error) {
        extension->count++;
        return true;
    }
    complain("%s: the special file %s (device %d, %d) cannot be made: %s%s", extension->path,
             file->path, device_major, device_minor, strerror(error),
             error == EINVAL ? "; the path must be absolute, and the driver in the switch table"
                             : "");
    if (name->configured)
        (void)configure_device(extension, name, CFG_TERM);
    return false;
}

static void stop_device(struct extension *extension)
{
    struct device_name *name = &extension->names[--extension->count];
    int error = xmem_aix_special_file_remove(name->file.path);
    if (error)
        complain("%s: the special file %s cannot be removed: %s", extension->path, name->file.path,
                 strerror(error));
    if (!name->configured)
        return;
    error = configure_device(extension, name, CFG_TERM);
    if (error)
        complain("%s: its driver refuses to terminate %s: %s", extension->path, name->file.path,
                 strerror(error));
}

/* ---- the whole ---- */

static size_t table_length(const struct xmem_special_file *table)
{
    size_t length = 0;
    while (table && table[length].path)
        length++;
    return length;
}

static bool start_module(struct extension *extension)
{
    int error = configure_module(extension, CFG_INIT);
    extension->module = error == 0;
    if (error)
        complain("%s: its entry point refuses CFG_INIT: %s", extension->path, strerror(error));
    return error == 0;
}

static bool start_devices(struct extension *extension)
{
    const struct xmem_special_file *table = table_of(extension);
    size_t length = table_length(table);
    if (length + extension->added_count == 0)
        return start_module(extension);
    extension->names = calloc(length + extension->added_count, sizeof *extension->names);
    if (!extension->names) {
        complain("no memory for %zu special files", length + extension->added_count);
        return false;
    }
    for (size_t at = 0; at < length; at++)
        if (!start_device(extension, &table[at]))
            return false;
    for (size_t at = 0; at < extension->added_count; at++)
        if (!start_device(extension, &extension->added[at].file))
            return false;
    return true;
}

bool extension_start(struct extension *extension)
{
    if (load(extension) && start_devices(extension))
        return true;
    extension_stop(extension);
    return false;
}

void extension_stop(struct extension *extension)
{
    while (extension->count > 0)
        stop_device(extension);
    if (extension->module) {
        int error = configure_module(extension, CFG_TERM);
        if (error)
            complain("%s: its entry point refuses CFG_TERM: %s", extension->path, strerror(error));
    }
    free(extension->names);
}
