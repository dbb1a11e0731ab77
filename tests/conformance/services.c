/* SPDX-License-Identifier: MIT */
/* Short forms for the tests of the AIX services; see services.h. */
#include "services.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PANICKED 42

int segflag_of(enum kind kind)
{
    return kind == KIND_KERNEL ? SYS_ADSPACE : USER_ADSPACE;
}

void garbage_descriptor(struct xmem *descriptor, int byte)
{
    memset(descriptor, byte, sizeof *descriptor);
    descriptor->aspace_id = XMEM_INVAL;
}

int attach(struct memory *memory, uint64_t address, size_t n, struct xmem *descriptor)
{
    int result;
    garbage_descriptor(descriptor, 0x5A);
    if (memory_kind(memory) != KIND_KERNEL)
        xmem_enter(memory_process(memory));
    result = xmattach64(address, (int)n, descriptor, segflag_of(memory_kind(memory)));
    if (memory_kind(memory) != KIND_KERNEL)
        xmem_leave();
    return result;
}

void must_attach(struct memory *memory, uint64_t address, size_t n, struct xmem *descriptor)
{
    if (attach(memory, address, n, descriptor) != XMEM_SUCC)
        fail_msg("attaching failed: %s", xmem_last_failure()->words);
    assert_int_not_equal(descriptor->aspace_id, XMEM_INVAL);
}

void must_detach(struct xmem *descriptor)
{
    assert_int_equal(xmdetach(descriptor), XMEM_SUCC);
    assert_int_equal(descriptor->aspace_id, XMEM_INVAL);
}

unsigned char *snapshot(const struct memory *memory)
{
    unsigned char *bytes = malloc(memory_size(memory));
    assert_non_null(bytes);
    owner_load(memory, memory_base(memory), bytes, memory_size(memory));
    return bytes;
}

void unchanged_except(const struct memory *memory, unsigned char *before, uint64_t address,
                      size_t n)
{
    unsigned char *after = snapshot(memory);
    size_t start = (size_t)(address - memory_base(memory));
    for (size_t index = 0; index < memory_size(memory); index++)
        if (before[index] != after[index] && (index < start || index - start >= n))
            fail_msg("byte %zu, outside [%zu, %zu), was changed", index, start, start + n);
    free(after);
    free(before);
}

void unchanged(const struct memory *memory, unsigned char *before)
{
    unchanged_except(memory, before, memory_base(memory), 0);
}

int comes_to(const int *value, int wanted)
{
    double limit = seconds_now() + 10;
    while (__atomic_load_n(value, __ATOMIC_ACQUIRE) < wanted) {
        if (seconds_now() > limit)
            return 0;
        usleep(500);
    }
    return 1;
}

uint64_t usage_errors_counted(void)
{
    struct xmem_statistics statistics = {.size = sizeof statistics};
    must(xmem_get_statistics(&statistics));
    return statistics.usage_errors;
}

static void panic_hook(const char *words)
{
    _exit(words && words[0] ? PANICKED : 1);
}

static int status_of(void (*act)(void), void (*panic)(const char *))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct xmem_config config = {.size = sizeof config, .panic = panic};
        signal(SIGABRT, SIG_DFL);
        if (xmem_start(&config) == 0)
            act();
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void must_panic(void (*act)(void))
{
    int hooked = status_of(act, panic_hook);
    assert_true(WIFEXITED(hooked));
    assert_int_equal(WEXITSTATUS(hooked), PANICKED);
    int plain = status_of(act, NULL);
    assert_true(WIFSIGNALED(plain));
    assert_int_equal(WTERMSIG(plain), SIGABRT);
}
