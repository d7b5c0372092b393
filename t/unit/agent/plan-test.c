/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plans of routes that hold addresses only.  There is no resolver: a lookup
 * would crash.  Names are in resolve-test.c.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "agent/plan.h"
#include "unit/fixture.h"
#include "unit/statefolder.h"
#include "unit/table.h"
#include "util/deadline.h"

#define DEFAULTS "[smtproute]\ntls = none\n"

static const struct health_limits limits = {G_USEC_PER_SEC, G_USEC_PER_SEC};

/* What plan_text() makes of a plan: "!host" has no address to try. */
static const struct order {
	const char *says;
	const char *route;
	const char *domain;
	const char *expected;
} orders[] = {
    {"one host is tried once", "192.0.2.1", "a.example", "192.0.2.1:25"},
    {"the port is the route's", "192.0.2.1:2525", "a.example",
	"192.0.2.1:2525"},
    {"IPv6 is as good", "[2001:db8::1]:26", "a.example", "2001:db8::1:26"},
    {"priorities ascend, however they are written",
	"192.0.2.1/pri=20, 192.0.2.2/pri=5, 192.0.2.3, 192.0.2.4/pri=65535",
	"a.example", "192.0.2.3:25 192.0.2.2:25 192.0.2.1:25 192.0.2.4:25"},
    {"priority beats weight", "192.0.2.1/pri=1/weight=1000, 192.0.2.2",
	"a.example", "192.0.2.2:25 192.0.2.1:25"},
    {"a drained host is passed over",
	"192.0.2.1/drain, 192.0.2.2/pri=1, 192.0.2.3/pri=2/drain", "a.example",
	"192.0.2.2:25"},
    {"all drained leave nothing", "192.0.2.1/drain, 192.0.2.2/drain",
	"a.example", ""},
    {"an address comes once, with its lowest priority",
	"192.0.2.1/pri=9, 192.0.2.2/pri=5, 192.0.2.1/pri=1", "a.example",
	"192.0.2.1:25 192.0.2.2:25"},
    {"another source address is another attempt",
	"127.0.0.1, 127.0.0.1/pri=1/bind=127.0.0.2", "a.example",
	"127.0.0.1:25 127.0.0.1:25"},
    {"other credentials are another attempt",
	"192.0.2.1/auth=a, 192.0.2.1/pri=1/auth=b, 192.0.2.1/pri=2/auth=a",
	"a.example", "192.0.2.1:25 192.0.2.1:25"},
    {"less TLS is another attempt",
	"192.0.2.1/tls=encrypt, 192.0.2.1/pri=1/tls=none", "a.example",
	"192.0.2.1:25 192.0.2.1:25"},
    {"another name in the certificate is another attempt",
	"192.0.2.1/tls=secure/tls-name=a, 192.0.2.1/pri=1/tls=secure/tls-name=b",
	"a.example", "192.0.2.1:25 192.0.2.1:25"},
    {"another port is another endpoint", "192.0.2.1, 192.0.2.1:26/pri=1",
	"a.example", "192.0.2.1:25 192.0.2.1:26"},
    {"an address that bind= cannot reach is said to be so",
	"[2001:db8::1]/bind=192.0.2.5, 192.0.2.1/pri=1/bind=192.0.2.5",
	"a.example", "!2001:db8::1 192.0.2.1:25"},
    {"and so is IPv4 from IPv6", "192.0.2.1/bind=2001:db8::5", "a.example",
	"!192.0.2.1"},
    {"USEDNS takes an address for a domain", "USEDNS", "[192.0.2.7]",
	"192.0.2.7:25"},
    {"USEDNS takes an IPv6 address for a domain", "USEDNS",
	"[ipv6:2001:db8::7]", "2001:db8::7:25"},
    {"a route that discards has no hosts", "/dev/null", "a.example", ""},
};

static void
add_step(GString *text, const struct candidate *candidate)
{
	g_string_append_printf(text, "%s:%d ", candidate->address,
	    endpoint_port(&candidate->endpoint));
}

