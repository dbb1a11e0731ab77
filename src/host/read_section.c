/* SPDX-License-Identifier: MIT */
/*
 * The slow half of read sections: registering threads and waiting for a grace period.
 * See read_section.h for what is guaranteed.
 */
#include "host/read_section.h"

#if XMEM_READ_SECTION_C11

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

/*
 * Slots are never freed, only reused, so the list can be walked without registering.
 *   1. period only grows; a section stores the period it began in, then reads shared data.
 *   2. wait() raises the period and waits for every slot that is 0 or not older than the new one.
 *   3. A reader that loaded the old period but stored it late is seen either by the walk, or began
 *      after the walk and, by the fences on both sides, sees all that was unpublished before.
 * The mutex covers the list's shape and in_use; it nests inside nothing.
 */
THREAD_LOCAL struct read_section_slot *read_section_own;
uint64_t read_section_period = 1;
static struct read_section_slot *slots;
static pthread_mutex_t slots_mutex = PTHREAD_MUTEX_INITIALIZER;

bool read_section_usable(void)
{
    return true;
}

int read_section_register(void)
{
    pthread_mutex_lock(&slots_mutex);
    struct read_section_slot *slot = slots;
    while (slot && slot->in_use)
        slot = slot->next;
    if (!slot) {
        slot = calloc(1, sizeof(*slot));
        if (slot) {
            slot->next = slots;
            slots = slot;
        }
    }
    if (slot)
        slot->in_use = true;
    pthread_mutex_unlock(&slots_mutex);
    read_section_own = slot;
    return slot ? 0 : ENOMEM;
}

void read_section_unregister(void)
{
    pthread_mutex_lock(&slots_mutex);
    read_section_own->in_use = false;
    pthread_mutex_unlock(&slots_mutex);
    read_section_own = NULL;
}

void read_section_wait(void)
{
    full_fence();
    uint64_t period = __atomic_add_fetch(&read_section_period, 1, __ATOMIC_SEQ_CST);
    full_fence();
    pthread_mutex_lock(&slots_mutex);
    struct read_section_slot *slot = slots;
    pthread_mutex_unlock(&slots_mutex);
    for (; slot; slot = slot->next) {
        uint64_t state;
        while ((state = load_strong(&slot->state)) != 0 && state < period)
            sched_yield();
    }
    full_fence();
}

#else

/* liburcu's own finding, which its header hides from whoever takes membarrier for granted. */
extern int membarrier_found __asm__("urcu_memb_has_sys_membarrier");

bool read_section_usable(void)
{
    return membarrier_found != 0;
}

int read_section_register(void)
{
    urcu_memb_register_thread();
    return 0;
}

void read_section_unregister(void)
{
    urcu_memb_unregister_thread();
}

void read_section_wait(void)
{
    urcu_memb_synchronize_rcu();
}

#endif

void read_section_wake(void)
{
    read_section_enter();
    read_section_leave();
}
