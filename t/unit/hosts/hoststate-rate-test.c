/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hosts get that have a rate: never more, over all processes.
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/hoststate.h"
#include "hosts/hosttable.h"
#include "unit/slide.h"
#include "unit/statefolder.h"
#include "unit/trip.h"
#include "unit/watched.h"

#define CROWD 30

/* Of the crowd's host. */
#define RATE "40:2s, 100:6s"
#define SPAN (9 * (gint64)G_USEC_PER_SEC)

#define EVENTS_MAX 100000

#define HOSTS 1000

/* What the host of the crowd has seen; shared. */
struct sight {
	guint count;
	gboolean done;
	gint64 times[EVENTS_MAX];
};

struct member {
	const struct statefolder *place;
	struct sight *sight;
};

static gboolean wild_clock;

/* Somebody sets the clock all the time. */
gint64
g_get_real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (wild_clock)
		now.tv_sec += g_random_int_range(-40000000, 40000000);
	return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
set_rate(struct contender *contender, enum tally_unit unit, const char *text)
{
	gsize at;

	g_assert_true(rates_parse(text, ',', &contender->rates[unit], &at));
}

/*
 * One delivery, a process of its own, along a route whose host A has a rate.
 * @how: what comes of it there, as for trip_leave(); 'k': it says MAIL and
 * nothing more is heard of it, '.': it does not come to MAIL.
 */
static char
deliver(const struct statefolder *place, const char *route, const char *rate,
    char how)
{
	g_autoptr(Hoststate) state = trip_new(place);
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route(route, contenders);
	char chosen;

	set_rate(&contenders[0], TALLY_TRANSACTIONS, rate);
	chosen = trip_choose(state, contenders, count);
	if (chosen == '-') {
		g_assert_cmpint(contenders[0].standing, ==, STANDING_RATED);
		g_assert_cmpint(contenders[0].wait, >, 0);
		return chosen;
	}
	g_assert_cmpuint(hoststate_grant(state, 1), ==, 1);
	if (how != '.')
		g_assert_cmpint(hoststate_claim(state, FALSE), ==, 0);
	if (how != 'k')
		trip_leave(state, how);
	return chosen;
}

static void
assert_hosts(const char *route, const char *rate, const char *how,
    const char *expected)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(GString) hosts = g_string_new(NULL);

	statefolder_make(&place);
	for (; *how != '\0'; how++)
		g_string_append_c(hosts, deliver(&place, route, rate, *how));
	g_assert_cmpstr(hosts->str, ==, expected);
}

static void
test_overflow(void)
{
	assert_hosts("A/0 B/1", "3:1h", "+++++", "AAABB");
	assert_hosts("A", "2:1h", "+++", "AA-");
	assert_hosts("A B C/5", "1:1h", "++++", "ABBB");
	assert_hosts("A B C", "2:1h", "++++++++", "ABCABCBC");
}

/* A refusal counts, and who says nothing more; who never came to MAIL not. */
static void
test_what_counts(void)
{
	assert_hosts("A/0 B/1", "2:1h", "!!+", "AAB");
	assert_hosts("A/0 B/1", "2:1h", "kk+", "AAB");
	assert_hosts("A/0 B/1", "2:1h", "....+++", "AAAAAAB");
}

/* Whoever probes it counts as others do. */
static void
test_prober(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	g_assert_cmpint(deliver(&place, "A/0 B/1", "2:1h", '-'), ==, 'A');
	trip_make_due(&place, 'A');
	g_assert_cmpint(deliver(&place, "A/0 B/1", "2:1h", '+'), ==, 'A');
	g_assert_cmpint(deliver(&place, "A/0 B/1", "2:1h", '+'), ==, 'B');
}

