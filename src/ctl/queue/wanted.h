/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What part of the queue is asked for: routes, recipients' domains and hosts,
 * any of them; or all.
 */
#ifndef SMTPROUTE_CTL_QUEUE_WANTED_H
#define SMTPROUTE_CTL_QUEUE_WANTED_H

#include <glib.h>

/* @texts, as typed, must outlive it. */
struct wanted {
	char *const *texts;
	int count; /* 0: all */
};

/* Is all mail of the route, or for the domain, asked for? */
gboolean
wanted_route(const struct wanted *wanted, const char *route,
    const char *domain);

/* What waits for the host, "name:port"?  It may be NULL. */
gboolean
wanted_host(const struct wanted *wanted, const char *host);

#endif
