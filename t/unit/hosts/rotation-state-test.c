/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns as the state file remembers them, and how many it does.
 */
#include <config.h>

#include <string.h>

#include "hosts/rotation.h"
#include "unit/statetexts.h"
#include "unit/watched.h"

#define PREFIX "group "
#define MANY   300

/* As sweep.c has it. */
#define TURNS_MAX 20000

#define WEEK (7 * 86400 * (gint64)G_USEC_PER_SEC)

/* Turns of a group, and who has had them, A for the first. */
struct turns {
	const struct contender *group;
	guint count;
	guint turns;
	GString *taken;
};

static const struct contender pair[] = {
    {.name = "a.example.com", .port = 25, .weight = 1},
    {.name = "b.example.com", .port = 25, .weight = 1},
};

static void
take_work(struct statefile_view *view, void *data)
{
	struct turns *turns = data;
	g_autofree guint *weights =
	    rotation_weights(turns->group, turns->count);

	for (guint i = 0; i < turns->turns; i++) {
		guint turn =
		    rotation_take(view, turns->group, weights, turns->count);

		g_assert_cmpuint(turn, <, turns->count);
		g_string_append_c(turns->taken, (char)('A' + turn));
	}
}

static void
assert_turns(const struct statefolder *place, const struct contender *group,
    guint count, const char *expected)
{
	g_autoptr(GString) taken = g_string_new(NULL);
	struct turns turns = {group, count, (guint)strlen(expected), taken};

	statetexts_run(place, take_work, &turns);
	g_assert_cmpstr(taken->str, ==, expected);
}

/* Records of groups, and the size of the last one. */
struct records {
	guint count;
	gsize size;
	char *key; /* of the last one */
};

static void
look_work(struct statefile_view *view, void *data)
{
	struct records *records = data;
	g_autofree char *from = g_strdup(PREFIX);
	const void *value;
	gsize size;
	const char *key;

	while ((key = statefile_seek(view, from, &value, &size)) != NULL &&
	    g_str_has_prefix(key, PREFIX)) {
		records->count++;
		records->size = size;
		g_free(records->key);
		records->key = g_strdup(key);
		g_free(from);
		from = statefile_after(key);
	}
}

static void
assert_records(const struct statefolder *place, guint count, gsize size)
{
	struct records records = {0};

	statetexts_run(place, look_work, &records);
	g_assert_cmpuint(records.count, ==, count);
	g_assert_cmpuint(records.size, ==, size);
	g_free(records.key);
}

static void
test_remembered(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	assert_turns(&place, pair, 2, "A");
	assert_turns(&place, pair, 2, "B");
	assert_turns(&place, pair, 2, "ABA");
	assert_records(&place, 1, sizeof(gint64) + 2 * sizeof(gint32));
	assert_turns(&place, pair, 2, "B");
}

/* By names, ports and weights, and who was tried. */
static void
test_groups(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct contender other[G_N_ELEMENTS(pair)];

	statefolder_make(&place);
	assert_turns(&place, pair, 2, "A");
	memcpy(other, pair, sizeof(pair));
	other[1].name = "c.example.com";
	assert_turns(&place, other, 2, "A");
	memcpy(other, pair, sizeof(pair));
	other[1].port = 26;
	assert_turns(&place, other, 2, "A");
	memcpy(other, pair, sizeof(pair));
	other[1].weight = 2;
	assert_turns(&place, other, 2, "B");
	memcpy(other, pair, sizeof(pair));
	other[0].standing = STANDING_TRIED;
	assert_turns(&place, other, 2, "BB");
	assert_records(&place, 5, sizeof(gint64) + 2 * sizeof(gint32));
	/* Who is down is a member, and the turns are the same. */
	other[0].standing = STANDING_DOWN;
	assert_turns(&place, other, 2, "B");
	assert_records(&place, 5, sizeof(gint64) + 2 * sizeof(gint32));
}

/* There is nothing to take turns about. */
static void
test_one(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	assert_turns(&place, pair, 1, "AAA");
	assert_records(&place, 0, 0);
}

static void
test_weights(void)
{
	struct contender group[] = {
	    {.name = "a", .weight = 3, .standing = STANDING_DOWN},
	    {.name = "b", .weight = 5},
	    {.name = "c", .weight = 7, .standing = STANDING_FULL},
	    {.name = "d", .weight = 9},
	};
	const guint expected[] = {0, 5, 0, 9};
	g_autofree guint *weights = rotation_weights(group, 4);
	g_autofree guint *one = NULL;

	g_assert_cmpmem(weights, sizeof(expected), expected, sizeof(expected));
	group[1].standing = STANDING_DRAINED;
	one = rotation_weights(group, 4);
	g_assert_nonnull(one);
	group[3].standing = STANDING_TRIED;
	g_assert_null(rotation_weights(group, 4));
}

static void
load_work(struct statefile_view *view, void *data)
{
	g_autofree gint32 *turns = rotation_load(view, pair, 2);

	memcpy(data, turns, 2 * sizeof(*turns));
}

static void
test_load(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autofree gint32 *none = rotation_load(NULL, pair, 2);
	gint32 turns[2] = {7, 7};

	g_assert_cmpint(none[0], ==, 0);
	g_assert_cmpint(none[1], ==, 0);
	statefolder_make(&place);
	statetexts_run(&place, load_work, turns);
	g_assert_cmpint(turns[0], ==, 0);
	assert_turns(&place, pair, 2, "A");
	statetexts_run(&place, load_work, turns);
	g_assert_cmpint(turns[0], ==, -1);
	g_assert_cmpint(turns[1], ==, 1);
	/* To look is not to take. */
	assert_turns(&place, pair, 2, "B");
}

