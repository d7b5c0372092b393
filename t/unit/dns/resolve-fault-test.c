/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups against a DNS server that misbehaves.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "address/endpoint.h"
#include "dns/addresses.h"
#include "dns/resolve.h"
#include "unit/dnsserver.h"
#include "unit/lookup.h"
#include "unit/table.h"
#include "util/deadline.h"

#define WITH(count, text) DNS_SAYS(DNS_OK, count, text)
#define MANNER(manner)                                                         \
	{                                                                      \
		manner, DNS_OK, 1, A_RR, sizeof(A_RR) - 1                      \
	}
#define RR(type, length, rdata) DNS_RR(type, "\0" length, rdata)
#define A_RR                    RR("\x01", "\x04", "\xc0\0\x02\x01")
#define MX_RR(name)             RR("\x0f", "\x07", "\0\1" name)
#define AAAA_RR                 RR("\x1c", "\x10", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")

static const struct dns_answer silence = MANNER(DNS_SILENCE);
static const struct dns_answer empty = MANNER(DNS_EMPTY);
static const struct dns_answer noise = MANNER(DNS_NOISE);
static const struct dns_answer other_name = MANNER(DNS_OTHER_NAME);
static const struct dns_answer nodata = DNS_RCODE(0);
static const struct dns_answer formerr = DNS_RCODE(1);
static const struct dns_answer servfail = DNS_RCODE(2);
static const struct dns_answer nxdomain = DNS_RCODE(3);
static const struct dns_answer notimp = DNS_RCODE(4);
static const struct dns_answer refused = DNS_RCODE(5);
static const struct dns_answer a = WITH(1, A_RR);
static const struct dns_answer aaaa = WITH(1, AAAA_RR);
static const struct dns_answer missing = WITH(9, A_RR);
static const struct dns_answer cut = WITH(1, "\xc0\x0c\0\x01\0");
static const struct dns_answer loop =
    WITH(1, "\xc0\x1b\0\x01\0\x01\0\0\0\0\0\0");
static const struct dns_answer overlong = WITH(1, RR("\x0f", "\xff", "\0\x01"));
static const struct dns_answer short_mx = WITH(1, RR("\x0f", "\x01", "\0"));
static const struct dns_answer odd_mx =
    WITH(3, MX_RR("\3a b\0") MX_RR("\3a/b\0") MX_RR("\3a\0b\0"));
static const struct dns_answer slow_mx = {DNS_SLOW, DNS_OK, 1,
    MX_RR("\2mx\xc0\x0c"), sizeof(MX_RR("\2mx\xc0\x0c")) - 1};
static const struct dns_answer not_mx = WITH(1, A_RR);

/* What a server says of A and AAAA, and what that makes of the host. */
static const struct misbehaved_host {
	const char *says;
	const struct dns_answer *a;
	const struct dns_answer *aaaa;
	const char *expected;
} misbehaved_hosts[] = {
    {"two good answers", &a, &aaaa, "192.0.2.1 2001:db8::1"},
    {"silence", &silence, &silence, LOOKUP_NO_ANSWER},
    {"empty datagrams", &empty, &empty, LOOKUP_NO_ANSWER},
    {"noise", &noise, &noise, LOOKUP_NO_SENSE},
    {"answers to another question", &other_name, &other_name, LOOKUP_NO_ANSWER},
    {"no such name", &nxdomain, &nxdomain, LOOKUP_NO_NAME},
    {"no such records", &nodata, &nodata, LOOKUP_NO_ADDRESS},
    {"failure", &servfail, &servfail, LOOKUP_NO_SERVER},
    {"refusal", &refused, &refused, LOOKUP_NO_SERVER},
    {"a format error", &formerr, &formerr, LOOKUP_TEMPORARY "*"},
    {"not implemented", &notimp, &notimp, LOOKUP_TEMPORARY "*"},
    {"failure of A only", &servfail, &aaaa, "2001:db8::1"},
    {"failure of AAAA only", &a, &servfail, "192.0.2.1"},
    {"no such name for AAAA only", &a, &nxdomain, "192.0.2.1"},
    {"failure of A, no AAAA", &servfail, &nodata, LOOKUP_NO_SERVER},
    {"no A, failure of AAAA", &nodata, &servfail, LOOKUP_NO_SERVER},
    {"failure of A, no such name for AAAA", &servfail, &nxdomain,
	LOOKUP_NO_SERVER},
    {"silence about A, no AAAA", &silence, &nodata, LOOKUP_NO_ANSWER},
    {"fewer records than announced", &missing, &nodata, LOOKUP_TEMPORARY "*"},
    {"a record that is cut short", &cut, &nodata, LOOKUP_TEMPORARY "*"},
    {"a name that points at itself", &loop, &loop, LOOKUP_TEMPORARY "*"},
    {"a malformed A beside a good AAAA", &cut, &aaaa, "2001:db8::1"},
    {"a malformed AAAA beside a good A", &a, &cut, "192.0.2.1"},
};

