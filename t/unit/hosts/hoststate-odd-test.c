/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes know together when the file holds what it should not, is old,
 * or goes away.
 */
#include <config.h>

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "hosts/hoststate.h"
#include "hosts/statefile.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "unit/trip.h"

#define DAY (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* What a host's record is before, and whether it is due or kept. */
static const struct record_row {
	const char *says;
	struct hostrecord record;
	char chosen; /* of "A B/1" */
} records[] = {
    {"due in the far future: another boot's clock",
	{.health = {.due = G_MAXINT64 / 2, .interval = 1}}, 'A'},
    {"due before there was time", {.health = {.due = G_MININT64}}, 'A'},
    {"probed by a number that is no ticket",
	{.health = {.due = 1, .prober = 12345, .lease = G_MAXINT64}}, 'A'},
    {"probed by somebody who is gone",
	{.health = {.due = 1,
	     .prober = G_GUINT64_CONSTANT(1) << 50,
	     .lease = G_MAXINT64}},
	'A'},
    {"since when, nobody knows",
	{.health = {.due = 1, .interval = G_MAXINT64, .since = G_MININT64}},
	'A'},
    {"drained by any number", {.drained = 0x55555555}, 'B'},
    {"counters at their end",
	{.deliveries = G_MAXUINT64,
	    .total = {G_MAXUINT64, G_MAXUINT64, G_MAXUINT64}},
	'A'},
};

struct putting {
	const char *key;
	const void *value;
	gsize size;
};

static void
put_work(struct statefile_view *view, void *data)
{
	const struct putting *putting = data;

	statefile_put(view, putting->key, putting->value, putting->size);
}

static void
put(const struct statefolder *place, const char *key, const void *value,
    gsize size)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	struct putting putting = {key, value, size};
	g_autoptr(GError) error = NULL;

	statefile_run(file, STATEFILE_WRITE, put_work, &putting, &error);
	g_assert_no_error(error);
}

static void
test_record(gconstpointer data)
{
	const struct record_row *row = data;
	g_auto(Statefolder) place;
	g_autofree char *hosts = NULL;
	g_autofree char *rest = NULL;

	statefolder_make(&place);
	put(&place, "host a.example.com:25", &row->record, sizeof(row->record));
	hosts = trip_deliver(&place, "A B/1", "-");
	g_assert_cmpint(hosts[0], ==, row->chosen);
	/* It is down by now, and the record as good as any. */
	rest = trip_deliver(&place, "A B/1", ".");
	g_assert_cmpstr(rest, ==, row->chosen == 'A' ? "B" : "");
	trip_connected(&place);
}

/* Of a length or content that is not what this version writes. */
static void
test_other_values(void)
{
	static const guint8 noise[4000] = {0xff, 0xfe, 0xfd};
	const gsize sizes[] = {0, 1, 7, 8, 9, 1000, 4000};
	const char *const keys[] = {"host a.example.com:25",
	    "slots a.example.com:25", "dcid", "host ", "host :", "group ", "g"};

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_auto(Statefolder) place;
		g_autofree char *hosts = NULL;

		statefolder_make(&place);
		for (gsize k = 0; k < G_N_ELEMENTS(keys); k++)
			put(&place, keys[k], noise, sizes[i]);
		hosts = trip_deliver(&place, "A=1 B/1", "-+");
		g_assert_cmpstr(hosts, ==, "AB");
		g_assert_cmpuint(trip_connected(&place), ==, 0);
	}
}

/* Its turns are damaged: nobody gets them all for ever. */
static void
test_other_turns(void)
{
	const struct {
		gint64 seen;
		gint32 turns[4];
	} record = {0, {G_MAXINT32, G_MININT32, 1000000, -1000000}};
	g_auto(Statefolder) place;
	g_autofree char *checksum = NULL;
	g_autofree char *key = NULL;
	g_autoptr(GString) all = g_string_new(NULL);

	statefolder_make(&place);
	checksum = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
	    "a.example.com:25/1,b.example.com:25/1,c.example.com:25/1,"
	    "192.0.2.4:25/1,",
	    -1);
	key = g_strconcat("group ", checksum, NULL);
	put(&place, key, &record, sizeof(record));
	for (int i = 0; i < 24; i++) {
		g_autofree char *hosts = trip_deliver(&place, "A B C D", "+");

		g_string_append(all, hosts);
	}
	g_assert_true(g_str_has_prefix(all->str, "AC"));
	g_assert_nonnull(strchr(all->str, 'B'));
	g_assert_nonnull(strchr(all->str, 'D'));
}

static void
put_record(const struct statefolder *place, const char *key, gint64 seen,
    gboolean drained)
{
	const struct hostrecord record = {.seen = seen, .drained = drained};

	put(place, key, &record, sizeof(record));
}

