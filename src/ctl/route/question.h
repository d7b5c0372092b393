/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What "smtproutectl route" is asked, and the two forms that its answer has.
 */
#ifndef SMTPROUTE_CTL_QUESTION_H
#define SMTPROUTE_CTL_QUESTION_H

#include <glib.h>

#include "ctl/ctl.h"
#include "ctl/nexthop.h"
#include "ctl/roster.h"
#include "route/route.h"

struct question {
	const struct ctl *ctl;
	const struct settings *settings;
	const char *nexthop;         /* as the agent gets it; NULL: not given */
	gboolean lowered;            /* it was given otherwise */
	const struct nexthop *table; /* that has it; NULL: none */
	const char *domain;          /* of the mail; NULL: only with nexthop */
	struct resolver *resolver;
	GHashTable *seen; /* addresses that come before */
	gboolean json;
};

/* The answer in words.  @roster: NULL: no host is asked. */
void
question_say_text(const struct question *question, const struct route *route,
    const struct roster *roster);

/*
 * The answer as one object; smtproutectl(8) has the keys.  @roster: NULL: no
 * host is asked.  @route: NULL: no key fits, and @looked_for says which.
 */
void
question_say_json(const struct question *question, const struct route *route,
    const struct roster *roster, const char *looked_for);

#endif
