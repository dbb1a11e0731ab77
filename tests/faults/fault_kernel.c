/* SPDX-License-Identifier: MIT */
/*
 * Kernel processes, waits, signals, posted interrupts and timers while the host layer fails: what
 * has begun comes to its end all the same.
 */
#include "fault_kernel.h"

#include <unistd.h>
#include <xmem/kernel.h>

static struct {
    uint32_t word, finished, handled;
    int result;
} shared;

static void raise_flag(uint32_t *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
    xmem_wake(flag, 1);
}

static void wait_for_signal(void *argument)
{
    (void)argument;
    do
        shared.result = xmem_wait(&shared.word, 0, XMEM_WAIT_INTERRUPTIBLE, 0);
    while (shared.result == 0);
    raise_flag(&shared.finished);
}

static void handle(void *argument)
{
    (void)argument;
    raise_flag(&shared.handled);
}

static void await(uint32_t *flag)
{
    while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) == 0)
        EXPECT(xmem_wait(flag, 0, 0, 0) == 0);
    *flag = 0;
}

/* Its thread is ours, so that its signals come even where Linux's do not; and where it cannot wait
 * for two words at once, it looks from time to time. */
static void kernel_process(void)
{
    pid_t number;
    if (!ALLOW(xmem_kernel_process_create(&number), ENOMEM))
        return;
    MUST(xmem_kernel_process_start(number, wait_for_signal, NULL, "faults"));
    MUST(xmem_signal_post(number, 15));
    await(&shared.finished);
    EXPECT(shared.result == EINTR);
    if (ALLOW(xmem_kernel_process_create(&number), ENOMEM))
        MUST(xmem_kernel_process_cancel(number));
}

/* Whatever happens to the interrupt signal, handlers run that nobody could be told about. */
static void interrupts(void)
{
    struct xmem_interrupt_work work = {handle, NULL, XMEM_INTIODONE, NULL, 0};
    struct xmem_timer timer = {.work = work};
    MUST(xmem_post_interrupt(&work));
    await(&shared.handled);
    MUST(xmem_timer_start(&timer, xmem_clock() + 1000));
    await(&shared.handled);
    int before = xmem_interrupts_hold(XMEM_INTMAX);
    MUST(xmem_interrupt(XMEM_INTCLASS0, handle, NULL));
    EXPECT(shared.handled == 0);
    xmem_interrupts_restore(before);
    EXPECT(shared.handled == 1);
    shared.handled = 0;
}

void kernel_body(struct stage *stage)
{
    (void)stage;
    kernel_process();
    interrupts();
    ALLOW(xmem_signal_post(getppid(), 0), ESRCH);
}
