/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "address/endpoint.h"
#include "unit/table.h"

static const struct accepted {
	const char *says;
	const char *text;
	int family;
	socklen_t length;
	const char *again;
} addresses[] = {
    {"an IPv4 address", "192.0.2.10", AF_INET, sizeof(struct sockaddr_in),
	"192.0.2.10"},
    {"an IPv6 address", "2001:db8::10", AF_INET6, sizeof(struct sockaddr_in6),
	"2001:db8::10"},
    {"capitals", "2001:DB8::A", AF_INET6, sizeof(struct sockaddr_in6),
	"2001:db8::a"},
    {"zeros", "2001:db8:0:0:0:0:0:01", AF_INET6, sizeof(struct sockaddr_in6),
	"2001:db8::1"},
    {"IPv4 inside IPv6", "::ffff:192.0.2.1", AF_INET6,
	sizeof(struct sockaddr_in6), "::ffff:192.0.2.1"},
    {"IPv4 at the end of a full IPv6 address",
	"1111:1111:1111:1111:1111:1111:111.111.111.111", AF_INET6,
	sizeof(struct sockaddr_in6), "1111:1111:1111:1111:1111:1111:6f6f:6f6f"},
};

static const struct refused {
	const char *says;
	const char *text;
} not_addresses[] = {
    {"nothing", ""},
    {"a name", "localhost"},
    {"three numbers", "192.0.2"},
    {"a number", "3221225985"},
    {"hexadecimal", "0xc0.0.2.1"},
    {"octal", "192.0.02.1"},
    {"a number that is too large", "192.0.2.256"},
    {"a blank before it", " 192.0.2.1"},
    {"a blank after it", "192.0.2.1 "},
    {"a port", "192.0.2.1:25"},
    {"brackets", "[2001:db8::1]"},
    {"a zone", "fe80::1%lo"},
    {"two gaps", "2001::db8::1"},
};

static const struct pair {
	const char *says;
	const char *a;
	guint16 a_port;
	const char *b;
	guint16 b_port;
	gboolean equal;
} pairs[] = {
    {"the same IPv4 address", "192.0.2.1", 25, "192.0.2.1", 25, TRUE},
    {"another IPv4 address", "192.0.2.1", 25, "192.0.2.2", 25, FALSE},
    {"another port, IPv4", "192.0.2.1", 25, "192.0.2.1", 26, FALSE},
    {"the same IPv6 address", "2001:db8::1", 25, "2001:DB8::1", 25, TRUE},
    {"another IPv6 address", "2001:db8::1", 25, "2001:db9::1", 25, FALSE},
    {"another port, IPv6", "2001:db8::1", 25, "2001:db8::1", 26, FALSE},
    {"another family", "0.0.0.0", 25, "::", 25, FALSE},
};

static void
test_accepted(gconstpointer data)
{
	const struct accepted *row = data;
	struct endpoint endpoint;
	char text[ENDPOINT_TEXT_SIZE];

	g_assert_true(endpoint_parse(row->text, 65535, &endpoint));
	g_assert_cmpint(endpoint_family(&endpoint), ==, row->family);
	g_assert_cmpuint(endpoint.length, ==, row->length);
	g_assert_cmpuint(endpoint_port(&endpoint), ==, 65535);
	endpoint_text(&endpoint, text);
	g_assert_cmpstr(text, ==, row->again);
	endpoint_set_port(&endpoint, 2525);
	g_assert_cmpuint(endpoint_port(&endpoint), ==, 2525);
	endpoint_text(&endpoint, text);
	g_assert_cmpstr(text, ==, row->again);
}

static void
test_refused(gconstpointer data)
{
	const struct refused *row = data;
	struct endpoint before;
	struct endpoint after;

	memset(&before, 'x', sizeof(before));
	after = before;
	g_assert_false(endpoint_parse(row->text, 25, &after));
	g_assert_cmpmem(&after, sizeof(after), &before, sizeof(before));
}

static void
test_pair(gconstpointer data)
{
	const struct pair *row = data;
	struct endpoint a;
	struct endpoint b;

	g_assert_true(endpoint_parse(row->a, row->a_port, &a));
	g_assert_true(endpoint_parse(row->b, row->b_port, &b));
	g_assert_cmpint(endpoint_equal(&a, &b), ==, row->equal);
	g_assert_cmpint(endpoint_equal(&b, &a), ==, row->equal);
}

/* The resolver gives link-local addresses one; as text they have none. */
static void
test_scope(void)
{
	struct endpoint a;
	struct endpoint b;

	g_assert_true(endpoint_parse("fe80::1", 25, &a));
	b = a;
	b.sa.in6.sin6_scope_id = 2;
	g_assert_false(endpoint_equal(&a, &b));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("address", addresses, test_accepted);
	TABLE_ADD("not an address", not_addresses, test_refused);
	TABLE_ADD("pair", pairs, test_pair);
	g_test_add_func("/pair/another scope", test_scope);
	return g_test_run();
}
