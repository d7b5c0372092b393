/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting smtproute into Postfix's configuration.
 */
#ifndef SMTPROUTE_CTL_POSTFIX_APPLY_H
#define SMTPROUTE_CTL_POSTFIX_APPLY_H

#include <glib.h>

#include "ctl/postfix/postfix-service.h"

enum apply {
	APPLY_AGENT,  /* the agent, and what leads mail to it */
	APPLY_STATUS, /* the status page, and nothing else */
};

/*
 * Says the changes of main.cf and master.cf as a diff, and makes them.  FALSE:
 * complain() has said why.
 */
gboolean
postfix_apply(const struct postfix *postfix, enum apply what);

#endif
