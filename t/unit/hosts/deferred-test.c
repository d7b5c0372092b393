/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "hosts/deferred.h"
#include "unit/statetexts.h"
#include "unit/watched.h"

#define OLD (2 * (gint64)G_USEC_PER_SEC)

/* Two hosts that cannot be had, one that was tried and is not to blame. */
static struct contender route[] = {
    {.name = "a.example.com", .port = 25, .standing = STANDING_DOWN},
    {.name = "b.example.com", .port = 25, .standing = STANDING_FULL},
    {.name = "c.example.com", .port = 25, .standing = STANDING_FREE},
};

static void
add_work(struct statefile_view *view, void *data)
{
	deferred_add(view, data, route, G_N_ELEMENTS(route));
}

static void
add(const struct statefolder *place, const char *id)
{
	statetexts_run(place, add_work, (void *)(guintptr)id);
}

/* As if all had been put some time ago. */
static void
age_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	g_autofree char *from = g_strdup("late ");
	gint64 then = g_get_real_time() - OLD;

	for (;;) {
		const void *value;
		gsize size;
		const char *found = statefile_seek(view, from, &value, &size);
		g_autofree char *key = g_strdup(found);

		if (key == NULL || !g_str_has_prefix(key, "late "))
			return;
		statefile_put(view, key, &then, sizeof(then));
		g_free(from);
		from = statefile_after(key);
	}
}

struct take {
	const char *host;
	guint max;
	GPtrArray *ids;
	gboolean young;
};

static void
take_work(struct statefile_view *view, void *data)
{
	struct take *take = data;

	take->young = deferred_take(view, take->host, 25, take->max, take->ids);
}

/* The ids, with "+" behind them if there are younger ones. */
static char *
take(const struct statefolder *place, const char *host, guint max)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	struct take take = {.host = host, .max = max, .ids = ids};
	GString *text = g_string_new(NULL);

	statetexts_run(place, take_work, &take);
	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
		    (const char *)g_ptr_array_index(ids, i));
	if (take.young)
		g_string_append_c(text, '+');
	return g_string_free(text, FALSE);
}

static void
any_work(struct statefile_view *view, void *data)
{
	*(gboolean *)data = deferred_any(view);
}

static void
waits_work(struct statefile_view *view, void *data)
{
	gboolean *waits = data;

	waits[0] = deferred_waits_for(view, route[0].name, 25);
	waits[1] = deferred_waits_for(view, route[1].name, 25);
	waits[2] = deferred_waits_for(view, route[2].name, 25);
}

static void
assert_took(const struct statefolder *place, const char *host, guint max,
    const char *expected)
{
	g_autofree char *ids = take(place, host, max);

	g_assert_cmpstr(ids, ==, expected);
}

static gboolean
any(const struct statefolder *place)
{
	gboolean result;

	statetexts_run(place, any_work, &result);
	return result;
}

static void
test_once(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	gboolean waits[3];

	statefolder_make(&place);
	g_assert_false(any(&place));
	add(&place, "4F1B");
	add(&place, "4F1C");
	/* The same again is the same. */
	add(&place, "4F1B");
	statetexts_run(&place, waits_work, waits);
	g_assert_true(waits[0] && waits[1]);
	g_assert_false(waits[2]);
	assert_took(&place, "c.example.com", 10, "");
	assert_took(&place, "a.example.com", 10, "+");
	statetexts_run(&place, age_work, NULL);
	assert_took(&place, "b.example.com", 1, "4F1B");
	g_assert_true(any(&place));
	/* Who was taken for one host is so for all. */
	assert_took(&place, "a.example.com", 10, "4F1C");
	assert_took(&place, "b.example.com", 10, "");
	g_assert_false(any(&place));
	statetexts_run(&place, waits_work, waits);
	g_assert_false(waits[1]);
}

static void
remove_work(struct statefile_view *view, void *data)
{
	g_autofree char *key = deferred_route(route, G_N_ELEMENTS(route));

	deferred_remove(view, data, key);
}

static void
test_remove(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	char id[] = "4F1B";
	char other[] = "4F1C";

	statefolder_make(&place);
	add(&place, id);
	statetexts_run(&place, remove_work, other);
	g_assert_true(any(&place));
	statetexts_run(&place, remove_work, id);
	g_assert_false(any(&place));
	assert_took(&place, "a.example.com", 10, "");
}

static void
add_many_work(struct statefile_view *view, void *data)
{
	guint *next = data;

	for (guint i = 0; i < DEFERRED_MAX; i++) {
		g_autofree char *id = g_strdup_printf("%08X", (*next)++);

		deferred_add(view, id, route, G_N_ELEMENTS(route));
	}
}

/* The oldest are forgotten first. */
static void
test_many(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	struct take take = {"a.example.com", G_MAXUINT, ids, FALSE};
	guint next = 0;

	/* So long it may not take. */
	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	statetexts_run(&place, add_many_work, &next);
	statetexts_run(&place, age_work, NULL);
	add(&place, "LAST");
	statetexts_run(&place, take_work, &take);
	g_assert_cmpuint(ids->len, <, DEFERRED_MAX);
	g_assert_true(take.young);
	statetexts_run(&place, age_work, NULL);
	assert_took(&place, "a.example.com", 10, "LAST");
}

static void
test_ids(void)
{
	g_autofree char *longest = g_strnfill(DEFERRED_ID_MAX, 'A');
	g_autofree char *longer = g_strnfill(DEFERRED_ID_MAX + 1, 'A');

	g_assert_true(deferred_is_id("4F1B2C"));
	g_assert_true(deferred_is_id("3yQ1fD5Yz7zB"));
	g_assert_true(deferred_is_id(longest));
	g_assert_false(deferred_is_id(longer));
	g_assert_false(deferred_is_id(""));
	g_assert_false(deferred_is_id("-f"));
	g_assert_false(deferred_is_id("4F1B 4F1C"));
	g_assert_false(deferred_is_id("../4F1B"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deferred/taken once", test_once);
	g_test_add_func("/deferred/removed", test_remove);
	g_test_add_func("/deferred/not too many", test_many);
	g_test_add_func("/deferred/queue ids", test_ids);
	return g_test_run();
}
