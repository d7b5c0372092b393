/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for scripts: one object.
 */

#include <config.h>

#include <string.h>

#include "agent/security.h"
#include "ctl/document.h"
#include "ctl/hostrate.h"
#include "ctl/match.h"
#include "ctl/route/question.h"

static void
set_place(json_t *to, const struct place *place)
{
	char address[ENDPOINT_TEXT_SIZE];

	document_set_text(to, "name", place->name);
	document_set_count_if(to, "preference", place->preference >= 0,
	    (guint64)place->preference);
	if (place->error == NULL)
		endpoint_text(&place->candidate.endpoint, address);
	document_set_text(to, "address", place->error == NULL ? address : NULL);
	document_set_text(to, "trouble",
	    place->error == NULL ? NULL : place->error->message);
	document_set_flag(to, "failed_lately", place->bad);
}

static void
set_places(json_t *to, const struct roster *roster,
    const struct roster_host *host)
{
	g_autoptr(GPtrArray) places = roster_places(roster, host);
	json_t *array = document_set_array(to, "addresses");

	for (guint i = 0; i < places->len; i++)
		set_place(document_add_object(array),
		    g_ptr_array_index(places, i));
}

/* 0 and no limit are null. */
static void
set_limit(json_t *to, const char *name, guint limit)
{
	document_set_count_if(to, name, limit != 0 && limit != NO_LIMIT, limit);
}

/* Paths and names only, never a secret. */
static void
set_security(json_t *to, const struct question *question,
    const struct roster_host *host)
{
	const struct candidate candidate = {
	    .destination = host->destination,
	    .host = host->destination->name,
	    .settings = host->settings,
	};
	const struct auth_profile *profile = host->settings.auth == NULL
	    ? NULL
	    : settings_auth(question->settings, host->settings.auth);
	struct tls_policy policy;

	security_set_policy(&policy, &candidate);
	document_set_text(to, "tls", tls_level_name(policy.level));
	document_set_flag(to, "tls_for_auth", policy.for_auth);
	document_set_text(to, "tls_name",
	    policy.level == TLS_SECURE || policy.level == TLS_WRAPPER
		? policy.expected
		: NULL);
	document_set_text(to, "tls_ca_file", policy.ca_file);
	document_set_text(to, "tls_cert_file", policy.cert_file);
	document_set_text(to, "auth", host->settings.auth);
	document_set_text(to, "auth_user",
	    profile != NULL ? profile->username : NULL);
}

static void
set_rates(json_t *to, const struct roster_host *host)
{
	const struct rates rates[] = {host->settings.rate,
	    host->settings.rate_recipients};
	const struct tally *tally = host->row != NULL ? host->row->tally : NULL;
	gint64 wait = hostrate_wait(rates, tally);
	g_autofree char *text = hostrate_text(rates, tally);

	document_set_text(to, "rate", text);
	document_set_span_if(to, "rate_free_in", wait > 0, wait);
}

static void
set_health(json_t *to, const struct roster *roster,
    const struct roster_host *host)
{
	const struct hosttable_row *row = host->row;
	gboolean up = row == NULL || health_is_up(&row->record.health);
	gboolean known = roster->trouble == NULL;

	if (known)
		document_set_flag(to, "up", up);
	else
		document_set_null(to, "up");
	document_set_span_if(to, "next_try_in", known && !up,
	    row == NULL ? 0 : row->wait);
	document_set_time(to, "last_failure",
	    row == NULL ? 0 : row->record.last_failure);
	document_set_text(to, "last_error",
	    row == NULL || row->record.last_failure == 0
		? NULL
		: row->record.last_error);
	document_set_text(to, "drained", roster_drained(host));
}

/* @turn: from 1; 0: it is passed over. */
static void
set_host(json_t *to, const struct question *question,
    const struct roster *roster, const struct roster_host *host, guint turn)
{
	const struct destination *destination = host->destination;

	document_set_text(to, "host", destination->name);
	document_set_count(to, "port", destination->port);
	set_limit(to, "turn", turn);
	document_set_count(to, "priority", destination->priority);
	document_set_count(to, "weight", destination->weight);
	document_set_number(to, "share", host->share);
	document_set_flag(to, "lmtp", destination->lmtp);
	set_places(to, roster, host);
	set_security(to, question, host);
	document_set_text(to, "bind", host->settings.bind);
	document_set_text(to, "helo_name", host->settings.helo_name);
	document_set_count(to, "connected", host->connected);
	set_limit(to, "max_connections", host->settings.max_connections);
	set_limit(to, "learned_connections", host->capacity);
	set_rates(to, host);
	set_health(to, roster, host);
}

/* In the order of say_hosts(). */
static void
set_hosts(json_t *to, const struct question *question,
    const struct roster *roster)
{
	json_t *array = document_set_array(to, "hosts");

	for (guint i = 0; roster != NULL && i < roster->order->len; i++) {
		guint index = g_array_index(roster->order, guint, i);

		set_host(document_add_object(array), question, roster,
		    roster_at(roster, index), i + 1);
	}
	for (guint i = 0; roster != NULL && i < roster->hosts->len; i++) {
		const struct roster_host *host = roster_at(roster, i);

		if (host->standing != STANDING_FREE)
			set_host(document_add_object(array), question, roster,
			    host, 0);
	}
}

/* @route: NULL: there is none. */
static void
set_route(json_t *to, const struct question *question,
    const struct route *route)
{
	static const char *const actions[] = {
	    [ROUTE_HOSTS] = "hosts",
	    [ROUTE_DNS] = "USEDNS",
	    [ROUTE_DISCARD] = "/dev/null",
	};
	const char *key = route != NULL ? route->key : NULL;
	gboolean leastconn = route != NULL &&
	    settings_choosing(question->settings, key).balance ==
		BALANCE_LEASTCONN;

	document_set_text(to, "key", key);
	set_limit(to, "line", route != NULL ? route->line : 0);
	document_set_text(to, "matched",
	    route != NULL
		? match_why(route, question->nexthop, question->domain)
		: NULL);
	document_set_text(to, "action",
	    route != NULL ? actions[route->kind] : NULL);
	document_set_flag(to, "leastconn", leastconn);
}

void
question_say_json(const struct question *question, const struct route *route,
    const struct roster *roster, const char *looked_for)
{
	json_t *to = json_object();

	document_set_text(to, "domain", question->domain);
	document_set_text(to, "nexthop", question->nexthop);
	document_set_text(to, "table",
	    question->table != NULL ? question->table->table : NULL);
	document_set_flag(to, "found", route != NULL);
	document_set_text(to, "looked_for", looked_for);
	set_route(to, question, route);
	set_hosts(to, question, roster);
	document_say(to);
}
