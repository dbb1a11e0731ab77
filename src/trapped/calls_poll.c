/* SPDX-License-Identifier: MIT */
/*
 * poll and select in all their forms, with devices among the descriptors.
 *
 * A set without devices is left to Linux, and so is everything that Linux would refuse.  The time
 * that is left is stored as Linux stores it, so that a call that is begun anew after a stop waits
 * for the rest; poll has nowhere to store it and begins anew with all of it.
 *
 * A signal that only the wait's own mask lets through (ppoll, pselect6) must have its handler run
 * under that mask, which nobody but Linux can do: the call then continues without the devices in
 * its set, finds the signal, and the set is put back as it was as soon as Linux has read it
 * (masked_wait.h).
 */
#include "trapped/call.h"

#include "host/memory.h"
#include "host/waits.h"
#include "trapped/masked_wait.h"
#include "trapped/poll_set.h"
#include "trapped/processes.h"
#include "trapped/tables.h"
#include "trapped/target.h"

#include <errno.h>
#include <string.h>

#define NANOSECONDS UINT64_C(1000000000)

/* ---------------------------------------------------------------- the limit ------------ */

enum time_form {
    TIME_NONE,
    TIME_TIMEVAL,
    TIME_TIMESPEC,
    TIME_NARROW_TIMEVAL,
    TIME_NARROW_TIMESPEC
};

struct limit {
    enum time_form form; /* TIME_NONE: nanoseconds are given */
    uint64_t address;    /* 0: for ever */
    uint64_t nanoseconds;
};

/* False: Linux shall find out what is wrong with it. */
static bool read_limit(struct call *call, struct limit *limit)
{
    int64_t wide[2] = {0, 0};
    int32_t narrow[2] = {0, 0};
    bool is_narrow = limit->form == TIME_NARROW_TIMEVAL || limit->form == TIME_NARROW_TIMESPEC;
    bool is_timeval = limit->form == TIME_TIMEVAL || limit->form == TIME_NARROW_TIMEVAL;
    if (limit->form == TIME_NONE)
        return true;
    limit->nanoseconds = POLL_FOREVER;
    if (limit->address == 0)
        return true;
    int error = is_narrow ? call_copy_in(call, limit->address, narrow, sizeof(narrow))
                          : call_copy_in(call, limit->address, wide, sizeof(wide));
    if (error)
        return false;
    int64_t seconds = is_narrow ? narrow[0] : wide[0];
    int64_t fraction = is_narrow ? narrow[1] : wide[1];
    if (seconds < 0 || fraction < 0 || (!is_timeval && fraction >= (int64_t)NANOSECONDS))
        return false;
    uint64_t most = is_timeval ? UINT64_C(1000000) : NANOSECONDS;
    uint64_t nanoseconds = (uint64_t)fraction % most * (NANOSECONDS / most);
    uint64_t whole = (uint64_t)seconds + (uint64_t)fraction / most;
    if (whole < (POLL_FOREVER - nanoseconds) / NANOSECONDS)
        limit->nanoseconds = whole * NANOSECONDS + nanoseconds;
    return true;
}

/* Linux does not mind if it cannot be stored. */
static void store_left(struct call *call, const struct limit *limit)
{
    if (limit->address == 0 || limit->nanoseconds == POLL_FOREVER)
        return;
    bool is_timeval = limit->form == TIME_TIMEVAL || limit->form == TIME_NARROW_TIMEVAL;
    uint64_t fraction = limit->nanoseconds % NANOSECONDS / (is_timeval ? 1000 : 1);
    if (limit->form == TIME_NARROW_TIMEVAL || limit->form == TIME_NARROW_TIMESPEC) {
        int32_t narrow[2] = {(int32_t)(limit->nanoseconds / NANOSECONDS), (int32_t)fraction};
        call_copy_out(call, narrow, limit->address, sizeof(narrow));
    } else {
        int64_t wide[2] = {(int64_t)(limit->nanoseconds / NANOSECONDS), (int64_t)fraction};
        call_copy_out(call, wide, limit->address, sizeof(wide));
    }
}

/* ---------------------------------------------------------------- the mask ------------- */

#define MASK_SIZE 8

