/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "hosts/window.h"
#include "unit/slide.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

static const gint64 spans[] = {SECOND, 7 * SECOND, 60 * SECOND,
    3600 * SECOND + 1, 31 * 86400 * SECOND};

/*
 * As many as there may be, @count at a time every @step: never more in any
 * window, and never less than 95 % of what there could be.
 */
static void
fill(gint64 span, guint32 most, guint32 count, gint64 step, gint64 begin)
{
	struct window window = {.span = span};
	g_autoptr(GArray) seen = slide_new();
	gint64 end = begin + 10 * span;
	guint64 least;

	for (gint64 now = begin; now < end; now += step) {
		window_advance(&window, now);
		if (window_sum(&window) + count > most)
			continue;
		window_add(&window, now, count);
		slide_add(seen, now, count);
	}
	slide_check(seen, span, most);
	least = (guint64)(most / count * count) * 10 * 95 / 100;
	g_assert_cmpuint(slide_total(seen), >=, least);
}

static void
test_filled(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(spans); i++) {
		gint64 step = spans[i] / 997;

		fill(spans[i], 30, 1, step, 0);
		fill(spans[i], 300, 1, step, 12345);
		fill(spans[i], 100, 7, step, spans[i] / 3);
		fill(spans[i], 1, 1, step, 99 * spans[i] - 1);
		fill(spans[i], 1000000000, 10000000, step, 1);
	}
}

/* Whenever there is room for it, a random number at a random time. */
static void
random_run(GRand *rand)
{
	gint64 span = spans[g_rand_int_range(rand, 0, G_N_ELEMENTS(spans))];
	guint64 most = (guint64)g_rand_int_range(rand, 1, 50);
	struct window window = {.span = span};
	g_autoptr(GArray) seen = slide_new();
	gint64 now = g_rand_int_range(rand, 0, G_MAXINT32);

	for (guint i = 0; i < 500; i++) {
		guint32 count = (guint32)g_rand_int_range(rand, 1, 5);

		now += (gint64)g_rand_double_range(rand, 0, (double)span / 10);
		window_advance(&window, now);
		if (window_sum(&window) + count > most)
			continue;
		window_add(&window, now, count);
		slide_add(seen, now, count);
	}
	slide_check(seen, span, most);
}

static void
test_random(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());

	for (guint i = 0; i < 200; i++)
		random_run(rand);
}

/* The wait is neither too short nor too long. */
static void
test_wait(void)
{
	gint64 now = 1000 * SECOND + 123;

	for (guint i = 0; i < G_N_ELEMENTS(spans); i++) {
		struct window window = {.span = spans[i]};
		struct window early;
		gint64 wait;

		window_advance(&window, now);
		window_add(&window, now, 3);
		g_assert_cmpint(window_wait(&window, now, 3), ==, 0);
		window_advance(&window, now + spans[i] / 2);
		window_add(&window, now + spans[i] / 2, 3);
		wait = window_wait(&window, now + spans[i] / 2, 3);
		g_assert_cmpint(wait, >=, spans[i] / 2);
		g_assert_cmpint(wait, <=, spans[i] / 2 + spans[i] / 59);
		early = window;
		window_advance(&early, now + spans[i] / 2 + wait - 1);
		g_assert_cmpuint(window_sum(&early), ==, 6);
		window_advance(&window, now + spans[i] / 2 + wait);
		g_assert_cmpuint(window_sum(&window), ==, 3);
		g_assert_cmpint(window_wait(&window, now + spans[i] / 2 + wait,
				    0),
		    >, 0);
	}
}

/* What is known late counts when it was, and not at all if it is too old. */
static void
test_late(void)
{
	struct window window = {.span = 60 * SECOND};

	window_advance(&window, 100 * SECOND);
	window_add(&window, 70 * SECOND, 2);
	window_add(&window, 39 * SECOND, 4);
	g_assert_cmpuint(window_sum(&window), ==, 2);
	window_advance(&window, 130 * SECOND);
	g_assert_cmpuint(window_sum(&window), ==, 2);
	window_advance(&window, 131 * SECOND);
	g_assert_cmpuint(window_sum(&window), ==, 0);
}

/* A clock that goes back, which ours does not, makes no room. */
static void
test_backwards(void)
{
	struct window window = {.span = 60 * SECOND};

	window_advance(&window, 1000 * SECOND);
	window_add(&window, 1000 * SECOND, 5);
	window_advance(&window, 10 * SECOND);
	g_assert_cmpuint(window_sum(&window), ==, 5);
	window_advance(&window, 1061 * SECOND);
	g_assert_cmpuint(window_sum(&window), ==, 0);
}

/* Counts do not wrap. */
static void
test_much(void)
{
	struct window window = {.span = SECOND};

	window_advance(&window, SECOND);
	window_add(&window, SECOND, G_MAXUINT32 - 1);
	window_add(&window, SECOND, 5);
	g_assert_cmpuint(window_sum(&window), ==, G_MAXUINT32);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/window/filled", test_filled);
	g_test_add_func("/window/random", test_random);
	g_test_add_func("/window/wait", test_wait);
	g_test_add_func("/window/late", test_late);
	g_test_add_func("/window/backwards", test_backwards);
	g_test_add_func("/window/much", test_much);
	return g_test_run();
}
