/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Postfix's configuration needs for smtproute, and putting it there.
 */
#ifndef SMTPROUTE_CTL_POSTFIX_H
#define SMTPROUTE_CTL_POSTFIX_H

#include <glib.h>

#include "ctl/service.h"

struct postfix {
	const char *conf;   /* the settings' absolute path */
	const char *routes; /* the route map's */
};

#define POSTFIX_LIMIT SERVICE_NAME "_destination_recipient_limit"

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

/*
 * Says the changes of main.cf and master.cf as a diff, and makes them.  FALSE:
 * complain() has said why.
 */
gboolean
postfix_apply(const struct postfix *postfix);

#endif