/* Another route has no rate for the host, but what it sends counts. */
static void
test_other_route(void)
{
	g_auto(Statefolder) place = {NULL, NULL};

	statefolder_make(&place);
	g_assert_cmpint(deliver(&place, "A/0 B/1", "3:1h", '+'), ==, 'A');
	for (guint i = 0; i < 5; i++)
		g_assert_cmpint(deliver(&place, "A", "none", '+'), ==, 'A');
	g_assert_cmpint(deliver(&place, "A/0 B/1", "3:1h", '+'), ==, 'B');
}

static void
begin_transaction(struct hoststate *state, guint want, guint granted)
{
	g_assert_cmpuint(hoststate_grant(state, want), ==, granted);
	g_assert_cmpint(hoststate_claim(state, FALSE), ==, 0);
	hoststate_missed(state);
}

/* On its way to MAIL at A, or not: '-'. */
static char
set_out(struct hoststate *state, const char *rate)
{
	struct contender contender;

	trip_route("A", &contender);
	set_rate(&contender, TALLY_TRANSACTIONS, rate);
	return trip_choose(state, &contender, 1);
}

/* Who is on the way has a place, and the dead have none. */
static void
test_places(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) first = NULL;
	g_autoptr(Hoststate) second = NULL;

	statefolder_make(&place);
	first = trip_new(&place);
	second = trip_new(&place);
	g_assert_cmpint(set_out(first, "1:1h"), ==, 'A');
	g_assert_cmpint(set_out(second, "1:1h"), ==, '-');
	g_clear_pointer(&first, hoststate_free);
	g_assert_cmpint(set_out(second, "1:1h"), ==, 'A');
	g_assert_cmpint(hoststate_claim(second, FALSE), ==, 0);
	g_assert_false(hoststate_is_missed(second));
}

/* Who has no rate for the host needs no place, and what he sends counts. */
static void
test_missed(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) rated = NULL;
	g_autoptr(Hoststate) other = NULL;

	statefolder_make(&place);
	rated = trip_new(&place);
	other = trip_new(&place);
	g_assert_cmpint(set_out(rated, "1:1h"), ==, 'A');
	g_assert_cmpint(set_out(other, "none"), ==, 'A');
	g_assert_cmpint(hoststate_claim(other, FALSE), ==, 0);
	g_assert_cmpint(hoststate_claim(rated, FALSE), >, G_USEC_PER_SEC);
	g_assert_true(hoststate_is_missed(rated));
	trip_leave(rated, '!');
	g_assert_false(hoststate_is_missed(rated));
	trip_leave(other, '+');
	g_assert_cmpint(set_out(other, "2:1h"), ==, 'A');
}

static gint64
opening_of_a(const struct statefolder *place)
{
	g_autoptr(GPtrArray) rows =
	    hosttable_read(place->folder, &trip_limits, NULL);
	const struct hosttable_row *row = g_ptr_array_index(rows, 0);

	return row->tally->opening;
}

/* A connection that is kept tells nothing, nor does the second of a visit. */
static void
test_opening(void)
{
	const gint64 while_opening = 30000;
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) state = NULL;
	gint64 opening;

	statefolder_make(&place);
	state = trip_new(&place);
	for (guint opened = 0; opened < 2; opened++) {
		g_assert_cmpint(set_out(state, "9:1h"), ==, 'A');
		g_usleep((gulong)while_opening);
		g_assert_cmpint(hoststate_claim(state, (gboolean)opened), ==,
		    0);
		if (opened == 0)
			trip_leave(state, '+');
		opening = opening_of_a(&place);
		g_assert_cmpint(opening, >=, opened ? while_opening : 0);
		g_assert_cmpint(opening, <=, opened ? TALLY_LEAD_MAX : 0);
	}
	hoststate_missed(state);
	g_assert_cmpuint(hoststate_grant(state, 1), ==, 1);
	g_usleep((gulong)while_opening);
	g_assert_cmpint(hoststate_claim(state, TRUE), ==, 0);
	g_assert_cmpint(opening_of_a(&place), ==, opening);
}

