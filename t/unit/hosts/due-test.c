/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib/gstdio.h>

#include "hosts/due.h"
#include "hosts/hoststate.h"
#include "unit/statetexts.h"
#include "util/rate.h"

#define NOW (1000 * (gint64)G_USEC_PER_SEC)

static const struct health_limits limits = {5 * G_USEC_PER_SEC,
    300 * G_USEC_PER_SEC};

static void
set_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	const struct due late = {NOW + 1, 3};
	const struct due now = {NOW, 7};
	/* Of before a restart, when the clock was far ahead. */
	const struct due old = {NOW + RATE_SPAN_MAX + 1, 1};

	due_set(view, "a.example.com", 25, &late);
	due_set(view, "b.example.com", 2525, &now);
	due_set(view, "2001:db8::1", 25, &old);
	statefile_put(view, "due host ", "?", 1);
}

static void
check_any_work(struct statefile_view *view, void *data)
{
	const gboolean *expected = data;

	g_assert_cmpint(due_any(view, NOW), ==, *expected);
}

/* The names and counts of those that are due, "name:port=count ...". */
static void
take_work(struct statefile_view *view, void *data)
{
	GString *taken = data;
	guint16 port;
	guint count;
	char *name;

	g_string_truncate(taken, 0);
	while (due_take(view, NOW, &name, &port, &count)) {
		g_string_append_printf(taken, "%s:%u=%u ", name, port, count);
		g_free(name);
	}
}

static void
assert_any(const struct statefolder *place, gboolean expected)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);

	g_assert_true(statefile_run(file, STATEFILE_READ, check_any_work,
	    &expected, NULL));
}

static void
test_take(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(GString) taken = g_string_new(NULL);

	statefolder_make(&place);
	statetexts_put(&place, "dub=1 duf=1");
	assert_any(&place, FALSE);
	statetexts_run(&place, set_work, NULL);
	assert_any(&place, TRUE);
	statetexts_run(&place, take_work, taken);
	g_assert_cmpstr(taken->str, ==,
	    "2001:db8::1:25=1 b.example.com:2525=7 ");
	assert_any(&place, FALSE);
	statetexts_run(&place, take_work, taken);
	g_assert_cmpstr(taken->str, ==, "");
}

static void
look(const struct statefolder *place)
{
	g_autoptr(Hoststate) state = hoststate_new(place->folder, &limits);

	hoststate_look_due(state);
	g_assert_null(hoststate_take_calls(state));
	g_assert_null(hoststate_take_warning(state));
}

/* Who comes by leaves everything as it is. */
static void
test_look(void)
{
	static const char nonsense[] = "this is no database";
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;
	g_autoptr(Hoststate) forgetful = hoststate_new(NULL, &limits);
	gsize length;

	hoststate_look_due(forgetful);
	statefolder_make(&place);
	look(&place);
	g_assert_false(g_file_test(place.path, G_FILE_TEST_EXISTS));
	statetexts_put(&place, "host=1");
	before = statefolder_read(&place, &length);
	look(&place);
	after = statefolder_read(&place, &length);
	g_assert_cmpmem(before, length, after, length);
	g_assert_true(
	    g_file_set_contents(place.path, nonsense, sizeof(nonsense), NULL));
	look(&place);
	g_clear_pointer(&after, g_free);
	after = statefolder_read(&place, &length);
	g_assert_cmpmem(nonsense, sizeof(nonsense), after, length);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/due/take", test_take);
	g_test_add_func("/due/look", test_look);
	return g_test_run();
}
