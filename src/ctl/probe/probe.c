/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "probe": does any host work?
 */

#include <config.h>

#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "address/domain.h"
#include "ctl/ctl.h"
#include "ctl/document.h"
#include "ctl/match.h"
#include "ctl/paint.h"
#include "ctl/probe/interview.h"
#include "ctl/roster.h"
#include "route/routemap.h"
#include "util/deadline.h"
#include "util/printable.h"

/* For /etc/hosts and DNS to complete this machine's name. */
#define OWN_NAME_SPAN (5 * G_TIME_SPAN_SECOND)

/* As much of the argument, or of an error, as is shown. */
#define TEXT_SHOWN 300

struct probe {
	const struct ctl *ctl;
	const struct settings *settings;
	const char *helo_name;
	guint addresses;
	guint working;
	gboolean failed; /* an address, or a name that has none */
	gboolean all;    /* is one that works not enough? */
	json_t *to;      /* the document; NULL: lines are said */
};

/*
 * What no domain can be: with brackets, a port or options it is a host as it
 * stands in a route, and so is an address.
 */
static gboolean
is_destination(const char *text)
{
	return strpbrk(text, "[]:/,") != NULL || endpoint_is_address(text);
}

static struct route *
parse_destination(const char *text, GError **error)
{
	const struct route_origin origin = {"argument", 1, 1};

	return route_parse(text, strlen(text), &origin, error);
}

/* FALSE: there is no document. */
static gboolean
set_route(const struct probe *probe, const char *where, const char *why)
{
	if (probe->to == NULL)
		return FALSE;
	document_set_text(probe->to, "route", where);
	document_set_text(probe->to, "matched", why);
	return TRUE;
}

/* The route of a domain; a name without one is a host. */
static struct route *
find_route(const struct probe *probe, const char *domain, GError **error)
{
	const char *path = probe->settings->routes;
	g_autoptr(GError) reason = NULL;
	g_autofree char *where = NULL;
	struct route *route = routemap_find(path, NULL, domain, &reason);
	const char *why;

	if (route != NULL) {
		where = match_where(route, path);
		why = match_why(route, NULL, domain);
		if (!set_route(probe, where, why))
			say("route     %s (%s)\n", where, why);
		return route;
	}
	if (g_error_matches(reason, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING)) {
		if (!set_route(probe, NULL, NULL))
			say("route     none, so %s is taken for a host\n",
			    domain);
		return parse_destination(domain, error);
	}
	g_propagate_error(error, g_steal_pointer(&reason));
	return NULL;
}

static void
say_host(const struct probe *probe, const struct roster *roster,
    const struct roster_host *host)
{
	const struct destination *destination = host->destination;
	const char *drained = roster_drained(host);
	g_autofree char *health = roster_health(host);
	g_autofree char *name =
	    domain_with_port(destination->name, destination->port);

	say("\nhost      %s%s%s, priority %u", paint(probe->ctl, PAINT_TITLE),
	    name, paint(probe->ctl, PAINT_END), destination->priority);
	if (roster->trouble == NULL)
		say(", %s", health);
	if (drained != NULL)
		say(", drained %s", drained);
	say("\n");
}

/* The same in the document; returns the host's object. */
static json_t *
add_host(const struct probe *probe, const struct roster *roster,
    const struct roster_host *host)
{
	const struct destination *destination = host->destination;
	json_t *to = document_add_object(json_object_get(probe->to, "hosts"));
	g_autofree char *health = roster_health(host);

	document_set_text(to, "host", destination->name);
	document_set_count(to, "port", destination->port);
	document_set_count(to, "priority", destination->priority);
	document_set_text(to, "health",
	    roster->trouble == NULL ? health : NULL);
	document_set_text(to, "drained", roster_drained(host));
	return to;
}

static void
say_unresolved(const struct probe *probe, const struct place *place,
    const char *why)
{
	g_autofree char *name = NULL;

	if (place->cut) {
		say("note      %s\n", why);
		return;
	}
	name =
	    domain_with_port(place->name, place->candidate.destination->port);
	say("%s%s%s\n    result    %sdoes not work%s: %s\n",
	    paint(probe->ctl, PAINT_TITLE), name, paint(probe->ctl, PAINT_END),
	    paint(probe->ctl, PAINT_BAD), paint(probe->ctl, PAINT_END), why);
}

/* The object of an address, in the array @to. */
static json_t *
add_place(json_t *to, const struct place *place)
{
	json_t *object = document_add_object(to);
	char address[ENDPOINT_TEXT_SIZE];

	document_set_text(object, "name", place->name);
	if (place->error != NULL) {
		document_set_null(object, "address");
		document_set_flag(object, "works", FALSE);
		document_set_text(object, "trouble", place->error->message);
		return object;
	}
	endpoint_text(&place->candidate.endpoint, address);
	document_set_text(object, "address", address);
	return object;
}

