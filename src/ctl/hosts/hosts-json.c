/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for scripts: one array of objects.
 */

#include <config.h>

#include "ctl/document.h"
#include "ctl/hostrate.h"
#include "ctl/hosts/hosts.h"
#include "ctl/hostwords.h"
#include "smtp/outcome.h"

static void
set_latency(json_t *to, const char *name, const struct latency *latency)
{
	json_t *object = document_set_object(to, name);

	document_set_count(object, "count", latency->count);
	document_set_span(object, "sum", (gint64)latency->sum);
	document_set_span_if(object, "recent", latency->count > 0,
	    (gint64)latency->recent);
}

static void
set_failures(json_t *to, const struct hostrecord *record)
{
	json_t *object = document_set_object(to, "failures");

	for (guint i = 0; i < STAGE_COUNT; i++)
		document_set_count(object, stage_name(i), record->failures[i]);
}

/* Those that are tried last just now. */
static void
set_bad_addresses(json_t *to, const struct hostrecord *record)
{
	json_t *array = document_set_array(to, "bad_addresses");
	gint64 now = health_now();

	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		const struct bad_address *bad = &record->bad[i];

		if (bad->text[0] != '\0' && bad->until > now)
			document_add_text(array, bad->text);
	}
}

static void
set_health(json_t *to, const struct hosttable_row *known)
{
	const struct health *health = &known->record.health;
	gboolean up = health_is_up(health);

	document_set_flag(to, "up", up);
	document_set_time(to, "down_since", up ? 0 : health->since);
	document_set_span_if(to, "next_try_in", !up, known->wait);
	document_set_flag(to, "probed", known->probed);
	document_set_flag(to, "suspect", known->record.suspicion.sender != 0);
}

static void
set_connections(json_t *to, const struct hostrow *row)
{
	guint limit = hostrow_limit(row);

	document_set_count(to, "connections", row->known.record.connections);
	document_set_count(to, "connected", row->known.connected);
	document_set_count(to, "waiting", row->known.waiting);
	document_set_count_if(to, "max_connections", row->max_connections > 0,
	    row->max_connections);
	document_set_count_if(to, "learned_connections",
	    row->remembered && row->known.capacity != NO_LIMIT,
	    row->known.capacity);
	document_set_flag(to, "full",
	    limit > 0 && row->known.connected >= limit);
}

static void
set_rates(json_t *to, const struct hostrow *row)
{
	const struct tally *tally = row->known.tally;
	gint64 wait = hostrate_wait(row->rates, tally);
	struct hostrate rate;
	json_t *array;

	document_set_flag(to, "at_rate", wait > 0);
	document_set_span_if(to, "rate_free_in", wait > 0, wait);
	array = document_set_array(to, "rates");
	for (guint i = 0; hostrate_get(row->rates, tally, i, &rate); i++) {
		json_t *object = document_add_object(array);

		document_set_text(object, "unit", hostrate_unit(rate.unit));
		document_set_count(object, "span",
		    (guint64)(rate.rate->span / G_USEC_PER_SEC));
		document_set_count(object, "count", rate.rate->count);
		document_set_count(object, "used", rate.used);
		document_set_count(object, "left", hostrate_left(&rate));
	}
}

static void
set_row(json_t *to, const struct hostrow *row)
{
	const struct hostrecord *record = &row->known.record;

	document_set_text(to, "host", row->known.name);
	document_set_count(to, "port", row->known.port);
	document_set_text(to, "state",
	    hostwords_standing(hostrow_standing(row)));
	set_health(to, &row->known);
	document_set_flag(to, "drained", record->drained != FALSE);
	document_set_count(to, "routes", row->routes);
	document_set_count(to, "drained_routes", row->drained_routes);
	document_set_time(to, "seen", record->seen);
	document_set_count(to, "deliveries", record->deliveries);
	document_set_count(to, "deferrals", record->deferrals);
	document_set_count(to, "bounces", record->bounces);
	set_connections(to, row);
	set_rates(to, row);
	set_failures(to, record);
	document_set_time(to, "last_success", record->last_success);
	document_set_time(to, "last_failure", record->last_failure);
	document_set_text(to, "last_error",
	    record->last_failure == 0 ? NULL : record->last_error);
	set_latency(to, "connect_time", &record->connect);
	set_latency(to, "total_time", &record->total);
	set_bad_addresses(to, record);
}

/* A line for each host. */
void
hosts_say_json(const GPtrArray *rows)
{
	json_t *array = json_array();

	for (guint i = 0; i < rows->len; i++)
		set_row(document_add_object(array), g_ptr_array_index(rows, i));
	document_say_lines(array);
}
