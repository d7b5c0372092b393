/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "ctl/queue/taker.h"
#include "ctl/queue/ways.h"
#include "route/routemap.h"
#include "util/printable.h"

/* Domains that are remembered at a time, some 200 bytes each. */
#define DOMAINS_MAX 100000

/* Of a route. */
#define ROUTE_SHOWN 260

struct ways {
	const struct settings *settings;
	struct mapmemory *map;
	struct taker *taker; /* NULL: nobody knows */
	GHashTable *routes;  /* by domain; "" is not ours */
	GPtrArray *wanted;
};

static void
complain_of_tables(const GError *error)
{
	complain("warning: cannot tell which mail is ours: %s; all that has a "
		 "route is shown",
	    error->message);
}

struct ways *
ways_new(const struct ctl *ctl, const struct settings *settings)
{
	struct ways *ways = g_new0(struct ways, 1);
	g_autoptr(GError) error = NULL;

	ways->settings = settings;
	ways->map = mapmemory_new();
	ways->routes =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	ways->wanted = g_ptr_array_new_with_free_func(g_free);
	ways->taker = taker_new(ctl->conf, &error);
	if (ways->taker == NULL)
		complain_of_tables(error);
	return ways;
}

void
ways_want(struct ways *ways, const char *domain)
{
	if (g_hash_table_contains(ways->routes, domain))
		return;
	g_hash_table_insert(ways->routes, g_strdup(domain), g_strdup(""));
	g_ptr_array_add(ways->wanted, g_strdup(domain));
}

/* What mail for @domain, with this nexthop, goes along; a new string. */
static char *
route_name(const struct ways *ways, const char *nexthop, const char *domain)
{
	const char *text = nexthop[0] != '\0' ? nexthop : NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = routemap_find_in(ways->map,
	    ways->settings->routes, text, domain, &error);

	if (route != NULL && route->key != NULL)
		return printable(route->key, ROUTE_SHOWN);
	if (text != NULL && !routemap_looks_up(text, domain))
		return printable(text, ROUTE_SHOWN);
	if (g_error_matches(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING))
		return g_strdup("no route");
	/* The key is not known; "check" says what is wrong. */
	return g_strdup("route at fault");
}

/* NULL: none fits. */
static char *
route_by_map(const struct ways *ways, const char *domain)
{
	g_autofree char *name = route_name(ways, "", domain);

	return strcmp(name, "no route") == 0 ? NULL : g_steal_pointer(&name);
}

/* The forms that keys are compared with, NULL for what is no domain. */
static GPtrArray *
canonical_all(const GPtrArray *texts)
{
	GPtrArray *domains = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < texts->len; i++) {
		const char *text = texts->pdata[i];
		char *domain = text[0] == '['
		    ? domain_literal_canonical(text, NULL)
		    : domain_canonical(text, NULL);

		/* Nobody has mail for it. */
		g_ptr_array_add(domains,
		    domain != NULL ? domain : g_strdup("invalid"));
	}
	return domains;
}

/* NULL: Postfix is not to be asked, now or ever. */
static GPtrArray *
ask_taker(struct ways *ways, const GPtrArray *domains)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *nexthops = NULL;

	if (ways->taker == NULL ||
	    taker_ask(ways->taker, domains, &nexthops, &error))
		return nexthops;
	complain_of_tables(error);
	g_clear_pointer(&ways->taker, taker_free);
	return NULL;
}

void
ways_find(struct ways *ways)
{
	g_autoptr(GPtrArray) domains = NULL;
	g_autoptr(GPtrArray) nexthops = NULL;

	if (ways->wanted->len == 0)
		return;
	domains = canonical_all(ways->wanted);
	nexthops = ask_taker(ways, domains);
	for (guint i = 0; i < domains->len; i++) {
		const char *domain = domains->pdata[i];
		const char *nexthop =
		    nexthops != NULL ? nexthops->pdata[i] : NULL;
		char *name = nexthops == NULL ? route_by_map(ways, domain)
		    : nexthop != NULL ? route_name(ways, nexthop, domain)
				      : NULL;

		if (name != NULL)
			g_hash_table_insert(ways->routes,
			    g_strdup(ways->wanted->pdata[i]), name);
	}
	g_ptr_array_set_size(ways->wanted, 0);
}

const char *
ways_route(const struct ways *ways, const char *domain)
{
	const char *route = g_hash_table_lookup(ways->routes, domain);

	return route == NULL || route[0] == '\0' ? NULL : route;
}

void
ways_limit(struct ways *ways)
{
	if (g_hash_table_size(ways->routes) > DOMAINS_MAX)
		g_hash_table_remove_all(ways->routes);
}

void
ways_free(struct ways *ways)
{
	g_clear_pointer(&ways->taker, taker_free);
	mapmemory_free(ways->map);
	g_hash_table_unref(ways->routes);
	g_ptr_array_unref(ways->wanted);
	g_free(ways);
}