/* A portion of them, another one, and no more. */
static void
test_recipients(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];

	statefolder_make(&place);
	state = trip_new(&place);
	trip_route("A", contenders);
	set_rate(&contenders[0], TALLY_RECIPIENTS, "10:1h");
	set_rate(&contenders[0], TALLY_TRANSACTIONS, "30:1h");
	hoststate_want(state, 7, TRUE);
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, 'A');
	begin_transaction(state, 7, 7);
	begin_transaction(state, 25, 3);
	g_assert_cmpuint(hoststate_grant(state, 22), ==, 0);
	trip_leave(state, '+');
	contenders[0].standing = STANDING_FREE;
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, '-');
	g_assert_cmpint(contenders[0].wait, >, 0);
}

/* All of them, or none: more than it ever takes are never sent. */
static void
test_too_many(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];

	statefolder_make(&place);
	state = trip_new(&place);
	trip_route("A", contenders);
	set_rate(&contenders[0], TALLY_RECIPIENTS, "10:1h");
	hoststate_want(state, 11, FALSE);
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, '-');
	g_assert_cmpint(contenders[0].standing, ==, STANDING_RATED);
	g_assert_cmpint(contenders[0].wait, ==, -1);
	hoststate_want(state, 10, FALSE);
	contenders[0].standing = STANDING_FREE;
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, 'A');
	g_assert_cmpuint(hoststate_grant(state, 10), ==, 10);
	/* A connection that failed before MAIL is no transaction. */
	g_assert_cmpuint(hoststate_grant(state, 10), ==, 10);
}

static void
pause_a_while(void)
{
	g_usleep((gulong)g_random_int_range(0, 15000));
}

/*
 * At the host: it sees MAIL at some time before its answer is here.  Some do
 * not wait for room.
 */
static void
say_mail(struct hoststate *state, struct sight *sight)
{
	struct departure departure;
	guint number;
	gint64 wait;

	pause_a_while();
	while ((wait = hoststate_claim(state, TRUE)) != 0) {
		g_assert_true(hoststate_is_missed(state));
		if (g_random_int_range(0, 4) == 0)
			return;
		g_usleep((gulong)MIN(wait, 20000));
	}
	pause_a_while();
	number = __atomic_fetch_add(&sight->count, 1, __ATOMIC_SEQ_CST);
	g_assert_cmpuint(number, <, EVENTS_MAX);
	sight->times[number] = g_get_monotonic_time();
	pause_a_while();
	if (g_random_boolean())
		hoststate_answered(state, &departure);
	pause_a_while();
}

static int
deliver_often(const void *data)
{
	const struct member *member = data;
	struct sight *sight = member->sight;

	g_random_set_seed((guint32)g_get_monotonic_time());
	wild_clock = TRUE;
	while (!__atomic_load_n(&sight->done, __ATOMIC_SEQ_CST)) {
		g_autoptr(Hoststate) state = trip_new(member->place);
		struct contender contenders[TRIP_HOSTS];

		trip_route("A", contenders);
		set_rate(&contenders[0], TALLY_TRANSACTIONS, RATE);
		for (guint i = 0; i < 20; i++) {
			contenders[0].standing = STANDING_FREE;
			if (trip_choose(state, contenders, 1) == '-') {
				pause_a_while();
				continue;
			}
			if (g_random_int_range(0, 5) > 0)
				say_mail(state, sight);
			trip_leave(state, '.');
		}
		trip_assert_no_warning(state);
	}
	return 0;
}

/* Others come in the place of those that are killed. */
static void
kill_some(const struct member *member, pid_t *pids)
{
	gint64 end = g_get_monotonic_time() + SPAN;

	while (g_get_monotonic_time() < end) {
		guint victim = (guint)g_random_int_range(0, CROWD);

		g_usleep(30000);
		g_assert_no_errno(kill(pids[victim], SIGKILL));
		statefolder_wait(pids[victim]);
		pids[victim] = statefolder_fork(deliver_often, member);
	}
}

