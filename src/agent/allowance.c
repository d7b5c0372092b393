/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/allowance.h"
#include "util/deadline.h"

/* What waits ends a moment early; in less than that no host answers. */
#define USEFUL_SPAN (G_USEC_PER_SEC / 10)

void
allowance_begin(struct allowance *allowance, const struct settings *settings,
    gboolean limited)
{
	*allowance = (struct allowance){
	    .limited = limited,
	    .addresses = settings->dns_address_limit,
	    .sessions = settings->dns_session_limit,
	    .until =
		limited ? deadline_in(settings->dns_time_limit) : G_MAXINT64,
	};
}

/* The greeting, whatever it says, is what costs the host something, too. */
static gboolean
had_session(const struct outcome *outcome)
{
	return outcome->stage > STAGE_GREETING || outcome->code != 0;
}

void
allowance_note(struct allowance *allowance, const struct outcome *outcome)
{
	if (!allowance->limited)
		return;
	allowance->failures++;
	if (outcome == NULL)
		return;
	if (allowance->addresses > 0)
		allowance->addresses--;
	if (allowance->sessions > 0 && had_session(outcome))
		allowance->sessions--;
}

gboolean
allowance_is_late(const struct allowance *allowance)
{
	return deadline_left(allowance->until) < USEFUL_SPAN;
}

const char *
allowance_spent(const struct allowance *allowance)
{
	if (!allowance->limited)
		return NULL;
	if (allowance->sessions == 0)
		return "dns-session-limit";
	if (allowance->addresses == 0)
		return "dns-address-limit";
	return allowance_is_late(allowance) ? "dns-time-limit" : NULL;
}

gboolean
allowance_is_quiet(const struct allowance *allowance)
{
	return allowance->limited &&
	    allowance->failures >= ALLOWANCE_LOGGED_MAX;
}

char *
allowance_summary(const struct allowance *allowance, const char *domain)
{
	if (!allowance->limited || allowance->failures <= ALLOWANCE_LOGGED_MAX)
		return NULL;
	return g_strdup_printf("%u more failures of hosts of %s are not logged",
	    allowance->failures - ALLOWANCE_LOGGED_MAX, domain);
}
