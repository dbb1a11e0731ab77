/* SPDX-License-Identifier: MIT */
/*
 * The panics that AIX documents for services without a failure value.  Callable at interrupt level:
 * the words are put together on the stack.
 */
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
