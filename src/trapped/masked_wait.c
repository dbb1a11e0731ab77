/* SPDX-License-Identifier: MIT */
/*
 * Letting Linux deliver a signal under the mask of a waiting call; masked_wait.h says how.
 */
#include "trapped/masked_wait.h"

#include "host/memory.h"
#include "host/tracees.h"

#include <errno.h>

void masked_wait_begin(struct masked_wait *wait, struct call *call, size_t words)
{
    *wait = (struct masked_wait){.call = call, .room = words};
    wait->words = host_allocate((words ? words : 1) * sizeof(*wait->words));
}

void masked_wait_hide(struct masked_wait *wait, uint64_t address, uint32_t value, uint32_t hidden)
{
    if (!wait->words || wait->count == wait->room ||
        call_copy_out(wait->call, &hidden, address, sizeof(hidden)))
        return;
    wait->words[wait->count++] = (struct masked_word){address, value, hidden};
}

/* The notification is over, so by the thread's number, which is its own while it is held. */
static void put_back(const struct masked_wait *wait)
{
    pid_t thread = wait->call->thread;
    for (size_t index = 0; index < wait->count; index++) {
        const struct masked_word *word = &wait->words[index];
        uint32_t now;
        if (host_memory_in(thread, word->address, &now, sizeof(now)) == 0 && now == word->hidden)
            host_memory_out(thread, &word->value, word->address, sizeof(word->value));
    }
}

struct answer masked_wait_continue(struct masked_wait *wait)
{
    struct call *call = wait->call;
    if (!wait->words)
        return call_error(ENOMEM);
    if (host_hold_begin(call->thread)) {
        /* Somebody traces it.  It gets the signal at its next chance. */
        put_back(wait);
        host_free(wait->words);
        call->interrupted = false;
        return call_error(EINTR);
    }
    call_send(call, call_continue());
    if (host_hold_wait(call->thread)) {
        put_back(wait);
        host_hold_end(call->thread);
    }
    host_free(wait->words);
    return CALL_SENT;
}