/* All steps of one destination. */
static void
add_destination(GString *text, struct plan *plan)
{
	gint64 deadline = deadline_in(G_USEC_PER_SEC);

	for (;;) {
		g_autoptr(GError) error = NULL;
		struct candidate candidate;

		switch (plan_next(plan, deadline, &candidate, &error)) {
		case PLAN_END:
			g_assert_no_error(error);
			return;
		case PLAN_CANDIDATE:
			g_assert_no_error(error);
			g_assert_cmpstr(candidate.host, ==,
			    candidate.destination->name);
			add_step(text, &candidate);
			break;
		case PLAN_UNRESOLVED:
			g_assert_error(error, PLAN_ERROR, PLAN_ERROR_FAMILY);
			g_string_append_printf(text, "!%s ", candidate.host);
			break;
		}
	}
}

/* @folder: of the state; NULL: without memory. */
static char *
plan_text(const struct route *route, const char *domain,
    const struct settings *settings, const char *folder)
{
	g_autoptr(Hoststate) state = hoststate_new(folder, &limits);
	g_autoptr(Plan) plan = plan_new(route, domain, settings, NULL, state);
	g_autoptr(GString) text = g_string_new(NULL);

	while (plan_next_destination(plan)) {
		struct departure departure;

		g_assert_nonnull(plan_current(plan)->name);
		add_destination(text, plan);
		hoststate_leave(state, &departure);
	}
	return g_strchomp(g_strdup(text->str));
}

static void
test_order(gconstpointer data)
{
	const struct order *row = data;
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route = fixture_route(row->route);
	g_autofree char *text = plan_text(route, row->domain, settings, NULL);

	g_assert_cmpstr(text, ==, row->expected);
}

/* Each group's members all come, once, before those of the next group. */
static void
test_groups(void)
{
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route =
	    fixture_route("192.0.2.4/pri=5/weight=9, 192.0.2.1, 192.0.2.2, "
			  "192.0.2.5/pri=5, 192.0.2.3/weight=1000");
	g_autoptr(GHashTable) seen =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (int i = 0; i < 500; i++) {
		char *text = plan_text(route, "a.example", settings, NULL);

		g_hash_table_add(seen, text);
		g_assert_cmpuint(strlen(text), ==, 5 * 12 + 4);
		for (int n = 1; n <= 5; n++) {
			g_autofree char *host =
			    g_strdup_printf("192.0.2.%d:25", n);
			const char *at = strstr(text, host);

			g_assert_nonnull(at);
			g_assert_true((at - text < 3 * 13) == (n <= 3));
		}
	}
	g_assert_cmpuint(g_hash_table_size(seen), >, 2);
}

static void
test_weights(void)
{
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route =
	    fixture_route("192.0.2.1, 192.0.2.2/weight=3, 192.0.2.3/drain");
	int heavy = 0;

	for (int i = 0; i < 3000; i++) {
		g_autofree char *text =
		    plan_text(route, "a.example", settings, NULL);

		if (g_str_has_prefix(text, "192.0.2.2:"))
			heavy++;
	}
	/* 2250, give or take four standard deviations. */
	g_assert_cmpint(heavy, >, 2155);
	g_assert_cmpint(heavy, <, 2345);
}

/* The second place goes by the weights of those that are left. */
static void
test_remaining_weights(void)
{
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route = fixture_route(
	    "192.0.2.1/weight=1000, 192.0.2.2/weight=2, 192.0.2.3/weight=6");
	int first = 0;
	int second = 0;

	for (int i = 0; i < 3000; i++) {
		g_autofree char *text =
		    plan_text(route, "a.example", settings, NULL);

		if (!g_str_has_prefix(text, "192.0.2.1:"))
			continue;
		first++;
		if (g_str_has_prefix(text, "192.0.2.1:25 192.0.2.3:"))
			second++;
	}
	g_assert_cmpint(first, >, 2900);
	/* Three quarters. */
	g_assert_cmpint(second, >, first * 71 / 100);
	g_assert_cmpint(second, <, first * 79 / 100);
}

/* With memory the turns go on from plan to plan: each one's first host. */
static const struct turns {
	const char *says;
	const char *route;
	const char *expected;
} turns[] = {
    {"equal hosts take turns", "192.0.2.1, 192.0.2.2, 192.0.2.3",
	"1 2 3 1 2 3 1"},
    {"by weight", "192.0.2.1/weight=3, 192.0.2.2", "1 1 2 1 1 1 2"},
    {"priorities come in their order", "192.0.2.1/pri=7, 192.0.2.2/pri=6",
	"2 2 2 2 2 2 2"},
    {"a drained host has no turn", "192.0.2.1, 192.0.2.2/drain, 192.0.2.3",
	"1 3 1 3 1 3 1"},
};

