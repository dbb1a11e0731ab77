/* SPDX-License-Identifier: MIT */
/*
 * What is there now, counted.
 */
#include "engine/descriptor.h"
#include "engine/failure.h"
#include "engine/holds.h"
#include "engine/map_in.h"
#include "engine/process.h"
#include "engine/settings.h"
#include "engine/thread.h"
#include "segments/segment.h"
#include "system/system.h"

void statistics_collect(struct xmem_statistics *statistics)
{
    statistics->processes = processes_count();
    statistics->segments = segments_count();
    statistics->descriptors = descriptors_count();
    statistics->mapped_in = mapped_in_count();
    statistics->holds = holds_count();
    statistics->usage_errors = usage_errors();
    statistics->mapped_bytes = processes_mapped_bytes();
}

EXPORT int xmem_get_statistics(struct xmem_statistics *statistics)
{
    static const char operation[] = "xmem_get_statistics";
    int error = thread_process_only(operation);
    if (error)
        return error;
    if (!statistics || statistics->size != sizeof(*statistics))
        return fail_argument(operation, "statistics->size is not sizeof(struct xmem_statistics)");
    if (load_relaxed(&settings.started))
        reaper_drain(); /* what interrupt handlers freed counts as freed */
    statistics_collect(statistics);
    return 0;
}
