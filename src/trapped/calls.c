/* SPDX-License-Identifier: MIT */
/*
 * The table of handled calls.
 */
#include "trapped/calls.h"

#include "trapped/tables.h"

static const struct call_row *const call_tables[] = {
    calls_open,   calls_close, calls_transfer, calls_stat,
    calls_change, calls_file,  calls_poll,     calls_epoll,
};

static const struct call_row *rows[CALL_ARCHITECTURES][CALL_NUMBERS];

static void enter(enum call_architecture architecture, int number, const struct call_row *row)
{
    if (number < 0)
        return;
    if (number >= CALL_NUMBERS || rows[architecture][number])
        xmem_panic("xmem: two handlers for one system call, or a number that is none");
    rows[architecture][number] = row;
}

void calls_prepare(void)
{
    static bool prepared;
    if (prepared)
        return;
    for (size_t table = 0; table < sizeof(call_tables) / sizeof(call_tables[0]); table++)
        for (const struct call_row *row = call_tables[table]; row->name; row++) {
            enter(CALL_ARCHITECTURE_NATIVE, row->native, row);
            enter(CALL_ARCHITECTURE_I386, row->i386, row);
        }
    prepared = true;
}

HOT const struct call_row *calls_find(enum call_architecture architecture, int number)
{
    if (architecture >= CALL_ARCHITECTURES || number < 0 || number >= CALL_NUMBERS)
        return NULL;
    return rows[architecture][number];
}

bool calls_handled(enum call_architecture architecture, int number)
{
    return calls_find(architecture, number) != NULL;
}
