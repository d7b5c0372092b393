/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "agent/expansion.h"
#include "agent/limits.h"
#include "ctl/roster.h"
#include "hosts/preview.h"
#include "util/deadline.h"

static const struct hosttable_row *
find_row(const GPtrArray *rows, const struct destination *destination)
{
	for (guint i = 0; rows != NULL && i < rows->len; i++) {
		const struct hosttable_row *row = g_ptr_array_index(rows, i);

		if (row->port == destination->port &&
		    strcmp(row->name, destination->name) == 0)
			return row;
	}
	return NULL;
}

/* Of the weights of all @contenders with the same priority. */
static double
share_of(const GArray *contenders, const struct contender *contender)
{
	guint total = 0;

	for (guint i = 0; i < contenders->len; i++) {
		const struct contender *other =
		    &g_array_index(contenders, struct contender, i);

		if (other->priority == contender->priority)
			total += other->weight;
	}
	return (double)contender->weight / total;
}

/* The order if nothing is known. */
static void
order_by_priority(struct roster *roster, const GArray *contenders)
{
	for (guint i = 0; i < contenders->len; i++) {
		if (g_array_index(contenders, struct contender, i).standing !=
		    STANDING_DRAINED)
			g_array_append_val(roster->order, i);
	}
}

/* What the shared state knows. */
static void
consult(struct roster *roster, GArray *contenders)
{
	const char *directory = roster->settings->state_directory;
	const struct health_limits limits = limits_health(roster->settings);
	g_autoptr(GError) error = NULL;
	guint length = 0;

	g_array_set_size(roster->order, contenders->len);
	if (preview_order(directory, &limits,
		&g_array_index(contenders, struct contender, 0),
		contenders->len, &g_array_index(roster->order, guint, 0),
		&length, &error))
		roster->rows = hosttable_read(directory, &limits, &error);
	g_array_set_size(roster->order, length);
	if (error == NULL)
		return;
	roster->trouble = g_strdup(error->message);
	g_array_set_size(roster->order, 0);
	order_by_priority(roster, contenders);
}

struct roster *
roster_new(const struct route *route, const char *domain,
    const struct settings *settings, struct resolver *resolver)
{
	struct roster *roster = g_new0(struct roster, 1);
	const struct health_limits limits = limits_health(settings);
	g_autoptr(GArray) contenders =
	    g_array_new(FALSE, FALSE, sizeof(struct contender));
	const GArray *all;

	roster->settings = settings;
	roster->resolver = resolver;
	roster->domain = route->kind == ROUTE_DNS ? g_strdup(domain) : NULL;
	roster->state = hoststate_new(settings->state_directory, &limits);
	roster->plan =
	    plan_new(route, domain, settings, resolver, roster->state);
	roster->hosts = g_array_new(FALSE, TRUE, sizeof(struct roster_host));
	roster->order = g_array_new(FALSE, TRUE, sizeof(guint));
	all = plan_contenders(roster->plan);
	if (all->len == 0)
		return roster;
	g_array_append_vals(contenders, all->data, all->len);
	consult(roster, contenders);
	for (guint i = 0; i < contenders->len; i++) {
		const struct contender *contender =
		    &g_array_index(contenders, struct contender, i);
		struct roster_host host = {
		    .standing = contender->standing,
		    .connected = contender->connected,
		    .capacity = contender->capacity,
		    .share = share_of(contenders, contender),
		};

		host.destination =
		    plan_destination(roster->plan, i, &host.settings);
		host.row = find_row(roster->rows, host.destination);
		g_array_append_val(roster->hosts, host);
	}
	return roster;
}

void
roster_free(struct roster *roster)
{
	plan_free(roster->plan);
	hoststate_free(roster->state);
	g_array_unref(roster->hosts);
	g_array_unref(roster->order);
	g_clear_pointer(&roster->rows, g_ptr_array_unref);
	g_free(roster->trouble);
	g_free(roster->domain);
	g_free(roster);
}

const struct roster_host *
roster_at(const struct roster *roster, guint i)
{
	return &g_array_index(roster->hosts, struct roster_host, i);
}

