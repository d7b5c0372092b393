/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/endpoint.h"
#include "route/route.h"
#include "unit/routetext.h"
#include "unit/table.h"
#include "unit/watched.h"

/* @rendered: the one way in which render() writes what it means. */
struct accepted {
	const char *says;
	const char *text;
	gsize length;
	const char *rendered;
};

static const struct accepted routes[] = {
    {"a name has port 25", TEXT("mx1.example.com"), "mx1.example.com:25"},
    {"a name may have a port", TEXT("mx1:2525"), "mx1:2525"},
    {"a name in brackets stays there", TEXT("[mx1]:26"), "[mx1]:26"},
    {"names are made canonical", TEXT("MX1.Example.COM."),
	"mx1.example.com:25"},
    {"a U-label becomes an A-label", TEXT("[b\xc3\xbcro.example]"),
	"[xn--bro-hoa.example]:25"},
    {"IPv4", TEXT("192.0.2.1"), "[192.0.2.1]:25"},
    {"IPv4 in brackets", TEXT("[192.0.2.1]"), "[192.0.2.1]:25"},
    {"IPv4 with a port", TEXT("192.0.2.1:26"), "[192.0.2.1]:26"},
    {"IPv4 in brackets with a port", TEXT("[192.0.2.1]:26"), "[192.0.2.1]:26"},
    {"IPv6", TEXT("2001:db8::1"), "[2001:db8::1]:25"},
    {"IPv6 with options", TEXT("2001:db8::1/pri=5"), "[2001:db8::1]:25/pri=5"},
    {"IPv6 in brackets", TEXT("[2001:DB8:0:0::1]"), "[2001:db8::1]:25"},
    {"IPv6 in brackets with a port", TEXT("[::1]:26"), "[::1]:26"},
    {"tagged IPv6", TEXT("[IPv6:2001:db8::1]"), "[2001:db8::1]:25"},
    {"tagged IPv6 in any case", TEXT("[ipV6:::1]:26"), "[::1]:26"},
    {"what looks like a port is IPv6's", TEXT("2001:db8::1:26"),
	"[2001:db8::1:26]:25"},
    {"the highest port", TEXT("mx1:65535"), "mx1:65535"},
    {"the lowest port", TEXT("mx1:1"), "mx1:1"},
    {"several, in the order written", TEXT("b,[a], c:1"), "b:25, [a]:25, c:1"},
    {"pri", TEXT("mx1/pri=10"), "mx1:25/pri=10"},
    {"the lowest priority", TEXT("mx1:25/pri=65535"), "mx1:25/pri=65535"},
    {"pri 0 is the default", TEXT("mx1:25/pri=0"), "mx1:25"},
    {"the highest weight", TEXT("mx1/weight=1000"), "mx1:25/weight=1000"},
    {"weight 1 is the default", TEXT("mx1/weight=1"), "mx1:25"},
    {"tls", TEXT("mx1/tls=may"), "mx1:25/tls=may"},
    {"wrapper has port 465", TEXT("mx1/tls=wrapper"), "mx1:465/tls=wrapper"},
    {"wrapper may have a port", TEXT("mx1:25/tls=wrapper"),
	"mx1:25/tls=wrapper"},
    {"auth", TEXT("mx1/auth=My_ex-1.2"), "mx1:25/auth=My_ex-1.2"},
    {"bind to IPv4", TEXT("mx1/bind=192.0.2.5"), "mx1:25/bind=192.0.2.5"},
    {"bind to IPv6", TEXT("mx1/bind=2001:DB8::5"), "mx1:25/bind=2001:db8::5"},
    {"tls-name", TEXT("mx1/tls-name=Mail.Example."),
	"mx1:25/tls-name=mail.example"},
    {"a rate", TEXT("mx1/rate=30:1m"), "mx1:25/rate=30:1m"},
    {"several rates", TEXT("mx1/rate=30:60s+10000:24h/pri=1"),
	"mx1:25/pri=1/rate=30:1m+10000:1d"},
    {"a rate of recipients", TEXT("[::1]:26/rate-recipients=5:1h+9:31d"),
	"[::1]:26/rate-recipients=5:1h+9:31d"},
    {"no rate", TEXT("mx1/rate=none"), "mx1:25/rate=none"},
    {"flags", TEXT("mx1/verify/drain"), "mx1:25/drain/verify"},
    {"all options in any order",
	TEXT("[mx1]:26/verify/tls-name=x/bind=::1/drain/auth=a/tls=dane"
	     "/weight=2/pri=3"),
	"[mx1]:26/pri=3/weight=2/tls=dane/auth=a/bind=::1/tls-name=x"
	"/drain/verify"},
    {"every destination has its own options", TEXT("a/pri=1, b/pri=2, c"),
	"a:25/pri=1, b:25/pri=2, c:25"},
    {"USEDNS", TEXT("USEDNS"), "USEDNS"},
    {"USEDNS in any case", TEXT(" useDns "), "USEDNS"},
    {"a host in brackets is no keyword", TEXT("[usedns]"), "[usedns]:25"},
    {"dev null", TEXT("/dev/null\r\n"), "/dev/null"},
    {"blanks around commas", TEXT(" \ta\t ,  b\t"), "a:25, b:25"},
    {"the next line", TEXT("a,\n b"), "a:25, b:25"},
    {"a comma on the next line", TEXT("a\n\t, b"), "a:25, b:25"},
    {"CRLF", TEXT("a,\r\n\tb\r\n"), "a:25, b:25"},
    {"a comment between lines", TEXT("a,\n# [c], \xff \n b"), "a:25, b:25"},
    {"an indented comment", TEXT("a,\n  #b,\n c"), "a:25, c:25"},
    {"a comment at the end", TEXT("a\n#, b"), "a:25"},
    {"blank lines", TEXT("\n \n a,\n\n\r\n b\n\n"), "a:25, b:25"},
    {"a keyword and a comment", TEXT("\n USEDNS\n# yes\n"), "USEDNS"},
};

