/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "address/domain.h"
#include "agent/limits.h"
#include "ctl/ctl.h"
#include "ctl/hostlist.h"
#include "ctl/hostrate.h"
#include "route/mapcopy.h"
#include "route/routemap.h"
#include "util/printable.h"

/* What has left the map is forgotten after so long without mail. */
#define GONE_AGE (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* A failure is of late for so long. */
#define FAILED_AGE (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* More than any name, brackets and port included. */
#define LABEL_MAX 300

static void
row_free(gpointer data)
{
	struct hostrow *row = data;

	if (row->known.tally != NULL)
		tally_free(row->known.tally);
	g_free(row->known.name);
	g_free(row->label);
	g_free(row);
}

enum hostrow_standing
hostrow_standing(const struct hostrow *row)
{
	if (row->routes > 0 && row->drained_routes == row->routes)
		return HOSTROW_DRAINED_IN_MAP;
	if (row->known.record.drained)
		return HOSTROW_DRAINED;
	return health_is_up(&row->known.record.health) ? HOSTROW_UP
						       : HOSTROW_DOWN;
}

guint
hostrow_limit(const struct hostrow *row)
{
	guint capacity = row->known.capacity;

	if (!row->remembered || capacity == NO_LIMIT)
		return row->max_connections;
	return row->max_connections == 0 ? capacity
					 : MIN(capacity, row->max_connections);
}

gboolean
hostrow_is_busy(const struct hostrow *row)
{
	guint limit = hostrow_limit(row);

	return row->known.record.suspicion.sender != 0 ||
	    (limit > 0 && row->known.connected >= limit) ||
	    hostrate_wait(row->rates, row->known.tally) > 0;
}

gboolean
hostrow_shows_error(const struct hostrow *row, gint64 now)
{
	const struct hostrecord *record = &row->known.record;

	return record->last_failure > 0 &&
	    (!health_is_up(&record->health) ||
		record->last_failure > now - FAILED_AGE);
}

gboolean
hostrow_is_stranger(const struct hostrow *row)
{
	return row->routes == 0 && row->known.record.stranger &&
	    !row->known.record.drained;
}

gboolean
hostrow_is_gone(const struct hostrow *row, gint64 now)
{
	const struct hosttable_row *known = &row->known;

	return row->left && !known->record.drained && known->connected == 0 &&
	    known->waiting == 0 && known->record.seen < now - GONE_AGE;
}

struct hostrow *
hostlist_find(const struct hostlist *list, const char *name, guint16 port)
{
	g_autofree char *id = domain_with_port(name, port);

	return g_hash_table_lookup(list->index, id);
}

/* The row of a host, a new one if need be. */
static struct hostrow *
get_row(struct hostlist *list, const char *name, guint16 port)
{
	struct hostrow *row = hostlist_find(list, name, port);
	g_autofree char *id = NULL;

	if (row != NULL)
		return row;
	id = domain_with_port(name, port);
	row = g_new0(struct hostrow, 1);
	row->known.name = g_strdup(name);
	row->known.port = port;
	/* The state file may be damaged. */
	row->label = printable(id, LABEL_MAX);
	g_ptr_array_add(list->rows, row);
	g_hash_table_insert(list->index, g_steal_pointer(&id), row);
	return row;
}

/* Unless they were set before. */
static void
add_rates(struct rates *to, const struct rates *from)
{
	if (!to->set)
		*to = *from;
}

static void
add_route(struct hostlist *list, const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    g_ptr_array_index(route->destinations, i);
		struct hostrow *row =
		    get_row(list, destination->name, destination->port);

		row->routes++;
		add_rates(&row->rates[TALLY_TRANSACTIONS], &destination->rate);
		add_rates(&row->rates[TALLY_RECIPIENTS],
		    &destination->rate_recipients);
		if (!destination->drain)
			continue;
		if (row->drained_routes++ == 0)
			row->drain_line = route->line;
	}
}

/* Complains of the first fault only: "check" lists them. */
static void
add_routes(struct hostlist *list, const char *path, hostlist_visit *visit,
    void *data)
{
	struct maptext_entry entry;
	struct maptext map;
	guint faults = 0;

	mapcopy_begin(path, list->map, &map);
	while (maptext_next(&map, &entry)) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Route) route = routemap_parse(path, &entry, &error);

		if (route == NULL) {
			if (faults++ == 0)
				complain("%s", error->message);
			continue;
		}
		add_route(list, route);
		if (visit != NULL)
			visit(list, route, data);
	}
	if (faults > 1)
		complain("%s: %u more entries at fault, see \"smtproutectl "
			 "check\"",
		    path, faults - 1);
	list->complete = faults == 0;
}

/* Is this user kept from the file of the map? */
static gboolean
is_denied(const char *path)
{
	g_autofree char *file = routemap_file(path);

	return access(file, R_OK) < 0 && errno == EACCES;
}

/* NULL: complain() has said why. */
static GBytes *
read_map(const char *path, GBytes *before)
{
	g_autoptr(GError) error = NULL;
	GBytes *map = mapcopy_read(path, &error);

	if (map != NULL)
		return map;
	if (before != NULL && is_denied(path))
		return g_bytes_ref(before);
	complain("%s", error->message);
	return NULL;
}

