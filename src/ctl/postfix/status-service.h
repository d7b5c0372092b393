/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry of the status page in master.cf: spawn(8) starts "smtproutectl
 * serve" for each connection.
 */
#ifndef SMTPROUTE_CTL_STATUS_SERVICE_H
#define SMTPROUTE_CTL_STATUS_SERVICE_H

#include <glib.h>

#include "ctl/postfix/postfix-service.h"

/* Where the page is to be had: from this machine only. */
#define STATUS_ADDRESS "127.0.0.1:9479"

/* So many look at it at once. */
#define STATUS_PROCESSES "10"

/* What it runs, a new string. */
char *
status_command(const struct postfix *postfix);

/*
 * The edit for postconf -M, a new string; *ret_edit is NULL if the entry is as
 * it should be.  It has the user of the agent's service in @services, by
 * pipe(8) or in LMTP, since the state is that user's.  FALSE with
 * COMMAND_ERROR: the place is another's, or there is no such user.
 */
gboolean
status_plan(const struct postfix *postfix, const GPtrArray *services,
    char **ret_edit, GError **error);

#endif
