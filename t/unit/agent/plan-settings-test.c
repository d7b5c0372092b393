/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What plans of routes that hold addresses only take from the settings.  There
 * is no resolver: a lookup would crash.
 */
#include <config.h>

#include <glib.h>

#include "agent/plan.h"
#include "unit/fixture.h"
#include "unit/table.h"
#include "util/deadline.h"

#define DEFAULTS "[smtproute]\ntls = none\n"

static const struct health_limits limits = {G_USEC_PER_SEC, G_USEC_PER_SEC};

/* What the route, [host ...] and [smtproute] say, the first that says so. */
static const struct precedence {
	const char *says;
	const char *settings;
	const char *route;
	enum tls_level tls;
	const char *auth;
	const char *bind;
} precedences[] = {
    {"the defaults hold for any host", "[smtproute]\ntls = may\n", "192.0.2.1",
	TLS_MAY, NULL, NULL},
    {"a host's own settings beat them",
	DEFAULTS "[host 192.0.2.1]\ntls = encrypt\nbind = 192.0.2.6\n",
	"192.0.2.1", TLS_ENCRYPT, NULL, "192.0.2.6"},
    {"a host with its port beats the host",
	DEFAULTS "[host 192.0.2.1]\ntls = encrypt\n"
		 "[host 192.0.2.1:26]\ntls = secure\n",
	"192.0.2.1:26", TLS_SECURE, NULL, NULL},
    {"another host's settings do not matter",
	DEFAULTS "[host 192.0.2.9]\ntls = encrypt\n", "192.0.2.1", TLS_NONE,
	NULL, NULL},
    {"the route beats them all",
	DEFAULTS "[host 192.0.2.1]\ntls = secure\nbind = 192.0.2.6\n",
	"192.0.2.1/tls=may/bind=192.0.2.7", TLS_MAY, NULL, "192.0.2.7"},
    {"the route's auth holds", DEFAULTS, "192.0.2.1/auth=a", TLS_NONE, "a",
	NULL},
};

static void
test_precedence(gconstpointer data)
{
	const struct precedence *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Settings) settings = fixture_settings(row->settings);
	g_autoptr(Route) route = fixture_route(row->route);
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "a.example", settings, NULL, state);
	struct candidate candidate;

	g_assert_true(plan_next_destination(plan));
	g_assert_cmpint(plan_next(plan, deadline_in(G_USEC_PER_SEC), &candidate,
			    &error),
	    ==, PLAN_CANDIDATE);
	g_assert_no_error(error);
	g_assert_cmpint(candidate.settings.tls, ==, row->tls);
	g_assert_cmpstr(candidate.settings.auth, ==, row->auth);
	g_assert_cmpstr(candidate.settings.bind, ==, row->bind);
}

/* What the state is told of a route's hosts. */
static void
test_contenders(void)
{
	g_autoptr(Settings) settings = fixture_settings(
	    DEFAULTS "connect-timeout = 1s\ngreeting-timeout = 2s\n"
		     "command-timeout = 4s\nmax-connections = 7\n"
		     "[host 192.0.2.1]\nmax-connections = 0\n"
		     "connect-timeout = 8s\n");
	g_autoptr(Route) route = fixture_route(
	    "192.0.2.2:26/weight=5/pri=3, 192.0.2.1, 192.0.2.3/drain/pri=9");
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "a.example", settings, NULL, state);
	const GArray *contenders = plan_contenders(plan);
	const struct contender *contender;

	g_assert_cmpuint(contenders->len, ==, 3);
	contender = &g_array_index(contenders, struct contender, 0);
	g_assert_cmpstr(contender->name, ==, "192.0.2.1");
	g_assert_cmpuint(contender->max_connections, ==, G_MAXUINT);
	g_assert_cmpint(contender->lease, >=, 14 * G_USEC_PER_SEC);
	g_assert_cmpint(contender->standing, ==, STANDING_FREE);
	contender = &g_array_index(contenders, struct contender, 1);
	g_assert_cmpstr(contender->name, ==, "192.0.2.2");
	g_assert_cmpuint(contender->port, ==, 26);
	g_assert_cmpuint(contender->priority, ==, 3);
	g_assert_cmpuint(contender->weight, ==, 5);
	g_assert_cmpuint(contender->max_connections, ==, 7);
	g_assert_cmpint(contender->lease, >=, 7 * G_USEC_PER_SEC);
	contender = &g_array_index(contenders, struct contender, 2);
	g_assert_cmpint(contender->standing, ==, STANDING_DRAINED);
}

/* Which setting is to blame that there is no address. */
static const struct family {
	const char *says;
	const char *settings;
	const char *route;
	const char *message; /* NULL: there is one */
} families[] = {
    {"bind=", DEFAULTS, "[2001:db8::1]/bind=192.0.2.5",
	"no address of the family of bind=192.0.2.5"},
    {"address-family, for IPv6", DEFAULTS "address-family = ipv4\n",
	"[2001:db8::1]", "no address of address-family=ipv4"},
    {"address-family, for IPv4", DEFAULTS "address-family = ipv6\n",
	"192.0.2.1", "no address of address-family=ipv6"},
    {"bind= beats address-family", DEFAULTS "address-family = ipv6\n",
	"192.0.2.1/bind=192.0.2.5", NULL},
    {"any", DEFAULTS, "192.0.2.1", NULL},
    {"what comes first is no matter", DEFAULTS "address-family = prefer-ipv6\n",
	"192.0.2.1", NULL},
};

static void
test_family(gconstpointer data)
{
	const struct family *row = data;
	g_autoptr(Settings) settings = fixture_settings(row->settings);
	g_autoptr(Route) route = fixture_route(row->route);
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "a.example", settings, NULL, state);
	g_autoptr(GError) error = NULL;
	struct candidate candidate;

	g_assert_true(plan_next_destination(plan));
	g_assert_cmpint(plan_next(plan, deadline_in(G_USEC_PER_SEC), &candidate,
			    &error),
	    ==, row->message != NULL ? PLAN_UNRESOLVED : PLAN_CANDIDATE);
	g_assert_cmpstr(error != NULL ? error->message : NULL, ==,
	    row->message);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("plan/settings", precedences, test_precedence);
	TABLE_ADD("plan/family", families, test_family);
	g_test_add_func("/plan/contenders are as route and settings say",
	    test_contenders);
	return g_test_run();
}