struct hostlist *
hostlist_new(const struct settings *settings, GBytes *before,
    hostlist_visit *visit, void *data)
{
	struct hostlist *list = g_new0(struct hostlist, 1);

	list->rows = g_ptr_array_new_with_free_func(row_free);
	list->index =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	list->path = g_strdup(settings->routes);
	list->map = read_map(settings->routes, before);
	if (list->map != NULL)
		add_routes(list, settings->routes, visit, data);
	return list;
}

void
hostlist_each_route(const struct hostlist *list, hostlist_visit *visit,
    void *data)
{
	struct maptext_entry entry;
	struct maptext map;

	if (list->map == NULL)
		return;
	mapcopy_begin(list->path, list->map, &map);
	while (maptext_next(&map, &entry)) {
		g_autoptr(Route) route = routemap_parse("map", &entry, NULL);

		if (route != NULL)
			visit(list, route, data);
	}
}

/* mx2 before mx10, 192.0.2.9 before 192.0.2.10. */
static int
compare_rows(const void *a, const void *b)
{
	const struct hostrow *const *row_a = a;
	const struct hostrow *const *row_b = b;
	int order = strverscmp((*row_a)->known.name, (*row_b)->known.name);

	return order != 0 ? order
			  : (int)(*row_a)->known.port - (*row_b)->known.port;
}

enum rank {
	RANK_DOWN,
	RANK_BUSY,
	RANK_DRAINED,
	RANK_FAILED, /* of late */
	RANK_FINE,
};

static enum rank
rank_of(const struct hostrow *row, gint64 now)
{
	switch (hostrow_standing(row)) {
	case HOSTROW_DOWN:
		return RANK_DOWN;
	case HOSTROW_DRAINED:
	case HOSTROW_DRAINED_IN_MAP:
		return RANK_DRAINED;
	case HOSTROW_UP:
		break;
	}
	if (hostrow_is_busy(row))
		return RANK_BUSY;
	return hostrow_shows_error(row, now) ? RANK_FAILED : RANK_FINE;
}

static int
compare_ranks(const void *a, const void *b, void *data)
{
	const gint64 *now = data;
	enum rank rank_a = rank_of(*(struct hostrow *const *)a, *now);
	enum rank rank_b = rank_of(*(struct hostrow *const *)b, *now);

	return rank_a != rank_b ? (int)rank_a - (int)rank_b
				: compare_rows(a, b);
}

GPtrArray *
hostlist_worst_first(const GPtrArray *rows)
{
	GPtrArray *sorted = g_ptr_array_sized_new(rows->len);
	gint64 now = g_get_real_time();

	for (guint i = 0; i < rows->len; i++)
		g_ptr_array_add(sorted, g_ptr_array_index(rows, i));
	g_ptr_array_sort_with_data(sorted, compare_ranks, &now);
	return sorted;
}

static void
add_settings(struct hostrow *row, const struct settings *settings)
{
	const struct host_settings host =
	    settings_host(settings, row->known.name, row->known.port);

	row->max_connections =
	    host.max_connections == NO_LIMIT ? 0 : host.max_connections;
	add_rates(&row->rates[TALLY_TRANSACTIONS], &host.rate);
	add_rates(&row->rates[TALLY_RECIPIENTS], &host.rate_recipients);
}

/*
 * Where the map names no hosts, or cannot be read, nobody knows which have left
 * it.
 */
static void
mark_left(struct hostlist *list)
{
	gboolean names = FALSE;

	for (guint i = 0; i < list->rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(list->rows, i);

		names = names || row->routes > 0;
	}
	for (guint i = 0; i < list->rows->len; i++) {
		struct hostrow *row = g_ptr_array_index(list->rows, i);

		row->left = names && list->complete && row->remembered &&
		    row->routes == 0 && !row->known.record.stranger;
	}
}

gboolean
hostlist_add_state(struct hostlist *list, const struct settings *settings,
    GError **error)
{
	const struct health_limits limits = limits_health(settings);
	g_autoptr(GPtrArray) known =
	    hosttable_read(settings->state_directory, &limits, error);

	for (guint i = 0; known != NULL && i < known->len; i++) {
		struct hosttable_row *from = g_ptr_array_index(known, i);
		struct hostrow *row = get_row(list, from->name, from->port);
		char *name = row->known.name;

		row->known = *from;
		row->known.name = name;
		from->tally = NULL;
		row->remembered = TRUE;
	}
	mark_left(list);
	for (guint i = 0; i < list->rows->len; i++)
		add_settings(g_ptr_array_index(list->rows, i), settings);
	g_ptr_array_sort(list->rows, compare_rows);
	return known != NULL;
}

void
hostlist_free(struct hostlist *list)
{
	if (list->map != NULL)
		g_bytes_unref(list->map);
	g_free(list->path);
	g_hash_table_unref(list->index);
	g_ptr_array_unref(list->rows);
	g_free(list);
}
