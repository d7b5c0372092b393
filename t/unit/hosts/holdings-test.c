/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots of connections that are kept: what stands in the file while something
 * goes over one.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/holdings.h"
#include "hosts/slots.h"
#include "unit/statefolder.h"
#include "unit/trip.h"

/* Of host A. */
struct numbers {
	guint all;
	guint busy;
	guint marked; /* for somebody else */
};

static void
count_work(struct statefile_view *view, void *data)
{
	struct numbers *numbers = data;
	g_autofree char *key = slots_connected_key("a.example.com", 25);

	numbers->all = slots_count(view, key);
	numbers->busy = slots_count_busy(view, key);
	numbers->marked = slots_count_marked(view, key, 1);
}

static void
assert_numbers(const struct statefolder *place, guint all, guint busy,
    guint marked)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GError) error = NULL;
	struct numbers numbers;

	statefile_run(file, STATEFILE_READ, count_work, &numbers, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(numbers.all, ==, all);
	g_assert_cmpuint(numbers.busy, ==, busy);
	g_assert_cmpuint(numbers.marked, ==, marked);
}

/* A process that has a connection with A. */
static struct hoststate *
new_keeper(const struct statefolder *place)
{
	struct hoststate *state = trip_new(place);
	struct contender contenders[TRIP_HOSTS];

	trip_route("A", contenders);
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, 'A');
	hoststate_keep(state, 1);
	trip_leave(state, '+');
	return state;
}

static void
choose_again(struct hoststate *state, const char *route, gboolean counted)
{
	struct contender contenders[TRIP_HOSTS];

	trip_route(route, contenders);
	contenders[0].counted = counted;
	g_assert_cmpint(trip_choose(state, contenders, 1), ==, 'A');
}

/* And is the file another one than before? */
static gboolean
choice_writes(const struct statefolder *place, struct hoststate *state,
    const char *route, gboolean counted)
{
	gsize before_length;
	gsize after_length;
	g_autofree char *before = statefolder_read(place, &before_length);
	g_autofree char *after = NULL;

	choose_again(state, route, counted);
	after = statefolder_read(place, &after_length);
	return before_length != after_length ||
	    memcmp(before, after, before_length) != 0;
}

static void
test_uncounted(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;

	statefolder_make(&place);
	state = new_keeper(&place);
	assert_numbers(&place, 1, 0, 1);
	g_assert_false(choice_writes(&place, state, "A", FALSE));
	hoststate_greeted(state);
	assert_numbers(&place, 1, 0, 1);
	hoststate_keep(state, 1);
	trip_leave(state, '+');
	assert_numbers(&place, 1, 0, 1);
	/* And it is given up in the end. */
	choose_again(state, "A", FALSE);
	trip_leave(state, '+');
	assert_numbers(&place, 0, 0, 0);
}

static void
test_counted(gconstpointer data)
{
	const char *route = data;
	gboolean counted = g_str_equal(route, "A");
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;

	statefolder_make(&place);
	state = new_keeper(&place);
	g_assert_true(choice_writes(&place, state, route, counted));
	assert_numbers(&place, 1, 1, 0);
	hoststate_greeted(state);
	assert_numbers(&place, 1, 1, 1);
	hoststate_keep(state, 1);
	trip_leave(state, '+');
	assert_numbers(&place, 1, 0, 1);
}

/* What was kept was dead. */
static void
test_new_connection(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;

	statefolder_make(&place);
	state = new_keeper(&place);
	choose_again(state, "A", FALSE);
	hoststate_connecting(state);
	assert_numbers(&place, 1, 1, 0);
	hoststate_greeted(state);
	assert_numbers(&place, 1, 1, 1);
	trip_leave(state, '+');
	assert_numbers(&place, 0, 0, 0);
}

/* The other one it has is left as it is. */
static void
test_two_connections(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;

	statefolder_make(&place);
	state = new_keeper(&place);
	choose_again(state, "A", FALSE);
	g_assert_true(hoststate_widen(state));
	assert_numbers(&place, 2, 0, 2);
	trip_leave(state, '+');
	assert_numbers(&place, 1, 0, 1);
	g_assert_cmpuint(hoststate_held(state, "a.example.com", 25), ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/holdings/uncounted", test_uncounted);
	g_test_add_data_func("/holdings/counted", "A", test_counted);
	g_test_add_data_func("/holdings/limited", "A=2", test_counted);
	g_test_add_func("/holdings/new-connection", test_new_connection);
	g_test_add_func("/holdings/two-connections", test_two_connections);
	return g_test_run();
}
