/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "hosts/backlog.h"
#include "hosts/deferred.h"
#include "unit/statetexts.h"

static struct contender first[] = {
    {.name = "a.example.com", .port = 25, .standing = STANDING_DOWN},
    {.name = "b.example.com", .port = 25, .standing = STANDING_DOWN},
};
static struct contender second[] = {
    {.name = "a.example.com", .port = 26, .standing = STANDING_DOWN},
};

static void
add_work(struct statefile_view *view, void *data)
{
	const char *id = data;

	if (id[0] == '1')
		deferred_add(view, id, first, G_N_ELEMENTS(first));
	else
		deferred_add(view, id, second, G_N_ELEMENTS(second));
}

static void
add(const struct statefolder *place, const char *id)
{
	statetexts_run(place, add_work, (void *)(guintptr)id);
}

static struct backlog *
read_it(const struct statefolder *place)
{
	g_autoptr(GError) error = NULL;
	struct backlog *backlog = backlog_read(place->folder, &error);

	g_assert_no_error(error);
	g_assert_nonnull(backlog);
	return backlog;
}

static void
assert_messages(const struct statefolder *place, guint all, guint of_first,
    guint of_second)
{
	g_autoptr(Backlog) backlog = read_it(place);
	g_autofree char *one = deferred_route(first, G_N_ELEMENTS(first));
	g_autofree char *two = deferred_route(second, G_N_ELEMENTS(second));

	g_assert_cmpuint(backlog->all.messages, ==, all);
	g_assert_cmpuint(backlog_of(backlog, one).messages, ==, of_first);
	g_assert_cmpuint(backlog_of(backlog, two).messages, ==, of_second);
	g_assert_cmpuint(backlog_of(backlog, "nobody").messages, ==, 0);
}

static void
test_count(void)
{
	g_auto(Statefolder) place;

	statefolder_make(&place);
	assert_messages(&place, 0, 0, 0);
	add(&place, "1A");
	add(&place, "1B");
	/* The same once more. */
	add(&place, "1B");
	add(&place, "2A");
	assert_messages(&place, 3, 2, 1);
}

/* When the first one was put; what is deferred again begins again. */
static void
test_oldest(void)
{
	g_autoptr(Backlog) one = NULL;
	g_autoptr(Backlog) two = NULL;
	g_auto(Statefolder) place;
	gint64 before = g_get_real_time();

	statefolder_make(&place);
	add(&place, "1A");
	one = read_it(&place);
	g_assert_cmpint(one->all.oldest, >=, before);
	g_assert_cmpint(one->all.oldest, <=, g_get_real_time());
	add(&place, "2A");
	two = read_it(&place);
	g_assert_cmpint(two->all.oldest, ==, one->all.oldest);
}

/* As if the first one had been put some time ago. */
static void
age_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	gint64 then = g_get_real_time() - 2 * DEFERRED_AGE_MIN;
	const void *value;
	gsize size;
	g_autofree char *key =
	    g_strdup(statefile_seek(view, "late ", &value, &size));

	g_assert_nonnull(key);
	statefile_put(view, key, &then, sizeof(then));
}

static void
take_work(struct statefile_view *view, void *data)
{
	deferred_take(view, "a.example.com", 25, 1, data);
}

static void
test_woken(void)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Backlog) backlog = NULL;
	g_auto(Statefolder) place;

	statefolder_make(&place);
	add(&place, "1A");
	add(&place, "1B");
	backlog = read_it(&place);
	g_assert_cmpuint(backlog->woken, ==, 0);
	g_clear_pointer(&backlog, backlog_free);
	statetexts_run(&place, age_work, NULL);
	statetexts_run(&place, take_work, ids);
	backlog = read_it(&place);
	g_assert_cmpuint(ids->len, ==, 1);
	g_assert_cmpuint(backlog->woken, ==, 1);
	g_assert_cmpuint(backlog->all.messages, ==, 1);
}

static void
test_unreadable(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(Statefolder) place;

	statefolder_make(&place);
	add(&place, "1A");
	statefolder_write(&place, "nothing that LMDB knows", 23);
	g_assert_null(backlog_read(place.folder, &error));
	g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/backlog/count", test_count);
	g_test_add_func("/backlog/oldest", test_oldest);
	g_test_add_func("/backlog/woken", test_woken);
	g_test_add_func("/backlog/unreadable", test_unreadable);
	return g_test_run();
}
