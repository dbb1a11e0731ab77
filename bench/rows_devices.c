/* SPDX-License-Identifier: MIT */
/*
 * Devices of trapped programs: what a system call on one costs, beside a bare handler of
 * notifications that does the same; and the rate of dd, beside dd on a file in memory.
 *
 * All of it runs on one CPU, where a notification costs least.
 */
#include "helper.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xmem/devices.h>

#define DEVICE "/dev/xmem-bench"
#define KIB UINT64_C(1024)
#define MIB UINT64_C(1048576)
#define BUFFER_SIZE (4 * MIB)
#define DISK_SIZE (64 * MIB)
#define ROUNDS_MOST 401

/* ---- the device: endless, and made of one buffer; of one byte it moves nothing ---- */

static char *buffer;

static int64_t extent(void *device, struct xmem_open_file *file)
{
    (void)device;
    (void)file;
    return (int64_t)DISK_SIZE;
}

static bool plain(struct xmem_transfer *transfer)
{
    if (transfer->length == 1 || (uint64_t)transfer->offset >= DISK_SIZE) {
        transfer->done = transfer->length == 1;
        return false;
    }
    return true;
}

static int device_read(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    struct iovec own = {buffer, BUFFER_SIZE};
    size_t done = 0;
    (void)device;
    (void)file;
    if (!plain(transfer))
        return 0;
    int error = xmem_copy_outv(NULL, &own, 1, transfer->ranges, transfer->count, &done);
    transfer->done = done;
    return error;
}

static int device_write(void *device, struct xmem_open_file *file, struct xmem_transfer *transfer)
{
    struct iovec own = {buffer, BUFFER_SIZE};
    size_t done = 0;
    (void)device;
    (void)file;
    if (!plain(transfer))
        return 0;
    int error = xmem_copy_inv(NULL, transfer->ranges, transfer->count, &own, 1, &done);
    transfer->done = done;
    return error;
}

static const struct xmem_device_operations operations = {
    .size = sizeof(operations), .read = device_read, .write = device_write, .extent = extent};

/* ---- what the rows share: made for the first of them, ended by finish() ---- */

static struct {
    bool begun;
    const char *problem;
    bool impossible;
    bool device;
    bool started[3];
    struct helper helpers[3]; /* by kind */
    char file[64];
} shared;

static bool begin_device(void)
{
    struct xmem_device device = {.size = sizeof(device),
                                 .path = DEVICE,
                                 .mode = S_IFCHR | 0600,
                                 .owner = geteuid(),
                                 .group = getegid(),
                                 .major = 240,
                                 .operations = &operations};
    buffer = kernel_memory(BUFFER_SIZE);
    shared.device = buffer && xmem_device_add(&device) == 0;
    return shared.device;
}

/* A file in memory, of the size of the device. */
static bool begin_file(void)
{
    snprintf(shared.file, sizeof(shared.file), "/dev/shm/xmem-bench.XXXXXX");
    int file = mkstemp(shared.file);
    bool made = file != -1;
    for (uint64_t at = 0; made && at < DISK_SIZE; at += BUFFER_SIZE)
        made = write(file, buffer, BUFFER_SIZE) == (ssize_t)BUFFER_SIZE;
    if (file != -1)
        close(file);
    return made;
}

static bool begin_helper(enum helper_kind kind, const char *path)
{
    struct helper *helper = &shared.helpers[kind];
    shared.started[kind] = helper_start(helper, kind, path);
    return shared.started[kind] && helper_ask(helper, HELPER_GETPPID, 0, 1) >= 0;
}

static bool can_trap(void)
{
    char name[] = "true";
    char *words[] = {name, NULL};
    struct xmem_program program = {.size = sizeof(program), .path = name, .arguments = words};
    int status;
    int error = xmem_run(&program, &status);
    shared.impossible = error == ENOSYS;
    return error == 0;
}

static void begin(void)
{
    shared.begun = true;
    if (!can_trap())
        shared.problem = "no program can be trapped";
    else if (!begin_device())
        shared.problem = "the device cannot be made";
    else if (!begin_file())
        shared.problem = "no file in /dev/shm can be made";
    else if (!begin_helper(HELPER_PLAIN, shared.file) || !begin_helper(HELPER_BARE, "/dev/null") ||
             !begin_helper(HELPER_TRAPPED, DEVICE))
        shared.problem = "a helper does not work";
}

