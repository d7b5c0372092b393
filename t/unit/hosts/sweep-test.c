/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is forgotten, and what never is.
 */
#include <config.h>

#include <string.h>

#include "hosts/hosttable.h"
#include "unit/trip.h"
#include "unit/watched.h"

#define STRANGERS_MAX 5000

static GPtrArray *
rows(const struct statefolder *place)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *found = hosttable_read(place->folder, &trip_limits, &error);

	g_assert_no_error(error);
	return found;
}

static const struct hosttable_row *
find(const GPtrArray *found, const char *name)
{
	for (guint i = 0; i < found->len; i++) {
		const struct hosttable_row *row = g_ptr_array_index(found, i);

		if (g_str_equal(row->name, name))
			return row;
	}
	return NULL;
}

/* A delivery to a host that DNS has named. */
static void
visit_stranger(struct hoststate *state, const char *name)
{
	struct contender contender = {
	    .name = name,
	    .port = 25,
	    .weight = 1,
	    .max_connections = G_MAXUINT,
	    .stranger = TRUE,
	};

	g_assert_cmpuint(hoststate_choose(state, &contender, 1), ==, 0);
	trip_leave(state, '+');
}

static void
test_strangers(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) state = NULL;
	g_autoptr(GPtrArray) found = NULL;
	g_autofree char *hosts = NULL;

	statefolder_make(&place);
	hosts = trip_deliver(&place, "A", "+");
	state = trip_new(&place);
	visit_stranger(state, "a.example.com");
	visit_stranger(state, "b.example.com");
	visit_stranger(state, "first.example.org");
	trip_order(&place, "drain", 'B');
	trip_order(&place, "drain", 'C');
	for (guint i = 0; i < STRANGERS_MAX + 10; i++) {
		g_autofree char *name = g_strdup_printf("%u.example.net", i);

		visit_stranger(state, name);
	}
	trip_assert_no_warning(state);
	found = rows(&place);
	g_assert_cmpuint(found->len, <=, STRANGERS_MAX + 3);
	g_assert_cmpuint(found->len, >, STRANGERS_MAX / 2);
	/* The map names it, too. */
	g_assert_nonnull(find(found, "a.example.com"));
	g_assert_false(find(found, "a.example.com")->record.stranger);
	g_assert_true(find(found, "b.example.com")->record.drained);
	g_assert_true(find(found, "c.example.com")->record.drained);
	g_assert_null(find(found, "first.example.org"));
	g_assert_null(find(found, "0.example.net"));
	g_assert_nonnull(find(found, "5009.example.net"));
}

/* More than the file may hold, the first time. */
static void
fill_once(struct statefile_view *view, void *data)
{
	static char byte;
	gboolean *filled = data;

	if (!*filled)
		statefile_put(view, "filler", &byte, (gsize)1 << 30);
	*filled = TRUE;
}

static void
test_full(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Statefile) file = NULL;
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *hosts = NULL;
	g_autofree char *notice = NULL;
	gboolean filled = FALSE;

	/* LMDB leaks what a transaction had that runs out of room. */
	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	hosts = trip_deliver(&place, "A B", "+");
	trip_order(&place, "drain", 'C');
	file = statefile_new(place.folder);
	statefile_run(file, STATEFILE_WRITE, fill_once, &filled, &error);
	g_assert_no_error(error);
	notice = statefile_take_notice(file);
	g_assert_true(g_str_has_suffix(notice, " was full"));
	found = rows(&place);
	g_assert_cmpuint(found->len, ==, 1);
	g_assert_true(find(found, "c.example.com")->record.drained);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sweep/strangers", test_strangers);
	g_test_add_func("/sweep/drains outlive a full file", test_full);
	return g_test_run();
}
