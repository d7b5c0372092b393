/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "route/mapkey.h"
#include "route/maplmdb.h"
#include "route/mapmemory.h"
#include "route/routemap.h"
#include "unit/mapfile.h"

/* Without the fsync(2) of g_file_set_contents(). */
void
mapfile_write(const struct mapfile *f, const char *text, gsize length)
{
	FILE *file = g_fopen(f->path, "w");

	g_assert_nonnull(file);
	g_assert_cmpuint(fwrite(text, 1, length, file), ==, length);
	g_assert_cmpint(fclose(file), ==, 0);
}

static char *
render(const struct route *route)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < route->destinations->len; i++) {
		struct destination *d = route->destinations->pdata[i];

		g_string_append_printf(text, "%s%s", i > 0 ? " " : "", d->name);
	}
	if (route->kind == ROUTE_DNS)
		g_string_append(text, "USEDNS");
	if (route->kind == ROUTE_DISCARD)
		g_string_append(text, "/dev/null");
	return g_string_free(text, FALSE);
}

/* A memory has the entry that a pass over the text finds, or none either. */
static void
assert_same_in_memory(const struct mapfile *f, const char *key, gboolean named,
    const struct route *route, const GError *reason)
{
	struct mapmemory *memory = mapmemory_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) found = NULL;
	struct maptext_entry entry;
	gsize length;
	char *text;

	g_assert_true(g_file_get_contents(f->path, &text, &length, NULL));
	mapmemory_fill(memory, text, length);
	if (!mapmemory_find(memory, key, named, &entry)) {
		g_assert_true(g_error_matches(reason, ROUTEMAP_ERROR,
		    ROUTEMAP_ERROR_MISSING));
	} else {
		found = routemap_parse(f->path, &entry, &error);
		g_assert_cmpint(found == NULL, ==, route == NULL);
		if (route == NULL)
			g_assert_cmpstr(error->message, ==, reason->message);
		else
			g_assert_cmpuint(found->line, ==, route->line);
	}
	mapmemory_free(memory);
}

static void
assert_same(const struct mapfile *f, const char *nexthop, const char *domain,
    const struct route *route, const GError *reason)
{
	g_autofree char *name = NULL;

	if (maplmdb_is(f->path) ||
	    g_error_matches(reason, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE))
		return;
	if (routemap_looks_up(nexthop, domain)) {
		assert_same_in_memory(f, domain, FALSE, route, reason);
	} else if (strpbrk(nexthop, "[]:/,") == NULL) {
		name = mapkey_canonical(nexthop);
		assert_same_in_memory(f, name != NULL ? name : nexthop, TRUE,
		    route, reason);
	}
}

char *
mapfile_look_up(const struct mapfile *f, const char *nexthop,
    const char *domain)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route =
	    routemap_find(f->path, nexthop, domain, &error);
	char **pieces;
	char *message;

	assert_same(f, nexthop, domain, route, error);
	if (route != NULL) {
		g_assert_no_error(error);
		/* Of the map, unless the nexthop is the route. */
		g_assert_cmpint(route->line > 0, <=, route->key != NULL);
		return render(route);
	}
	g_assert_nonnull(error);
	pieces = g_strsplit(error->message, f->path, -1);
	message = g_strjoinv("MAP", pieces);
	g_strfreev(pieces);
	return message;
}

static void
set_up(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	f->folder = g_dir_make_tmp("routemap-test-XXXXXX", &error);
	g_assert_no_error(error);
	f->path = g_build_filename(f->folder, "routes", NULL);
}

/* remove(3) takes folders, too. */
static void
tear_down(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(g_remove(f->path) == 0 || errno == ENOENT);
	g_assert_cmpint(g_remove(f->folder), ==, 0);
	g_free(f->path);
	g_free(f->folder);
}

void
mapfile_add(const char *says, gconstpointer row, mapfile_test *test)
{
	g_autofree char *path = g_strdup_printf("/%s", says);

	g_test_add(path, struct mapfile, row, set_up, test, tear_down);
}
