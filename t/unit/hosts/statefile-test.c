/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the state file does when all is well.  What may be found in its place
 * is in statefile-place-test.c, damage within it in statefile-damage-test.c,
 * other processes in statefile-lock-test.c.
 */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/statefile.h"
#include "unit/statefolder.h"
#include "unit/statetexts.h"
#include "unit/watched.h"

/* LMDB holds some 256 MiB; no value is that large. */
#define TOO_LARGE (300 * 1024 * 1024)

static void
do_nothing(struct statefile_view *view G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

static void
test_put_and_get(void)
{
	g_auto(Statefolder) place;

	statefolder_make(&place);
	statetexts_put(&place, "b=2 a=1 c=3");
	statetexts_assert(&place, STATEFILE_WRITE, "a=1 b=2 c=3");
	statetexts_put(&place, "b=two a=1");
	statetexts_assert(&place, STATEFILE_READ, "a=1 b=two c=3");
	statetexts_delete(&place, "a");
	statetexts_delete(&place, "a");
	statetexts_delete(&place, "never there");
	statetexts_assert(&place, STATEFILE_READ, "b=two c=3");
}

static void
get_sizes(struct statefile_view *view, void *data)
{
	GString *text = data;
	gsize size = 99;

	g_string_append_printf(text, "%d %d %d",
	    statefile_get(view, "key", 6) != NULL,
	    statefile_get(view, "key", 5) != NULL,
	    statefile_get(view, "no key", 6) != NULL);
	g_assert_nonnull(statefile_get_any(view, "key", &size));
	g_assert_cmpuint(size, ==, 6);
	g_assert_null(statefile_get_any(view, "no key", &size));
}

static void
test_sizes(void)
{
	g_auto(Statefolder) place;
	g_autoptr(GString) text = g_string_new(NULL);

	statefolder_make(&place);
	statetexts_put(&place, "key=12345");
	statetexts_run(&place, get_sizes, text);
	g_assert_cmpstr(text->str, ==, "1 0 0");
}

static void
seek_some(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	const void *value;
	gsize size;
	g_autofree char *after = statefile_after("host a:25");

	g_assert_cmpstr(statefile_seek(view, "host ", &value, &size), ==,
	    "host a:25");
	g_assert_cmpstr(value, ==, "1");
	g_assert_cmpuint(size, ==, 2);
	g_assert_cmpstr(statefile_seek(view, "host a:25", &value, &size), ==,
	    "host a:25");
	g_assert_cmpstr(statefile_seek(view, after, &value, &size), ==,
	    "host a:2525");
	g_assert_cmpstr(statefile_seek(view, "host a:3", &value, &size), ==,
	    "host b:25");
	g_assert_null(statefile_seek(view, "z", &value, &size));
}

static void
test_seek(void)
{
	g_auto(Statefolder) place;
	char a[] = "host a:25", b[] = "host a:2525", c[] = "host b:25";
	char one[] = "1";
	char *words[] = {c, one, b, one, a, one, NULL};

	statefolder_make(&place);
	statetexts_run(&place, statetexts_put_work, words);
	statetexts_run(&place, seek_some, NULL);
}

static void
test_nothing_to_read(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Statefile) file = NULL;
	const char *const contents[] = {NULL, ""};

	statefolder_make(&place);
	file = statefile_new(place.folder);
	for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
		g_autoptr(GError) error = NULL;

		if (contents[i] != NULL)
			statefolder_write(&place, contents[i], 0);
		g_assert_false(statefile_run(file, STATEFILE_READ, do_nothing,
		    NULL, &error));
		g_assert_error(error, STATEFILE_ERROR, STATEFILE_ERROR_ABSENT);
		g_assert_cmpint(g_access(place.path, F_OK) == 0, ==, i == 1);
	}
}

static void
put_too_large(struct statefile_view *view, void *data)
{
	statefile_put(view, "a", "1", 2);
	statefile_put(view, "large", data, TOO_LARGE);
	statefile_put(view, "b", "2", 2);
}

static void
put_long_key(struct statefile_view *view, void *data)
{
	statefile_put(view, "a", "1", 2);
	statefile_put(view, data, "2", 2);
}