/* address 0: there is none.  False: Linux shall find out. */
static bool read_mask(struct call *call, uint64_t address, uint64_t size, struct poll_set *set)
{
    if (address == 0)
        return true;
    set->masked = true;
    return size == MASK_SIZE && call_copy_in(call, address, &set->mask, sizeof(set->mask)) == 0;
}

/* ---------------------------------------------------------------- poll ----------------- */

_Static_assert(sizeof(struct pollfd) == 8, "the same for all callers");

struct poll_call {
    uint64_t address;
    struct pollfd *entries;
    struct poll_set set;
};

/* False: not for us. */
static bool read_poll(struct call *call, uint64_t address, uint64_t count, struct poll_call *poll)
{
    poll->address = address;
    poll->entries = host_allocate((count ? count : 1) * sizeof(*poll->entries));
    if (!poll->entries || poll_set_create(&poll->set, count)) {
        host_free(poll->entries);
        return false;
    }
    if (count && call_copy_in(call, address, poll->entries, count * sizeof(*poll->entries)) == 0) {
        for (size_t index = 0; index < count; index++) {
            poll->set.members[index].number = poll->entries[index].fd;
            poll->set.members[index].events = poll->entries[index].events;
        }
        poll_set_find_devices(call, &poll->set);
    }
    return true;
}

static void free_poll(struct poll_call *poll)
{
    poll_set_destroy(&poll->set);
    host_free(poll->entries);
}

/* Linux stores what was returned, member by member, and nothing else. */
static int store_poll(struct call *call, const struct poll_call *poll)
{
    size_t count = poll->set.count;
    struct xmem_range *places = host_allocate(count * sizeof(*places));
    short *returned = host_allocate(count * sizeof(*returned));
    int error = places && returned ? 0 : ENOMEM;
    for (size_t index = 0; index < count && !error; index++) {
        places[index].address =
            poll->address + index * sizeof(struct pollfd) + offsetof(struct pollfd, revents);
        places[index].length = sizeof(short);
        returned[index] = poll->set.members[index].returned;
    }
    struct iovec from = {.iov_base = returned, .iov_len = count * sizeof(*returned)};
    if (!error && xmem_copy_outv(call->process, &from, 1, places, count, NULL))
        error = EFAULT;
    host_free(places);
    host_free(returned);
    return error;
}

/* Negative numbers are ignored. */
static void hide_in_poll(const struct poll_call *poll, struct masked_wait *wait)
{
    for (size_t index = 0; index < poll->set.count; index++)
        if (poll->set.members[index].file)
            masked_wait_hide(wait, poll->address + index * sizeof(struct pollfd),
                             (uint32_t)poll->entries[index].fd, ~(uint32_t)poll->entries[index].fd);
}

static struct answer wait_and_store(struct call *call, struct poll_call *poll, struct limit *limit)
{
    size_t ready;
    int error = poll_set_wait(call, &poll->set, &limit->nanoseconds, &ready);
    if (!error)
        error = store_poll(call, poll);
    store_left(call, limit);
    if (error == EINTR && poll_set_needs_mask(call, &poll->set)) {
        struct masked_wait wait;
        masked_wait_begin(&wait, call, poll->set.count);
        hide_in_poll(poll, &wait);
        return masked_wait_continue(&wait);
    }
    if (error == EINTR)
        return call_interrupted(false);
    return error ? call_error(error) : call_value((int64_t)ready);
}

static struct answer serve_poll(struct call *call, struct limit *limit, uint64_t mask,
                                uint64_t mask_size)
{
    struct poll_call poll;
    struct answer answer = call_continue();
    uint32_t count = (uint32_t)call->arguments[1];
    if (!devices_are_open() || call_begin(call) ||
        count > host_descriptor_limit(call->caller->group) ||
        !read_poll(call, call->arguments[0], count, &poll))
        return answer;
    if (poll.set.devices && read_limit(call, limit) && read_mask(call, mask, mask_size, &poll.set))
        answer = wait_and_store(call, &poll, limit);
    free_poll(&poll);
    return answer;
}

static struct answer call_poll(struct call *call)
{
    int milliseconds = call_int(call, 2);
    struct limit limit = {.form = TIME_NONE, .nanoseconds = POLL_FOREVER};
    if (milliseconds >= 0)
        limit.nanoseconds = (uint64_t)milliseconds * 1000000;
    return serve_poll(call, &limit, 0, 0);
}