static void
damage_work(struct statefile_view *view, void *data)
{
	struct records *records = data;
	guint8 value[sizeof(gint64) + 3 * sizeof(gint32)] = {0};
	const gint32 turns[] = {G_MAXINT32, G_MININT32, 7};

	look_work(view, records);
	memcpy(value + sizeof(gint64), turns, sizeof(turns));
	statefile_put(view, records->key, value, records->size);
}

/* What stands there is within a round, 2 here, or another size. */
static void
test_damage(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct records records = {0};
	gint32 turns[2];

	statefolder_make(&place);
	assert_turns(&place, pair, 2, "A");
	statetexts_run(&place, damage_work, &records);
	statetexts_run(&place, load_work, turns);
	g_assert_cmpint(turns[0], ==, 2);
	g_assert_cmpint(turns[1], ==, -2);
	assert_turns(&place, pair, 2, "AAAB");
	g_free(records.key);
}

static void
damage_size_work(struct statefile_view *view, void *data)
{
	struct records *records = data;
	gint64 value[3] = {0, G_MAXINT64, G_MAXINT64};

	look_work(view, records);
	statefile_put(view, records->key, value, sizeof(value));
}

static void
test_size(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct records records = {0};

	statefolder_make(&place);
	assert_turns(&place, pair, 2, "A");
	statetexts_run(&place, damage_size_work, &records);
	assert_turns(&place, pair, 2, "AB");
	assert_records(&place, 1, sizeof(gint64) + 2 * sizeof(gint32));
	g_free(records.key);
}

/* A few hundred hosts of equal priority are drawn, not remembered. */
static void
test_large(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct contender group[MANY];
	g_autoptr(GString) taken = g_string_new(NULL);
	struct turns turns = {group, MANY, 500, taken};
	guint picks[MANY] = {0};
	guint picked = 0;

	for (guint i = 0; i < MANY; i++)
		group[i] = pair[i % 2];
	statefolder_make(&place);
	statetexts_run(&place, take_work, &turns);
	assert_records(&place, 0, 0);
	for (guint i = 0; i < 500; i++) {
		guint letter = (guint8)(taken->str[i] - 'A');

		if (picks[letter]++ == 0)
			picked++;
	}
	/* Chance, not the first one again and again. */
	g_assert_cmpuint(picked, >, 100);
	turns.count = ROTATION_MEMBERS_MAX;
	statetexts_run(&place, take_work, &turns);
	assert_records(&place, 1,
	    sizeof(gint64) + ROTATION_MEMBERS_MAX * sizeof(gint32));
	turns.count = ROTATION_MEMBERS_MAX + 1;
	statetexts_run(&place, take_work, &turns);
	assert_records(&place, 1,
	    sizeof(gint64) + ROTATION_MEMBERS_MAX * sizeof(gint32));
}

static void
many_work(struct statefile_view *view, void *data)
{
	guint *from = data;

	for (guint i = 0; i < TURNS_MAX / 2; i++, ++*from) {
		struct contender group[] = {pair[0], pair[1]};
		const guint weights[] = {1, 1};

		group[1].weight = 1 + *from;
		rotation_take(view, group, weights, 2);
	}
}

/* Whatever the number of routes, and of hosts that some message had tried. */
static void
test_many(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct records records = {0};
	guint from = 1;

	/* Thousands of changes in one transaction. */
	if (watched_by_valgrind())
		return;
	statefolder_make(&place);
	assert_turns(&place, pair, 2, "A");
	for (guint i = 0; i < 4; i++)
		statetexts_run(&place, many_work, &from);
	statetexts_run(&place, look_work, &records);
	g_assert_cmpuint(records.count, <=, TURNS_MAX);
	g_assert_cmpuint(records.count, >, TURNS_MAX / 2);
	g_free(records.key);
	/* The oldest is gone, the newest is not. */
	assert_turns(&place, pair, 2, "A");
	{
		struct contender newest[] = {pair[0], pair[1]};

		newest[1].weight = from - 1;
		assert_turns(&place, newest, 2, "B");
	}
}

static void
old_work(struct statefile_view *view, void *data G_GNUC_UNUSED)
{
	gint64 value[2] = {g_get_real_time() - WEEK - G_USEC_PER_SEC, 0};

	statefile_put(view, PREFIX "~old", value, sizeof(value));
	value[0] += 60 * (gint64)G_USEC_PER_SEC;
	statefile_put(view, PREFIX "~young", value, sizeof(value));
}

/* Whoever adds one looks at others. */
static void
test_old(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	statetexts_run(&place, old_work, NULL);
	assert_turns(&place, pair, 2, "A");
	assert_records(&place, 2, 2 * sizeof(gint64));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rotation/state/turns are remembered",
	    test_remembered);
	g_test_add_func("/rotation/state/what makes a group", test_groups);
	g_test_add_func("/rotation/state/one has no turns", test_one);
	g_test_add_func("/rotation/state/weights of who can be had",
	    test_weights);
	g_test_add_func("/rotation/state/what it goes by", test_load);
	g_test_add_func("/rotation/state/nobody is far ahead", test_damage);
	g_test_add_func("/rotation/state/a record of another size", test_size);
	g_test_add_func("/rotation/state/a large group", test_large);
	g_test_add_func("/rotation/state/many groups", test_many);
	g_test_add_func("/rotation/state/old ones go", test_old);
	return g_test_run();
}