static void
render_rates(GString *text, const char *name, const struct rates *rates)
{
	g_autofree char *shown = rates_text(rates, "+");

	if (rates->set)
		g_string_append_printf(text, "/%s=%s", name, shown);
}

static void
render_destination(GString *text, const struct destination *d)
{
	gboolean bare = d->kind == DESTINATION_NAME;

	if (text->len > 0)
		g_string_append(text, ", ");
	g_string_append_printf(text, "%s%s%s:%u", bare ? "" : "[", d->name,
	    bare ? "" : "]", (guint)d->port);
	if (d->priority != 0)
		g_string_append_printf(text, "/pri=%u", (guint)d->priority);
	if (d->weight != 1)
		g_string_append_printf(text, "/weight=%u", d->weight);
	if (d->tls != TLS_UNSET)
		g_string_append_printf(text, "/tls=%s", tls_level_name(d->tls));
	if (d->auth != NULL)
		g_string_append_printf(text, "/auth=%s", d->auth);
	if (d->bind != NULL)
		g_string_append_printf(text, "/bind=%s", d->bind);
	if (d->tls_name != NULL)
		g_string_append_printf(text, "/tls-name=%s", d->tls_name);
	render_rates(text, "rate", &d->rate);
	render_rates(text, "rate-recipients", &d->rate_recipients);
	if (d->drain)
		g_string_append(text, "/drain");
	if (d->verify)
		g_string_append(text, "/verify");
}

static char *
render(const struct route *route)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < route->destinations->len; i++)
		render_destination(text, route->destinations->pdata[i]);
	if (route->kind == ROUTE_DNS)
		g_string_append(text, "USEDNS");
	if (route->kind == ROUTE_DISCARD)
		g_string_append(text, "/dev/null");
	return g_string_free(text, FALSE);
}

static void
test_route(gconstpointer data)
{
	const struct accepted *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route =
	    routetext_parse(row->text, row->length, 1, 1, &error);
	g_autofree char *rendered = NULL;

	g_assert_no_error(error);
	rendered = render(route);
	g_assert_cmpstr(rendered, ==, row->rendered);
}

static void
test_kinds(void)
{
	static const char text[] = "a, [a], [192.0.2.1], 192.0.2.1, ::1";
	static const enum destination_kind kinds[] = {
	    DESTINATION_NAME,
	    DESTINATION_HOST,
	    DESTINATION_ADDRESS,
	    DESTINATION_ADDRESS,
	    DESTINATION_ADDRESS,
	};
	g_autoptr(Route) route = routetext_parse(TEXT(text), 1, 1, NULL);

	g_assert_nonnull(route);
	g_assert_cmpint(route->kind, ==, ROUTE_HOSTS);
	g_assert_cmpuint(route->destinations->len, ==, G_N_ELEMENTS(kinds));
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct destination *d = route->destinations->pdata[i];

		g_assert_cmpint(d->kind, ==, kinds[i]);
	}
}

