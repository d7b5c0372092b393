/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process keeps of its map, and when it does not believe that.  What is
 * found in it every lookup of routemap-test is compared with (mapfile.h).
 */
#include <config.h>

#include <string.h>

#include <glib/gstdio.h>

#include "route/mapmemory.h"
#include "route/routemap.h"
#include "unit/mapfile.h"

/* Far longer than it takes a change to be an old one. */
#define PATIENCE (60 * G_USEC_PER_SEC)

static void
write_host(const struct mapfile *f, guint n)
{
	g_autofree char *text = g_strdup_printf("a.example h%06u.example\n", n);

	mapfile_write(f, text, strlen(text));
}

static void
assert_host(struct mapmemory *memory, const struct mapfile *f, guint n)
{
	g_autofree char *expected = g_strdup_printf("h%06u.example", n);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route =
	    routemap_find_in(memory, f->path, NULL, "a.example", &error);
	const struct destination *destination;

	g_assert_no_error(error);
	destination = g_ptr_array_index(route->destinations, 0);
	g_assert_cmpstr(destination->name, ==, expected);
}

static void
settle(struct mapmemory *memory, const struct mapfile *f)
{
	gint64 end = g_get_monotonic_time() + PATIENCE;

	while (!mapmemory_load(memory, f->path)) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		g_usleep(G_USEC_PER_SEC / 10);
	}
}

/* In place and of the same length, again and again: none is overlooked. */
static void
test_changes(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	struct mapmemory *memory = mapmemory_new();
	guint n = 0;

	write_host(f, n);
	g_assert_false(mapmemory_load(memory, f->path));
	assert_host(memory, f, n);
	for (guint round = 0; round < 2; round++) {
		settle(memory, f);
		assert_host(memory, f, n);
		for (guint i = 0; i < 500; i++) {
			write_host(f, ++n);
			assert_host(memory, f, n);
		}
	}
	mapmemory_free(memory);
}

static void
test_replaced(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	struct mapmemory *memory = mapmemory_new();
	g_autofree char *other = g_strconcat(f->path, ".new", NULL);
	struct mapfile fresh = {f->folder, other};

	write_host(f, 1);
	settle(memory, f);
	write_host(&fresh, 2);
	g_assert_no_errno(g_rename(other, f->path));
	assert_host(memory, f, 2);
	mapmemory_free(memory);
}

static void
test_gone(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	struct mapmemory *memory = mapmemory_new();
	g_autoptr(GError) error = NULL;

	write_host(f, 1);
	settle(memory, f);
	g_assert_no_errno(g_remove(f->path));
	g_assert_null(
	    routemap_find_in(memory, f->path, NULL, "a.example", &error));
	g_assert_error(error, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE);
	write_host(f, 2);
	assert_host(memory, f, 2);
	mapmemory_free(memory);
}

/* It is looked up without a memory, also once it is old. */
static void
test_large(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	struct mapmemory *memory = mapmemory_new();
	g_autoptr(GString) text = g_string_new("a.example h000001.example\n");
	g_autofree char *small = g_strconcat(f->path, ".small", NULL);
	struct mapfile other = {f->folder, small};

	while (text->len <= MAPMEMORY_SIZE_MAX)
		g_string_append(text, "# the rest is nothing at all\n");
	mapfile_write(f, text->str, text->len);
	write_host(&other, 2);
	settle(memory, &other);
	g_assert_false(mapmemory_load(memory, f->path));
	assert_host(memory, f, 1);
	settle(memory, &other);
	assert_host(memory, &other, 2);
	g_assert_no_errno(g_remove(small));
	mapmemory_free(memory);
}

/* A NUL ends a key for nobody. */
static void
test_nul(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *found = NULL;

	mapfile_write(f, MAPFILE_TEXT("a.example\0x b\n[::1]\0 b\n"));
	found = mapfile_look_up(f, NULL, "a.example");
	g_assert_cmpstr(found, ==, "no route for a.example in MAP");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* What fails is to be torn down, too. */
	g_test_set_nonfatal_assertions();
	mapfile_add("changes", NULL, test_changes);
	mapfile_add("replaced", NULL, test_replaced);
	mapfile_add("gone", NULL, test_gone);
	mapfile_add("large", NULL, test_large);
	mapfile_add("NUL", NULL, test_nul);
	return g_test_run();
}
