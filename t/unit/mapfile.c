/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stdio.h>

#include <glib/gstdio.h>

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

char *
mapfile_look_up(const struct mapfile *f, const char *nexthop,
    const char *domain)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route =
	    routemap_find(f->path, nexthop, domain, &error);
	char **pieces;
	char *message;

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
