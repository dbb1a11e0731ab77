/* SPDX-License-Identifier: MIT */
/* The bare recovery from a fault; see bare_fault.h. */
#include "bare_fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static volatile uint64_t *page;
static struct sigaction previous;

#if defined(__x86_64__)

static void load_once(const volatile uint64_t *from)
{
    uint64_t value;
    /* The handler finds the address to go on at in rdx. */
    __asm__ volatile("leaq 1f(%%rip), %%rdx\n\t"
                     "movq (%1), %0\n"
                     "1:"
                     : "=&r"(value)
                     : "r"(from)
                     : "rdx", "memory");
}

static void recover(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    registers[REG_RIP] = registers[REG_RDX];
}

#define RECOVER_FLAGS SA_SIGINFO

#else

static sigjmp_buf resume;

static void load_once(const volatile uint64_t *from)
{
    if (sigsetjmp(resume, 0) == 0)
        (void)*from;
}

static void recover(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    siglongjmp(resume, 1);
}

#define RECOVER_FLAGS (SA_SIGINFO | SA_NODEFER)

#endif

bool bare_fault_create(void)
{
    int fd = memfd_create("xmem-bench-bare", MFD_CLOEXEC);
    if (fd < 0)
        return false;
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    page = mapped == MAP_FAILED ? NULL : mapped;
    return page != NULL;
}

void bare_fault_destroy(void)
{
    munmap((void *)(uintptr_t)page, 4096);
    page = NULL;
}

void bare_fault_begin(void)
{
    struct sigaction action = {.sa_sigaction = recover, .sa_flags = RECOVER_FLAGS};
    sigaction(SIGBUS, &action, &previous);
}

void bare_fault_end(void)
{
    sigaction(SIGBUS, &previous, NULL);
}

void run_bare_faults(void *unused, unsigned long count)
{
    (void)unused;
    for (unsigned long at = 0; at < count; at++)
        load_once(page);
}
