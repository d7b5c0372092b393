/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/stay.h"
#include "unit/table.h"
#include "unit/visits.h"

#define S   G_USEC_PER_SEC
#define NOW (1000 * S)

enum before {
	UP,
	DOWN,
};

/* What a stay does to a host that was up, or down. */
static const struct effect {
	const char *says;
	enum before before;
	gboolean probed;
	const char *attempts;
	enum change change;
	gboolean up; /* afterwards */
} effects[] = {
    {"delivered: stays up", UP, FALSE, "D", CHANGE_NONE, TRUE},
    {"a bounce is an answer", UP, FALSE, "B", CHANGE_NONE, TRUE},
    {"a message deferred is an answer", UP, FALSE, "M", CHANGE_NONE, TRUE},
    {"refused: goes down", UP, FALSE, "x", CHANGE_DOWN, FALSE},
    {"a 421: goes down", UP, FALSE, "g", CHANGE_DOWN, FALSE},
    {"lost after the final dot: goes down", UP, FALSE, "u", CHANGE_DOWN, FALSE},
    {"no such name: goes down", UP, FALSE, "r", CHANGE_DOWN, FALSE},
    {"our own trouble: as before", UP, FALSE, "o", CHANGE_NONE, TRUE},
    {"nothing was tried: as before", UP, FALSE, "", CHANGE_NONE, TRUE},
    {"all addresses refuse: goes down", UP, FALSE, "x x x", CHANGE_DOWN, FALSE},
    {"one of them does not: stays up", UP, FALSE, "x x D", CHANGE_NONE, TRUE},
    {"whichever of them it is", UP, FALSE, "D x", CHANGE_NONE, TRUE},
    {"a failure beside our own trouble counts", UP, FALSE, "o x", CHANGE_DOWN,
	FALSE},
    {"one recipient's trouble is the host's: goes down", UP, FALSE, "BgB",
	CHANGE_DOWN, FALSE},
    {"recipients differ, none is the host's trouble", UP, FALSE, "BHM",
	CHANGE_NONE, TRUE},
    {"a 421 at MAIL: suspect", UP, FALSE, "s", CHANGE_SUSPECT, TRUE},
    {"even where others are served", UP, FALSE, "+s", CHANGE_SUSPECT, TRUE},
    {"refused, while it serves others: full", UP, FALSE, "+x", CHANGE_FULL,
	TRUE},
    {"so is a 421 at the greeting", UP, FALSE, "+g", CHANGE_FULL, TRUE},
    {"and at EHLO", UP, FALSE, "+e", CHANGE_FULL, TRUE},
    {"but a 554 at the greeting is not", UP, FALSE, "+n", CHANGE_DOWN, FALSE},
    {"and silence is not", UP, FALSE, "+t", CHANGE_DOWN, FALSE},
    {"nor if another address is silent", UP, FALSE, "+x t", CHANGE_DOWN, FALSE},
    {"another address serves us: up", UP, FALSE, "+x D", CHANGE_NONE, TRUE},
    {"the probe finds it full: up", DOWN, TRUE, "+x", CHANGE_FULL, TRUE},
    {"the probe ends with 421 at MAIL: down", DOWN, TRUE, "s", CHANGE_DOWN,
	FALSE},
    {"the probe succeeds: up", DOWN, TRUE, "D", CHANGE_UP, TRUE},
    {"so does any answer to it", DOWN, TRUE, "B", CHANGE_UP, TRUE},
    {"who began before it went down succeeds: up", DOWN, FALSE, "D", CHANGE_UP,
	TRUE},
    {"the probe fails: down again", DOWN, TRUE, "x", CHANGE_DOWN, FALSE},
    {"who began before it went down fails: as before", DOWN, FALSE, "x",
	CHANGE_NONE, FALSE},
    {"the probe came to nothing: as before", DOWN, TRUE, "o", CHANGE_NONE,
	FALSE},
    {"the probe was not even begun: as before", DOWN, TRUE, "", CHANGE_NONE,
	FALSE},
};

/* "deliveries deferrals bounces connections", then failures by stage. */
static const struct count {
	const char *says;
	const char *attempts;
	const char *expected;
} counts[] = {
    {"nothing", "", "0 0 0 0"},
    {"a delivery", "D", "1 0 0 1"},
    {"each recipient counts", "DDBM", "2 1 1 1"},
    {"but not who is held", "BH", "0 0 1 1"},
    {"unsure is deferred", "u", "0 1 0 1 end of DATA 1"},
    {"without a connection nobody is deferred", "x", "0 0 0 0 connect 1"},
    {"nor by trouble of our own", "o", "0 0 0 0"},
    {"a name not found is a failure", "r", "0 0 0 0 resolve 1"},
    {"each address counts", "x x g D", "1 1 0 2 connect 2 greeting 1"},
    {"an attempt fails but once", "gg", "0 2 0 1 greeting 1"},
};