static struct answer ppoll_with(struct call *call, enum time_form form)
{
    struct limit limit = {.form = form, .address = call->arguments[2]};
    return serve_poll(call, &limit, call->arguments[3], call->arguments[4]);
}

static struct answer call_ppoll(struct call *call)
{
    return ppoll_with(call, call->narrow ? TIME_NARROW_TIMESPEC : TIME_TIMESPEC);
}

static struct answer call_ppoll_time64(struct call *call)
{
    return ppoll_with(call, TIME_TIMESPEC);
}

/* ---------------------------------------------------------------- select --------------- */

/* Bit n is in 32-bit word n / 32 in every caller's sets, for little-endian machines. */
enum { SELECT_READ, SELECT_WRITE, SELECT_EXCEPT, SELECT_SETS };

static const short select_asked[SELECT_SETS] = {POLLIN | POLLRDNORM | POLLRDBAND,
                                                POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};
static const short select_told[SELECT_SETS] = {POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
                                               POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
                                               POLLPRI};

struct select_call {
    uint64_t addresses[SELECT_SETS];
    uint32_t *bits[SELECT_SETS]; /* NULL: not given */
    size_t words;
    struct poll_set set;
};

static void free_select(struct select_call *select)
{
    for (int kind = 0; kind < SELECT_SETS; kind++)
        host_free(select->bits[kind]);
    poll_set_destroy(&select->set);
}

static bool read_bits(struct call *call, struct select_call *select)
{
    for (int kind = 0; kind < SELECT_SETS; kind++) {
        if (select->addresses[kind] == 0)
            continue;
        select->bits[kind] = host_allocate((select->words ? select->words : 1) * sizeof(uint32_t));
        if (!select->bits[kind] || call_copy_in(call, select->addresses[kind], select->bits[kind],
                                                select->words * sizeof(uint32_t)))
            return false;
    }
    return true;
}

static short events_asked(const struct select_call *select, size_t number)
{
    short events = 0;
    for (int kind = 0; kind < SELECT_SETS; kind++)
        if (select->bits[kind] && select->bits[kind][number / 32] >> number % 32 & 1)
            events |= select_asked[kind];
    return events;
}

static bool read_select(struct call *call, size_t count, struct select_call *select)
{
    /* The Linux kernel reads whole longs of the caller's. */
    select->words = call->narrow ? (count + 31) / 32 : (count + 63) / 64 * 2;
    if (!read_bits(call, select) || poll_set_create(&select->set, count))
        return false;
    for (size_t number = 0; number < count; number++) {
        select->set.members[number].events = events_asked(select, number);
        if (select->set.members[number].events)
            select->set.members[number].number = (int)number;
    }
    poll_set_find_devices(call, &select->set);
    return true;
}

/* Bits in all sets count.  EBADF: a number stands for nothing. */
static int store_select(struct call *call, struct select_call *select, size_t *ready)
{
    *ready = 0;
    for (size_t number = 0; number < select->set.count; number++)
        if (select->set.members[number].returned & POLLNVAL)
            return EBADF;
    for (int kind = 0; kind < SELECT_SETS; kind++) {
        uint32_t *bits = select->bits[kind];
        if (!bits)
            continue;
        for (size_t number = 0; number < select->set.count; number++) {
            uint32_t bit = UINT32_C(1) << number % 32;
            if (!(bits[number / 32] & bit))
                continue;
            if (select->set.members[number].returned & select_told[kind])
                (*ready)++;
            else
                bits[number / 32] &= ~bit;
        }
    }
    for (int kind = 0; kind < SELECT_SETS; kind++)
        if (select->bits[kind] && call_copy_out(call, select->bits[kind], select->addresses[kind],
                                                select->words * sizeof(uint32_t)))
            return EFAULT;
    return 0;
}