/* The last figure of the first host's address. */
static char
first_host(const struct route *route, const struct settings *settings,
    const char *folder)
{
	g_autoptr(Hoststate) state = hoststate_new(folder, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "a.example", settings, NULL, state);
	struct departure departure;
	char last;

	g_assert_true(plan_next_destination(plan));
	last = plan_current(plan)->name[strlen("192.0.2.")];
	hoststate_leave(state, &departure);
	return last;
}

static void
test_turns(gconstpointer data)
{
	const struct turns *row = data;
	g_auto(Statefolder) place;
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route = fixture_route(row->route);

	statefolder_make(&place);
	for (gsize i = 0; i < strlen(row->expected); i += 2)
		g_assert_cmpint(first_host(route, settings, place.folder), ==,
		    row->expected[i]);
}

/* The next host and its only address; NULL: it has been tried. */
static const char *
next_name(struct plan *plan)
{
	struct candidate candidate;

	g_assert_true(plan_next_destination(plan));
	if (plan_next(plan, deadline_in(G_USEC_PER_SEC), &candidate, NULL) ==
	    PLAN_END)
		return NULL;
	g_assert_cmpint(candidate.preference, ==, -1);
	return candidate.host;
}

/* A host that was full may be tried again, and no other one. */
static void
test_reopen(void)
{
	g_autoptr(Settings) settings = fixture_settings(DEFAULTS);
	g_autoptr(Route) route = fixture_route(
	    "192.0.2.1, 192.0.2.2/pri=1, 192.0.2.2/pri=2, 192.0.2.1/pri=3");
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "a.example", settings, NULL, state);
	struct contender *contender;

	g_assert_cmpstr(next_name(plan), ==, "192.0.2.1");
	g_assert_cmpstr(next_name(plan), ==, "192.0.2.2");
	contender = plan_reopen(plan);
	g_assert_cmpuint(contender->priority, ==, 1);
	contender->standing = STANDING_FREE;
	g_assert_cmpstr(next_name(plan), ==, "192.0.2.2");
	g_assert_cmpstr(next_name(plan), ==, NULL);
	g_assert_cmpstr(next_name(plan), ==, NULL);
	g_assert_false(plan_next_destination(plan));
}

/* Is the same address of another name another attempt? */
static const struct identity {
	enum tls_level tls;
	gboolean another;
} identities[] = {
    {TLS_NONE, FALSE},
    {TLS_MAY, FALSE},
    {TLS_ENCRYPT, FALSE},
    {TLS_SECURE, TRUE},
    {TLS_DANE, TRUE},
    {TLS_WRAPPER, TRUE},
};

static void
test_identity(void)
{
	char first_name[] = "a.example";
	char second_name[] = "b.example";
	const struct destination first = {.name = first_name};
	const struct destination second = {.name = second_name};

	for (gsize i = 0; i < G_N_ELEMENTS(identities); i++) {
		struct candidate candidate = {
		    .destination = &first,
		    .host = "mx.example",
		    .settings = {.tls = identities[i].tls},
		};
		g_autofree char *before = NULL;
		g_autofree char *host = NULL;
		g_autofree char *name = NULL;

		g_assert_true(
		    endpoint_parse("192.0.2.1", 25, &candidate.endpoint));
		before = candidate_id(&candidate);
		candidate.host = "mx2.example";
		host = candidate_id(&candidate);
		candidate.host = "mx.example";
		candidate.destination = &second;
		name = candidate_id(&candidate);
		g_assert_cmpint(strcmp(host, before) != 0, ==,
		    identities[i].another);
		g_assert_cmpint(strcmp(name, before) != 0, ==,
		    identities[i].another);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_random_set_seed(1);
	TABLE_ADD("plan/order", orders, test_order);
	TABLE_ADD("plan/turns", turns, test_turns);
	g_test_add_func("/plan/a host is opened again", test_reopen);
	g_test_add_func("/plan/groups come whole and in order", test_groups);
	g_test_add_func("/plan/first picks follow the weights", test_weights);
	g_test_add_func("/plan/later picks follow the weights that are left",
	    test_remaining_weights);
	g_test_add_func(
	    "/plan/another name is another attempt if it is verified",
	    test_identity);
	return g_test_run();
}