/* Stays one after another at a host that takes three sessions. */
static const struct succession {
	const char *says;
	const char *const stays[6];
	guint sessions;
	guint succeeded;
} successions[] = {
    {"three in a row: one more is tried", {"D", "B", "M"}, 4, 0},
    {"two and then one", {"D", "D"}, 3, 2},
    {"a host that goes down ends the row", {"D", "D", "x"}, 3, 0},
    {"another begins with the next success", {"D", "D", "x", "D"}, 3, 1},
    {"so two and two are not three", {"D", "D", "x", "D", "D"}, 3, 2},
    {"no suspicion ends it", {"D", "D", "s"}, 3, 2},
    {"unless it takes the host down", {"D", "D", "s", "s"}, 3, 0},
    {"nor trouble of our own", {"D", "D", "o"}, 3, 2},
    {"one that is full ends it, too", {"D", "D", "+x"}, 3, 0},
};

static void
test_succession(gconstpointer data)
{
	const struct succession *row = data;
	struct hostrecord record = {
	    .capacity = {.sessions = 3, .until = NOW + S},
	};

	for (guint i = 0; row->stays[i] != NULL; i++) {
		struct stay stay = {.sender = i + 1};
		struct departure departure;

		visits_note(&stay, row->stays[i]);
		stay_apply(&stay, &record, &visits_limits, NOW, FALSE,
		    &departure);
	}
	g_assert_cmpuint(record.capacity.sessions, ==, row->sessions);
	g_assert_cmpuint(record.capacity.succeeded, ==, row->succeeded);
}

static void
test_effect(gconstpointer data)
{
	const struct effect *row = data;
	struct stay stay = {0};
	struct hostrecord record = {0};
	struct departure departure;

	if (row->before == DOWN)
		record.health = (struct health){.due = NOW - 1,
		    .interval = 5 * S,
		    .since = g_get_real_time() - 60 * S,
		    .prober = 7,
		    .lease = NOW + 1};
	stay.sender = 1;
	visits_note(&stay, row->attempts);
	stay_apply(&stay, &record, &visits_limits, NOW, row->probed,
	    &departure);
	g_assert_cmpint(departure.change, ==, row->change);
	g_assert_cmpint(health_is_up(&record.health), ==, row->up);
	if (departure.change == CHANGE_NONE)
		g_assert_cmpint(departure.span, ==, 0);
	if (departure.change == CHANGE_UP)
		g_assert_cmpint(departure.span / S, >=, 60);
	if (departure.change == CHANGE_DOWN)
		g_assert_cmpint(record.health.due, ==, NOW + departure.span);
	/* The next one may probe. */
	if (row->probed)
		g_assert_cmpuint(record.health.prober, ==, 0);
	g_assert_cmpint(record.seen, >, 0);
}

/* That it takes no more is no news, that it is up is. */
static void
test_full_as_known(void)
{
	struct stay stay = {0};
	struct hostrecord record = {
	    .health = {.due = NOW - 1, .interval = 5 * S, .prober = 7},
	    .capacity = {.sessions = 3, .until = NOW + S},
	};
	struct departure departure;

	visits_note(&stay, "+x");
	stay_apply(&stay, &record, &visits_limits, NOW, TRUE, &departure);
	g_assert_cmpint(departure.change, ==, CHANGE_UP);
	g_assert_true(departure.full);
	g_assert_cmpuint(departure.sessions, ==, 3);
	g_assert_true(health_is_up(&record.health));
}

/* For as long as a host may be down, and not for longer. */
static void
test_tls_hung(void)
{
	struct stay stay = {0};
	struct outcome outcome = visits_outcome('D');
	struct visit visit = {.outcomes = &outcome,
	    .count = 1,
	    .tls_hung = TRUE};
	struct hostrecord record = {0};
	struct departure departure;

	stay_note(&stay, &visit, 0);
	stay_apply(&stay, &record, &visits_limits, NOW, FALSE, &departure);
	g_assert_cmpint(record.tls_hung, ==, NOW + visits_limits.max);
	stay = (struct stay){0};
	visit.tls_hung = FALSE;
	stay_note(&stay, &visit, 0);
	stay_apply(&stay, &record, &visits_limits, NOW + 1, FALSE, &departure);
	g_assert_cmpint(record.tls_hung, ==, NOW + visits_limits.max);
}

