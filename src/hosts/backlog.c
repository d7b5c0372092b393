/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/backlog.h"
#include "hosts/deferred.h"
#include "hosts/statefile.h"

static void
count(struct backlog_route *counted, gint64 time)
{
	if (counted->messages++ == 0 || time < counted->oldest)
		counted->oldest = time;
}

static void
add(const char *route, gint64 time, void *data)
{
	struct backlog *backlog = data;
	struct backlog_route *counted =
	    g_hash_table_lookup(backlog->routes, route);

	if (counted == NULL) {
		counted = g_new0(struct backlog_route, 1);
		g_hash_table_insert(backlog->routes, g_strdup(route), counted);
	}
	count(counted, time);
	count(&backlog->all, time);
}

/* It may be run again. */
static void
read_work(struct statefile_view *view, void *data)
{
	struct backlog *backlog = data;

	backlog->all = (struct backlog_route){0};
	g_hash_table_remove_all(backlog->routes);
	deferred_each(view, add, backlog);
	backlog->woken = deferred_taken(view);
}

struct backlog *
backlog_read(const char *directory, GError **error)
{
	g_autoptr(Statefile) file = statefile_new(directory);
	g_autoptr(Backlog) backlog = g_new0(struct backlog, 1);
	g_autoptr(GError) reason = NULL;

	backlog->routes =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (statefile_run(file, STATEFILE_READ, read_work, backlog, &reason) ||
	    g_error_matches(reason, STATEFILE_ERROR, STATEFILE_ERROR_ABSENT))
		return g_steal_pointer(&backlog);
	g_propagate_error(error, g_steal_pointer(&reason));
	return NULL;
}

struct backlog_route
backlog_of(const struct backlog *backlog, const char *route)
{
	const struct backlog_route *found =
	    g_hash_table_lookup(backlog->routes, route);

	return found != NULL ? *found : (struct backlog_route){0};
}

void
backlog_free(struct backlog *backlog)
{
	g_hash_table_unref(backlog->routes);
	g_free(backlog);
}