/* Whoever brings a new host takes old ones away. */
static void
test_forgotten(void)
{
	gint64 now = g_get_real_time();
	g_auto(Statefolder) place;
	g_autofree char *hosts = NULL;
	g_autofree char *rest = NULL;

	statefolder_make(&place);
	put_record(&place, "host m1.example.com:25", now - 8 * DAY, FALSE);
	put_record(&place, "host m2.example.com:25", now - 8 * DAY, TRUE);
	put_record(&place, "host m3.example.com:25", now - 6 * DAY, FALSE);
	put_record(&place, "host m4.example.com:25", 0, FALSE);
	put_record(&place, "host m5.example.com:25", now - 8 * DAY, FALSE);
	hosts = trip_deliver(&place, "A", "+");
	rest = trip_hosts(&place, FALSE);
	g_assert_cmpstr(rest, ==, "a m2 m3 m5");
}

/* Without memory all can be had, but for who is drained in the map. */
static void
test_without_memory(void)
{
	const char *const folders[] = {"/nonexistent", NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(Hoststate) state =
		    hoststate_new(folders[i], &trip_limits);
		struct contender contenders[TRIP_HOSTS];
		guint count = trip_route("A B=0 C D/1", contenders);
		g_autofree char *warning = NULL;
		struct endpoint endpoint;
		guint seen = 0;

		contenders[2].standing = STANDING_DRAINED;
		contenders[1].standing = STANDING_FULL;
		for (guint k = 0; k < 3; k++) {
			char host = trip_choose(state, contenders, count);

			seen |= 1U << (host - 'A');
			g_assert_true(k < 2 ? host < 'C' : host == 'D');
			g_assert_cmpuint(hoststate_dcid(state), ==, 0);
			g_assert_true(
			    endpoint_parse("192.0.2.1", 25, &endpoint));
			g_assert_false(hoststate_is_bad(state, &endpoint));
			g_assert_cmpint(trip_leave(state, '-').change, ==,
			    CHANGE_NONE);
		}
		g_assert_cmpint(trip_choose(state, contenders, count), ==, '-');
		g_assert_cmpuint(seen, ==, 1 + 2 + 8);
		warning = hoststate_take_warning(state);
		g_assert_cmpstr(warning, ==,
		    folders[i] == NULL
			? NULL
			: "state-directory: /nonexistent/" STATEFILE_NAME
			  ": No such file or directory; delivering without "
			  "memory of hosts");
		trip_assert_no_warning(state);
	}
}

/* The state goes while one is at a host. */
static void
test_lost_meanwhile(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A=1 B/1", contenders);
	g_autofree char *warning = NULL;

	statefolder_make(&place);
	state = trip_new(&place);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'A');
	g_assert_no_errno(g_unlink(place.path));
	g_assert_no_errno(g_mkdir(place.path, 0700));
	g_assert_cmpint(trip_leave(state, '-').change, ==, CHANGE_NONE);
	warning = hoststate_take_warning(state);
	g_assert_nonnull(strstr(warning, "Is a directory"));
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'B');
	trip_leave(state, '+');
	trip_assert_no_warning(state);
}

/* Or somebody removes it: what is known from there on is kept. */
static void
test_removed_meanwhile(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A=1 B/1", contenders);
	g_autofree char *hosts = NULL;

	statefolder_make(&place);
	state = trip_new(&place);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'A');
	g_assert_no_errno(g_unlink(place.path));
	g_assert_cmpint(trip_leave(state, '-').change, ==, CHANGE_DOWN);
	trip_assert_no_warning(state);
	hosts = trip_deliver(&place, "A=1 B/1", "+");
	g_assert_cmpstr(hosts, ==, "B");
}

static void
test_begun_anew(void)
{
	g_auto(Statefolder) place;
	g_autoptr(Hoststate) state = NULL;
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route("A B", contenders);
	g_autofree char *warning = NULL;
	g_autofree char *expected = NULL;

	statefolder_make(&place);
	statefolder_write(&place, "rubbish", 7);
	state = trip_new(&place);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'A');
	trip_leave(state, '+');
	warning = hoststate_take_warning(state);
	expected =
	    g_strdup_printf("state-directory: %s was damaged; begun "
			    "anew, drained hosts may have to be drained again",
		place.path);
	g_assert_cmpstr(warning, ==, expected);
	trip_assert_no_warning(state);
	g_assert_cmpint(trip_choose(state, contenders, count), ==, 'B');
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("hoststate/record", records, test_record);
	g_test_add_func("/hoststate/other values", test_other_values);
	g_test_add_func("/hoststate/other turns", test_other_turns);
	g_test_add_func("/hoststate/the old is forgotten", test_forgotten);
	g_test_add_func("/hoststate/without memory", test_without_memory);
	g_test_add_func("/hoststate/lost meanwhile", test_lost_meanwhile);
	g_test_add_func("/hoststate/removed meanwhile", test_removed_meanwhile);
	g_test_add_func("/hoststate/begun anew", test_begun_anew);
	return g_test_run();
}
