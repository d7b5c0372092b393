/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps as a whole: files that are none, errors, and what chance makes. */
#include <config.h>

#include <unistd.h>

#include <sys/stat.h>
#include <sys/types.h>

#include <glib/gstdio.h>

#include "route/routemap.h"
#include "unit/mapfile.h"

#define TEXT(literal) MAPFILE_TEXT(literal)

static void
test_looks_up(struct mapfile *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(routemap_looks_up(NULL, "example.com"));
	g_assert_true(routemap_looks_up("Example.com.", "example.com"));
	g_assert_true(routemap_looks_up("[192.0.2.1]", "[192.0.2.1]"));
	g_assert_false(routemap_looks_up("example.org", "example.com"));
	g_assert_false(routemap_looks_up("[mx1]", "example.com"));
	g_assert_false(routemap_looks_up("", "example.com"));
	/* Mail for nobody in particular, also where neither is a domain. */
	g_assert_false(routemap_looks_up("example.com", NULL));
	g_assert_false(routemap_looks_up("no domain", NULL));
}

static void
check_error(const struct mapfile *f, const char *nexthop, GQuark quark,
    gint code, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = mapfile_look_up(f, nexthop, "example.com");

	g_assert_null(routemap_find(f->path, nexthop, "example.com", &error));
	g_assert_error(error, quark, code);
	g_assert_cmpstr(text, ==, message);
}

static void
test_codes(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	mapfile_write(f, TEXT("a.example a\nb :\n"));
	check_error(f, NULL, ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING,
	    "no route for example.com in MAP");
	check_error(f, "c", ROUTEMAP_ERROR, ROUTEMAP_ERROR_MISSING,
	    "no route named c in MAP");
	check_error(f, "b", ROUTE_ERROR, ROUTE_ERROR_SYNTAX,
	    "MAP:2:3: bad host ''; expected " MAPFILE_HOST);
}

static void
check_unreadable(const struct mapfile *f, const char *message)
{
	check_error(f, NULL, ROUTEMAP_ERROR, ROUTEMAP_ERROR_FILE, message);
}

static void
test_missing(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *inlined = mapfile_look_up(f, "[mx1]", "example.com");

	g_assert_cmpstr(inlined, ==, "mx1");
	check_unreadable(f, "MAP: No such file or directory");
}

static void
test_folder(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(g_mkdir(f->path, 0700), ==, 0);
	check_unreadable(f, "MAP: Is a directory");
}

/* Nobody writes to it: whoever waits for that never comes back. */
static void
test_fifo(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
	check_unreadable(f, "MAP: not a regular file");
}

static void
test_loop(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(symlink(f->path, f->path), ==, 0);
	check_unreadable(f, "MAP: Too many levels of symbolic links");
}

/* A file with a hole of that size. */
static void
test_too_large(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	mapfile_write(f, TEXT("* a\n"));
	g_assert_cmpint(truncate(f->path, ROUTEMAP_SIZE_MAX + 1), ==, 0);
	check_unreadable(f, "MAP: larger than 64 MiB");
}

static void
test_unreadable(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	mapfile_write(f, TEXT("* a\n"));
	g_assert_cmpint(g_chmod(f->path, 0), ==, 0);
	if (g_access(f->path, R_OK) == 0) {
		g_test_skip("root may read everything");
		return;
	}
	check_unreadable(f, "MAP: Permission denied");
}

/*
 * Keys with a route of the same name, shuffled by the seed, among comments:
 * whatever a lookup finds must be the longest key that fits.
 */
static void
test_order(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const keys[] = {
	    "* k0",
	    ".org k1",
	    ".example.org k2",
	    ".b.example.org k3",
	    "a.b.example.org k4",
	};
	g_autoptr(GRand) random = g_rand_new_with_seed(20261122);

	for (guint round = 0; round < 200; round++) {
		g_autoptr(GString) map = g_string_new(NULL);
		g_autofree char *result = NULL;
		g_autofree char *expected = NULL;
		gint best = -1;

		for (guint i = 0; i < 4; i++) {
			gint key =
			    g_rand_int_range(random, 0, G_N_ELEMENTS(keys));

			best = MAX(best, key);
			g_string_append_printf(map, "%s\n# x\n", keys[key]);
		}
		expected = g_strdup_printf("k%d", best);
		mapfile_write(f, map->str, map->len);
		result = mapfile_look_up(f, NULL, "a.b.example.org");
		g_assert_cmpstr(result, ==, expected);
	}
}

/* A valid entry and pieces as they come. */
static void
test_mutants(struct mapfile *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char pieces[][16] = {"a", ".a", "*", "ALL", "ALL:", ":",
	    " ", "\t", "\n", "\r\n", "#", "[::1]", "[", "]", ",", "mx1", "/",
	    "pri=1", "USEDNS", ".", "\xc3\xbc", "\xff", "b.a", "\n "};
	g_autoptr(GRand) random = g_rand_new_with_seed(20261122);
	guint found = 0;

	for (guint round = 0; round < 2000; round++) {
		g_autoptr(GString) map = g_string_new("* mx1,\n mx2\n");
		g_autoptr(GError) error = NULL;
		g_autoptr(Route) route = NULL;
		g_autofree char *same = NULL;
		gint count = g_rand_int_range(random, 0, 40);

		while (count-- > 0)
			g_string_append(map,
			    pieces[g_rand_int_range(random, 0,
				G_N_ELEMENTS(pieces))]);
		mapfile_write(f, map->str, map->len);
		route = routemap_find(f->path, NULL,
		    round % 2 == 0 ? "b.a" : "[ipv6:::1]", &error);
		same = mapfile_look_up(f, NULL,
		    round % 2 == 0 ? "b.a" : "[ipv6:::1]");
		g_assert_cmpint(same[0], !=, '\0');
		g_assert_true((route == NULL) == (error != NULL));
		found += route != NULL;
		if (error != NULL)
			g_assert_true(g_str_is_ascii(error->message));
	}
	g_assert_cmpuint(found, >, 200);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* What fails is to be torn down, too. */
	g_test_set_nonfatal_assertions();
	mapfile_add("what is looked up", NULL, test_looks_up);
	mapfile_add("errors have their codes", NULL, test_codes);
	mapfile_add("a missing map", NULL, test_missing);
	mapfile_add("a folder", NULL, test_folder);
	mapfile_add("a FIFO", NULL, test_fifo);
	mapfile_add("a loop of links", NULL, test_loop);
	mapfile_add("a map that is too large", NULL, test_too_large);
	mapfile_add("an unreadable map", NULL, test_unreadable);
	mapfile_add("keys in any order", NULL, test_order);
	mapfile_add("mutants do no harm", NULL, test_mutants);
	return g_test_run();
}
