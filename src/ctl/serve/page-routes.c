/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of routes on the status page, and of what waits in the queue.
 */
#include <config.h>

#include "address/domain.h"
#include "ctl/duration.h"
#include "ctl/hostwords.h"
#include "ctl/serve/html.h"
#include "ctl/serve/icon.h"
#include "ctl/serve/page.h"

#define ROUTE   "Route"
#define HOSTS   "Hosts"
#define WAITING "Waiting"

static void
add_keys(GString *to, const struct routegroup *group)
{
	g_string_append(to,
	    "<th role=\"rowheader\" scope=\"row\" class=\"h\"><div>");
	for (guint i = 0; i < group->keys->len; i++) {
		g_string_append(to, i > 0 ? "<br>" : "");
		html_text(to, g_ptr_array_index(group->keys, i));
	}
	if (group->count > group->keys->len)
		g_string_append_printf(to,
		    "<div class=\"then\">and %u more</div>",
		    group->count - group->keys->len);
	g_string_append(to, "</div></th>\n");
}

static void
add_host(GString *to, const struct page *page,
    const struct destination *destination)
{
	const struct hostrow *row = hostlist_find(page->sight->list,
	    destination->name, destination->port);
	enum icon icon;

	if (row == NULL)
		return;
	icon = destination->drain ? ICON_IDLE : icon_of_host(row);
	g_string_append_printf(to, "<li><span class=\"%s\">", icon_class(icon));
	icon_add(to, icon);
	g_string_append(to, "</span>");
	html_text(to, row->label);
	g_string_append_printf(to, " <span class=\"small %s\">%s</span></li>",
	    icon_class(icon),
	    hostwords_standing(destination->drain ? HOSTROW_DRAINED_IN_MAP
						  : hostrow_standing(row)));
}

static int
compare_priority(const void *a, const void *b)
{
	const struct destination *one = *(struct destination *const *)a;
	const struct destination *other = *(struct destination *const *)b;

	return (int)one->priority - (int)other->priority;
}

/* In the order of their turn; each priority has a line before it. */
static void
add_destinations(GString *to, const struct page *page,
    const struct route *route)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	const struct destination *before = NULL;

	for (guint i = 0; i < route->destinations->len; i++)
		g_ptr_array_add(sorted,
		    g_ptr_array_index(route->destinations, i));
	g_ptr_array_sort(sorted, compare_priority);
	g_string_append(to, "<ol>");
	for (guint i = 0; i < sorted->len; i++) {
		const struct destination *destination =
		    g_ptr_array_index(sorted, i);

		if (before != NULL && before->priority != destination->priority)
			g_string_append(to,
			    "<li class=\"then\">if these are not to be had:"
			    "</li>");
		add_host(to, page, destination);
		before = destination;
	}
	g_string_append(to, "</ol>");
}

static void
add_hosts(GString *to, const struct page *page, const struct routegroup *group)
{
	g_string_append(to, "<td role=\"cell\" class=\"s\"><div>");
	if (group->lost) {
		g_string_append(to, "<span class=\"state bad\">");
		icon_add(to, ICON_BAD);
		g_string_append(to, "no host takes its mail</span>");
	}
	switch (group->route->kind) {
	case ROUTE_HOSTS:
		add_destinations(to, page, group->route);
		break;
	case ROUTE_DNS:
		g_string_append(to, "what DNS says of the domain (USEDNS)");
		break;
	case ROUTE_DISCARD:
		g_string_append(to, "none: its mail is discarded (/dev/null)");
		break;
	}
	g_string_append(to, "</div></td>\n");
}

static void
add_waiting(GString *to, const struct page *page,
    const struct backlog_route *waiting)
{
	g_autofree char *age =
	    duration_words(MAX(page->now - waiting->oldest, 0));

	g_string_append_printf(to,
	    "<td role=\"cell\" class=\"n%s\" data-label=\"" WAITING "\"><div>",
	    waiting->messages == 0 ? " faint" : "");
	html_count(to, waiting->messages);
	if (waiting->messages > 0) {
		g_string_append(to,
		    "<div class=\"small faint\">the oldest for ");
		html_text(to, age);
		g_string_append(to, "</div>");
	}
	g_string_append(to, "</div></td>\n");
}

static void
add_group(GString *to, const struct page *page, const struct routegroup *group)
{
	g_string_append(to, "<tr role=\"row\">\n");
	add_keys(to, group);
	add_hosts(to, page, group);
	add_waiting(to, page, &group->waiting);
	g_string_append(to, "</tr>\n");
}

/* Groups that are not shown, and routes that are in none. */
static void
add_rest(GString *to, const struct routelist *routes)
{
	guint rest = routes->left_out;

	for (guint i = PAGE_ROWS; i < routes->groups->len; i++) {
		const struct routegroup *group =
		    g_ptr_array_index(routes->groups, i);

		rest += group->count;
	}
	if (rest > 0)
		g_string_append_printf(to,
		    "<p class=\"legend\">And %u more routes.</p>\n", rest);
	if (routes->routes == ROUTELIST_LOOK)
		g_string_append_printf(to,
		    "<p class=\"legend\">Of a map this large the first %u "
		    "routes were looked at.</p>\n",
		    ROUTELIST_LOOK);
}

/*
 * What waits is what the waker knows of.  All of Postfix's queue is beyond what
 * a page that is asked for twice a minute may read.
 */
static void
add_other_waiting(GString *to, const struct routelist *routes)
{
	if (routes->waiting > 0)
		g_string_append_printf(to,
		    "<p class=\"legend\">%u more message%s for routes that are "
		    "not in the map, or for hosts that DNS has named.</p>\n",
		    routes->waiting,
		    routes->waiting == 1 ? " waits" : "s wait");
}

void
page_add_routes(GString *to, const struct page *page)
{
	const struct routelist *routes = page->routes;

	if (routes->groups->len > 0) {
		g_string_append(to,
		    "<table role=\"table\">\n<caption><h2>Routes</h2>"
		    "<p class=\"legend\">Waiting are messages in the queue that "
		    "were deferred on account of hosts; they are tried as soon "
		    "as one is there again.  All of the queue: smtproutectl "
		    "queue.</p></caption>\n"
		    "<thead role=\"rowgroup\"><tr role=\"row\">\n"
		    "<th role=\"columnheader\" scope=\"col\">" ROUTE "</th>\n"
		    "<th role=\"columnheader\" scope=\"col\">" HOSTS "</th>\n"
		    "<th role=\"columnheader\" scope=\"col\" class=\"n\">" WAITING
		    "</th>\n</tr></thead>\n<tbody role=\"rowgroup\">\n");
		for (guint i = 0; i < MIN(routes->groups->len, PAGE_ROWS); i++)
			add_group(to, page,
			    g_ptr_array_index(routes->groups, i));
		g_string_append(to, "</tbody>\n</table>\n");
	}
	add_rest(to, routes);
	add_other_waiting(to, routes);
}
