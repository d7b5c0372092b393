/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "hosts/capacity.h"

#define NOW  1000
#define SPAN 300

static guint
sessions(const struct capacity *capacity, gint64 now)
{
	return capacity_sessions(capacity, now, SPAN);
}

static void
test_learn(void)
{
	struct capacity capacity = {0};

	g_assert_cmpuint(sessions(&capacity, NOW), ==, G_MAXUINT);
	g_assert_true(capacity_refused(&capacity, 4, NOW, SPAN));
	g_assert_cmpuint(sessions(&capacity, NOW), ==, 4);
	g_assert_false(capacity_refused(&capacity, 4, NOW, SPAN));
	/* More as well as less. */
	g_assert_true(capacity_refused(&capacity, 6, NOW, SPAN));
	g_assert_true(capacity_refused(&capacity, 3, NOW, SPAN));
	g_assert_cmpuint(sessions(&capacity, NOW), ==, 3);
}

/* By one, whenever so many have succeeded in a row. */
static void
test_grow(void)
{
	static const guint expected[] = {2, 3, 3, 3, 4, 4};
	struct capacity capacity = {0};

	capacity_refused(&capacity, 2, NOW, SPAN);
	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		capacity_succeeded(&capacity, NOW, SPAN);
		g_assert_cmpuint(sessions(&capacity, NOW), ==, expected[i]);
	}
	/* A refusal begins the row anew. */
	capacity_refused(&capacity, 2, NOW, SPAN);
	capacity_succeeded(&capacity, NOW, SPAN);
	capacity_refused(&capacity, 2, NOW, SPAN);
	capacity_succeeded(&capacity, NOW, SPAN);
	g_assert_cmpuint(sessions(&capacity, NOW), ==, 2);
}

static void
test_forget(void)
{
	struct capacity capacity = {0};

	capacity_refused(&capacity, 2, NOW, SPAN);
	g_assert_cmpuint(sessions(&capacity, NOW + SPAN - 1), ==, 2);
	g_assert_cmpuint(sessions(&capacity, NOW + SPAN), ==, G_MAXUINT);
	/* The machine was started again. */
	g_assert_cmpuint(sessions(&capacity, NOW - 1), ==, G_MAXUINT);
	capacity_succeeded(&capacity, NOW + SPAN, SPAN);
	g_assert_cmpuint(capacity.sessions, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/capacity/learnt from refusals", test_learn);
	g_test_add_func("/capacity/grows with success", test_grow);
	g_test_add_func("/capacity/forgotten in time", test_forget);
	return g_test_run();
}