static const struct misbehaved_mx {
	const char *says;
	const struct dns_answer *answer;
	const char *expected;
} misbehaved_mxs[] = {
    {"silence", &silence, LOOKUP_NO_ANSWER},
    {"an empty datagram", &empty, LOOKUP_NO_ANSWER},
    {"noise", &noise, LOOKUP_NO_SENSE},
    {"an answer to another question", &other_name, LOOKUP_NO_ANSWER},
    {"failure", &servfail, LOOKUP_NO_SERVER},
    {"refusal", &refused, LOOKUP_NO_SERVER},
    {"a format error", &formerr, LOOKUP_TEMPORARY "*"},
    {"no such name", &nxdomain, LOOKUP_NO_NAME},
    {"no MX", &nodata, LOOKUP_NO_MX},
    {"another type than asked for", &not_mx, LOOKUP_NO_MX},
    {"an MX that is cut short", &short_mx, LOOKUP_TEMPORARY "*"},
    {"an MX longer than the answer", &overlong, LOOKUP_TEMPORARY "*"},
    {"a name that points at itself", &loop, LOOKUP_TEMPORARY "*"},
    {"names with blanks, slashes and NUL", &odd_mx,
	LOOKUP_TEMPORARY "no usable MX"},
};

static void
test_misbehaved_host(gconstpointer data)
{
	const struct misbehaved_host *row = data;
	struct dns_server server = {.a = row->a, .aaaa = row->aaaa};
	g_autofree char *text = NULL;

	dns_server_start(&server);
	text = lookup_addresses(server.address, "some.test",
	    lookup_patience(row->expected));
	dns_server_stop(&server);
	lookup_assert(text, row->expected);
}

static void
test_misbehaved_mx(gconstpointer data)
{
	const struct misbehaved_mx *row = data;
	struct dns_server server = {.other = row->answer};
	g_autofree char *text = NULL;

	dns_server_start(&server);
	text = lookup_mx(server.address, "some.test",
	    lookup_patience(row->expected));
	dns_server_stop(&server);
	lookup_assert(text, row->expected);
}

/*
 * There are servers that never answer about AAAA: as soon as there is an
 * address the other family is waited for no longer than its next question.
 */
static void
test_one_family_silent(gconstpointer data)
{
	const struct dns_answer *answers[] = {&a, &aaaa};
	int good = GPOINTER_TO_INT(data);
	struct dns_server server = {
	    .a = good == 0 ? answers[0] : &silence,
	    .aaaa = good == 1 ? answers[1] : &silence,
	};
	g_autofree char *text = NULL;

	dns_server_start(&server);
	text = lookup_addresses(server.address, "some.test", DNS_PATIENCE);
	g_assert_cmpuint(server.asked, ==, 2);
	dns_server_stop(&server);
	g_assert_cmpstr(text, ==, good == 0 ? "192.0.2.1" : "2001:db8::1");
}

/*
 * A server has most answers at hand, and needs its time for others: the first
 * must not have the resolver give up the second.
 */