/* What fails for good keeps nothing, and is no reason for a crash. */
static void
assert_refused(void (*work)(struct statefile_view *view, void *data),
    void *data, enum statefile_access access, const char *expected)
{
	g_auto(Statefolder) place;
	g_autoptr(Statefile) file = NULL;
	g_autoptr(GError) error = NULL;

	statefolder_make(&place);
	statetexts_put(&place, "before=0");
	file = statefile_new(place.folder);
	g_assert_false(statefile_run(file, access, work, data, &error));
	g_assert_error(error, STATEFILE_ERROR, STATEFILE_ERROR_FAILED);
	g_assert_true(g_str_has_prefix(error->message, place.path));
	g_assert_cmpstr(error->message + strlen(place.path), ==, expected);
	statetexts_assert(&place, STATEFILE_WRITE,
	    access == STATEFILE_READ ? "before=0" : "");
}

static int
put_in_child(const void *data)
{
	char *value = g_malloc0(TOO_LARGE);

	assert_refused(put_too_large, value, STATEFILE_WRITE, ": full");
	g_free(value);
	return data != NULL;
}

/* In a child: LMDB loses memory over it. */
static void
test_too_large(void)
{
	if (watched_by_valgrind())
		return;
	g_assert_cmpint(statefolder_run(put_in_child, NULL), ==, 0);
}

static void
test_long_key(void)
{
	g_autofree char *key = g_strnfill(600, 'k');

	assert_refused(put_long_key, key, STATEFILE_WRITE, ": damaged");
}

static void
test_put_when_reading(void)
{
	g_auto(GStrv) words = g_strsplit("a 1", " ", 0);

	assert_refused(statetexts_put_work, words, STATEFILE_READ,
	    ": Permission denied");
}

static void
crash(struct statefile_view *view, void *data)
{
	guint *crashes = data;

	statefile_put(view, "a", "1", 2);
	if ((*crashes)-- > 0)
		raise(SIGSEGV);
}

/* In a child: what LMDB has allocated is lost. */
static int
crash_once(const void *data)
{
	const struct statefolder *place = data;
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GError) error = NULL;
	g_autofree char *notice = NULL;
	g_autofree char *expected =
	    g_strdup_printf("%s was damaged", place->path);
	guint crashes = 1;

	statefile_run(file, STATEFILE_WRITE, crash, &crashes, &error);
	g_assert_no_error(error);
	notice = statefile_take_notice(file);
	g_assert_cmpstr(notice, ==, expected);
	g_assert_cmpstr(statefile_take_notice(file), ==, NULL);
	statetexts_assert(place, STATEFILE_READ, "a=1");
	return 0;
}

static int
crash_twice(const void *data)
{
	const struct statefolder *place = data;
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GError) error = NULL;
	guint crashes = 2;

	g_assert_false(
	    statefile_run(file, STATEFILE_WRITE, crash, &crashes, &error));
	g_assert_error(error, STATEFILE_ERROR, STATEFILE_ERROR_FAILED);
	g_assert_true(g_str_has_suffix(error->message, ": damaged"));
	return 0;
}

static void
test_crash(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	statetexts_put(&place, "before=0");
	g_assert_cmpint(statefolder_run(crash_once, &place), ==, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "a=1");
	g_assert_cmpint(statefolder_run(crash_twice, &place), ==, 0);
	statetexts_assert(&place, STATEFILE_WRITE, "");
}

/* Not the other one's of the same name. */
static void
test_handles(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Statefile) unused = NULL;
	g_autoptr(Statefile) file = NULL;
	int fd;

	statefolder_make(&place);
	unused = statefile_new(place.folder);
	g_assert_cmpint(g_access(place.path, F_OK), <, 0);
	file = statefile_new(place.folder);
	fd = statefile_ticket_fd(file);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(statefile_ticket_fd(file), ==, fd);
	g_assert_cmpstr(statefile_take_notice(file), ==, NULL);
	statefile_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/statefile/put, get and delete", test_put_and_get);
	g_test_add_func("/statefile/values of a size", test_sizes);
	g_test_add_func("/statefile/seek", test_seek);
	g_test_add_func("/statefile/handles cost nothing", test_handles);
	g_test_add_func("/statefile/nothing to read", test_nothing_to_read);
	g_test_add_func("/statefile/a value that is too large", test_too_large);
	g_test_add_func("/statefile/a key that is too long", test_long_key);
	g_test_add_func("/statefile/who reads cannot put",
	    test_put_when_reading);
	g_test_add_func("/statefile/work that crashes", test_crash);
	return g_test_run();
}
