/* SPDX-License-Identifier: MIT */
/*
 * What a call of a trapped program is about; target.h says what each function promises.
 */
#include "trapped/target.h"

#include "trapped/processes.h"

#include <errno.h>
#include <fcntl.h>

static const struct target no_device = {TARGET_OTHER, 0, NULL, NULL};

static struct target target_of_file(struct device_file *file)
{
    if (!file)
        return no_device;
    return (struct target){TARGET_DEVICE, 0, device_hold(file->device), file};
}

struct target target_of_descriptor(struct call *call, int fd)
{
    return target_of_file(placeholder_of(call, fd));
}

/* A link of /proc: to a descriptor of the caller's, or of somebody else's. */
static struct device_file *descriptor_of(struct call *call, const struct path_found *found)
{
    if (found->owner == call->caller->group || found->owner == call->thread)
        return placeholder_of(call, found->descriptor);
    return placeholder_of_thread(found->owner, found->descriptor);
}

static struct target found_target(struct call *call, const struct path_found *found)
{
    const char *rest;
    struct target target = no_device;
    switch (found->kind) {
    case PATH_DEVICE:
        target.device = device_find(found->device, &rest);
        target.kind = target.device ? TARGET_DEVICE : TARGET_OTHER;
        break;
    case PATH_DESCRIPTOR:
        target = target_of_file(descriptor_of(call, found));
        break;
    case PATH_REFUSED:
        target.kind = TARGET_REFUSED;
        target.error = found->error;
        break;
    case PATH_OTHER:
        break;
    }
    return target;
}

struct target target_of_path(struct call *call, int directory, uint64_t path, enum path_last last,
                             bool empty)
{
    char text[PATH_MAX];
    struct path_found found;
    if (!devices_exist())
        return no_device;
    if (path == 0 && empty)
        text[0] = '\0';
    else if (call_string_in(call, path, text, sizeof(text)))
        return no_device;
    int error = process_of(call);
    if (error) {
        int refusal = path_unseen(text, error);
        return refusal ? (struct target){.kind = TARGET_REFUSED, .error = refusal} : no_device;
    }
    if (text[0] == '\0')
        return empty && directory != AT_FDCWD ? target_of_descriptor(call, directory) : no_device;
    path_find(&(struct path_request){.process = call->caller->group,
                                     .thread = call->thread,
                                     .directory = directory,
                                     .path = text,
                                     .last = last},
              &found);
    return found_target(call, &found);
}

void target_release(struct target *target)
{
    if (target->file)
        device_file_release(target->file);
    if (target->device)
        device_drop(target->device);
    *target = no_device;
}

struct answer target_answer(struct target *target, int error)
{
    enum target_kind kind = target->kind;
    int refused = target->error;
    target_release(target);
    switch (kind) {
    case TARGET_DEVICE:
        return error ? call_error(error) : call_value(0);
    case TARGET_REFUSED:
        return call_error(refused);
    default:
        return call_continue();
    }
}
