/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/rotation.h"
#include "unit/table.h"

#define MEMBERS_MAX 8

/*
 * Who is picked, A for the first member, '-' for nobody.  @out: for each pick,
 * who is left out; shorter: nobody is from there on.
 */
static const struct sequence {
	const char *says;
	guint weights[MEMBERS_MAX]; /* as many as are not 0 */
	const char *out;
	const char *expected;
} sequences[] = {
    {"one member has all turns", {7}, "", "AAAA"},
    {"equals take turns in the order they come", {1, 1, 1}, "", "ABCABCABC"},
    {"whatever their weight is, if it is the same", {5, 5}, "", "ABABAB"},
    {"three to one is spread", {3, 1}, "", "AABAAABAAABA"},
    {"and so the other way round", {1, 3}, "", "BABBBABB"},
    {"a heavy one does not take all its turns at once", {5, 1, 1}, "",
	"AABACAAAABACAA"},
    {"two to one to one", {2, 1, 1}, "", "ABCAABCA"},
    {"who is left out has no turn", {1, 1, 1}, "BBBBBB", "ACACAC"},
    {"and has neither gained nor lost when it is back", {1, 1, 1}, "BBBB",
	"ACACABCABCA"},
    {"two of four left out leave the other two", {1, 1, 1, 1}, "\003\003\003",
	"CDC"},
    {"all left out leave nobody", {2, 3}, "\003\003", "--BA"},
};

/* In @turns picks each member has its share, and no run is longer. */
static const struct share {
	const char *says;
	guint weights[MEMBERS_MAX];
	guint turns;
	guint run_max;
} shares[] = {
    {"two equals", {1, 1}, 2000, 1},
    {"eight equals", {1, 1, 1, 1, 1, 1, 1, 1}, 8000, 1},
    {"3:1 never runs as long as six", {3, 1}, 4000, 3},
    {"3:1 among three", {3, 1, 1}, 5000, 3},
    {"9:1", {9, 1}, 10000, 9},
    {"primes", {2, 3, 5, 7, 11, 13}, 4100, 2},
    {"the heaviest with the lightest", {1000, 1}, 10010, 1000},
    {"the heaviest with each other", {1000, 1000, 1000}, 3000, 1},
};

static guint
count_members(const guint *weights)
{
	guint count = 0;

	while (count < MEMBERS_MAX && weights[count] != 0)
		count++;
	return count;
}

/* A letter is one member, what is less than that a set of bits. */
static gboolean
is_out(const char *out, gsize turn, guint member)
{
	if (turn >= strlen(out))
		return FALSE;
	if (out[turn] >= 'A')
		return (guint)(out[turn] - 'A') == member;
	return ((guint)out[turn] & (1U << member)) != 0;
}

static char
pick_letter(gint32 *standing, const struct sequence *row, gsize turn)
{
	guint weights[MEMBERS_MAX];
	guint count = count_members(row->weights);
	guint picked;

	for (guint i = 0; i < count; i++)
		weights[i] = is_out(row->out, turn, i) ? 0 : row->weights[i];
	picked = rotation_pick(standing, weights, count);
	return picked == count ? '-' : (char)('A' + picked);
}

static void
test_sequence(gconstpointer data)
{
	const struct sequence *row = data;
	gint32 standing[MEMBERS_MAX] = {0};
	g_autoptr(GString) picked = g_string_new(NULL);

	for (gsize turn = 0; turn < strlen(row->expected); turn++)
		g_string_append_c(picked, pick_letter(standing, row, turn));
	g_assert_cmpstr(picked->str, ==, row->expected);
}

