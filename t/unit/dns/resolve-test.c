/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups against a real DNS server.  t/resolve.t starts it, and has the zones.
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "agent/expansion.h"
#include "agent/plan.h"
#include "dns/addresses.h"
#include "dns/resolve.h"
#include "unit/fixture.h"
#include "unit/lookup.h"
#include "unit/statefolder.h"
#include "util/deadline.h"

#define PATIENCE (20 * G_USEC_PER_SEC)

#define LABEL_63                                                               \
	"a23456789-a23456789-a23456789-a23456789-a23456789-a23456789-abc"
#define NAME_253                                                               \
	LABEL_63                                                               \
	"." LABEL_63 "." LABEL_63                                              \
	".b23456789-b23456789-b23456789-b23456789-b23456789-b2345.test"

static const struct question {
	const char *says;
	const char *name;
	const char *expected;
} address_questions[] = {
    {"an A record", "a.test", "192.0.2.1"},
    {"an AAAA record", "aaaa.test", "2001:db8::1"},
    {"both", "both.test", "192.0.2.2 2001:db8::2"},
    {"several", "several.test", "192.0.2.3 192.0.2.4 192.0.2.5"},
    {"an alias", "alias.test", "192.0.2.1"},
    {"the longest name there can be", NAME_253, "192.0.2.6"},
    {"a longer name", "abc." NAME_253, LOOKUP_TEMPORARY "*"},
    {"no such name", "absent.test", LOOKUP_NO_NAME},
    {"a name without addresses", "text.test", LOOKUP_NO_ADDRESS},
    {"an alias of no such name", "dangling.test", "not found: *"},
    {"a server that refuses", "a.refused", LOOKUP_NO_SERVER},
    {"a name that only a search domain knows", "short.absent.test",
	LOOKUP_NO_NAME},
    {"this machine is itself", "localhost", "127.0.0.1*"},
};

static const struct question mx_questions[] = {
    {"one", "one.test", "10 mx1.test"},
    {"by preference", "three.test", "0 mx3.test 10 mx1.test 65535 mx2.test"},
    {"an alias, with those of its target", "mxalias.test", "10 mx1.test"},
    {"capitals made small", "capitals.test", "5 mx1.test"},
    {"a null MX", "null.test", "null MX: domain takes no mail (null MX)"},
    {"a null MX among others is no MX", "halfnull.test", "10 mx1.test"},
    {"a null MX with a preference is unusable", "null10.test",
	LOOKUP_TEMPORARY "no usable MX"},
    {"an address for a name is unusable", "numeric.test",
	LOOKUP_TEMPORARY "no usable MX"},
    {"no such name", "absent.test", LOOKUP_NO_NAME},
    {"a name without MX", "a.test", LOOKUP_NO_MX},
    {"a server that refuses", "refused", LOOKUP_NO_SERVER},
    {"a longer name than there can be", "abc." NAME_253, LOOKUP_TEMPORARY "*"},
};

/* "!host code" for one without addresses. */
static const struct steps {
	const char *says;
	const char *route;
	const char *domain;
	const char *expected;
} plans[] = {
    {"a name's exchangers come by preference", "three.test", "x.test",
	"mx3.test/192.0.2.13:25 mx1.test/192.0.2.11:25 "
	"mx2.test/192.0.2.12:25"},
    {"with the port that the route gives", "one.test:26", "x.test",
	"mx1.test/192.0.2.11:26"},
    {"an exchanger that is an alias is followed", "mxcname.test", "x.test",
	"mxcname1.test/192.0.2.11:25"},
    {"a name without exchangers is its own", "a.test", "x.test",
	"a.test/192.0.2.1:25"},
    {"a name in brackets is asked for addresses only",
	"[one.test], one.test/pri=1", "x.test",
	"one.test/192.0.2.10:25 mx1.test/192.0.2.11:25"},
    {"exchangers of one priority come before the next priority",
	"a.test/pri=2, three.test/pri=1", "x.test",
	"mx3.test/192.0.2.13:25 mx1.test/192.0.2.11:25 "
	"mx2.test/192.0.2.12:25 a.test/192.0.2.1:25"},
    {"an address comes once, whatever names lead to it",
	"a.test, [alias.test]/pri=1, 192.0.2.1/pri=2, alias.test/pri=3",
	"x.test", "a.test/192.0.2.1:25"},
    {"an exchanger without address does not hide the next", "broken.test",
	"x.test", "!absent.test not found mx1.test/192.0.2.11:25"},
    {"a host that cannot be found does not hide the next",
	"absent.test, a.test/pri=1", "x.test",
	"!absent.test not found a.test/192.0.2.1:25"},
    {"a host that cannot be asked for does not hide the next",
	"a.refused, a.test/pri=1", "x.test",
	"!a.refused temporary a.test/192.0.2.1:25"},
    {"a domain that takes no mail has none tried", "null.test", "x.test",
	"!null.test null MX"},
    {"bind= leaves the addresses of its family", "[both.test]/bind=2001:db8::5",
	"x.test", "both.test/2001:db8::2:25"},
    {"bind= may leave none", "[a.test]/bind=2001:db8::5, [both.test]/pri=1",
	"x.test", "!a.test family both.test/*"},
    {"USEDNS takes the recipient's domain", "USEDNS", "one.test",
	"mx1.test/192.0.2.11:25"},
    {"USEDNS knows that there is none", "USEDNS", "absent.test",
	"!absent.test not found"},
    {"USEDNS knows when it does not know", "USEDNS", "refused",
	"!refused temporary"},
};