static void
test_slow_after_quick(void)
{
	struct dns_server server = {.a = &a, .aaaa = &aaaa, .other = &slow_mx};
	const struct address_question question = {
	    .host = "some.test",
	    .port = ENDPOINT_PORT_SMTP,
	};
	g_autoptr(GError) error = NULL;

	dns_server_start(&server);
	{
		g_autoptr(Resolver) resolver = resolver_new(server.address);
		g_autoptr(GPtrArray) exchangers = NULL;

		for (int i = 0; i < 10; i++) {
			g_autoptr(GArray) found = addresses_resolve(resolver,
			    &question, deadline_in(DNS_PATIENCE), NULL);

			g_assert_nonnull(found);
		}
		exchangers = resolve_mx(resolver, "some.test",
		    deadline_in(DNS_PATIENCE), &error);
		g_assert_no_error(error);
		g_assert_cmpuint(exchangers->len, ==, 1);
	}
	dns_server_stop(&server);
}

/* What of these addresses is asked for, and found. */
static const struct wanted {
	const char *says;
	enum address_family family;
	guint asked;
	const char *expected;
} wanted[] = {
    {"any", FAMILY_ANY, 2, "192.0.2.1 2001:db8::1"},
    {"IPv4", FAMILY_IPV4, 1, "192.0.2.1"},
    {"IPv6", FAMILY_IPV6, 1, "2001:db8::1"},
    {"IPv4 first", FAMILY_PREFER_IPV4, 2, "192.0.2.1 2001:db8::1"},
    {"IPv6 first", FAMILY_PREFER_IPV6, 2, "2001:db8::1 192.0.2.1"},
};

static void
test_wanted(gconstpointer data)
{
	const struct wanted *row = data;
	struct dns_server server = {.a = &a, .aaaa = &aaaa};
	g_autoptr(GString) text = g_string_new(NULL);

	dns_server_start(&server);
	lookup_in_order(server.address, "some.test", row->family, text);
	g_assert_cmpuint(server.asked, ==, row->asked);
	dns_server_stop(&server);
	if (row->family == FAMILY_ANY)
		g_assert_cmpuint(text->len, ==, strlen(row->expected));
	else
		g_assert_cmpstr(text->str, ==, row->expected);
}

/* Nobody knows whether there are others. */
static void
test_family_missing(void)
{
	struct dns_server server = {.a = &nodata, .aaaa = &aaaa};
	g_autoptr(GString) text = g_string_new(NULL);

	dns_server_start(&server);
	lookup_in_order(server.address, "some.test", FAMILY_IPV4, text);
	dns_server_stop(&server);
	g_assert_cmpstr(text->str, ==,
	    "family: cannot resolve: no IPv4 address, and no other is used");
}

/* No program that the agent starts, or becomes, gets these sockets. */
static void
test_close_on_exec(void)
{
	struct dns_server server = {.a = &a, .aaaa = &aaaa};
	g_autofree char *text = NULL;
	int before = dns_server_inherited();

	dns_server_start(&server);
	text = lookup_addresses(server.address, "some.test", DNS_PATIENCE);
	dns_server_stop(&server);
	lookup_assert(text, "192.0.2.1 2001:db8::1");
	g_assert_cmpint(server.inherited, ==, before);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("resolve/address", misbehaved_hosts, test_misbehaved_host);
	TABLE_ADD("resolve/mx", misbehaved_mxs, test_misbehaved_mx);
	g_test_add_data_func("/resolve/no answer about AAAA",
	    GINT_TO_POINTER(0), test_one_family_silent);
	g_test_add_data_func("/resolve/no answer about A", GINT_TO_POINTER(1),
	    test_one_family_silent);
	g_test_add_func("/resolve/slow after quick", test_slow_after_quick);
	TABLE_ADD("resolve/family", wanted, test_wanted);
	g_test_add_func("/resolve/family/missing", test_family_missing);
	g_test_add_func("/resolve/sockets close on exec", test_close_on_exec);
	return g_test_run();
}
