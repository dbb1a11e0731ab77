/* SPDX-License-Identifier: MIT */
/*
 * Serves hostile programs, one after the other, while the honest ones are served: every mode once
 * at least, then over again until told to stop.  Each has to get the documented failure from every
 * service that depends on it.
 */
#ifndef EXCHANGE_REFUSE_H
#define EXCHANGE_REFUSE_H

#include "services.h"

struct refusal {
    const char *mode;
    const char *does;
    const char *gets; /* from the services that depend on it */
    unsigned times;
    bool met; /* a service failed, for `cause` */
    enum xmem_failure_class cause;
};

/* 0, or errno. */
int refuse_start(void);

/* Returns how many hostile programs were refused.  *wrong: NULL, or what was not as it should
 * be. */
unsigned refuse_stop(const char **wrong);

const struct refusal *refusals(size_t *count);

#endif
