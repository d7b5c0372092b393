/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/limits.h"
#include "agent/plan.h"
#include "ctl/serve/routelist.h"
#include "hosts/deferred.h"

static void
group_free(gpointer data)
{
	struct routegroup *group = data;

	route_free(group->route);
	g_ptr_array_unref(group->keys);
	g_free(group);
}

static const struct destination *
destination_at(const struct route *route, guint i)
{
	return g_ptr_array_index(route->destinations, i);
}

/* What routes to the same hosts have in common, a new string. */
static char *
hosts_of(const struct route *route)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%d", (int)route->kind);
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *to = destination_at(route, i);

		g_string_append_printf(text, " %s:%u/%u%s", to->name, to->port,
		    to->priority, to->drain ? "/drain" : "");
	}
	return g_string_free(text, FALSE);
}

static gboolean
takes_mail(const struct hostrow *row)
{
	return !row->known.record.drained &&
	    health_is_up(&row->known.record.health);
}

/* Appends the hosts that a route may have, and NULL behind them. */
static void
add_rows(GPtrArray *rows, const struct hostlist *list,
    const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *to = destination_at(route, i);

		if (!to->drain)
			g_ptr_array_add(rows,
			    hostlist_find(list, to->name, to->port));
	}
	g_ptr_array_add(rows, NULL);
}

/* How many of these routes no host takes mail of. */
static guint
count_lost(const GPtrArray *rows)
{
	gboolean lost = TRUE;
	guint count = 0;

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);

		if (row != NULL) {
			lost = lost && !takes_mail(row);
			continue;
		}
		count += lost;
		lost = TRUE;
	}
	return count;
}

static gboolean
is_lost(const struct hostlist *list, const struct route *route)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new();

	if (route->kind != ROUTE_HOSTS)
		return FALSE;
	add_rows(rows, list, route);
	return count_lost(rows) > 0;
}

/* The destinations are whose that is last. */
static struct route *
copy_route(const struct route *route)
{
	struct route *copy = g_new0(struct route, 1);

	copy->kind = route->kind;
	copy->key = g_strdup(route->key);
	copy->line = route->line;
	copy->destinations = g_ptr_array_ref(route->destinations);
	return copy;
}

/* NULL: there are too many. */
static struct routegroup *
get_group(struct routelist *routes, const struct route *route)
{
	g_autofree char *hosts = hosts_of(route);
	struct routegroup *group = g_hash_table_lookup(routes->index, hosts);

	if (group != NULL || routes->groups->len == ROUTELIST_MAX)
		return group;
	group = g_new0(struct routegroup, 1);
	group->route = copy_route(route);
	group->keys = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(routes->groups, group);
	g_hash_table_insert(routes->index, g_steal_pointer(&hosts), group);
	return group;
}

void
routelist_add(const struct hostlist *list, const struct route *route,
    void *data)
{
	struct routelist *routes = data;
	struct routegroup *group;

	if (routes->routes == ROUTELIST_LOOK)
		return;
	routes->routes++;
	group = get_group(routes, route);
	if (group == NULL) {
		routes->left_out++;
		if (route->kind == ROUTE_HOSTS)
			add_rows(routes->others, list, route);
	} else if (group->count++ < ROUTELIST_KEYS) {
		g_ptr_array_add(group->keys, g_strdup(route->key));
	}
}

/* As a delivery knows the route. */
static struct backlog_route
waiting_for(const struct route *route, const struct settings *settings,
    const struct backlog *backlog)
{
	const struct health_limits limits = limits_health(settings);
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan = plan_new(route, "", settings, NULL, state);
	const GArray *contenders = plan_contenders(plan);
	g_autofree char *key =
	    deferred_route(&g_array_index(contenders, struct contender, 0),
		contenders->len);

	return backlog_of(backlog, key);
}

static void
add_waiting(struct routelist *routes, const struct settings *settings,
    const struct backlog *backlog)
{
	routes->waiting = backlog->all.messages;
	/* The usual case, at no cost. */
	if (backlog->all.messages == 0)
		return;
	for (guint i = 0; i < routes->groups->len; i++) {
		struct routegroup *group = g_ptr_array_index(routes->groups, i);

		if (group->route->kind != ROUTE_HOSTS)
			continue;
		group->waiting = waiting_for(group->route, settings, backlog);
		routes->waiting -=
		    MIN(group->waiting.messages, routes->waiting);
	}
}

static int
compare_groups(const void *a, const void *b)
{
	const struct routegroup *group_a = *(struct routegroup *const *)a;
	const struct routegroup *group_b = *(struct routegroup *const *)b;

	if (group_a->lost != group_b->lost)
		return group_b->lost - group_a->lost;
	return (group_b->waiting.messages > group_a->waiting.messages) -
	    (group_b->waiting.messages < group_a->waiting.messages);
}

struct routelist *
routelist_new(void)
{
	struct routelist *routes = g_new0(struct routelist, 1);

	routes->groups = g_ptr_array_new_with_free_func(group_free);
	routes->index =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	routes->others = g_ptr_array_new();
	return routes;
}

void
routelist_judge(struct routelist *routes, const struct hostlist *list,
    const struct settings *settings, const struct backlog *backlog)
{
	routes->lost = count_lost(routes->others);
	for (guint i = 0; i < routes->groups->len; i++) {
		struct routegroup *group = g_ptr_array_index(routes->groups, i);

		group->lost = is_lost(list, group->route);
		if (group->lost)
			routes->lost += group->count;
	}
	if (backlog != NULL)
		add_waiting(routes, settings, backlog);
	g_ptr_array_sort(routes->groups, compare_groups);
}

void
routelist_free(struct routelist *routes)
{
	g_ptr_array_unref(routes->groups);
	g_ptr_array_unref(routes->others);
	g_hash_table_unref(routes->index);
	g_free(routes);
}
