/* SPDX-License-Identifier: MIT */
/* Shows the documented panics: each in a process of its own, with the hook and without. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services.h"

#define PANICKED 42

static void hook(const char *words)
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

static void panics(void (*act)(void))
{
    int hooked = status_of(act, hook);
    assert_true(WIFEXITED(hooked));
    assert_int_equal(WEXITSTATUS(hooked), PANICKED);
    int plain = status_of(act, NULL);
    assert_true(WIFSIGNALED(plain));
    assert_int_equal(WTERMSIG(plain), SIGABRT);
}

static void attach_nothing(void)
{
    vm_att(0, NULL);
}

static void attach_no_handle(void)
{
    vm_att(INVLSID, NULL);
}

static void detach_nothing(void)
{
    char byte;
    vm_det(&byte);
}

static void detach_twice(void)
{
    xmem_segment_t segment;
    if (xmem_segment_create(PAGE, &segment) != 0)
        return;
    caddr_t mapped = vm_att(vm_handle(segment, 0), NULL);
    vm_det(mapped);
    vm_det(mapped);
}

static void map_out_nothing(void)
{
    struct xmem descriptor;
    char byte;
    garbage_descriptor(&descriptor, 0);
    xm_det(&byte, &descriptor);
}

static void asked_for(void)
{
    xmem_panic("asked for");
}

static void vm_services(enum kind kind)
{
    panics(attach_nothing);
    panics(attach_no_handle);
    panics(detach_nothing);
    panics(detach_twice);
    panics(map_out_nothing);
    panics(asked_for);
    covers("vm_att.panic", kind);
    covers("vm_det.panic", kind);
    covers("xm_det.panic", kind);
}

int main(void)
{
    static const struct test_case cases[] = {BARE(vm_services)};
    return RUN_CASES("panics", cases);
}
