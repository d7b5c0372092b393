/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/check/check-domain.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-hosts.h"
#include "ctl/check/check-rates.h"
#include "ctl/check/check-security.h"
#include "ctl/nexthop.h"
#include "route/routemap.h"

/* What a table has written, as if it stood in a map without lines. */
static void
check_inline(struct check *check, const struct nexthop *nexthop)
{
	const struct maptext_entry entry = {
	    .key = nexthop->key,
	    .key_length = strlen(nexthop->key),
	    .value = nexthop->text,
	    .value_length = strlen(nexthop->text),
	    .has_value = TRUE,
	    .column = 1,
	};
	g_autoptr(Hosts) hosts = hosts_new(check);
	g_autoptr(Route) route =
	    check_entry(&check->findings, nexthop->table, &entry);

	check->routes++;
	if (route == NULL)
		return;
	check_route_security(check, nexthop->table, &entry, route);
	check_rates(check, nexthop->table, &entry, route);
	hosts_add(hosts, nexthop->table, &entry, route);
	check->hosts +=
	    hosts_check(hosts, &check->findings, !check->without_dns);
}

/* The route that a table names has been checked with the map. */
static void
check_named(struct check *check, const struct nexthop *nexthop,
    const char *domain)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = routemap_find(check->settings->routes,
	    nexthop->text, domain, &error);

	if (route == NULL)
		finding(&check->findings, SEVERITY_ERROR, nexthop->table,
		    "key %s: %s", nexthop->key, error->message);
}

void
check_domain(struct check *check, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *domain = domain_canonical(text, &error);
	g_autoptr(Nexthop) nexthop = NULL;

	if (domain != NULL)
		nexthop = nexthop_find(domain, &error);
	if (error != NULL) {
		finding(&check->findings, SEVERITY_ERROR, text, "%s",
		    error->message);
		return;
	}
	if (!check_knows(check, "routes"))
		return;
	if (nexthop == NULL)
		finding(&check->findings, SEVERITY_NOTE, text,
		    "transport_maps names no route for it; the route map "
		    "counts, if smtproute gets its mail");
	else if (strpbrk(nexthop->text, "[]:/,") != NULL)
		check_inline(check, nexthop);
	else
		check_named(check, nexthop, domain);
}