static void finish(void)
{
    for (enum helper_kind kind = HELPER_PLAIN; kind <= HELPER_TRAPPED; kind++)
        if (shared.started[kind])
            helper_stop(&shared.helpers[kind]);
    if (shared.device)
        xmem_device_remove(DEVICE);
    if (shared.file[0])
        unlink(shared.file);
    if (buffer)
        kernel_memory_free(buffer, BUFFER_SIZE);
    memset(&shared, 0, sizeof(shared));
    buffer = NULL;
}

static bool ready(struct result *result)
{
    if (!shared.begun)
        begin();
    result->problem = shared.problem;
    result->impossible = shared.impossible;
    return !shared.problem;
}

/* ---- measuring: the helpers take turns ---- */

struct side {
    enum helper_kind kind;
    double values[ROUNDS_MOST];
    double ns, spread;
};

static void summarize(struct side *side, unsigned rounds)
{
    side->ns = median(side->values, rounds);
    side->spread = (side->values[rounds * 3 / 4] - side->values[rounds / 4]) / side->ns;
}

static uint64_t calls_of_a_batch(enum helper_call call, uint64_t size)
{
    double ns = helper_ask(&shared.helpers[HELPER_TRAPPED], call, size, 10);
    return ns > 0 && ns < (double)effort.batch_ns ? (uint64_t)((double)effort.batch_ns / ns) + 1
                                                  : 1;
}

static bool duel(struct side sides[2], enum helper_call call, uint64_t size)
{
    uint64_t count = calls_of_a_batch(call, size), start = clock_ns();
    unsigned round = 0;
    for (; round < effort.rounds && round_affordable(round, start); round++) {
        for (unsigned turn = 0; turn < 2; turn++) {
            struct side *side = &sides[(round + turn) % 2];
            side->values[round] = helper_ask(&shared.helpers[side->kind], call, size, count);
            if (side->values[round] < 0)
                return false;
        }
    }
    summarize(&sides[0], round);
    summarize(&sides[1], round);
    return true;
}

static void measure_call(const struct row *row, struct result *result)
{
    static struct side sides[2];
    sides[0].kind = HELPER_TRAPPED;
    sides[1].kind = (enum helper_kind)row->detail;
    if (!ready(result))
        return;
    if (!duel(sides, (enum helper_call)row->which, row->size)) {
        result->problem = "a system call of a helper failed";
        return;
    }
    result->ns = sides[0].ns;
    result->spread = sides[0].spread;
    result->baseline_ns = sides[1].ns;
    result->baseline_spread = sides[1].spread;
}

/* ---- dd ---- */

/* The seconds that dd says it took; negative: it does not say. */
static double seconds_of_dd(const char *message)
{
    double bytes, seconds;
    FILE *file = fopen(message, "r");
    char line[256];
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *copied = strstr(line, "copied, ");
        found = copied && sscanf(line, "%lf", &bytes) == 1 && bytes == (double)DISK_SIZE &&
                sscanf(copied, "copied, %lf", &seconds) == 1;
    }
    if (file)
        fclose(file);
    return found ? seconds : -1;
}

/* Nanoseconds for a block of a read of the whole device or file. */
static double run_dd(const char *path, uint64_t block, bool trapped)
{
    char message[] = "/tmp/xmem-bench-dd.XXXXXX", script[256];
    int file = mkstemp(message), status = -1;
    if (file == -1)
        return -1;
    close(file);
    snprintf(script, sizeof(script), "LC_ALL=C exec dd if=%s of=/dev/null bs=%llu 2>%s", path,
             (unsigned long long)block, message);
    char shell[] = "sh", option[] = "-c";
    char *words[] = {shell, option, script, NULL};
    struct xmem_program program = {.size = sizeof(program), .path = shell, .arguments = words};
    if (trapped && xmem_run(&program, &status) != 0)
        status = -1;
    if (!trapped)
        status = system(script);
    double seconds = status == 0 ? seconds_of_dd(message) : -1;
    unlink(message);
    return seconds * 1e9 / (double)(DISK_SIZE / block);
}

