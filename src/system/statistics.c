/* SPDX-License-Identifier: MIT */
/*
 * What is there now, counted.
 */
#include "engine/descriptor.h"
#include "engine/holds.h"
#include "engine/map_in.h"
#include "engine/process.h"
#include "engine/thread.h"
#include "segments/segment.h"
#include "system/kernel_process.h"
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
    statistics->kernel_processes = kernel_processes_count();
}
