/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes know together, each of them a handle.  Many at once are in
 * hoststate-crowd-test.c, what may be odd about the file in
 * hoststate-odd-test.c.
 */
#include <config.h>

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/hoststate.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/trip.h"

#define S ((gint64)G_USEC_PER_SEC)

/*
 * Deliveries one after another: "route: how", and the hosts that each comes
 * to.  An order stands between them: "drain A", "resume A", "retry A".
 */
static const struct story {
	const char *says;
	const char *lines[12];
} stories[] = {
    {"equals take turns, one delivery each",
	{"A B C: + A", "A B C: + B", "A B C: + C", "A B C: + A"}},
    {"by weight",
	{"A*3 B: + A", "A*3 B: + A", "A*3 B: + B", "A*3 B: + A", "A*3 B: + A",
	    "A*3 B: + A", "A*3 B: + B"}},
    {"the lowest priority first, however often",
	{"A B/1: + A", "A B/1: + A", "A B/1: + A"}},
    {"each group takes turns for itself",
	{"A B C/1 D/1: --+ ABC", "C/1 D/1: + D", "C/1 D/1: + C"}},
    {"another route with the same group goes on with it",
	{"A B: + A", "A B C/9: + B", "A B: + A"}},
    {"with other weights it is another group",
	{"A B: + A", "A*2 B: + A", "A B: + B"}},
    {"who failed is passed over, by other routes too",
	{"A B: -+ AB", "A B: + B", "A B: + B", "A C/1: + C"}},
    {"all down: nobody", {"A B: -- AB", "A B: +", "A: +"}},
    {"our own trouble changes nothing", {"A B: !! AB", "A: + A", "B: + B"}},
    {"who is left without an attempt is as before",
	{"A B: .. AB", "A: + A", "B: + B"}},
    {"a down host's turns go to all the others",
	{"A B C D: - A", "A B C D: + B", "A B C D: + C", "A B C D: + D",
	    "A B C D: + B", "A B C D: + C", "A B C D: + D"}},
    {"a drained host is chosen for nothing",
	{"drain A", "A B: + B", "A B: + B", "A: +", "resume A", "A B: + A"}},
    {"one that nothing is known of can be drained",
	{"drain D", "A D: + A", "A D: + A"}},
    {"retry makes a down host the next one's probe",
	{"A: - A", "A: +", "retry A", "A: + A", "A: + A"}},
    {"a probe that fails puts it down again",
	{"A: - A", "retry A", "A: - A", "A: +"}},
    {"a probe that comes to nothing is the next one's",
	{"A: - A", "retry A", "A: ! A", "A: . A", "A: + A"}},
    {"who comes twice in a route is known once",
	{"A B A/5: -+ AB", "A/5 B/6: + B"}},
};

static void
tell_line(const struct statefolder *place, const char *line)
{
	const char *colon = strchr(line, ':');
	g_autofree char *route = NULL;
	g_auto(GStrv) words = NULL;
	g_autofree char *hosts = NULL;

	if (colon == NULL) {
		words = g_strsplit(line, " ", 2);
		trip_order(place, words[0], words[1][0]);
		return;
	}
	route = g_strndup(line, (gsize)(colon - line));
	words = g_strsplit(colon + 2, " ", 2);
	hosts = trip_deliver(place, route, words[0]);
	g_assert_cmpstr(hosts, ==, words[1] != NULL ? words[1] : "");
}

static void
test_story(gconstpointer data)
{
	const struct story *row = data;
	g_auto(Statefolder) place;

	statefolder_make(&place);
	for (gsize i = 0; i < G_N_ELEMENTS(row->lines) && row->lines[i] != NULL;
	     i++) {
		g_test_message("%s", row->lines[i]);
		tell_line(&place, row->lines[i]);
	}
}

/* Two that are at work at the same time. */
struct pair {
	struct statefolder place;
	struct hoststate *first;
	struct hoststate *second;
	struct contender contenders[TRIP_HOSTS];
	struct contender others[TRIP_HOSTS];
	guint count;
};

static void
pair_make(struct pair *pair, const char *route)
{
	statefolder_make(&pair->place);
	pair->first = trip_new(&pair->place);
	pair->second = trip_new(&pair->place);
	pair->count = trip_route(route, pair->contenders);
	trip_route(route, pair->others);
}

static void
pair_clear(struct pair *pair)
{
	trip_assert_no_warning(pair->second);
	hoststate_free(pair->first);
	hoststate_free(pair->second);
	statefolder_remove(&pair->place);
}

static char
choose_first(struct pair *pair)
{
	return trip_choose(pair->first, pair->contenders, pair->count);
}

static char
choose_second(struct pair *pair)
{
	trip_route("A B/1", pair->others);
	return trip_choose(pair->second, pair->others, pair->count);
}

