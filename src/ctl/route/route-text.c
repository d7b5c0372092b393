/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form for people: a line for what was found and why, a block for each
 * host.
 */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "agent/security.h"
#include "ctl/hostrate.h"
#include "ctl/match.h"
#include "ctl/paint.h"
#include "ctl/route/question.h"
#include "util/printable.h"

/* As much of a text as is shown, */
#define TEXT_SHOWN 300

/* and of a path from the settings. */
#define PATH_SHOWN 1000

static void
say_match(const struct question *question, const struct route *route)
{
	const char *nexthop = question->nexthop;
	g_autofree char *where = match_where(route, question->settings->routes);
	g_autofree char *shown =
	    printable(nexthop != NULL ? nexthop : question->domain, TEXT_SHOWN);

	if (question->domain != NULL)
		say("domain    %s\n", question->domain);
	say("nexthop   %s%s\n", shown,
	    nexthop == NULL         ? " (from a transport \"smtproute:\")"
		: question->lowered ? " (in lower case, by flags=h of pipe(8))"
				    : "");
	if (question->table != NULL) {
		g_autofree char *table =
		    printable(question->table->table, PATH_SHOWN);

		say("table     %s, key %s\n", table, question->table->key);
	}
	say("route     %s\n", where);
	say("matched   %s\n", match_why(route, nexthop, question->domain));
	if (settings_choosing(question->settings, route->key).balance ==
	    BALANCE_LEASTCONN)
		say("balance   leastconn: of equal hosts who has the fewest "
		    "sessions\n");
	if (route->kind == ROUTE_DISCARD)
		say("action    /dev/null: mail is accepted and dropped\n");
	if (route->kind == ROUTE_DNS)
		say("action    USEDNS: to the hosts that DNS has for %s\n",
		    question->domain != NULL ? question->domain
					     : "each recipient's domain");
}

/* "name[address]", or what is wrong; with remarks. */
static void
say_place(const struct question *question, const struct place *place)
{
	const struct candidate *candidate = &place->candidate;
	char address[ENDPOINT_TEXT_SIZE];
	char *key;

	if (place->error != NULL) {
		g_autofree char *why =
		    printable(place->error->message, TEXT_SHOWN);

		say("%s: %s%s%s\n", place->name,
		    paint(question->ctl, PAINT_BAD), why,
		    paint(question->ctl, PAINT_END));
		return;
	}
	endpoint_text(&candidate->endpoint, address);
	key = g_strdup_printf("%s %u %s", address,
	    endpoint_port(&candidate->endpoint),
	    candidate->settings.bind != NULL ? candidate->settings.bind : "");
	if (strcmp(place->name, address) == 0)
		say("%s", address);
	else
		say("%s[%s]", place->name, address);
	say("%s%s\n", place->bad ? ", failed lately: tried last" : "",
	    g_hash_table_add(question->seen, key) ? "" : ", not tried twice");
}

static void
say_places(const struct question *question, const struct roster *roster,
    const struct roster_host *host)
{
	g_autoptr(GPtrArray) places = roster_places(roster, host);
	const char *before = "";

	for (guint i = 0; i < places->len; i++) {
		const struct place *place = g_ptr_array_index(places, i);
		g_autofree char *label = place->preference < 0
		    ? g_strdup("address")
		    : g_strdup_printf("MX %d", place->preference);

		if (strcmp(before, place->name) == 0)
			g_clear_pointer(&label, g_free);
		say("    %-14s  ", label != NULL ? label : "");
		say_place(question, place);
		before = place->name;
	}
}

static void
say_last_error(const struct roster_host *host)
{
	const struct hostrecord *record = &host->row->record;
	g_autofree char *text =
	    printable(record->last_error, HOSTRECORD_ERROR_MAX);
	g_autoptr(GDateTime) then = g_date_time_new_from_unix_local(
	    record->last_failure / G_USEC_PER_SEC);
	g_autofree char *when = then != NULL
	    ? g_date_time_format(then, "%Y-%m-%d %H:%M:%S")
	    : g_strdup("-");

	say("    last error      %s  %s\n", when, text);
}

