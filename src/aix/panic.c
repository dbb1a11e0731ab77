/* SPDX-License-Identifier: MIT */
/*
 * The panics that AIX documents for services without a failure value, and those of corrupt heaps
 * and of locks that are not the caller's.
 * Callable at interrupt level: the words are put together on the stack.
 */
#include "aix/heap_blocks.h"
#include "aix/service.h"

struct sentence {
    char words[512];
    size_t length;
};

static void append(struct sentence *sentence, const char *words)
{
    while (*words != '\0' && sentence->length < sizeof sentence->words - 1)
        sentence->words[sentence->length++] = *words++;
    sentence->words[sentence->length] = '\0';
}

void service_panic(const char *service, const char *happened)
{
    struct sentence sentence = {.length = 0};

    append(&sentence, service);
    append(&sentence, ": ");
    append(&sentence, happened);
    append(&sentence, ": ");
    append(&sentence, xmem_last_failure()->words);
    xmem_panic(sentence.words);
}

static void append_address(struct sentence *sentence, const void *address)
{
    char digits[2 * sizeof(uintptr_t) + 3] = "0x";
    size_t last = 2 * sizeof(uintptr_t) + 1;
    uintptr_t rest = (uintptr_t)address;

    for (size_t place = last; place >= 2; place--, rest >>= 4)
        digits[place] = "0123456789abcdef"[rest & 15];
    append(sentence, digits);
}

void address_panic(const char *service, const char *what, const void *address)
{
    struct sentence sentence = {.length = 0};

    append(&sentence, service);
    append(&sentence, ": ");
    append(&sentence, what);
    append(&sentence, ": ");
    append_address(&sentence, address);
    xmem_panic(sentence.words);
}

void heap_panic(const char *what, const void *address)
{
    address_panic("heap", what, address);
}