static const struct own_name {
	const char *says;
	const char *host_name;
	const char *expected;
} own_names[] = {
    {"a full name is taken as it is", "gw.absent.test", "gw.absent.test"},
    {"in small letters", "GW.Absent.Test", "gw.absent.test"},
    {"a short name is completed", "gw", "gw.own.test"},
    {"a short name that is an alias too", "gwalias", "gw.own.test"},
    {"a short name that nobody knows stays so", "unheard", "unheard"},
    {"what is no name is localhost", "my gateway", "localhost"},
    {"so is an address", "192.0.2.1", "localhost"},
    {"and nothing", "", "localhost"},
};

/* What gethostname(2) says to the code under test. */
static const char *own_host_name = "";

int
gethostname(char *name, size_t length)
{
	g_strlcpy(name, own_host_name, length);
	return 0;
}

/* The address of the DNS server that t/resolve.t started. */
static const char *
real_dns(void)
{
	return g_getenv("RESOLVE_TEST_DNS");
}

static void
test_addresses(gconstpointer data)
{
	const struct question *row = data;
	g_autofree char *text =
	    lookup_addresses(real_dns(), row->name, PATIENCE);

	lookup_assert(text, row->expected);
}

static void
test_mx(gconstpointer data)
{
	const struct question *row = data;
	g_autofree char *text = lookup_mx(real_dns(), row->name, PATIENCE);

	lookup_assert(text, row->expected);
}

static void
test_too_many_addresses(void)
{
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	g_autoptr(GError) error = NULL;
	const struct address_question question = {
	    .host = "many.test",
	    .port = 25,
	    .family = FAMILY_ANY,
	};
	g_autoptr(GArray) addresses = addresses_resolve(resolver, &question,
	    deadline_in(PATIENCE), &error);

	g_assert_no_error(error);
	g_assert_cmpuint(addresses->len, ==, ADDRESSES_MAX);
}

/* The zone has RESOLVE_MX_MAX + 16, with preferences from 1 up. */
static void
test_too_many_mx(void)
{
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) exchangers =
	    resolve_mx(resolver, "many.test", deadline_in(PATIENCE), &error);

	g_assert_no_error(error);
	g_assert_cmpuint(exchangers->len, ==, RESOLVE_MX_MAX);
	for (guint i = 0; i < exchangers->len; i++) {
		const struct mx *mx = g_ptr_array_index(exchangers, i);

		g_assert_cmpuint(mx->preference, ==, i + 1);
	}
}

/* With one resolver, which is as good for the hundredth lookup. */
static void
test_equal_mx(void)
{
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	int firsts[2] = {0, 0};

	for (int i = 0; i < 100; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) exchangers = resolve_mx(resolver,
		    "equal.test", deadline_in(PATIENCE), &error);
		const struct mx *first;
		const struct mx *last;

		g_assert_no_error(error);
		g_assert_cmpuint(exchangers->len, ==, 3);
		first = g_ptr_array_index(exchangers, 0);
		last = g_ptr_array_index(exchangers, 2);
		g_assert_cmpstr(last->host, ==, "mx3.test");
		firsts[g_str_equal(first->host, "mx1.test")]++;
	}
	g_assert_cmpint(firsts[0], >, 20);
	g_assert_cmpint(firsts[1], >, 20);
}

static void
add_step(GString *text, enum plan_step step, const struct candidate *candidate,
    const GError *error)
{
	switch (step) {
	case PLAN_END:
		g_assert_no_error(error);
		break;
	case PLAN_CANDIDATE:
		g_assert_no_error(error);
		g_string_append_printf(text, "%s/%s:%d ", candidate->host,
		    candidate->address, endpoint_port(&candidate->endpoint));
		break;
	case PLAN_UNRESOLVED:
		g_string_append_printf(text, "!%s %s ", candidate->host,
		    error->domain == EXPANSION_ERROR ? "self"
			: error->domain == PLAN_ERROR
			? "family"
			: lookup_code_name(error));
		break;
	}
}