static void
say_health(const struct question *question, const struct roster_host *host)
{
	const char *drained = roster_drained(host);
	g_autofree char *health = roster_health(host);
	gboolean up =
	    host->row == NULL || health_is_up(&host->row->record.health);

	say("    health          %s%s%s\n",
	    paint(question->ctl, up ? PAINT_GOOD : PAINT_BAD), health,
	    paint(question->ctl, PAINT_END));
	if (!up)
		say_last_error(host);
	if (drained != NULL)
		say("    drained         %s%s%s\n",
		    paint(question->ctl, PAINT_WARNING), drained,
		    paint(question->ctl, PAINT_END));
}

static void
say_connections(const struct question *question, const struct roster_host *host)
{
	gboolean full = host->standing == STANDING_FULL;
	guint max = host->settings.max_connections;
	gboolean learnt = host->capacity != 0 && host->capacity < max;

	if (max == NO_LIMIT && !learnt)
		return;
	say("    connections     %s%u of %s %u%s%s\n",
	    full ? paint(question->ctl, PAINT_WARNING) : "", host->connected,
	    learnt ? "those it takes," : "max-connections",
	    learnt ? host->capacity : max, full ? ": none free" : "",
	    full ? paint(question->ctl, PAINT_END) : "");
}

static void
say_rates(const struct question *question, const struct roster_host *host)
{
	const struct rates rates[] = {host->settings.rate,
	    host->settings.rate_recipients};
	const struct tally *tally = host->row != NULL ? host->row->tally : NULL;
	gint64 wait = hostrate_wait(rates, tally);
	g_autofree char *text = hostrate_text(rates, tally);

	if (text == NULL)
		return;
	say("    rate            %s\n", text);
	if (wait > 0)
		say("                    %sat its rate, free in "
		    "%" G_GINT64_FORMAT " s%s\n",
		    paint(question->ctl, PAINT_WARNING),
		    (wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC,
		    paint(question->ctl, PAINT_END));
}

static void
say_path(const char *label, const char *path)
{
	g_autofree char *shown = printable(path, PATH_SHOWN);

	say("    %-13s   %s\n", label, shown);
}

/* What is set for this host only, with a blank behind each comma. */
static void
say_list(const char *label, const char *list)
{
	g_auto(GStrv) words = NULL;
	g_autofree char *text = NULL;

	if (list == NULL)
		return;
	words = g_strsplit(list, ",", -1);
	text = g_strjoinv(", ", words);
	say("    %-13s   %s\n", label, text);
}

/* Who the host has to prove to be, by a certificate of whose authorities. */
static void
say_verified(const struct tls_policy *policy, const struct roster_host *host)
{
	const char *more = "";

	if (host->settings.tls_name != NULL)
		more = " (tls-name)";
	else if (host->destination->kind == DESTINATION_NAME)
		more = ", or its MX host's";
	say(", name %s%s\n", policy->expected, more);
	if (policy->ca_file != NULL)
		say_path("tls-ca-file", policy->ca_file);
}

/* Ours; the path of the key only, never more. */
static void
say_certificate(const struct tls_policy *policy)
{
	if (policy->level == TLS_NONE || policy->cert_file == NULL)
		return;
	say_path("tls-cert-file", policy->cert_file);
	say_path("tls-key-file", policy->key_file);
}

static void
say_tls(const struct roster_host *host)
{
	const struct destination *destination = host->destination;
	const struct candidate candidate = {
	    .destination = destination,
	    .host = destination->name,
	    .settings = host->settings,
	};
	struct tls_policy policy;

	security_set_policy(&policy, &candidate);
	say("    tls             %s", tls_level_name(policy.level));
	if (policy.for_auth)
		say(", since AUTH needs it (auth-in-clear = no)\n");
	else if (policy.level == TLS_MAY && host->row != NULL &&
	    host->row->tls_hangs)
		say(", but not tried: a handshake timed out lately\n");
	else if (policy.level < TLS_SECURE)
		say("\n");
	else if (policy.level != TLS_DANE)
		say_verified(&policy, host);
	else if (destination->kind == DESTINATION_ADDRESS)
		say(", as encrypt: an address has no TLSA records\n");
	else
		say(", by TLSA records; without any as encrypt\n");
	say_certificate(&policy);
}

/* Never the secret itself. */
static void
say_profile(const struct auth_profile *profile)
{
	g_autofree char *name = printable(profile->username, TEXT_SHOWN);

	say(", user %s\n", name);
	if (profile->token_file != NULL)
		say_path("token-file", profile->token_file);
	else if (profile->password_file != NULL)
		say_path("password-file", profile->password_file);
	else
		say("    password        in the settings\n");
}

static void
say_auth(const struct question *question, const struct roster_host *host)
{
	const struct host_settings *settings = &host->settings;
	const struct auth_profile *profile;
	const char *bad = paint(question->ctl, PAINT_BAD);
	const char *end = paint(question->ctl, PAINT_END);

	if (settings->auth == NULL) {
		say("    auth            none\n");
		return;
	}
	profile = settings_auth(question->settings, settings->auth);
	say("    auth            %s", settings->auth);
	if (profile == NULL)
		say(", %sbut the settings have no [auth %s]%s\n", bad,
		    settings->auth, end);
	else
		say_profile(profile);
	if (settings->auth_in_clear == ANSWER_YES && settings->tls <= TLS_MAY)
		say("                    also in clear text "
		    "(auth-in-clear = yes)\n");
	else if (settings->tls == TLS_NONE)
		say("                    %snever in clear text (tls=none, "
		    "auth-in-clear = no)%s\n",
		    bad, end);
}

/* @label: its number, or "-". */
static void
say_host(const struct question *question, const struct roster *roster,
    const struct roster_host *host, const char *label)
{
	const struct destination *destination = host->destination;
	const struct host_settings *settings = &host->settings;
	g_autofree char *name =
	    domain_with_port(destination->name, destination->port);

	say("%3s %s%s%s\n", label, paint(question->ctl, PAINT_TITLE), name,
	    paint(question->ctl, PAINT_END));
	say("    priority        %u\n", destination->priority);
	say("    weight          %u (%.0f %% of priority %u)\n",
	    destination->weight, host->share * 100, destination->priority);
	say_places(question, roster, host);
	say_tls(host);
	say_auth(question, host);
	if (settings->bind != NULL)
		say("    bind            %s\n", settings->bind);
	say_list("helo-name", settings->helo_name);
	say_list("ehlo-ignore", settings->ehlo_ignore);
	say_list("next-host-on", settings->next_host_on);
	if (settings->line_limit != 0 && settings->line_limit != NO_LIMIT)
		say("    line-limit      %u\n", settings->line_limit);
	if (settings->transcript == ANSWER_YES)
		say("    transcript      yes: its dialogue is in the log\n");
	say_connections(question, host);
	say_rates(question, host);
	if (roster->trouble == NULL || destination->drain)
		say_health(question, host);
}

/* Those that can be chosen, in order; then the others. */
static void
say_hosts(const struct question *question, const struct roster *roster)
{
	guint count = roster->order->len;

	if (count == 0)
		say("\nThe next delivery is deferred at once.  It passes "
		    "over:\n");
	else if (roster->trouble != NULL)
		say("\nBy priority; equal ones are drawn by weight:\n");
	else
		say("\nThe next delivery tries, until one has an answer:\n");
	for (guint i = 0; i < count; i++) {
		guint index = g_array_index(roster->order, guint, i);
		g_autofree char *label = g_strdup_printf("%u", i + 1);

		say_host(question, roster, roster_at(roster, index), label);
	}
	if (count > 0 && count < roster->hosts->len)
		say("\nIt passes over:\n");
	for (guint i = 0; i < roster->hosts->len; i++) {
		const struct roster_host *host = roster_at(roster, i);

		if (host->standing != STANDING_FREE)
			say_host(question, roster, host, "-");
	}
}

void
question_say_text(const struct question *question, const struct route *route,
    const struct roster *roster)
{
	say_match(question, route);
	if (roster != NULL)
		say_hosts(question, roster);
}
