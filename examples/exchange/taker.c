/* SPDX-License-Identifier: MIT */
/*
 * exchange-taker SOCKET private|file LENGTH: an honest program that offers an empty buffer, says
 * what has arrived in it, and empties it again.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    size_t length = count == 4 ? strtoul(arguments[3], NULL, 10) : 0;
    if (length == 0) {
        fprintf(stderr, "usage: exchange-taker SOCKET private|file LENGTH\n");
        return 2;
    }
    struct memory memory = program_memory(arguments[2], length);
    program_seal(&memory);
    int connection = program_connect(arguments[1]);
    program_offer(connection, &memory, 0);
    program_answer(connection, &memory, true);
}
