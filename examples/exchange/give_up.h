/* SPDX-License-Identifier: MIT */
/* How a run ends that did not show what it should. */
#ifndef EXCHANGE_GIVE_UP_H
#define EXCHANGE_GIVE_UP_H

/* Says why and ends the program.  The user programs end by themselves when their connection
 * does. */
void give_up(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Gives up after so many seconds. */
void watchdog_start(unsigned seconds);

/* The words of this thread's last failure. */
const char *why(void);

#endif
