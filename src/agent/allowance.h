/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one delivery spends on hosts that a recipient's domain names (USEDNS):
 * whoever owns the domain must not hold the gateway.  Hosts of the map have no
 * other limits than time-limit.
 */
#ifndef SMTPROUTE_ALLOWANCE_H
#define SMTPROUTE_ALLOWANCE_H

#include <glib.h>

#include "conf/settings.h"
#include "smtp/outcome.h"

/* More failures than that are only counted, not logged. */
#define ALLOWANCE_LOGGED_MAX 10

struct allowance {
	gboolean limited; /* FALSE: no limits */
	guint addresses;  /* that may still be tried */
	guint sessions;   /* with a greeting, likewise */
	gint64 until;     /* no content is begun later; G_MAXINT64: no limit */
	guint failures;   /* so far */
};

/* From now on; @limited: the route is USEDNS. */
void
allowance_begin(struct allowance *allowance, const struct settings *settings,
    gboolean limited);

/* @outcome: of one attempt; NULL: a host has no address. */
void
allowance_note(struct allowance *allowance, const struct outcome *outcome);

/* Has the time been used up? */
gboolean
allowance_is_late(const struct allowance *allowance);

/* What has been used up, as the settings call it; NULL: nothing. */
const char *
allowance_spent(const struct allowance *allowance);

/* Is the next failure too much for the log? */
gboolean
allowance_is_quiet(const struct allowance *allowance);

/* How many were; one line for the log, a new string.  NULL: none. */
char *
allowance_summary(const struct allowance *allowance, const char *domain);

#endif
