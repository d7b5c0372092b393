/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "probe": does any host work?
 */

#include <config.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "address/domain.h"
#include "ctl/ctl.h"
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

/* The route of a domain; a name without one is a host. */
static struct route *
find_route(const char *path, const char *domain, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autofree char *where = NULL;
	struct route *route = routemap_find(path, NULL, domain, &reason);

	if (route != NULL) {
		where = match_where(route, path);
		say("route     %s (%s)\n", where,
		    match_why(route, NULL, domain));
		return route;
	}
	if (g_error_matches(reason, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING)) {
		say("route     none, so %s is taken for a host\n", domain);
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

static void
probe_place(struct probe *probe, const struct place *place)
{
	g_autofree char *name = NULL;
	g_autofree char *why = NULL;

	if (place->error == NULL) {
		probe->addresses++;
		probe->working += interview(probe->ctl, probe->settings,
		    &place->candidate, probe->helo_name);
		return;
	}
	why = printable(place->error->message, TEXT_SHOWN);
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

static void
probe_host(struct probe *probe, const struct roster *roster,
    const struct roster_host *host)
{
	gint64 begun = g_get_monotonic_time();
	g_autoptr(GPtrArray) places = NULL;

	say_host(probe, roster, host);
	say_flush();
	places = roster_places(roster, host);
	if (host->destination->kind != DESTINATION_ADDRESS)
		say("resolve   %.1f ms\n",
		    (double)(g_get_monotonic_time() - begun) / 1000);
	for (guint i = 0; i < places->len; i++)
		probe_place(probe, g_ptr_array_index(places, i));
}

static enum ctl_status
probe_route(struct probe *probe, const struct route *route, const char *domain)
{
	g_autoptr(Resolver) resolver =
	    resolver_new(probe->settings->dns_servers);
	g_autofree char *own_name = NULL;
	g_autoptr(Roster) roster = NULL;

	if (route->kind == ROUTE_DISCARD) {
		say("result    no host: mail is dropped (/dev/null)\n");
		return CTL_NO;
	}
	probe->helo_name = probe->settings->helo_name;
	if (probe->helo_name == NULL)
		probe->helo_name = own_name =
		    resolve_own_name(resolver, deadline_in(OWN_NAME_SPAN));
	roster = roster_new(route, domain, probe->settings, resolver);
	if (roster->trouble != NULL)
		complain("%s; health is unknown", roster->trouble);
	for (guint i = 0; i < roster->hosts->len; i++)
		probe_host(probe, roster, roster_at(roster, i));
	if (probe->addresses == 0)
		say("\nresult    no address found\n");
	else
		say("\nresult    %u of %u addresses %s\n", probe->working,
		    probe->addresses, probe->working == 1 ? "works" : "work");
	return probe->working > 0 ? CTL_OK : CTL_NO;
}

static enum ctl_status
probe_argument(struct probe *probe, const char *text)
{
	g_autofree char *shown = printable(text, TEXT_SHOWN);
	g_autofree char *domain = NULL;
	g_autoptr(Route) route = NULL;
	g_autoptr(GError) error = NULL;

	if (is_destination(text)) {
		say("route     none: a host was given\n");
		route = parse_destination(text, &error);
	} else {
		domain = domain_canonical(text, &error);
		if (domain == NULL) {
			complain("%s: neither domain nor host: %s", shown,
			    error->message);
			return CTL_TROUBLE;
		}
		route = find_route(probe->settings->routes, domain, &error);
	}
	if (route == NULL) {
		complain("%s", error->message);
		return CTL_TROUBLE;
	}
	return probe_route(probe, route, domain);
}

enum ctl_status
ctl_probe(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	struct probe probe = {.ctl = ctl};

	if (getopt(argc, argv, "") != -1 || argc - optind != 1)
		return CTL_USAGE;
	/* OpenSSL writes to hosts that may be gone. */
	signal(SIGPIPE, SIG_IGN);
	settings = ctl_settings(ctl);
	if (settings == NULL || !ctl_become_agent(ctl, settings))
		return CTL_TROUBLE;
	probe.settings = settings;
	return probe_argument(&probe, argv[optind]);
}