static void
put_down_and_due(struct pair *pair)
{
	g_autofree char *hosts = trip_deliver(&pair->place, "A", "-");

	g_assert_cmpstr(hosts, ==, "A");
	trip_make_due(&pair->place, 'A');
}

static void
test_one_prober(void)
{
	struct pair pair;
	struct departure departure;

	pair_make(&pair, "A B/1");
	put_down_and_due(&pair);
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_cmpint(choose_second(&pair), ==, 'B');
	g_assert_cmpint(pair.others[0].standing, ==, STANDING_PROBED);
	g_assert_cmpint(pair.others[0].wait, ==, 0);
	g_assert_cmpstr(pair.others[0].error, ==, "connect: refused");
	departure = trip_leave(pair.first, '+');
	g_assert_cmpint(departure.change, ==, CHANGE_UP);
	g_assert_cmpint(departure.span, >=, 0);
	trip_leave(pair.second, '+');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	pair_clear(&pair);
}

/* However it ends. */
static void
test_prober_ends(void)
{
	struct pair pair;

	pair_make(&pair, "A B/1");
	put_down_and_due(&pair);
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	hoststate_free(pair.first);
	pair.first = trip_new(&pair.place);
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	trip_leave(pair.second, '-');
	g_assert_cmpint(choose_second(&pair), ==, 'B');
	g_assert_cmpint(pair.others[0].standing, ==, STANDING_DOWN);
	g_assert_cmpint(pair.others[0].wait, >=, 7000 * S);
	pair_clear(&pair);
}

static void
test_lease(void)
{
	struct pair pair;

	pair_make(&pair, "A B/1");
	put_down_and_due(&pair);
	pair.contenders[0].lease = 0;
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	/* It counts no longer, though it is at work still. */
	g_assert_cmpint(trip_leave(pair.first, '-').change, ==, CHANGE_NONE);
	g_assert_cmpint(trip_leave(pair.second, '-').change, ==, CHANGE_DOWN);
	pair_clear(&pair);
}

/* Two that began while it was up: the second failure is no news. */
static void
test_late_failure(void)
{
	struct pair pair;
	struct departure departure;

	pair_make(&pair, "A B/1");
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	departure = trip_leave(pair.first, '-');
	g_assert_cmpint(departure.change, ==, CHANGE_DOWN);
	g_assert_cmpint(departure.span, >=, trip_limits.min);
	g_assert_cmpint(trip_leave(pair.second, '-').change, ==, CHANGE_NONE);
	pair_clear(&pair);
}

static void
test_late_success(void)
{
	struct pair pair;

	pair_make(&pair, "A B/1");
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	trip_leave(pair.first, '-');
	g_assert_cmpint(trip_leave(pair.second, '+').change, ==, CHANGE_UP);
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	pair_clear(&pair);
}

static void
test_slots(void)
{
	g_auto(Statefolder) place;
	struct hoststate *states[3];
	struct contender contenders[TRIP_HOSTS];
	g_autofree char *hosts = NULL;

	statefolder_make(&place);
	hosts = trip_deliver(&place, "A=2", "+");
	for (guint i = 0; i < 3; i++) {
		guint count = trip_route("A=2 B/1=9", contenders);

		states[i] = trip_new(&place);
		g_assert_cmpint(trip_choose(states[i], contenders, count), ==,
		    i < 2 ? 'A' : 'B');
		g_assert_cmpuint(trip_connected(&place), ==, MIN(i + 1, 2));
	}
	g_assert_cmpint(contenders[0].standing, ==, STANDING_FULL);
	trip_leave(states[2], '.');
	/* One goes as it should, one does not. */
	trip_leave(states[0], '+');
	g_assert_cmpuint(trip_connected(&place), ==, 1);
	hoststate_free(states[1]);
	g_assert_cmpuint(trip_connected(&place), ==, 0);
	for (guint i = 0; i < 2; i++) {
		guint count = trip_route("A=2 B/1=9", contenders);

		if (i == 1)
			states[1] = trip_new(&place);
		g_assert_cmpint(trip_choose(states[i], contenders, count), ==,
		    'A');
		g_assert_cmpuint(trip_connected(&place), ==, i + 1);
	}
	for (guint i = 0; i < 3; i++)
		hoststate_free(states[i]);
}

static void
test_standings(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;
	g_autoptr(Hoststate) other = NULL;
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A B=1 C D/1", contenders);
	g_autofree char *hosts = NULL;

	statefolder_make(&place);
	hosts = trip_deliver(&place, "A", "-");
	trip_order(&place, "drain", 'C');
	other = trip_new(&place);
	g_assert_cmpint(trip_choose(other, &contenders[1], 1), ==, 'B');
	count = trip_route("A B=1 C D/1", contenders);
	state = trip_new(&place);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'D');
	g_assert_cmpint(contenders[0].standing, ==, STANDING_DOWN);
	g_assert_cmpint(contenders[0].wait, >, trip_limits.min - 60 * S);
	g_assert_cmpint(contenders[0].wait, <=, trip_limits.min * 6 / 5);
	g_assert_cmpstr(contenders[0].error, ==, "connect: refused");
	g_assert_cmpint(contenders[1].standing, ==, STANDING_FULL);
	g_assert_cmpint(contenders[2].standing, ==, STANDING_DRAINED);
	trip_leave(state, '-');
	g_assert_cmpint(trip_choose(state, contenders, count), ==, '-');
}