static char *
counters_text(const struct hostrecord *record)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text,
	    "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
	    " %" G_GUINT64_FORMAT,
	    record->deliveries, record->deferrals, record->bounces,
	    record->connections);
	for (guint i = 0; i < STAGE_COUNT; i++) {
		if (record->failures[i] > 0)
			g_string_append_printf(text, " %s %u",
			    stage_name((enum stage)i), record->failures[i]);
	}
	return g_string_free(text, FALSE);
}

/* Within the day, since the hour may have ended meanwhile. */
static void
assert_hours(const struct hostrecord *record)
{
	guint64 expected[HOURLY_KINDS] = {record->deliveries, record->deferrals,
	    record->bounces};

	for (guint i = 0; i < STAGE_COUNT; i++)
		expected[HOURLY_FAILED] += record->failures[i];
	for (guint kind = 0; kind < HOURLY_KINDS; kind++) {
		guint64 sum = 0;

		for (guint ago = 0; ago < HOURLY_HOURS; ago++)
			sum += hourly_get(&record->hourly, record->seen, ago,
			    (enum hourly_kind)kind);
		g_assert_cmpuint(sum, ==, expected[kind]);
	}
}

static void
test_count(gconstpointer data)
{
	const struct count *row = data;
	struct stay stay = {0};
	struct hostrecord record = {0};
	struct departure departure;
	g_autofree char *text = NULL;

	visits_note(&stay, row->attempts);
	stay_apply(&stay, &record, &visits_limits, NOW, FALSE, &departure);
	text = counters_text(&record);
	g_assert_cmpstr(text, ==, row->expected);
	assert_hours(&record);
}

static void
test_sums(void)
{
	struct hostrecord record = {0};
	g_autofree char *text = NULL;

	for (int i = 0; i < 100; i++)
		visits_apply(&record, "x DDB", NOW);
	text = counters_text(&record);
	g_assert_cmpstr(text, ==, "200 0 100 100 connect 100");
	assert_hours(&record);
	g_assert_cmpuint(record.connect.count, ==, 100);
	g_assert_cmpuint(record.connect.sum, ==, 100 * 100);
	g_assert_cmpuint(record.connect.recent, ==, 100);
	g_assert_cmpuint(record.total.count, ==, 100);
	g_assert_cmpuint(record.total.recent, ==, 1000);
}

static void
test_last(void)
{
	struct hostrecord record = {0};

	visits_apply(&record, "x", NOW);
	g_assert_cmpint(record.last_failure, >, 0);
	g_assert_cmpint(record.last_success, ==, 0);
	g_assert_cmpstr(record.last_error, ==, "what happened");
	record.last_failure = 12345;
	visits_apply(&record, "D", NOW);
	g_assert_cmpint(record.last_success, >, 0);
	g_assert_cmpint(record.last_failure, ==, 12345);
	record.last_success = 12345;
	visits_apply(&record, "x", NOW);
	g_assert_cmpint(record.last_success, ==, 12345);
	g_assert_cmpint(record.last_failure, >, 12345);
	record.last_failure = 12345;
	g_assert_cmpstr(record.last_error, ==, "what happened");
}

static void
test_long_error(void)
{
	g_autofree char *text = g_strnfill(5000, 'e');
	struct outcome outcome = visits_outcome('x');
	struct visit visit = {.outcomes = &outcome, .count = 1, .connect = -1};
	struct hostrecord record = {0};
	struct departure departure;
	struct stay stay = {0};

	outcome.text = text;
	stay_note(&stay, &visit, 0);
	stay_apply(&stay, &record, &visits_limits, NOW, FALSE, &departure);
	g_assert_cmpuint(strlen(record.last_error), ==,
	    HOSTRECORD_ERROR_MAX - 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("stay/effect", effects, test_effect);
	TABLE_ADD("stay/counters", counts, test_count);
	TABLE_ADD("stay/successes in a row", successions, test_succession);
	g_test_add_func("/stay/counters add up", test_sums);
	g_test_add_func("/stay/the last error is kept", test_last);
	g_test_add_func("/stay/and cut, if it is long", test_long_error);
	g_test_add_func("/stay/full, as it is known to be", test_full_as_known);
	g_test_add_func("/a handshake that hung", test_tls_hung);
	return g_test_run();
}
