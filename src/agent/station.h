/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The station: what deliveries with the same settings have in common, from one
 * to the next - what is known of hosts, DNS, connections that are kept.
 */
#ifndef SMTPROUTE_STATION_H
#define SMTPROUTE_STATION_H

#include <glib.h>

#include "agent/keeper.h"
#include "conf/settings.h"
#include "dns/resolver.h"
#include "hosts/hoststate.h"
#include "route/mapmemory.h"

struct station {
	const struct settings *settings;
	struct resolver *resolver;
	struct hoststate *state;
	struct keeper *keeper; /* NULL: no connection is kept */
	struct mapmemory *map; /* NULL: one lookup is all there is */
	char *well;            /* see station_note_well() */
	gint64 well_until;
};

/*
 * Costs nothing until it is used.  @settings must outlive it.  @keep: are
 * connections, and the map, to be kept for the next message?
 */
struct station *
station_new(const struct settings *settings, gboolean keep);

/*
 * For the next message, with this sender: what another process has done to the
 * state, or somebody to the set-up of DNS, is taken notice of.
 */
void
station_begin(struct station *station, const char *sender);

/* A message went along the route just now: one route is remembered. */
void
station_note_well(struct station *station, const char *route);

/* And that was no more than a moment ago. */
gboolean
station_is_well(const struct station *station, const char *route);

/* Closes connections whose slots are to be given up, and gives them up. */
void
station_yield(struct station *station);

/*
 * Between messages: closes connections that nobody needs, or that others wait
 * for.  Costs next to nothing until its time has come; returns when it wants to
 * be called again, as a deadline.
 */
gint64
station_idle(struct station *station);

void
station_free(struct station *station);

typedef struct station Station;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Station, station_free)

#endif
