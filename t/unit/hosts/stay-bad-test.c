/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses of a host are remembered as bad.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/stay.h"
#include "unit/visits.h"

#define S   G_USEC_PER_SEC
#define NOW (1000 * S)

/* The bad addresses' last numbers, in the order of their places. */
static char *
bad_text(const struct hostrecord *record)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		const char *address = record->bad[i].text;

		if (address[0] != '\0')
			g_string_append_printf(text, "%s%s",
			    text->len > 0 ? " " : "", strrchr(address, '.'));
	}
	return g_string_free(text, FALSE);
}

static void
assert_bad(const struct hostrecord *record, const char *expected)
{
	g_autofree char *text = bad_text(record);

	g_assert_cmpstr(text, ==, expected);
}

static void
test_bad_addresses(void)
{
	struct hostrecord record = {0};

	visits_apply(&record, "x D x", NOW);
	assert_bad(&record, ".1 .3");
	g_assert_cmpint(record.bad[0].until, ==, NOW + visits_limits.max);
	/* Later again, in the same place. */
	visits_apply(&record, "x D", NOW + S);
	assert_bad(&record, ".1 .3");
	g_assert_cmpint(record.bad[0].until, ==, NOW + S + visits_limits.max);
	g_assert_cmpint(record.bad[1].until, ==, NOW + visits_limits.max);
	/* Who answers is good. */
	visits_apply(&record, "D", NOW);
	assert_bad(&record, ".3");
	visits_apply(&record, "D x", NOW);
	assert_bad(&record, ".2 .3");
}

/* Then it is the host that is down. */
static void
test_no_address_answers(void)
{
	struct hostrecord record = {0};

	visits_apply(&record, "x x", NOW);
	assert_bad(&record, "");
	g_assert_false(health_is_up(&record.health));
}

/* The place of whose time is up first is given to the next. */
static void
test_more_addresses_than_places(void)
{
	struct hostrecord record = {0};

	visits_apply(&record, "x x x x x x x D", NOW);
	visits_apply(&record, "D D D D D D D D x", NOW + S);
	assert_bad(&record, ".9");
	visits_apply(&record, "x x x x x x x D", NOW + 2 * S);
	assert_bad(&record, ".1 .2 .3 .4 .5 .6 .7 .9");
	visits_apply(&record, "D D D D D D D D D x", NOW + 3 * S);
	assert_bad(&record, ".10");
	/* More than there are places for at one stay. */
	visits_apply(&record, "x x x x x x x x x x x D", NOW + 4 * S);
	assert_bad(&record, ".1 .2 .3 .4 .5 .6 .7 .8");
}

static void
test_first_to_end_goes(void)
{
	struct hostrecord record = {0};

	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		g_autofree char *text = g_strdup_printf("198.51.100.%u", i);

		g_strlcpy(record.bad[i].text, text, sizeof(record.bad[i].text));
		record.bad[i].until = NOW + 100 - (gint64)i;
	}
	visits_apply(&record, "x D", NOW);
	assert_bad(&record, ".0 .1 .2 .3 .4 .5 .6 .1");
	g_assert_cmpstr(record.bad[7].text, ==, "192.0.2.1");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stay/addresses/bad and good", test_bad_addresses);
	g_test_add_func("/stay/addresses/none answers",
	    test_no_address_answers);
	g_test_add_func("/stay/addresses/more than there are places",
	    test_more_addresses_than_places);
	g_test_add_func("/stay/addresses/the first to end goes",
	    test_first_to_end_goes);
	return g_test_run();
}