/* The words of the sets without the devices' bits. */
static void hide_in_select(const struct select_call *select, struct masked_wait *wait)
{
    for (size_t word = 0; word < select->words; word++) {
        uint32_t devices = 0;
        for (size_t number = word * 32; number < word * 32 + 32 && number < select->set.count;
             number++)
            if (select->set.members[number].file)
                devices |= UINT32_C(1) << number % 32;
        for (int kind = 0; devices && kind < SELECT_SETS; kind++)
            if (select->bits[kind] && select->bits[kind][word] & devices)
                masked_wait_hide(wait, select->addresses[kind] + word * sizeof(uint32_t),
                                 select->bits[kind][word], select->bits[kind][word] & ~devices);
    }
}

static struct answer wait_and_select(struct call *call, struct select_call *select,
                                     struct limit *limit)
{
    size_t ready;
    int error = poll_set_wait(call, &select->set, &limit->nanoseconds, &ready);
    if (!error)
        error = store_select(call, select, &ready);
    store_left(call, limit);
    if (error == EINTR && poll_set_needs_mask(call, &select->set)) {
        struct masked_wait wait;
        masked_wait_begin(&wait, call, select->words * SELECT_SETS);
        hide_in_select(select, &wait);
        return masked_wait_continue(&wait);
    }
    if (error == EINTR)
        return call_interrupted(false);
    return error ? call_error(error) : call_value((int64_t)ready);
}

static struct answer serve_select(struct call *call, int count, const uint64_t *addresses,
                                  struct limit *limit, uint64_t mask, uint64_t mask_size)
{
    struct select_call select = {.addresses = {addresses[0], addresses[1], addresses[2]}};
    struct answer answer = call_continue();
    if (count <= 0 || !devices_are_open() || call_begin(call))
        return answer;
    uint64_t most = host_descriptor_limit(call->caller->group);
    size_t members = (uint64_t)count < most ? (size_t)count : (size_t)most;
    if (read_select(call, members, &select) && select.set.devices && read_limit(call, limit) &&
        read_mask(call, mask, mask_size, &select.set))
        answer = wait_and_select(call, &select, limit);
    free_select(&select);
    return answer;
}

static struct answer call_select(struct call *call)
{
    struct limit limit = {.form = call->narrow ? TIME_NARROW_TIMEVAL : TIME_TIMEVAL,
                          .address = call->arguments[4]};
    return serve_select(call, call_int(call, 0), &call->arguments[1], &limit, 0, 0);
}

/* i386's first select has its arguments in memory. */
static struct answer call_old_select(struct call *call)
{
    uint32_t arguments[5];
    if (!devices_are_open() || call_begin(call) ||
        call_copy_in(call, call->arguments[0], arguments, sizeof(arguments)))
        return call_continue();
    struct limit limit = {.form = TIME_NARROW_TIMEVAL, .address = arguments[4]};
    uint64_t addresses[SELECT_SETS] = {arguments[1], arguments[2], arguments[3]};
    return serve_select(call, (int)arguments[0], addresses, &limit, 0, 0);
}

static struct answer pselect_with(struct call *call, enum time_form form)
{
    uint64_t wide[2] = {0, 0}; /* the mask's address and size */
    uint32_t narrow[2] = {0, 0};
    struct limit limit = {.form = form, .address = call->arguments[4]};
    uint64_t address = call->arguments[5];
    if (!devices_are_open() || call_begin(call))
        return call_continue();
    if (address && (call->narrow ? call_copy_in(call, address, narrow, sizeof(narrow))
                                 : call_copy_in(call, address, wide, sizeof(wide))))
        return call_continue();
    return serve_select(call, call_int(call, 0), &call->arguments[1], &limit,
                        call->narrow ? narrow[0] : wide[0], call->narrow ? narrow[1] : wide[1]);
}

static struct answer call_pselect6(struct call *call)
{
    return pselect_with(call, call->narrow ? TIME_NARROW_TIMESPEC : TIME_TIMESPEC);
}

static struct answer call_pselect6_time64(struct call *call)
{
    return pselect_with(call, TIME_TIMESPEC);
}

const struct call_row calls_poll[] = {
    CALL(poll, 168, call_poll),
    CALL(ppoll, 309, call_ppoll),
    CALL_I386(ppoll_time64, 414, call_ppoll_time64),
    CALL(select, 142, call_select),
    CALL_I386(old_select, 82, call_old_select),
    CALL(pselect6, 308, call_pselect6),
    CALL_I386(pselect6_time64, 413, call_pselect6_time64),
    CALL_TABLE_END,
};
