/* SPDX-License-Identifier: MIT */
/*
 * RD_FIND: a command whose argument points on: at a string, which comes in, and at an array, which
 * goes out entry by entry, so that no memory has to be allocated for what a program asks for.
 */
#include "disk.h"

#include <string.h>

/* *length: without the zero. */
static int text_in(uint64_t from, char *text, uint *length, ulong devflag)
{
    int error = 0;
    uint stored = 0;
    if (!(devflag & DKERNEL)) {
        error = copyinstr64(from, text, RD_TEXT_MOST, &stored);
    } else {
        while (stored < RD_TEXT_MOST && (text[stored] = ((const char *)(uintptr_t)from)[stored]))
            stored++;
        error = stored == RD_TEXT_MOST ? E2BIG : 0;
        stored++;
    }
    if (error)
        return error;
    *length = stored - 1;
    return *length == 0 ? EINVAL : 0;
}

/* Where the text is next, from `at` on; the disk's size: nowhere. */
static offset_t next_place(const struct disk *disk, const char *text, uint length, offset_t at)
{
    for (; at + length <= disk->size; at++) {
        const char *first = memchr(disk->data + at, text[0], (size_t)(disk->size - at));
        if (!first)
            break;
        at = first - disk->data;
        if (at + length <= disk->size && memcmp(first, text, length) == 0)
            return at;
    }
    return disk->size;
}

int rd_find(struct disk *disk, struct rd_find *find, ulong devflag)
{
    char text[RD_TEXT_MOST];
    uint length;
    int error = text_in(find->text, text, &length, devflag);
    find->found = 0;
    for (offset_t at = 0; !error; at++) {
        at = next_place(disk, text, length, at);
        if (at == disk->size)
            break;
        uint64_t place = (uint64_t)at;
        if (find->found < find->most)
            error =
                rd_out(&place, find->places + find->found * sizeof place, sizeof place, devflag);
        find->found++;
    }
    return error;
}
