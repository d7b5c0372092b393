/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/outlook.h"
#include "agent/passedover.h"
#include "agent/plan.h"
#include "agent/unknown.h"
#include "agent/wakeup.h"
#include "util/deadline.h"
#include "util/decimal.h"
#include "util/maillog.h"

/* Can none of the route's hosts be had?  It is remembered then. */
static gboolean
are_hosts_gone(struct station *station, const struct route *route,
    const char *domain, struct verdict *verdict)
{
	const struct settings *settings = station->settings;
	const struct choosing choosing =
	    settings_choosing(settings, route->key);
	const struct wakeup wakeup = wakeup_of(settings, maillog_queue_id());
	g_autoptr(Plan) plan = plan_new(route, domain, settings,
	    station->resolver, station->state);
	GArray *array = plan_contenders(plan);
	struct contender *contenders =
	    &g_array_index(array, struct contender, 0);

	/* For one of its recipients, whatever of the others. */
	hoststate_want(station->state, 1, TRUE);
	if (hoststate_glance(station->state, contenders, array->len,
		choosing.patience, choosing.waiting) != PROSPECT_NONE ||
	    !hoststate_defer(station->state, contenders, array->len,
		wakeup.queue_id))
		return FALSE;
	passedover_verdict(array, verdict);
	return TRUE;
}

static gboolean
is_unknown(struct station *station, const char *domain, gint64 *span,
    struct verdict *verdict)
{
	gint64 begun = g_get_monotonic_time();
	g_autoptr(GError) error = NULL;
	gboolean unknown = *span > 0 &&
	    unknown_ask(station->resolver, station->settings, domain,
		deadline_in(*span), &error);

	*span = MAX(*span - (g_get_monotonic_time() - begun), 0);
	if (unknown)
		verdict_set(verdict, VERDICT_BOUNCE, unknown_dsn(error),
		    "%s: %s", domain, error->message);
	return unknown;
}

/* What a route is known by: the same for the same hosts.  A new string. */
static char *
known_by(const struct route *route, const char *domain)
{
	char line[DECIMAL_SIZE];

	return g_strjoin(" ", decimal(route->line, line),
	    route->key != NULL ? route->key : "",
	    route->kind == ROUTE_DNS ? domain : "", NULL);
}

void
outlook_confirm(struct station *station, const struct route *route,
    const char *domain)
{
	g_autofree char *known = known_by(route, domain);

	station_note_well(station, known);
}

gboolean
outlook_is_good(struct station *station, const struct route *route,
    const char *domain, gint64 *dns_span, struct verdict *verdict)
{
	g_autofree char *known = known_by(route, domain);

	if (route->kind == ROUTE_DISCARD || station_is_well(station, known))
		return TRUE;
	return !are_hosts_gone(station, route, domain, verdict) &&
	    (route->kind != ROUTE_DNS ||
		!is_unknown(station, domain, dns_span, verdict));
}
