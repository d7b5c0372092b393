/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/limits.h"
#include "agent/station.h"
#include "hosts/holdings.h"
#include "util/deadline.h"

/* Of a busy process: the state is looked at for a few messages of many. */
#define WELL_SPAN (G_USEC_PER_SEC / 5)

struct station *
station_new(const struct settings *settings, gboolean keep)
{
	const struct health_limits limits = limits_health(settings);
	struct station *station = g_new0(struct station, 1);

	station->settings = settings;
	station->resolver = resolver_new(settings->dns_servers);
	station->state = hoststate_new(settings->state_directory, &limits);
	station->keeper = keep ? keeper_new() : NULL;
	station->map = keep ? mapmemory_new() : NULL;
	return station;
}

void
station_begin(struct station *station, const char *sender)
{
	resolver_renew(station->resolver);
	hoststate_begin(station->state, sender);
}

void
station_note_well(struct station *station, const char *route)
{
	if (g_strcmp0(station->well, route) != 0) {
		g_free(station->well);
		station->well = g_strdup(route);
	}
	station->well_until = deadline_in(WELL_SPAN);
}

gboolean
station_is_well(const struct station *station, const char *route)
{
	return g_strcmp0(station->well, route) == 0 &&
	    deadline_left(station->well_until) > 0;
}

/* What is closed needs no slot. */
static void
settle(struct station *station, const struct holding *holding)
{
	g_autofree char *name = g_strdup(holding->name);
	guint16 port = holding->port;

	keeper_close(station->keeper, name, port, holding->surplus);
	hoststate_give_up(station->state, name, port,
	    keeper_count(station->keeper, name, port));
}

void
station_yield(struct station *station)
{
	const GPtrArray *holdings = hoststate_holdings(station->state);

	/* From the end: those that are given up go. */
	for (guint i = holdings->len; i > 0 && station->keeper != NULL; i--)
		settle(station, g_ptr_array_index(holdings, i - 1));
}

gint64
station_idle(struct station *station)
{
	gint64 expiry = keeper_expire(station->keeper);
	gint64 look = hoststate_yield(station->state);

	station_yield(station);
	return MIN(expiry, look);
}

void
station_free(struct station *station)
{
	if (station == NULL)
		return;
	g_clear_pointer(&station->keeper, keeper_free);
	mapmemory_free(station->map);
	hoststate_free(station->state);
	resolver_free(station->resolver);
	g_free(station->well);
	g_free(station);
}
