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
	gboolean lmtp;      /* for lmtp(8) and spawn(8), not for pipe(8) */
};

#define POSTFIX_LIMIT SERVICE_NAME "_destination_recipient_limit"

/* The process limit of a new service. */
#define POSTFIX_PROCESSES "50"

/* The service's name, and what leads mail to it (service_transport()). */
const char *
postfix_name(const struct postfix *postfix);

const char *
postfix_transport(const struct postfix *postfix);

/* Does @service run smtproute in this way? */
gboolean
postfix_is_ours(const struct postfix *postfix, const struct service *service);

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
