/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deliveries that wait for a slot, each of them a handle: who comes first.
 */
#include <config.h>

#include <glib.h>

#include "hosts/hoststate.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/trip.h"

#define SPAN    ((gint64)G_USEC_PER_SEC)
#define WAITING 10

/*
 * Events, one after another, at a host that takes one session, or two: of the
 * delivery with that number, 'c' it chooses, 'l' it looks, 'f' it looks after
 * it has waited for long, 'e' it ends, 'k' it is killed.  In upper case: and
 * gets the slot, or finds that it may.
 */
static const struct story {
	const char *says;
	const char *route;
	const char *events;
} stories[] = {
    {"whoever looks first", "A=1", "0C 1l 2l 0e 2L 2C 1l 2e 1L 1C 1e"},
    {"who comes anew, too", "A=1", "0C 1l 0e 2C 1l 2e 1L 1C"},
    {"who has waited for long", "A=1",
	"0C 1l 2l 2f 0e 1l 3c 2F 3c 1l 2C 2e 1L"},
    {"these one after another", "A=1",
	"0C 1l 2f 3f 1f 0e 1f 3f 2F 2C 3f 2e 3F"},
    {"it is no more among them", "A=1", "0C 1f 0e 1F 1C 1e 0L 2C"},
    {"a slot more is anyone's", "A=2", "0C 1C 2f 0e 3c 1e 3C 2F 2C"},
    {"the dead are not waited for", "A=1", "0C 1f 0e 2c 1k 2C"},
    {"the second route of theirs", "A=1 B/1=1", "0C 1C 2f 3l 1e 3l 2F 2C"},
};

#define DELIVERIES 4

struct crowd {
	struct statefolder place;
	const char *route;
	struct hoststate *states[DELIVERIES];
};

static gboolean
choose(struct crowd *crowd, guint number)
{
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route(crowd->route, contenders);

	return trip_choose(crowd->states[number], contenders, count) != '-';
}

static gboolean
look(struct crowd *crowd, guint number, gboolean first)
{
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route(crowd->route, contenders);

	return hoststate_look(crowd->states[number], contenders, count, SPAN,
		   WAITING, first) == PROSPECT_NOW;
}

static gboolean
happen(struct crowd *crowd, guint number, char what)
{
	switch (g_ascii_tolower(what)) {
	case 'c':
		return choose(crowd, number);
	case 'l':
		return look(crowd, number, FALSE);
	case 'f':
		return look(crowd, number, TRUE);
	case 'e':
		trip_leave(crowd->states[number], '+');
		break;
	default:
		g_clear_pointer(&crowd->states[number], hoststate_free);
	}
	return FALSE;
}

static void
test_story(const void *data)
{
	const struct story *story = data;
	g_auto(GStrv) events = g_strsplit(story->events, " ", -1);
	g_autoptr(GString) seen = g_string_new(NULL);
	struct crowd crowd = {.route = story->route};

	statefolder_make(&crowd.place);
	for (guint i = 0; i < DELIVERIES; i++)
		crowd.states[i] = trip_new(&crowd.place);
	for (guint i = 0; events[i] != NULL; i++) {
		char what = g_ascii_tolower(events[i][1]);
		gboolean got = happen(&crowd,
		    (guint)g_ascii_digit_value(events[i][0]), what);

		g_string_append_printf(seen, "%s%c%c", i > 0 ? " " : "",
		    events[i][0], got ? g_ascii_toupper(what) : what);
	}
	g_assert_cmpstr(seen->str, ==, story->events);
	for (guint i = 0; i < DELIVERIES; i++)
		g_clear_pointer(&crowd.states[i], hoststate_free);
	statefolder_remove(&crowd.place);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	TABLE_ADD("waiting", stories, test_story);
	return g_test_run();
}
