/* SPDX-License-Identifier: MIT */
/*
 * A 32-bit program without any library: writes the address of its buffer to standard output, and
 * waits to be killed.
 */
static char buffer[8192] __attribute__((aligned(4096))) = "narrow";

static int system_call(int number, int first, int second, int third)
{
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory");
    return result;
}

void _start(void) __attribute__((noreturn));

void _start(void)
{
    unsigned address = (unsigned)buffer;
    system_call(4, 1, (int)&address, sizeof(address)); /* write */
    for (;;)
        system_call(29, 0, 0, 0); /* pause */
}