/* @to: an array for it; NULL: lines are said. */
static void
probe_place(struct probe *probe, const struct place *place, json_t *to)
{
	json_t *object = to != NULL ? add_place(to, place) : NULL;
	g_autofree char *why = NULL;
	gboolean works = FALSE;

	if (place->error == NULL) {
		works = interview(probe->ctl, probe->settings,
		    &place->candidate, probe->helo_name, object);
		probe->addresses++;
		probe->working += works;
	} else if (to == NULL) {
		why = printable(place->error->message, TEXT_SHOWN);
		say_unresolved(probe, place, why);
	}
	probe->failed = probe->failed || !works;
}

static void
probe_host(struct probe *probe, const struct roster *roster,
    const struct roster_host *host)
{
	gint64 begun = g_get_monotonic_time();
	g_autoptr(GPtrArray) places = NULL;
	json_t *object = NULL;
	json_t *array = NULL;

	if (probe->to != NULL)
		object = add_host(probe, roster, host);
	else
		say_host(probe, roster, host);
	say_flush();
	places = roster_places(roster, host);
	if (object != NULL) {
		document_set_span(object, "resolve_time",
		    g_get_monotonic_time() - begun);
		array = document_set_array(object, "addresses");
	} else if (host->destination->kind != DESTINATION_ADDRESS) {
		say("resolve   %.1f ms\n",
		    (double)(g_get_monotonic_time() - begun) / 1000);
	}
	for (guint i = 0; i < places->len; i++)
		probe_place(probe, g_ptr_array_index(places, i), array);
}

static void
say_sum(const struct probe *probe)
{
	if (probe->to != NULL) {
		document_set_count(probe->to, "addresses", probe->addresses);
		document_set_count(probe->to, "working", probe->working);
	} else if (probe->addresses == 0) {
		say("\nresult    no address found\n");
	} else {
		say("\nresult    %u of %u addresses %s\n", probe->working,
		    probe->addresses, probe->working == 1 ? "works" : "work");
	}
}

static void
probe_hosts(struct probe *probe, const struct route *route, const char *domain)
{
	g_autoptr(Resolver) resolver =
	    resolver_new(probe->settings->dns_servers);
	g_autofree char *own_name = NULL;
	g_autoptr(Roster) roster = NULL;

	probe->helo_name = probe->settings->helo_name;
	if (probe->helo_name == NULL)
		probe->helo_name = own_name =
		    resolve_own_name(resolver, deadline_in(OWN_NAME_SPAN));
	roster = roster_new(route, domain, probe->settings, resolver);
	if (roster->trouble != NULL)
		complain("%s; health is unknown", roster->trouble);
	for (guint i = 0; i < roster->hosts->len; i++)
		probe_host(probe, roster, roster_at(roster, i));
}

static enum ctl_status
probe_route(struct probe *probe, const struct route *route, const char *domain)
{
	gboolean discard = route->kind == ROUTE_DISCARD;

	if (probe->to != NULL)
		document_set_array(probe->to, "hosts");
	if (!discard)
		probe_hosts(probe, route, domain);
	if (discard && probe->to == NULL)
		say("result    no host: mail is dropped (/dev/null)\n");
	else
		say_sum(probe);
	return probe->working > 0 && !(probe->all && probe->failed) ? CTL_OK
								    : CTL_NO;
}

static enum ctl_status
probe_argument(struct probe *probe, const char *text)
{
	g_autofree char *shown = printable(text, TEXT_SHOWN);
	g_autofree char *domain = NULL;
	g_autoptr(Route) route = NULL;
	g_autoptr(GError) error = NULL;

	if (is_destination(text)) {
		if (!set_route(probe, NULL, NULL))
			say("route     none: a host was given\n");
		route = parse_destination(text, &error);
	} else {
		domain = domain_canonical(text, &error);
		if (domain == NULL) {
			complain("%s: neither domain nor host: %s", shown,
			    error->message);
			return CTL_TROUBLE;
		}
		route = find_route(probe, domain, &error);
	}
	if (route == NULL) {
		complain("%s", error->message);
		return CTL_TROUBLE;
	}
	return probe_route(probe, route, domain);
}

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, gboolean *ret_all, gboolean *ret_json)
{
	static const struct option options[] = {
	    {"all", no_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			*ret_all = TRUE;
		else if (option == 'j')
			*ret_json = TRUE;
		else
			return FALSE;
	}
	return argc - optind == 1;
}

enum ctl_status
ctl_probe(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	struct probe probe = {.ctl = ctl};
	gboolean json = FALSE;
	enum ctl_status status;

	if (!parse_options(argc, argv, &probe.all, &json))
		return CTL_USAGE;
	/* OpenSSL writes to hosts that may be gone. */
	signal(SIGPIPE, SIG_IGN);
	settings = ctl_settings(ctl);
	if (settings == NULL || !ctl_become_agent(ctl, settings))
		return CTL_TROUBLE;
	probe.settings = settings;
	if (json)
		probe.to = json_object();
	status = probe_argument(&probe, argv[optind]);
	if (status != CTL_TROUBLE && json)
		document_say(probe.to);
	else
		json_decref(probe.to);
	return status;
}