/* A valid route with a few bytes changed, left out or put in. */
static GString *
mutant(GRand *random)
{
	static const char bytes[] = "[]:/,=.#-_ \t\r\n019aZ\xc3\xbc\xff";
	const struct accepted *row =
	    &routes[g_rand_int_range(random, 0, G_N_ELEMENTS(routes))];
	GString *text = g_string_new_len(row->text, (gssize)row->length);
	gint changes = g_rand_int_range(random, 1, 5);

	for (gint i = 0; i < changes; i++) {
		gint at = g_rand_int_range(random, 0, (gint32)text->len + 1);
		/* The final NUL is one of them. */
		char byte = bytes[g_rand_int_range(random, 0, sizeof(bytes))];
		gboolean inside = (gsize)at < text->len;

		switch (g_rand_int_range(random, 0, 4)) {
		case 0:
			g_string_insert_c(text, at, byte);
			break;
		case 1:
			if (inside)
				text->str[at] = byte;
			break;
		case 2:
			if (inside)
				g_string_erase(text, at, 1);
			break;
		default:
			row = &routes[g_rand_int_range(random, 0,
			    G_N_ELEMENTS(routes))];
			g_string_insert_len(text, at, row->text,
			    (gssize)row->length);
			break;
		}
	}
	return text;
}

/* The place that a message names is one of the text's, or right after it. */
static void
check_place(const GString *text, const char *message)
{
	guint64 line;
	guint64 column;
	const char *at = text->str;
	const char *end = text->str + text->len;
	char *rest;

	g_assert_true(g_str_has_prefix(message, "test:"));
	line = g_ascii_strtoull(message + strlen("test:"), &rest, 10);
	g_assert_cmpint(*rest, ==, ':');
	column = g_ascii_strtoull(rest + 1, &rest, 10);
	g_assert_true(g_str_has_prefix(rest, ": "));
	g_assert_cmpuint(line, >=, 1);
	g_assert_cmpuint(column, >=, 1);
	for (; line > 1; line--) {
		at = memchr(at, '\n', (gsize)(end - at));
		g_assert_nonnull(at);
		at++;
	}
	g_assert_cmpuint(column - 1, <=, (gsize)(end - at));
	g_assert_null(memchr(at, '\n', column - 1));
}

static void
check_message(const GString *text, const char *message)
{
	check_place(text, message);
	g_assert_nonnull(strstr(message, "; expected "));
	g_assert_cmpuint(strlen(message), <, 160);
	for (const char *p = message; *p != '\0'; p++)
		g_assert_true(g_ascii_isprint(*p));
}

static void
check_sane(const struct route *route)
{
	g_autofree char *once = render(route);
	g_autofree char *twice = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) again =
	    routetext_parse(once, strlen(once), 1, 1, &error);

	g_assert_no_error(error);
	twice = render(again);
	g_assert_cmpstr(twice, ==, once);
	g_assert_true(
	    (route->kind == ROUTE_HOSTS) == (route->destinations->len > 0));
	for (guint i = 0; i < route->destinations->len; i++) {
		struct destination *d = route->destinations->pdata[i];
		struct endpoint endpoint;

		g_assert_cmpuint(d->port, >=, 1);
		g_assert_cmpuint(d->weight, >=, 1);
		g_assert_cmpuint(d->weight, <=, 1000);
		g_assert_true((d->kind == DESTINATION_ADDRESS) ==
		    endpoint_parse(d->name, 0, &endpoint));
	}
}

static void
test_mutants(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20261122);
	const guint rounds = watched_times(50000);
	guint taken = 0;

	for (guint i = 0; i < rounds; i++) {
		g_autoptr(GString) text = mutant(random);
		g_autoptr(GError) error = NULL;
		g_autoptr(Route) route =
		    routetext_parse(text->str, text->len, 1, 1, &error);

		if (route == NULL)
			check_message(text, error->message);
		else
			check_sane(route);
		taken += route != NULL;
	}
	/* Mutants that are all alike would say nothing. */
	g_assert_cmpuint(taken, >, rounds / 10);
	g_assert_cmpuint(taken, <, rounds / 10 * 9);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("route", routes, test_route);
	g_test_add_func("/the kind follows the form", test_kinds);
	g_test_add_func("/mutants do no harm", test_mutants);
	return g_test_run();
}