/* Those of groups that were not needed are as they were. */
static void
test_drained_in_the_map(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A B", contenders);

	statefolder_make(&place);
	state = trip_new(&place);
	contenders[0].standing = STANDING_DRAINED;
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'B');
	trip_leave(state, '+');
	g_assert_cmpint(contenders[0].standing, ==, STANDING_DRAINED);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, '-');
	g_assert_cmpint(trip_choose(state, contenders, 0), ==, '-');
}

static void
test_dcid(void)
{
	struct pair pair;

	pair_make(&pair, "A B/1");
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	/* The choice has brought one, the next attempt wants another. */
	g_assert_cmpuint(hoststate_dcid(pair.first), ==, 1);
	g_assert_cmpuint(hoststate_dcid(pair.second), ==, 2);
	g_assert_cmpuint(hoststate_dcid(pair.first), ==, 3);
	g_assert_cmpuint(hoststate_dcid(pair.first), ==, 4);
	g_assert_cmpuint(hoststate_dcid(pair.second), ==, 5);
	/* What is returned is the same process's next one. */
	hoststate_return_dcid(pair.second, 5);
	g_assert_cmpuint(hoststate_dcid(pair.first), ==, 6);
	g_assert_cmpuint(hoststate_dcid(pair.second), ==, 5);
	g_assert_cmpuint(hoststate_dcid(pair.second), ==, 7);
	pair_clear(&pair);
}

static void
note_at(struct hoststate *state, const char *address, gboolean answers)
{
	struct outcome outcome = {
	    .trouble = answers ? TROUBLE_RECIPIENT : TROUBLE_HOST,
	    .stage = answers ? STAGE_RCPT : STAGE_CONNECT,
	    .code = answers ? 450 : 0,
	    .text = (char *)(guintptr) "text",
	};
	struct visit visit = {.address = address,
	    .outcomes = &outcome,
	    .count = 1,
	    .connect = 1,
	    .total = 1};

	hoststate_note(state, &visit);
}

static gboolean
is_bad(struct hoststate *state, const char *address, guint16 port)
{
	struct endpoint endpoint;

	g_assert_true(endpoint_parse(address, port, &endpoint));
	return hoststate_is_bad(state, &endpoint);
}

static void
test_bad_addresses(void)
{
	struct pair pair;

	pair_make(&pair, "A B/1");
	g_assert_cmpint(choose_first(&pair), ==, 'A');
	g_assert_false(is_bad(pair.first, "192.0.2.1", 25));
	note_at(pair.first, "192.0.2.1", FALSE);
	note_at(pair.first, "2001:db8::1", FALSE);
	note_at(pair.first, "192.0.2.2", TRUE);
	trip_leave(pair.first, '.');
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	g_assert_true(is_bad(pair.second, "192.0.2.1", 25));
	g_assert_true(is_bad(pair.second, "2001:db8::1", 25));
	g_assert_false(is_bad(pair.second, "192.0.2.2", 25));
	g_assert_false(is_bad(pair.second, "192.0.2.3", 25));
	note_at(pair.second, "192.0.2.1", TRUE);
	trip_leave(pair.second, '.');
	/* Of no host, as long as there is none. */
	g_assert_false(is_bad(pair.second, "2001:db8::1", 25));
	g_assert_cmpint(choose_second(&pair), ==, 'A');
	g_assert_false(is_bad(pair.second, "192.0.2.1", 25));
	g_assert_true(is_bad(pair.second, "2001:db8::1", 25));
	pair_clear(&pair);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("hoststate/story", stories, test_story);
	g_test_add_func("/hoststate/probe/one at a time", test_one_prober);
	g_test_add_func("/hoststate/probe/its prober ends", test_prober_ends);
	g_test_add_func("/hoststate/probe/its time is over", test_lease);
	g_test_add_func("/hoststate/late failure", test_late_failure);
	g_test_add_func("/hoststate/late success", test_late_success);
	g_test_add_func("/hoststate/slots", test_slots);
	g_test_add_func("/hoststate/standings", test_standings);
	g_test_add_func("/hoststate/drained in the map",
	    test_drained_in_the_map);
	g_test_add_func("/hoststate/dcid is a running number", test_dcid);
	g_test_add_func("/hoststate/bad addresses", test_bad_addresses);
	return g_test_run();
}
