/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for scripts: one array of objects.
 */

#include <config.h>

#include "ctl/ctl.h"
#include "ctl/hostrate.h"
#include "ctl/hosts/hosts.h"
#include "ctl/machine.h"
#include "smtp/outcome.h"

/* Of an object's members, each with a comma before it. */
static void
add_name(GString *to, const char *name)
{
	g_string_append_printf(to, ",\"%s\":", name);
}

static void
add_count(GString *to, const char *name, guint64 count)
{
	add_name(to, name);
	g_string_append_printf(to, "%" G_GUINT64_FORMAT, count);
}

static void
add_flag(GString *to, const char *name, gboolean flag)
{
	add_name(to, name);
	g_string_append(to, flag ? "true" : "false");
}

static void
add_text(GString *to, const char *name, const char *text)
{
	add_name(to, name);
	machine_text(to, text);
}

static void
add_null(GString *to, const char *name)
{
	add_name(to, name);
	g_string_append(to, "null");
}

/* ISO 8601, UTC, whole seconds; never is null. */
static void
add_time(GString *to, const char *name, gint64 time)
{
	g_autoptr(GDateTime) date = time <= 0
	    ? NULL
	    : g_date_time_new_from_unix_utc(time / G_USEC_PER_SEC);
	g_autofree char *text = NULL;

	if (date == NULL) {
		add_null(to, name);
		return;
	}
	text = g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
	add_text(to, name, text);
}

static void
add_latency(GString *to, const char *name, const struct latency *latency)
{
	add_name(to, name);
	g_string_append_printf(to,
	    "{\"count\":%" G_GUINT64_FORMAT ",\"sum\":", latency->count);
	machine_seconds(to, latency->sum);
	g_string_append(to, ",\"recent\":");
	if (latency->count == 0)
		g_string_append(to, "null");
	else
		machine_seconds(to, latency->recent);
	g_string_append_c(to, '}');
}

static void
add_failures(GString *to, const struct hostrecord *record)
{
	add_name(to, "failures");
	for (guint i = 0; i < STAGE_COUNT; i++) {
		g_string_append_c(to, i == 0 ? '{' : ',');
		machine_text(to, stage_name(i));
		g_string_append_printf(to, ":%" G_GUINT64_FORMAT,
		    record->failures[i]);
	}
	g_string_append_c(to, '}');
}

/* Those that are tried last just now. */
static void
add_bad_addresses(GString *to, const struct hostrecord *record)
{
	gint64 now = health_now();
	const char *comma = "";

	add_name(to, "bad_addresses");
	g_string_append_c(to, '[');
	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		const struct bad_address *bad = &record->bad[i];

		if (bad->text[0] == '\0' || bad->until <= now)
			continue;
		g_string_append(to, comma);
		machine_text(to, bad->text);
		comma = ",";
	}
	g_string_append_c(to, ']');
}

static const char *
state_name(const struct hostrow *row)
{
	switch (hostrow_standing(row)) {
	case HOSTROW_DOWN:
		return "down";
	case HOSTROW_DRAINED:
	case HOSTROW_DRAINED_IN_MAP:
		return "drained";
	case HOSTROW_UP:
		break;
	}
	return "up";
}

static void
add_health(GString *to, const struct hosttable_row *known)
{
	const struct health *health = &known->record.health;
	gboolean up = health_is_up(health);

	add_flag(to, "up", up);
	add_time(to, "down_since", up ? 0 : health->since);
	if (up) {
		add_null(to, "next_try_in");
	} else {
		add_name(to, "next_try_in");
		machine_seconds(to, (guint64)known->wait);
	}
	add_flag(to, "probed", known->probed);
	add_flag(to, "suspect", known->record.suspicion.sender != 0);
}

static void
add_connections(GString *to, const struct hostrow *row)
{
	guint limit = hostrow_limit(row);

	add_count(to, "connections", row->known.record.connections);
	add_count(to, "connected", row->known.connected);
	add_count(to, "waiting", row->known.waiting);
	if (row->max_connections == 0)
		add_null(to, "max_connections");
	else
		add_count(to, "max_connections", row->max_connections);
	if (!row->remembered || row->known.capacity == G_MAXUINT)
		add_null(to, "learned_connections");
	else
		add_count(to, "learned_connections", row->known.capacity);
	add_flag(to, "full", limit > 0 && row->known.connected >= limit);
}

static void
add_rates(GString *to, const struct hostrow *row)
{
	const struct tally *tally = row->known.tally;
	gint64 wait = hostrate_wait(row->rates, tally);
	struct hostrate rate;

	add_flag(to, "at_rate", wait > 0);
	if (wait > 0) {
		add_name(to, "rate_free_in");
		machine_seconds(to, (guint64)wait);
	} else {
		add_null(to, "rate_free_in");
	}
	add_name(to, "rates");
	g_string_append_c(to, '[');
	for (guint i = 0; hostrate_get(row->rates, tally, i, &rate); i++) {
		g_string_append(to, i > 0 ? ",{\"unit\":" : "{\"unit\":");
		machine_text(to, hostrate_unit(rate.unit));
		add_count(to, "span",
		    (guint64)(rate.rate->span / G_USEC_PER_SEC));
		add_count(to, "count", rate.rate->count);
		add_count(to, "used", rate.used);
		add_count(to, "left", hostrate_left(&rate));
		g_string_append_c(to, '}');
	}
	g_string_append_c(to, ']');
}

static void
add_row(GString *to, const struct hostrow *row)
{
	const struct hostrecord *record = &row->known.record;

	g_string_append(to, "{\"host\":");
	machine_text(to, row->known.name);
	add_count(to, "port", row->known.port);
	add_text(to, "state", state_name(row));
	add_health(to, &row->known);
	add_flag(to, "drained", record->drained != FALSE);
	add_count(to, "routes", row->routes);
	add_count(to, "drained_routes", row->drained_routes);
	add_time(to, "seen", record->seen);
	add_count(to, "deliveries", record->deliveries);
	add_count(to, "deferrals", record->deferrals);
	add_count(to, "bounces", record->bounces);
	add_connections(to, row);
	add_rates(to, row);
	add_failures(to, record);
	add_time(to, "last_success", record->last_success);
	add_time(to, "last_failure", record->last_failure);
	if (record->last_failure == 0)
		add_null(to, "last_error");
	else
		add_text(to, "last_error", record->last_error);
	add_latency(to, "connect_time", &record->connect);
	add_latency(to, "total_time", &record->total);
	add_bad_addresses(to, record);
	g_string_append_c(to, '}');
}

/* A line for each host. */
void
hosts_say_json(const GPtrArray *rows)
{
	g_autoptr(GString) text = g_string_new("[");

	for (guint i = 0; i < rows->len; i++) {
		g_string_append(text, i == 0 ? "\n" : ",\n");
		add_row(text, g_ptr_array_index(rows, i));
	}
	g_string_append(text, "\n]\n");
	say("%s", text->str);
}