static void
check_sight(const struct sight *sight)
{
	g_autoptr(GArray) seen = slide_new();
	struct rates rates;
	gsize at;

	for (guint i = 0; i < sight->count; i++) {
		/* Killed before it could note the time. */
		if (sight->times[i] != 0)
			slide_add(seen, sight->times[i], 1);
	}
	g_assert_true(rates_parse(RATE, ',', &rates, &at));
	for (guint i = 0; i < rates.count; i++) {
		guint64 most = slide_most(seen, rates.rate[i].span);

		g_test_message("at most %" G_GUINT64_FORMAT " in %d s", most,
		    (int)(rates.rate[i].span / G_USEC_PER_SEC));
		g_assert_cmpuint(most, <=, rates.rate[i].count);
	}
	g_test_message("%u in all", seen->len);
	g_assert_cmpuint(seen->len, >=, 50);
}

/* 30 at once, some killed, the clock set, the state opened anew. */
static void
test_crowd(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	struct sight *sight = mmap(NULL, sizeof(*sight), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct member member = {&place, sight};
	pid_t pids[CROWD];

	if (watched_by_valgrind())
		return;
	g_assert_true(sight != MAP_FAILED);
	statefolder_make(&place);
	for (guint i = 0; i < CROWD; i++)
		pids[i] = statefolder_fork(deliver_often, &member);
	kill_some(&member, pids);
	__atomic_store_n(&sight->done, TRUE, __ATOMIC_SEQ_CST);
	for (guint i = 0; i < CROWD; i++)
		g_assert_cmpint(statefolder_wait(pids[i]), ==, 0);
	check_sight(sight);
	munmap(sight, sizeof(*sight));
}

/* One delivery to each of many hosts. */
static void
deliver_to_all(struct hoststate *state, const char *rate)
{
	for (guint i = 0; i < HOSTS; i++) {
		g_autofree char *name = g_strdup_printf("mx%u.example.com", i);
		struct contender contender;

		trip_route("A", &contender);
		contender.name = name;
		set_rate(&contender, TALLY_TRANSACTIONS, rate);
		g_assert_cmpuint(hoststate_choose(state, &contender, 1), ==, 0);
		g_assert_cmpuint(hoststate_grant(state, 1), ==, 1);
		g_assert_cmpint(hoststate_claim(state, TRUE), ==, 0);
		trip_leave(state, '+');
	}
}

/* The state of hosts with three spans each, and what they cost. */
static void
test_size(void)
{
	g_auto(Statefolder) place = {NULL, NULL};
	g_autoptr(Hoststate) state = NULL;
	gint64 begun;
	gint64 between;
	GStatBuf st;

	if (watched_by_anybody())
		return;
	statefolder_make(&place);
	state = trip_new(&place);
	deliver_to_all(state, "none");
	begun = g_get_monotonic_time();
	deliver_to_all(state, "none");
	between = g_get_monotonic_time();
	for (guint i = 0; i < 5; i++)
		deliver_to_all(state, "14:1s, 30:1m, 10000:1d");
	g_test_message("%d us without rates, %d us with three",
	    (int)((between - begun) / HOSTS),
	    (int)((g_get_monotonic_time() - between) / HOSTS / 5));
	g_assert_cmpint(g_stat(place.path, &st), ==, 0);
	g_test_message("%d kB", (int)(st.st_size / 1024));
	g_assert_cmpint(st.st_size, <, 4 * 1024 * 1024);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rate/overflow", test_overflow);
	g_test_add_func("/rate/what counts", test_what_counts);
	g_test_add_func("/rate/prober", test_prober);
	g_test_add_func("/rate/other route", test_other_route);
	g_test_add_func("/rate/places", test_places);
	g_test_add_func("/rate/missed", test_missed);
	g_test_add_func("/rate/opening", test_opening);
	g_test_add_func("/rate/recipients", test_recipients);
	g_test_add_func("/rate/too many", test_too_many);
	g_test_add_func("/rate/size", test_size);
	g_test_add_func("/rate/crowd", test_crowd);
	return g_test_run();
}