/* One program is trapped at a time. */
static bool stop_trapped_helper(void)
{
    if (shared.started[HELPER_TRAPPED])
        helper_stop(&shared.helpers[HELPER_TRAPPED]);
    shared.started[HELPER_TRAPPED] = false;
    return true;
}

/* The sum that dd cannot do without: two notifications, one of which copies a block. */
static double least_sum(uint64_t block, unsigned rounds)
{
    static double values[ROUNDS_MOST];
    for (unsigned round = 0; round < rounds; round++)
        values[round] =
            helper_ask(&shared.helpers[HELPER_BARE], HELPER_BLOCK, block, DISK_SIZE / block);
    return median(values, rounds);
}

static void measure_dd(const struct row *row, struct result *result)
{
    static double here[ROUNDS_MOST], file[ROUNDS_MOST];
    unsigned rounds = quick ? 1 : 11;
    if (!ready(result) || !stop_trapped_helper())
        return;
    for (unsigned round = 0; round < rounds; round++) {
        here[round] = run_dd(DEVICE, row->size, true);
        file[round] = run_dd(shared.file, row->size, false);
        if (here[round] < 0 || file[round] < 0) {
            result->problem = "dd failed";
            return;
        }
    }
    result->ns = median(here, rounds);
    result->baseline_ns = least_sum(row->size, rounds);
    if (result->baseline_ns < 0)
        result->problem = "a system call of a helper failed";
    double file_ns = median(file, rounds);
    snprintf(result->note, sizeof(result->note),
             "%.0f MB/s; dd of a file in memory, without a filter: %.0f MB/s (%.1f us a block)",
             (double)row->size * 1e3 / result->ns, (double)row->size * 1e3 / file_ns,
             file_ns / 1e3);
}

/* ---- the table ---- */

#define MOST 1.15
#define CALL(words, size, baseline, kind, value, call, against)                                    \
    {                                                                                              \
        words, size, baseline, {kind, value}, HINT_SYSCALL, measure_call, call, against            \
    }

/* dd comes last: it has the trapped program's place. */
static const struct row rows[] = {
    CALL("pread of a device that moves nothing", 1, "bare notification", AT_MOST_TIMES, MOST,
         HELPER_PREAD, HELPER_BARE),
    CALL("pwrite of a device that moves nothing", 1, "bare notification", AT_MOST_TIMES, MOST,
         HELPER_PWRITE, HELPER_BARE),
    CALL("pread of a device", 4 * KIB, "bare notification, copy", REPORTED, 0, HELPER_PREAD,
         HELPER_BARE),
    CALL("pread of a device", 64 * KIB, "bare notification, copy", AT_MOST_TIMES, MOST,
         HELPER_PREAD, HELPER_BARE),
    CALL("pread of a device", MIB, "bare notification, copy", AT_MOST_TIMES, MOST, HELPER_PREAD,
         HELPER_BARE),
    CALL("pwrite of a device", 64 * KIB, "bare notification, copy", AT_MOST_TIMES, MOST,
         HELPER_PWRITE, HELPER_BARE),
    CALL("pwrite of a device", MIB, "bare notification, copy", AT_MOST_TIMES, MOST, HELPER_PWRITE,
         HELPER_BARE),
    CALL("pread of a device, and write to /dev/null", 64 * KIB, "two bare notifications, copy",
         REPORTED, 0, HELPER_BLOCK, HELPER_BARE),
    CALL("getppid of a trapped program", 0, "getppid under a bare filter", AT_MOST_TIMES, MOST,
         HELPER_GETPPID, HELPER_BARE),
    CALL("getppid of a trapped program, beside none", 0, "getppid without a filter", REPORTED, 0,
         HELPER_GETPPID, HELPER_PLAIN),
    {"dd of a device, a block",
     64 * KIB,
     "two bare notifications, copy",
     {AT_MOST_TIMES, MOST},
     HINT_SYSCALL,
     measure_dd,
     0,
     0},
    {"dd of a device, a block",
     MIB,
     "two bare notifications, copy",
     {AT_MOST_TIMES, MOST},
     HINT_SYSCALL,
     measure_dd,
     0,
     0},
};

const struct family devices_family = {"devices of trapped programs", rows, ROW_COUNT(rows), finish};
