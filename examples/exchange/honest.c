/* SPDX-License-Identifier: MIT */
/* The honest programs; see honest.h. */
#include "honest.h"
#include "file.h"
#include "give_up.h"
#include "serve.h"
#include "services.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OFFER_MILLISECONDS 30000

struct party honest[HONEST];

/* Opens or imports what an honest program offers, and attaches it. */
static void admit(struct party *party)
{
    struct message offer;
    int file;
    int error = client_offer(party->client, &offer, &file, OFFER_MILLISECONDS);
    if (error)
        give_up(1, "the %s made no offer: %s", party->name,
                error == ESRCH ? "it has ended" : strerror(error));
    if (offer.length > 2 * (uint64_t)FILE_MOST)
        give_up(1, "the %s offers more than anybody asked for", party->name);
    party->checksum = offer.checksum;
    party->raw = (struct raw_place){party->client->pid, offer.address};
    error = file >= 0
                ? buffer_import(&party->buffer, file, offer.length)
                : buffer_open(&party->buffer, party->client->pid, offer.address, offer.length);
    if (error)
        give_up(error == EPERM || error == EACCES ? 77 : 1, "the %s: %s", party->name, why());
    if (file >= 0) {
        close(file);
        if (!party->buffer.steady)
            give_up(1, "the %s has not sealed its memory", party->name);
    }
    if (service_attach(&party->buffer) != XMEM_SUCC)
        give_up(1, "the %s: %s", party->name, why());
    printf("%-12s pid %-7d %9zu bytes at %#llx%s\n", party->name, (int)party->client->pid,
           party->buffer.length, (unsigned long long)offer.address,
           file >= 0 ? ", a memfd, imported" : "");
}

static void start_holder(int which, const char *name, const char *kind, const char *path)
{
    char most[32];
    snprintf(most, sizeof most, "%u", FILE_MOST);
    honest[which].name = name;
    honest[which].client = client_start("exchange-holder", kind, path, most);
    if (!honest[which].client)
        give_up(1, "no %s", name);
    admit(&honest[which]);
}

/* Twice the length: the second half is for what process_vm moves, which no checksum covers. */
static void start_taker(int which, const char *name, const char *kind, size_t length)
{
    char twice[32];
    size_t half = (length + XMEM_PAGE_SIZE - 1) / XMEM_PAGE_SIZE * XMEM_PAGE_SIZE;
    snprintf(twice, sizeof twice, "%zu", 2 * half);
    honest[which].name = name;
    honest[which].client = client_start("exchange-taker", kind, twice, NULL);
    if (!honest[which].client)
        give_up(1, "no %s", name);
    admit(&honest[which]);
    if (honest[which].buffer.length < 2 * half)
        give_up(1, "the %s offers too little", name);
    honest[which].raw.address += half;
}

size_t honest_start(const char *path)
{
    start_holder(HOLDER, "holder", "private", path);
    start_holder(FILE_HOLDER, "holder 2", "file", path);
    size_t length = honest[HOLDER].buffer.length;
    if (honest[FILE_HOLDER].buffer.length != length ||
        honest[FILE_HOLDER].checksum != honest[HOLDER].checksum)
        give_up(1, "%s changes while it is read", path);
    start_taker(TAKER, "taker", "private", length);
    start_taker(COPY_TAKER, "taker 2", "private", length);
    start_taker(FILE_TAKER, "taker 3", "file", length);
    return length;
}

uint64_t honest_ask(const struct party *party, enum message_kind kind, uint64_t length)
{
    uint64_t answer;
    int error = client_ask(party->client, kind, length, &answer);
    if (error)
        give_up(1, "the %s does not answer: %s", party->name, strerror(error));
    return answer;
}

void honest_end(void)
{
    for (struct party *party = honest; party < honest + HONEST; party++) {
        if (buffer_close(&party->buffer) != 0)
            give_up(1, "the %s's buffer could not be closed: %s", party->name, why());
        int status = client_end(party->client);
        if (status != 0)
            give_up(1, "the %s ended with status %d", party->name, status);
    }
}