char *
roster_health(const struct roster_host *host)
{
	const struct hosttable_row *row = host->row;

	if (row == NULL || health_is_up(&row->record.health))
		return g_strdup("up");
	if (row->wait > 0)
		return g_strdup_printf("down, next try in %" G_GINT64_FORMAT
				       " s",
		    (row->wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
	if (row->probed)
		return g_strdup("down, being probed by a delivery");
	return g_strdup("down, due: the next delivery probes it");
}

const char *
roster_drained(const struct roster_host *host)
{
	if (host->destination->drain)
		return "in the route map";
	if (host->row != NULL && host->row->record.drained)
		return "by command (smtproutectl resume undoes it)";
	return NULL;
}

static void
place_free(void *data)
{
	struct place *place = data;

	g_free(place->name);
	g_clear_error(&place->error);
	g_free(place);
}

/* @candidate: of a plan that is not to be outlived. */
static void
add_place(GPtrArray *places, const struct candidate *candidate,
    const struct roster_host *host, GError *error)
{
	struct place *place = g_new0(struct place, 1);

	place->candidate = *candidate;
	place->candidate.destination = host->destination;
	place->name = g_strdup(candidate->host);
	place->candidate.host = place->name;
	place->preference = candidate->preference;
	place->error = error;
	g_ptr_array_add(places, place);
}

static void
note_bad(const struct roster *roster, const GPtrArray *places,
    const struct roster_host *host)
{
	for (guint i = 0; host->row != NULL && i < places->len; i++) {
		struct place *place = g_ptr_array_index(places, i);

		place->bad = place->error == NULL &&
		    hostrecord_is_bad(host->row->record.bad,
			&place->candidate.endpoint, health_now(),
			roster->settings->retry_max);
	}
}

/* Puts those that failed behind the others. */
static void
sort_bad(GPtrArray *places)
{
	guint i = 0;

	for (guint left = places->len; left > 0; left--) {
		const struct place *place = g_ptr_array_index(places, i);

		if (place->bad)
			g_ptr_array_add(places,
			    g_ptr_array_steal_index(places, i));
		else
			i++;
	}
}

/* What a delivery does not try, after what it does. */
static void
add_cut(GPtrArray *places, const struct plan *plan,
    const struct roster_host *host)
{
	const char *cut = plan_cut(plan);
	const struct place *last = places->len == 0
	    ? NULL
	    : g_ptr_array_index(places, places->len - 1);
	const struct candidate candidate = {
	    .host = host->destination->name,
	    .preference = -1,
	    .settings = host->settings,
	};

	if (cut == NULL ||
	    (last != NULL &&
		g_error_matches(last->error, EXPANSION_ERROR,
		    EXPANSION_ERROR_SELF)))
		return;
	add_place(places, &candidate, host,
	    g_error_new(EXPANSION_ERROR, EXPANSION_ERROR_SELF,
		"cut off here: %s", cut));
	((struct place *)g_ptr_array_index(places, places->len - 1))->cut =
	    TRUE;
}

/* The host alone, drained or down, without memory: the plan gives all. */
static GPtrArray *
collect(const struct roster *roster, const struct roster_host *host)
{
	GPtrArray *places = g_ptr_array_new_with_free_func(place_free);
	struct destination destination = *host->destination;
	g_autoptr(GPtrArray) destinations = g_ptr_array_new();
	const struct route route = {
	    .kind = roster->domain != NULL ? ROUTE_DNS : ROUTE_HOSTS,
	    .destinations = destinations,
	};
	const struct health_limits limits = limits_health(roster->settings);
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	gint64 deadline = deadline_in(roster->settings->time_limit);
	g_autoptr(Plan) plan = NULL;

	destination.drain = FALSE;
	if (roster->domain == NULL)
		g_ptr_array_add(destinations, &destination);
	plan = plan_new(&route, roster->domain, roster->settings,
	    roster->resolver, state);
	if (!plan_next_destination(plan))
		return places;
	for (;;) {
		GError *error = NULL;
		struct candidate candidate;

		if (plan_next(plan, deadline, &candidate, &error) == PLAN_END) {
			add_cut(places, plan, host);
			return places;
		}
		add_place(places, &candidate, host, error);
	}
}

GPtrArray *
roster_places(const struct roster *roster, const struct roster_host *host)
{
	GPtrArray *places = collect(roster, host);

	note_bad(roster, places, host);
	sort_bad(places);
	return places;
}
