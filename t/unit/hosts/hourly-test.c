/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "hosts/hourly.h"

#define HOUR (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/* Some time of day, amid an hour. */
#define NOON (G_GINT64_CONSTANT(500000) * HOUR + HOUR / 2)

static guint64
sum(const struct hourly *hourly, gint64 now, enum hourly_kind kind)
{
	guint64 total = 0;

	for (guint ago = 0; ago < HOURLY_HOURS; ago++)
		total += hourly_get(hourly, now, ago, kind);
	return total;
}

static void
test_kinds(void)
{
	struct hourly hourly = {0};

	hourly_add(&hourly, NOON, HOURLY_SENT, 5);
	hourly_add(&hourly, NOON, HOURLY_DEFERRED, 3);
	hourly_add(&hourly, NOON + HOUR / 2 - 1, HOURLY_SENT, 2);
	hourly_add(&hourly, NOON + HOUR / 2, HOURLY_BOUNCED, 1);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 0, HOURLY_SENT), ==, 7);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 0, HOURLY_DEFERRED), ==, 3);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 0, HOURLY_FAILED), ==, 0);
	g_assert_cmpuint(hourly_get(&hourly, NOON + HOUR, 1, HOURLY_SENT), ==,
	    7);
	g_assert_cmpuint(hourly_get(&hourly, NOON + HOUR, 0, HOURLY_BOUNCED),
	    ==, 1);
	g_assert_cmpuint(hourly_get(&hourly, NOON + HOUR, 0, HOURLY_SENT), ==,
	    0);
}

/* Each hour has its own number, for so long as it is one of the day's. */
static void
test_day(void)
{
	struct hourly hourly = {0};

	for (guint i = 0; i < 100; i++) {
		gint64 now = NOON + (gint64)i * HOUR;

		hourly_add(&hourly, now, HOURLY_SENT, i + 1);
		for (guint ago = 0; ago < HOURLY_HOURS + 5; ago++) {
			guint expected =
			    ago < HOURLY_HOURS && ago <= i ? i + 1 - ago : 0;

			g_assert_cmpuint(hourly_get(&hourly, now, ago,
					     HOURLY_SENT),
			    ==, expected);
		}
	}
}

/* Hours without mail leave nothing of a day before. */
static void
test_gap(void)
{
	for (guint gap = 1; gap < 60; gap++) {
		gint64 later = NOON + (gint64)gap * HOUR;
		struct hourly hourly = {0};

		for (guint i = HOURLY_HOURS; i > 0; i--)
			hourly_add(&hourly, NOON - (gint64)(i - 1) * HOUR,
			    HOURLY_FAILED, 1);
		g_assert_cmpuint(sum(&hourly, later, HOURLY_FAILED), ==,
		    gap < HOURLY_HOURS ? HOURLY_HOURS - gap : 0);
		hourly_add(&hourly, later, HOURLY_FAILED, 1);
		g_assert_cmpuint(sum(&hourly, later, HOURLY_FAILED), ==,
		    1 + (gap < HOURLY_HOURS ? HOURLY_HOURS - gap : 0));
	}
}

static void
test_clock(void)
{
	struct hourly hourly = {0};

	hourly_add(&hourly, NOON, HOURLY_SENT, 4);
	/* Set back by an hour. */
	hourly_add(&hourly, NOON - HOUR, HOURLY_SENT, 2);
	g_assert_cmpuint(hourly_get(&hourly, NOON - HOUR, 0, HOURLY_SENT), ==,
	    2);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 0, HOURLY_SENT), ==, 4);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 1, HOURLY_SENT), ==, 2);
	/* By a day: the hour is another one of the same number. */
	hourly_add(&hourly, NOON - HOURLY_HOURS * HOUR, HOURLY_SENT, 3);
	g_assert_cmpuint(sum(&hourly, NOON - HOURLY_HOURS * HOUR, HOURLY_SENT),
	    ==, 3);
	/* By a year: what was counted is of no day that it knows. */
	g_assert_cmpuint(sum(&hourly, NOON - 8760 * HOUR, HOURLY_SENT), ==, 0);
	hourly_add(&hourly, NOON - 8760 * HOUR, HOURLY_SENT, 1);
	g_assert_cmpuint(sum(&hourly, NOON - 8760 * HOUR, HOURLY_SENT), ==, 1);
	/* Before 1970. */
	hourly_add(&hourly, -1, HOURLY_SENT, 1);
	g_assert_cmpuint(sum(&hourly, -1, HOURLY_SENT), ==, 1);
	/* A clock that goes far ahead. */
	hourly_add(&hourly, G_MAXINT64, HOURLY_SENT, 3);
	g_assert_cmpuint(sum(&hourly, G_MAXINT64, HOURLY_SENT), ==, 3);
	g_assert_cmpuint(sum(&hourly, 0, HOURLY_SENT), ==, 0);
}

static void
test_much(void)
{
	struct hourly hourly = {0};

	hourly_add(&hourly, NOON, HOURLY_SENT, G_MAXUINT64);
	hourly_add(&hourly, NOON, HOURLY_SENT, 1);
	g_assert_cmpuint(hourly_get(&hourly, NOON, 0, HOURLY_SENT), ==,
	    G_MAXUINT32);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hourly/kinds", test_kinds);
	g_test_add_func("/hourly/day", test_day);
	g_test_add_func("/hourly/gap", test_gap);
	g_test_add_func("/hourly/clock", test_clock);
	g_test_add_func("/hourly/much", test_much);
	return g_test_run();
}
