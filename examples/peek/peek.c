/* SPDX-License-Identifier: MIT */
/*
 * peek [PID ADDRESS]: reads 16 bytes of another process, then follows a bad pointer and lives on.
 * Without arguments it peeks at a child of its own.  Exit: 0, 1, or 77 where Linux forbids it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xmem/xmem.h>

static const char secret[] = "sixteen letters!";

static int report(const char *what, int error)
{
    printf("%-12s %s\n", what, error ? xmem_last_failure()->words : "done");
    return error;
}

static int peek(struct xmem_process *process, uint64_t address)
{
    char bytes[16];
    size_t done = 0;
    int error = report("copy", xmem_copy_in(process, address, bytes, sizeof bytes, &done));
    printf("%-12s %zu bytes: \"%.*s\"\n", "", done, (int)done, bytes);
    int bad = report("bad pointer", xmem_copy_in(process, 8, bytes, sizeof bytes, &done));
    return error == 0 && bad == EFAULT && done == 0 ? 0 : 1;
}

int main(int count, char **arguments)
{
    pid_t child = count == 3 ? 0 : fork();
    if (child == 0 && count != 3) {
        alarm(60); /* the child waits to be looked at, and not for ever */
        return pause();
    }
    pid_t pid = child ? child : (pid_t)strtol(arguments[1], NULL, 0);
    uint64_t address = child ? (uintptr_t)secret : strtoull(arguments[2], NULL, 0);

    struct xmem_process *process = NULL;
    int error = report("start", xmem_start(NULL));
    if (error == 0)
        error = report("open", xmem_process_open(pid, &process));
    int result = error == EPERM || error == EACCES ? 77 : 1;
    if (error == 0) {
        result = peek(process, address);
        result |= report("close", xmem_process_close(process)) | report("stop", xmem_stop());
    }
    if (child > 0)
        kill(child, SIGKILL);
    return result;
}