static void
test_plan(gconstpointer data)
{
	const struct steps *row = data;
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(Route) route = fixture_route(row->route);
	g_autoptr(Settings) settings = fixture_settings("");
	const struct health_limits limits = {1, 1};
	g_autoptr(Hoststate) state = hoststate_new(NULL, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, row->domain, settings, resolver, state);
	enum plan_step step = PLAN_END;

	while (step != PLAN_END || plan_next_destination(plan)) {
		g_autoptr(GError) error = NULL;
		struct candidate candidate;

		step =
		    plan_next(plan, deadline_in(PATIENCE), &candidate, &error);
		add_step(text, step, &candidate, error);
	}
	g_strchomp(text->str);
	lookup_assert(text->str, row->expected);
}

/* The addresses as a plan gives them; the first fails, the second answers. */
static char *
visit_addresses(const char *folder)
{
	const struct health_limits limits = {1, 300 * G_USEC_PER_SEC};
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	g_autoptr(Route) route = fixture_route("[several.test]");
	g_autoptr(Settings) settings = fixture_settings("");
	g_autoptr(Hoststate) state = hoststate_new(folder, &limits);
	g_autoptr(Plan) plan =
	    plan_new(route, "x.test", settings, resolver, state);
	GString *text = g_string_new(NULL);
	struct outcome outcome = {.trouble = TROUBLE_HOST};
	struct candidate candidate;
	struct visit visit = {.address = candidate.address,
	    .outcomes = &outcome,
	    .count = 1};
	struct departure departure;

	g_assert_true(plan_next_destination(plan));
	while (plan_next(plan, deadline_in(PATIENCE), &candidate, NULL) ==
	    PLAN_CANDIDATE) {
		g_string_append_printf(text, "%s ", candidate.address);
		outcome.text = (char *)(guintptr) "text";
		hoststate_note(state, &visit);
		outcome.trouble = TROUBLE_RECIPIENT;
		outcome.code = 450;
	}
	hoststate_leave(state, &departure);
	return g_string_free(text, FALSE);
}

/* However the resolver sorts them. */
static void
test_bad_address(void)
{
	g_auto(Statefolder) place;
	g_autofree char *first = NULL;

	statefolder_make(&place);
	first = visit_addresses(place.folder);
	for (int i = 0; i < 5; i++) {
		g_autofree char *bad =
		    g_strndup(first, (gsize)(strchr(first, ' ') - first));
		char *next = visit_addresses(place.folder);
		g_auto(GStrv) words = g_strsplit(next, " ", 0);

		/* It was tried last, and is good again; now another is bad. */
		g_assert_cmpstr(words[2], ==, bad);
		g_free(first);
		first = next;
	}
}

/* t/resolve.t makes own.test the search domain. */
static void
test_own_name(gconstpointer data)
{
	const struct own_name *row = data;
	g_autoptr(Resolver) resolver = resolver_new(real_dns());
	g_autofree char *name = NULL;

	own_host_name = row->host_name;
	name = resolve_own_name(resolver, deadline_in(PATIENCE));
	g_assert_cmpstr(name, ==, row->expected);
}

static void
test_no_dns_server(void)
{
	g_autofree char *text = lookup_mx("nonsense", "one.test", PATIENCE);

	lookup_assert(text, "temporary: cannot set up DNS: *");
}

#define ADD_ROWS(rows, prefix, test)                                           \
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {                       \
		g_autofree char *path =                                        \
		    g_strdup_printf(prefix "/%s", rows[i].says);               \
                                                                               \
		g_test_add_data_func(path, &rows[i], test);                    \
	}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS(address_questions, "/resolve/address", test_addresses)
	ADD_ROWS(mx_questions, "/resolve/mx", test_mx)
	ADD_ROWS(plans, "/resolve/plan", test_plan)
	ADD_ROWS(own_names, "/resolve/own name", test_own_name)
	g_test_add_func("/resolve/more addresses than enough",
	    test_too_many_addresses);
	g_test_add_func("/resolve/more MX than enough", test_too_many_mx);
	g_test_add_func("/resolve/equal MX are shuffled", test_equal_mx);
	g_test_add_func("/resolve/a bad address comes last", test_bad_address);
	g_test_add_func("/resolve/no DNS server", test_no_dns_server);
	return g_test_run();
}
