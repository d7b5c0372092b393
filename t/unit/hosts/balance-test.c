/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is chosen by fewest sessions, and who has not its full share yet.  Time
 * is made up: sessions end in the order of their ends, however long that takes.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/balance.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/trip.h"
#include "unit/watched.h"

#define S ((gint64)G_USEC_PER_SEC)

#define SESSIONS   20
#define DELIVERIES 3000

struct session {
	struct hoststate *state;
	double end;
};

/* A route of A and B, and what sessions at each take. */
struct play {
	const char *route;
	double takes[2];
	guint chosen[2];
};

static void
begin(struct play *play, struct session *session, double now)
{
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route(play->route, contenders);
	guint host;

	for (guint i = 0; i < count; i++)
		contenders[i].leastconn = TRUE;
	host = trip_choose(session->state, contenders, count) == 'B';
	play->chosen[host]++;
	session->end =
	    now + play->takes[host] * g_test_rand_double_range(0.9, 1.1);
}

static void
run(struct play *play)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct session sessions[SESSIONS];

	statefolder_make(&place);
	for (guint i = 0; i < SESSIONS; i++) {
		sessions[i].state = trip_new(&place);
		begin(play, &sessions[i], 0);
	}
	for (guint i = 0; i < DELIVERIES; i++) {
		struct session *first = &sessions[0];

		for (guint j = 1; j < SESSIONS; j++) {
			if (sessions[j].end < first->end)
				first = &sessions[j];
		}
		trip_leave(first->state, '+');
		begin(play, first, first->end);
	}
	for (guint i = 0; i < SESSIONS; i++)
		hoststate_free(sessions[i].state);
}

/* @share: B's of all, and what it may differ by. */
struct row {
	const char *says;
	struct play play;
	double share;
	double bound;
};

static const struct row rows[] = {
    {"equal hosts stay equal", {"A B", {1, 1}, {0}}, 0.5, 0.025},
    {"ten times slower is a tenth", {"A B", {1, 10}, {0}}, 1.0 / 11, 0.015},
    {"and in the other order", {"A B", {10, 1}, {0}}, 10.0 / 11, 0.015},
    {"weights hold", {"A*3 B*1", {1, 1}, {0}}, 0.25, 0.0125},
    {"weights and speed", {"A*3 B*1", {3, 1}, {0}}, 0.5, 0.05},
};

static void
test_shares(gconstpointer data)
{
	const struct row *row = data;
	struct play play = row->play;
	double share;

	if (watched_by_valgrind())
		return;
	run(&play);
	share = (double)play.chosen[1] / (play.chosen[0] + play.chosen[1]);
	g_test_message("%u and %u", play.chosen[0], play.chosen[1]);
	g_assert_cmpfloat(share, >, row->share - row->bound);
	g_assert_cmpfloat(share, <, row->share + row->bound);
}

/* No more than 1.2 of a tenth. */
static void
test_tenth(void)
{
	struct play play = {"A B", {1, 10}, {0}};

	if (watched_by_valgrind())
		return;
	run(&play);
	g_assert_cmpfloat(play.chosen[1], <=, 0.12 * play.chosen[0]);
	g_assert_cmpfloat(play.chosen[1], >=, 0.08 * play.chosen[0]);
}

struct ramp {
	const char *says;
	gint64 slow_start;
	gint64 outage;
	gint64 up; /* ago; -1: never down */
	guint missing;
};

static const struct ramp ramps[] = {
    {"off", 0, 100 * S, 1, 0},
    {"just up", 60 * S, 100 * S, 0, 15},
    {"half the time", 60 * S, 100 * S, 30 * S, 8},
    {"at the end of it", 60 * S, 100 * S, 60 * S, 0},
    {"almost", 60 * S, 100 * S, 59 * S, 1},
    {"down for a moment only", 60 * S, 60 * S, 1, 0},
    {"never down", 60 * S, 0, -1, 0},
    {"a clock that went back", 60 * S, 100 * S, -50 * S, 0},
};

static void
test_ramp(gconstpointer data)
{
	const struct ramp *row = data;
	const gint64 now = 1000 * S;
	struct hostrecord record = {.outage = row->outage};

	record.health.up = row->up == -1 ? 0 : now - row->up;
	g_assert_cmpuint(balance_missing(&record, row->slow_start, now), ==,
	    row->missing);
}

static void
test_weights(void)
{
	struct contender group[] = {
	    {.weight = 2 * BALANCE_STEPS, .missing = 15},
	    {.weight = 2 * BALANCE_STEPS, .missing = 8},
	    {.weight = BALANCE_STEPS},
	    {.weight = BALANCE_STEPS, .standing = STANDING_DOWN},
	};
	g_autofree guint *weights =
	    balance_weights(NULL, group, G_N_ELEMENTS(group));

	g_assert_cmpuint(weights[0], ==, 2);
	g_assert_cmpuint(weights[1], ==, 16);
	g_assert_cmpuint(weights[2], ==, 16);
	g_assert_cmpuint(weights[3], ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("balance/leastconn", rows, test_shares);
	g_test_add_func("/balance/leastconn/no more than a tenth", test_tenth);
	TABLE_ADD("balance/slow-start", ramps, test_ramp);
	g_test_add_func("/balance/slow-start/weights", test_weights);
	return g_test_run();
}