static void
test_share(gconstpointer data)
{
	const struct share *row = data;
	guint count = count_members(row->weights);
	gint32 standing[MEMBERS_MAX] = {0};
	guint picks[MEMBERS_MAX] = {0};
	guint total = 0;
	guint last = count;
	guint run = 0;

	for (guint i = 0; i < count; i++)
		total += row->weights[i];
	for (guint turn = 0; turn < row->turns; turn++) {
		guint picked = rotation_pick(standing, row->weights, count);

		g_assert_cmpuint(picked, <, count);
		picks[picked]++;
		run = picked == last ? run + 1 : 1;
		last = picked;
		g_assert_cmpuint(run, <=, row->run_max);
	}
	for (guint i = 0; i < count; i++) {
		g_assert_cmpuint(picks[i] * total, ==,
		    row->turns * row->weights[i]);
		g_assert_cmpint(standing[i], ==, 0);
	}
}

/* Its share goes to all the others, by their weights. */
static void
test_share_of_the_missing(void)
{
	const guint weights[] = {0, 1, 2, 3};
	gint32 standing[] = {5, 0, 0, 0};
	guint picks[4] = {0};

	for (guint turn = 0; turn < 6000; turn++)
		picks[rotation_pick(standing, weights, 4)]++;
	g_assert_cmpuint(picks[0], ==, 0);
	g_assert_cmpuint(picks[1], ==, 1000);
	g_assert_cmpuint(picks[2], ==, 2000);
	g_assert_cmpuint(picks[3], ==, 3000);
	g_assert_cmpint(standing[0], ==, 5);
}

/* Whoever is left out whenever: no standing goes beyond a round. */
static void
test_standing_is_bounded(void)
{
	const guint weights[] = {1, 1, 2, 3, 10, 100};
	const gint32 round = 117;
	gint32 standing[G_N_ELEMENTS(weights)] = {0};

	for (guint turn = 0; turn < 100000; turn++) {
		guint present[G_N_ELEMENTS(weights)];
		guint32 dice = g_random_int();
		gint32 sum = 0;

		for (guint i = 0; i < G_N_ELEMENTS(weights); i++)
			present[i] = (dice >> i) & 1 ? weights[i] : 0;
		rotation_pick(standing, present, G_N_ELEMENTS(weights));
		for (guint i = 0; i < G_N_ELEMENTS(weights); i++) {
			g_assert_cmpint(ABS(standing[i]), <=, round);
			sum += standing[i];
		}
		g_assert_cmpint(sum, ==, 0);
	}
}

/* The worst that rotation.h lets in; a sanitizer tells. */
static void
test_extreme_standing(void)
{
	const guint weights[] = {1000, 1000};
	gint32 standing[] = {2000, -2000};

	for (guint i = 0; i < 4; i++)
		g_assert_cmpuint(rotation_pick(standing, weights, 2), ==,
		    i / 3);
}

static void
test_draw(void)
{
	const guint weights[] = {3, 0, 1, 6};
	guint drawn[4] = {0};

	for (int i = 0; i < 10000; i++)
		drawn[rotation_draw(weights, 4)]++;
	/* Give or take four standard deviations. */
	g_assert_cmpint(ABS((int)drawn[0] - 3000), <, 184);
	g_assert_cmpuint(drawn[1], ==, 0);
	g_assert_cmpint(ABS((int)drawn[2] - 1000), <, 120);
	g_assert_cmpint(ABS((int)drawn[3] - 6000), <, 196);
}

static void
test_draw_of_nobody(void)
{
	const guint weights[] = {0, 0};

	g_assert_cmpuint(rotation_draw(weights, 2), ==, 2);
	g_assert_cmpuint(rotation_draw(weights, 0), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_random_set_seed(1);
	TABLE_ADD("rotation/turns", sequences, test_sequence);
	TABLE_ADD("rotation/shares", shares, test_share);
	g_test_add_func("/rotation/the share of who is missing is all others'",
	    test_share_of_the_missing);
	g_test_add_func("/rotation/no standing goes beyond a round",
	    test_standing_is_bounded);
	g_test_add_func("/rotation/extreme standings", test_extreme_standing);
	g_test_add_func("/rotation/draw/by weight", test_draw);
	g_test_add_func("/rotation/draw/of nobody", test_draw_of_nobody);
	return g_test_run();
}
