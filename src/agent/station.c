/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/limits.h"
#include "agent/station.h"

struct station *
station_new(const struct settings *settings, gboolean keep)
{
	const struct health_limits limits = limits_health(settings);
	struct station *station = g_new0(struct station, 1);

	station->settings = settings;
	station->resolver = resolver_new(settings->dns_servers);
	station->state = hoststate_new(settings->state_directory, &limits);
	station->keeper = keep ? keeper_new() : NULL;
	return station;
}

void
station_begin(struct station *station, const char *sender)
{
	resolver_renew(station->resolver);
	hoststate_begin(station->state, sender);
}

void
station_free(struct station *station)
{
	if (station == NULL)
		return;
	g_clear_pointer(&station->keeper, keeper_free);
	hoststate_free(station->state);
	resolver_free(station->resolver);
	g_free(station);
}
