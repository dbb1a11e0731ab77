/* SPDX-License-Identifier: MIT */
/*
 * Permission to use a device; permission.h says how it is decided.
 */
#include "trapped/permission.h"

#include "host/paths.h"

#include <errno.h>
#include <unistd.h>

static bool in_group(const struct host_identity *identity, unsigned group)
{
    if (identity->group == group)
        return true;
    for (unsigned index = 0; index < identity->group_count; index++)
        if (identity->groups[index] == group)
            return true;
    return false;
}

int device_permission(const struct device *device, pid_t thread, int want, bool real)
{
    struct host_identity identity;
    int error = host_identity(thread, real, &identity);
    if (error)
        return error;
    if (identity.override_access && (!(want & X_OK) || (device->is.mode & 0111)))
        return 0;
    unsigned shift = 0;
    if (identity.user == device->is.owner)
        shift = 6;
    else if (in_group(&identity, device->is.group))
        shift = 3;
    unsigned granted = device->is.mode >> shift & 7;
    return (unsigned)want & ~granted & 7 ? EACCES : 0;
}
