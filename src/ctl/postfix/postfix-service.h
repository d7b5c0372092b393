/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry of smtproute in master.cf, as it should be.
 */
#ifndef SMTPROUTE_CTL_POSTFIX_SERVICE_H
#define SMTPROUTE_CTL_POSTFIX_SERVICE_H

#include <glib.h>

#include "ctl/service.h"

struct postfix {
	const char *conf;   /* the settings' absolute path */
	const char *routes; /* the route map's */
};

#define POSTFIX_LIMIT SERVICE_NAME "_destination_recipient_limit"

/* The process limit of a new service. */
#define POSTFIX_PROCESSES "50"

/* What a new service runs, with its arguments; a new string. */
char *
postfix_command(const struct postfix *postfix);

/*
 * The service as it should be, in the form of "postconf -M".  What @now, which
 * may be NULL, has of its own and is no fault stays: the user, the process
 * limit, a program that is there.  Both strings are new.
 */
char *
postfix_service(const struct postfix *postfix, const struct service *now);

/*
 * Does @now have to be changed for it, with this compatibility_level of
 * Postfix?  @now may be NULL.
 */
gboolean
postfix_service_differs(const struct postfix *postfix,
    const struct service *now, const char *level);

#endif
