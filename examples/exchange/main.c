/* SPDX-License-Identifier: MIT */
/*
 * exchange [FILE]: the kernel program.  Real programs hold a file and empty buffers; this one
 * learns of their memory through a socket, attaches it, and moves the file from one to the others
 * with AIX's services, while hostile programs do their worst.  The takers' checksums must be the
 * holder's.
 *
 * Exit: 0: all of that is true; 1: it is not; 77: Linux lets this program open no other.
 */
#include "clock.h"
#include "file.h"
#include "give_up.h"
#include "honest.h"
#include "move.h"
#include "refuse.h"
#include "serve.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vmuser.h>

#define WATCHDOG_SECONDS 110
#define SMALL_CALLS 8192 /* of small chunks, so many calls and not the whole file */
#define SAMPLES_WANTED 16
#define ROW_NANOSECONDS UINT64_C(1000000000) /* ... unless it takes longer than that */

static struct buffer source, target; /* embedded */

static const size_t chunks[] = {64, 512, 4096, 65536, 1u << 20, CHUNK_MOST};
#define CHUNKS (sizeof chunks / sizeof chunks[0])
#define ROUTES 6

static struct route routes[ROUTES];
static struct row rows[ROUTES * CHUNKS];
static size_t row_count;

static void create_embedded(struct buffer *buffer, size_t length)
{
    if (buffer_create(buffer, length) != 0 || service_attach(buffer) != XMEM_SUCC)
        give_up(1, "an embedded process: %s", why());
}

static struct route between(const char *services, enum service in, enum service out, int holder,
                            int taker)
{
    return (struct route){.services = services,
                          .memory = "opened",
                          .in = in,
                          .out = out,
                          .from = &honest[holder].buffer,
                          .to = &honest[taker].buffer,
                          .raw_from = honest[holder].raw,
                          .raw_to = honest[taker].raw};
}

static void plan_routes(void)
{
    static const char moves[] = "xmemin, xmemout", copies[] = "copyin64, copyout64";
    routes[0] = between(moves, SERVICE_XMEMIN, SERVICE_XMEMOUT, HOLDER, TAKER);
    routes[1] = between(copies, SERVICE_COPYIN64, SERVICE_COPYOUT64, HOLDER, COPY_TAKER);
    routes[2] = between(moves, SERVICE_XMEMIN, SERVICE_XMEMOUT, FILE_HOLDER, FILE_TAKER);
    routes[3] = between("xm_mapin, xm_det", SERVICE_MAPIN_LOAD, SERVICE_MAPIN_STORE, FILE_HOLDER,
                        FILE_TAKER);
    routes[2].memory = routes[3].memory = "imported";
    routes[4] = between(moves, SERVICE_XMEMIN, SERVICE_XMEMOUT, HOLDER, TAKER);
    routes[5] = between(copies, SERVICE_COPYIN64, SERVICE_COPYOUT64, HOLDER, TAKER);
    for (struct route *route = &routes[4]; route <= &routes[5]; route++) {
        route->memory = "embedded";
        route->from = &source;
        route->to = &target;
    }
}

static struct party *party_of(const struct buffer *buffer)
{
    for (struct party *party = honest; party < honest + HONEST; party++)
        if (buffer == &party->buffer)
            return party;
    return NULL;
}

/* One pass over the file's first bytes, from emptied memory to agreeing checksums. */
static void pass(struct row *row, size_t bytes)
{
    const struct route *route = row->route;
    struct party *holder = party_of(route->from), *taker = party_of(route->to);
    bool embedded = !taker;
    const char *words;
    if (embedded) {
        holder = &honest[HOLDER];
        taker = &honest[TAKER];
        void *first = (void *)(uintptr_t)target.address;
        if (xmemzero(&target.descriptor, first, (long)target.length) != XMEM_SUCC)
            give_up(1, "xmemzero: %s", why());
    }
    honest_ask(taker, MESSAGE_CLEAR, 0);
    int error = move_once(row, bytes, &words);
    if (error)
        give_up(1, "%s, %s memory: %s: %s", route->services, route->memory, strerror(error), words);
    if (embedded && carry(&target, &taker->buffer, bytes) != XMEM_SUCC)
        give_up(1, "from embedded memory to the %s: %s", taker->name, why());
    if (honest_ask(holder, MESSAGE_CHECKSUM, bytes) != honest_ask(taker, MESSAGE_CHECKSUM, bytes))
        give_up(1, "%s, %s memory, chunks of %zu: the %s's checksum is not the %s's",
                route->services, route->memory, row->chunk, taker->name, holder->name);
}

static void run_row(const struct route *route, size_t chunk, size_t length)
{
    struct row *row = &rows[row_count++];
    row->route = route;
    row->chunk = chunk;
    size_t bytes = chunk < length / SMALL_CALLS ? chunk * SMALL_CALLS : length;
    uint64_t start = nanoseconds_now();
    do
        pass(row, bytes);
    while (row->calls < SAMPLES_WANTED && nanoseconds_now() - start < ROW_NANOSECONDS);
}

static void run_rows(size_t length)
{
    for (struct route *route = routes; route < routes + ROUTES; route++) {
        size_t before = row_count;
        for (size_t at = 0; at < CHUNKS; at++)
            if (chunks[at] <= length)
                run_row(route, chunks[at], length);
        if (row_count == before)
            run_row(route, length, length);
    }
}

static void end_embedded(void)
{
    if (buffer_close(&source) != 0 || buffer_close(&target) != 0)
        give_up(1, "an embedded process could not be closed: %s", why());
}

static void free_rows(void)
{
    for (struct row *row = rows; row < rows + row_count; row++) {
        samples_free(&row->in);
        samples_free(&row->raw_in);
        samples_free(&row->out);
        samples_free(&row->raw_out);
    }
}

int main(int count, char **arguments)
{
    char *path = count > 1 ? strdup(arguments[1]) : file_by_default();
    const char *problem = path ? file_problem(path) : "no file to move was found";
    if (problem) {
        fprintf(stderr, "exchange: %s: %s\n", path ? path : "FILE", problem);
        return 1;
    }
    watchdog_start(WATCHDOG_SECONDS);
    if (xmem_start(NULL) != 0)
        give_up(1, "xmem_start: %s", why());
    int error = server_open();
    if (error)
        give_up(1, "the socket: %s", strerror(error));
    printf("exchange moves %s (of a longer file, the first %u MiB)\n\n", path, FILE_MOST >> 20);
    size_t length = honest_start(path);
    create_embedded(&source, length);
    create_embedded(&target, length);
    if (carry(&honest[HOLDER].buffer, &source, length) != XMEM_SUCC)
        give_up(1, "from the holder to embedded memory: %s", why());
    plan_routes();
    error = refuse_start();
    if (error)
        give_up(1, "a thread: %s", strerror(error));
    run_rows(length);
    const char *wrong;
    unsigned refused = refuse_stop(&wrong);
    if (wrong)
        give_up(1, "%s", wrong);
    end_embedded();
    honest_end();
    server_close();
    if (xmem_stop() != 0)
        give_up(1, "xmem_stop: %s", why());
    print_rows(rows, row_count);
    print_services();
    print_refusals();
    printf("\nexchange: all checksums agree; %u hostile programs refused, %d honest ones served\n",
           refused, HONEST);
    free_rows();
    free(path);
    return 0;
}
