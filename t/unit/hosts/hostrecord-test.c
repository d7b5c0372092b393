/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "hosts/hostrecord.h"
#include "hosts/slots.h"
#include "unit/table.h"

/* What a key says of a host; name NULL: it is no host's. */
static const struct key {
	const char *says;
	const char *key;
	const char *name;
	guint16 port;
} keys[] = {
    {"a name", "host mx1.example.com:25", "mx1.example.com", 25},
    {"an IPv4 address", "host 192.0.2.1:2525", "192.0.2.1", 2525},
    {"an IPv6 address", "host 2001:db8::1:25", "2001:db8::1", 25},
    {"the highest port", "host mx:65535", "mx", 65535},
    {"a name in capitals", "host MX1:25", NULL, 0},
    {"a name with a final dot", "host mx1.:25", NULL, 0},
    {"an address in another form", "host 2001:DB8::1:25", NULL, 0},
    {"what a shell runs", "host $(id):25", NULL, 0},
    {"a name with a blank", "host mx 1:25", NULL, 0},
    {"a name with a line end", "host mx\n1:25", NULL, 0},
    {"bytes that are no text", "host \xff\xfe:25", NULL, 0},
    {"another kind of key", "slots mx:25", NULL, 0},
    {"the prefix without its blank", "hostmx:25", NULL, 0},
    {"no name", "host :25", NULL, 0},
    {"no port", "host mx:", NULL, 0},
    {"no colon", "host mx", NULL, 0},
    {"a colon in the prefix's place", ":25", NULL, 0},
    {"nothing", "", NULL, 0},
    {"the prefix alone", "host ", NULL, 0},
    {"port 0", "host mx:0", NULL, 0},
    {"a port that is too large", "host mx:65536", NULL, 0},
    {"a port with a sign", "host mx:+25", NULL, 0},
    {"a port with more behind it", "host mx:25x", NULL, 0},
};

static const struct spans {
	const char *says;
	gint64 spans[4]; /* until 0 */
	guint64 sum;
	guint64 recent;
} latencies[] = {
    {"nothing", {0}, 0, 0},
    {"the first value is the average", {800}, 800, 800},
    {"the next counts for an eighth", {800, 1600}, 2400, 900},
    {"and so on", {800, 1600, 100}, 2500, 800},
    {"a clock that went backwards took no time", {800, -5}, 800, 700},
};

static void
test_parse_key(gconstpointer data)
{
	const struct key *row = data;
	g_autofree char *name = NULL;
	guint16 port = 0;

	g_assert_cmpint(hostrecord_parse_key(row->key, &name, &port), ==,
	    row->name != NULL);
	g_assert_cmpstr(name, ==, row->name);
	g_assert_cmpuint(port, ==, row->port);
}

static void
test_make_key(gconstpointer data)
{
	const struct key *row = data;
	g_autofree char *key = NULL;
	g_autofree char *slots = NULL;

	if (row->name == NULL)
		return;
	key = hostrecord_key(row->name, row->port);
	g_assert_cmpstr(key, ==, row->key);
	slots = slots_connected_key(row->name, row->port);
	g_assert_cmpstr(slots, !=, key);
	g_assert_false(g_str_has_prefix(slots, HOSTRECORD_PREFIX));
}

static void
test_latency(gconstpointer data)
{
	const struct spans *row = data;
	struct latency latency = {0};
	guint count = 0;

	while (count < G_N_ELEMENTS(row->spans) && row->spans[count] != 0)
		latency_add(&latency, row->spans[count++]);
	g_assert_cmpuint(latency.count, ==, count);
	g_assert_cmpuint(latency.sum, ==, row->sum);
	g_assert_cmpuint(latency.recent, ==, row->recent);
}

static void
test_load_nothing(void)
{
	const struct hostrecord zero = {0};
	struct hostrecord record;

	memset(&record, 0xff, sizeof(record));
	hostrecord_load(&record, NULL);
	g_assert_cmpmem(&record, sizeof(record), &zero, sizeof(zero));
}

static void
test_load(void)
{
	struct hostrecord stored = {.seen = 1,
	    .health = {.due = 2, .interval = 3, .since = 4, .prober = 5},
	    .drained = TRUE,
	    .deliveries = 6,
	    .last_error = "refused",
	    .bad = {{"192.0.2.1", 7}}};
	struct hostrecord record;

	hostrecord_load(&record, &stored);
	g_assert_cmpmem(&record, sizeof(record), &stored, sizeof(stored));
}

static void
assert_time(gint64 time)
{
	g_assert_cmpint(time, >=, 0);
}

/* Whatever stands there: strings end, and times can be subtracted. */
static void
test_load_garbage(void)
{
	union {
		struct hostrecord record;
		guint8 bytes[sizeof(struct hostrecord)];
	} stored;
	struct hostrecord record;

	for (int i = 0; i < 2000; i++) {
		for (gsize k = 0; k < sizeof(stored.bytes); k++)
			stored.bytes[k] =
			    i == 0 ? 0x80 : (guint8)g_random_int_range(1, 256);
		hostrecord_load(&record, &stored.record);
		assert_time(record.seen);
		assert_time(record.health.due);
		assert_time(record.health.interval);
		assert_time(record.health.since);
		assert_time(record.health.lease);
		assert_time(record.last_success);
		assert_time(record.last_failure);
		assert_time(record.hourly.head);
		g_assert_true(record.drained == TRUE);
		g_assert_cmpuint(strlen(record.last_error), ==,
		    HOSTRECORD_ERROR_MAX - 1);
		for (gsize k = 0; k < HOSTRECORD_ADDRESSES; k++) {
			assert_time(record.bad[k].until);
			g_assert_cmpuint(strlen(record.bad[k].text), ==,
			    ENDPOINT_TEXT_SIZE - 1);
		}
	}
}

static void
test_tls_hangs(void)
{
	const gint64 now = 1000;
	const gint64 max = 300;

	g_assert_false(hostrecord_tls_hangs(0, now, max));
	g_assert_false(hostrecord_tls_hangs(now, now, max));
	g_assert_true(hostrecord_tls_hangs(now + 1, now, max));
	g_assert_true(hostrecord_tls_hangs(now + max, now, max));
	/* Of the time before a restart. */
	g_assert_false(hostrecord_tls_hangs(now + max + 1, now, max));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_random_set_seed(1);
	TABLE_ADD("hostrecord/key/parse", keys, test_parse_key);
	TABLE_ADD("hostrecord/key/make", keys, test_make_key);
	TABLE_ADD("hostrecord/latency", latencies, test_latency);
	g_test_add_func("/hostrecord/load/nothing is all zero",
	    test_load_nothing);
	g_test_add_func("/hostrecord/load/as it was stored", test_load);
	g_test_add_func("/hostrecord/load/garbage does no harm",
	    test_load_garbage);
	g_test_add_func("/hostrecord/TLS that hangs, and for how long",
	    test_tls_hangs);
	return g_test_run();
}
