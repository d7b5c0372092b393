/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/endpoint.h"
#include "route/route.h"
#include "unit/table.h"

/* Text that may hold NUL, and its length. */
#define TEXT(literal) literal, sizeof(literal) - 1

#define A10 "aaaaaaaaaa"

#define HOST   "name, [name], IPv4 address or [IPv6 address]"
#define PLAIN6 "IPv6 address, in brackets before a port"
#define AUTH   "profile of letters, digits, '-', '_' and '.'"
#define BIND   "IPv4 or IPv6 address without brackets"
#define RATES  "none, or rates as 30:1m+10000:1d, of spans from 1s to 31d"
#define OPTION                                                                 \
	"pri, weight, tls, auth, bind, tls-name, rate, rate-recipients, "      \
	"drain, verify or lmtp"
#define STRAY "':', '/' or ','"
#define ALONE "the keyword alone"
#define UTF8  "UTF-8 without NUL"

/* @rendered: the one way in which render() writes what it means. */
struct accepted {
	const char *says;
	const char *text;
	gsize length;
	const char *rendered;
};

/* @fault: "line:column: what", @expected what stands after it. */
struct refused {
	const char *says;
	const char *text;
	gsize length;
	const char *fault;
	const char *expected;
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

static const struct refused not_routes[] = {
    {"nothing", TEXT(""), "1:1: no destination", HOST},
    {"blanks", TEXT(" \n "), "1:1: no destination", HOST},
    {"a comment only", TEXT("\n# a\n"), "1:1: no destination", HOST},
    {"a comma at the end", TEXT("a, "), "1:3: no destination", HOST},
    {"a comma at the end of a line", TEXT("a,\n b,\n# c\n"),
	"2:4: no destination", HOST},
    {"a comma at the beginning", TEXT(" ,a"), "1:2: no destination", HOST},
    {"two commas", TEXT("a,\n  ,b"), "2:3: no destination", HOST},
    {"no comma", TEXT("mx1 mx2"), "1:5: bad text 'mx2'", "','"},
    {"no comma between lines", TEXT("mx1\r\n mx2"), "2:2: bad text 'mx2'",
	"','"},
    {"no comma and not text", TEXT("a \xff"), "1:3: stray byte", UTF8},
    {"a semicolon", TEXT("mx1; mx2"), "1:1: bad host 'mx1;'", HOST},
    {"an option apart", TEXT("mx1 /pri=1"), "1:5: bad text '/pri=1'", "','"},
    {"a comment behind", TEXT("mx1 # old"), "1:5: bad text '#'",
	"comments on lines of their own"},
    {"a comment on the first line", TEXT("# mx1"), "1:1: bad host '#'", HOST},
    {"USEDNS and more", TEXT("USEDNS, mx1"), "1:1: bad text 'USEDNS'", ALONE},
    {"more and USEDNS", TEXT("mx1, usedns"), "1:6: bad text 'usedns'", ALONE},
    {"USEDNS with a port", TEXT("USEDNS:25"), "1:1: bad text 'USEDNS:25'",
	ALONE},
    {"USEDNS with an option", TEXT("USEDNS/pri=1"),
	"1:1: bad text 'USEDNS/pri=1'", ALONE},
    {"USEDNS and no comma", TEXT("USEDNS mx1"), "1:1: bad text 'USEDNS'",
	ALONE},
    {"USEDNS with a dot", TEXT("USEDNS."), "1:1: bad text 'USEDNS.'", ALONE},
    {"dev null and more", TEXT("mx1,/dev/null"), "1:5: bad text '/dev/null'",
	ALONE},
    {"another file", TEXT("/dev/zero"), "1:1: bad host ''", HOST},
    {"dev null in capitals", TEXT("/DEV/NULL"), "1:1: bad host ''", HOST},
    {"a bracket", TEXT("["), "1:1: '[' without end", "']'"},
    {"no closing bracket", TEXT("b, [mx1:25/pri=1, c"), "1:4: '[' without end",
	"']'"},
    {"empty brackets", TEXT("[]"), "1:2: bad host ''", HOST},
    {"no opening bracket", TEXT("mx1]"), "1:1: bad host 'mx1]'", HOST},
    {"double brackets", TEXT("[[mx1]]"), "1:2: bad host '[mx1'", HOST},
    {"text after a bracket", TEXT("[mx1]mx2"), "1:6: bad text 'mx2'", STRAY},
    {"an empty label", TEXT("a..b"), "1:1: bad host 'a..b'", HOST},
    {"an underlong IPv4 address", TEXT("192.0.2"), "1:1: bad host '192.0.2'",
	HOST},
    {"a misspelt IPv4 address", TEXT("192.0.2.256:25"),
	"1:1: bad host '192.0.2.256'", HOST},
    {"a misspelt IPv6 address", TEXT("a, 2001:db8:::1"),
	"1:4: bad host '2001:db8:::1'", PLAIN6},
    {"a misspelt IPv6 address in brackets", TEXT("[2001:db8:::1]"),
	"1:2: bad host '2001:db8:::1'", HOST},
    {"an IPv6 zone", TEXT("fe80::1%eth0"), "1:1: bad host 'fe80::1%eth0'",
	PLAIN6},
    {"a tagged IPv4 address", TEXT("[IPv6:192.0.2.1]"),
	"1:2: bad host 'IPv6:192.0.2.1'", HOST},
    {"a tagged name", TEXT("[ipv6:mx1]"), "1:2: bad host 'ipv6:mx1'", HOST},
    {"a tag without brackets", TEXT("IPv6:::1"), "1:1: bad host 'IPv6:::1'",
	PLAIN6},
    {"two ports", TEXT("mx1:25:26"), "1:1: bad host 'mx1:25:26'", PLAIN6},
    {"a port without a host", TEXT(":25"), "1:1: bad host ''", HOST},
    {"no port", TEXT("mx1:"), "1:5: bad port ''", "1 to 65535"},
    {"no port but an option", TEXT("[mx1]:/pri=1"), "1:7: bad port ''",
	"1 to 65535"},
    {"port 0", TEXT("mx1:0"), "1:5: bad port '0'", "1 to 65535"},
    {"port 65536", TEXT("[mx1]:65536"), "1:7: bad port '65536'", "1 to 65535"},
    {"a port of 2^64 + 25", TEXT("mx1:18446744073709551641"),
	"1:5: bad port '18446744073709551641'", "1 to 65535"},
    {"a service", TEXT("mx1:smtp"), "1:5: bad port 'smtp'", "1 to 65535"},
    {"a signed port", TEXT("mx1:+25"), "1:5: bad port '+25'", "1 to 65535"},
    {"a port and more", TEXT("mx1:25x"), "1:5: bad port '25x'", "1 to 65535"},
    {"no option", TEXT("mx1/"), "1:5: bad option ''", OPTION},
    {"two slashes", TEXT("mx1//pri=1"), "1:5: bad option ''", OPTION},
    {"an unknown option", TEXT("mx1:25/prio=1"), "1:8: bad option 'prio'",
	OPTION},
    {"an option in capitals", TEXT("mx1/PRI=1"), "1:5: bad option 'PRI'",
	OPTION},
    {"an option twice", TEXT("mx1/pri=1/weight=2/pri=1"),
	"1:20: option given twice", "it once"},
    {"a flag twice", TEXT("mx1/drain/drain"), "1:11: option given twice",
	"it once"},
    {"a flag with a value", TEXT("mx1/drain=yes"), "1:10: bad text '=yes'",
	"no value"},
    {"a flag with an empty value", TEXT("mx1/verify="), "1:11: bad text '='",
	"no value"},
    {"pri alone", TEXT("mx1/pri"), "1:8: bad pri ''", "0 to 65535"},
    {"pri without a value", TEXT("mx1/pri="), "1:9: bad pri ''", "0 to 65535"},
    {"pri 65536", TEXT("mx1/pri=65536"), "1:9: bad pri '65536'", "0 to 65535"},
    {"a negative pri", TEXT("mx1/pri=-0"), "1:9: bad pri '-0'", "0 to 65535"},
    {"pri as an expression", TEXT("mx1/pri=1=1"), "1:9: bad pri '1=1'",
	"0 to 65535"},
    {"weight 0", TEXT("mx1/weight=0"), "1:12: bad weight '0'", "1 to 1000"},
    {"weight 1001", TEXT("mx1/weight=1001"), "1:12: bad weight '1001'",
	"1 to 1000"},
    {"a fractional weight", TEXT("mx1/weight=1.5"), "1:12: bad weight '1.5'",
	"1 to 1000"},
    {"an unknown level of tls", TEXT("mx1/tls=yes"), "1:9: bad tls 'yes'",
	TLS_LEVEL_NAMES},
    {"the level that is none", TEXT("mx1/tls=unset"), "1:9: bad tls 'unset'",
	TLS_LEVEL_NAMES},
    {"an empty profile", TEXT("mx1/auth="), "1:10: bad auth ''", AUTH},
    {"a profile with a colon", TEXT("mx1/auth=a:b"), "1:10: bad auth 'a:b'",
	AUTH},
    {"binding to a name", TEXT("mx1/bind=eth0"), "1:10: bad bind 'eth0'", BIND},
    {"binding to brackets", TEXT("mx1/bind=[::1]"), "1:10: bad bind '[::1]'",
	BIND},
    {"a bad tls-name", TEXT("mx1/tls-name=*.x"), "1:14: bad tls-name '*.x'",
	"host name"},
    {"a rate of nothing", TEXT("mx1/rate=0:1m"), "1:10: bad rate '0:1m'",
	RATES},
    {"no rate at all", TEXT("mx1/rate="), "1:10: bad rate ''", RATES},
    {"a rate without a span", TEXT("mx1/rate=30"), "1:10: bad rate '30'",
	RATES},
    {"the second rate", TEXT("a, mx1/rate=30:1m+10:32d+x"),
	"1:19: bad rate '10:32d'", RATES},
    {"a span twice", TEXT("mx1/rate=30:1m+20:60s"), "1:16: bad rate '20:60s'",
	RATES},
    {"no fifth rate", TEXT("mx1/rate-recipients=1:1s+1:2s+1:3s+1:4s+1:5s"),
	"1:41: bad rate-recipients '1:5s'", RATES},
    {"a plus at the end", TEXT("mx1/rate=30:1m+"), "1:16: bad rate ''", RATES},
    {"an error on the third line", TEXT("a,\r\n# c\r\n\tb:0"),
	"3:4: bad port '0'", "1 to 65535"},
    {"columns are bytes", TEXT("\xc3\xbc, b:0"), "1:7: bad port '0'",
	"1 to 65535"},
    {"NUL", TEXT("mx\0001"), "1:3: stray byte", UTF8},
    {"NUL at the end", TEXT("mx1\0"), "1:4: stray byte", UTF8},
    {"NUL for a blank", TEXT("mx1,\0mx2"), "1:5: stray byte", UTF8},
    {"half a letter", TEXT("m\xc3"), "1:2: stray byte", UTF8},
    {"Latin 1", TEXT("a,\n b\xfcro.example"), "2:3: stray byte", UTF8},
    {"a control character", TEXT("mx\0011"), "1:1: bad host 'mx?1'", HOST},
    {"an override of direction", TEXT("mx1/auth=\xe2\x80\xae"),
	"1:10: bad auth '?'", AUTH},
    {"a long word is cut", TEXT("mx1/auth=" A10 A10 A10 A10 "!"),
	"1:10: bad auth '" A10 A10 A10 "aaaaaaa...'", AUTH},
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

/* Parses a copy that ends where it ends, for the sanitizer to guard. */
static struct route *
parse(const char *text, gsize length, unsigned line, unsigned column,
    GError **error)
{
	const struct route_origin origin = {"test", line, column};
	g_autofree char *copy = g_malloc(MAX(length, 1));

	memcpy(copy, text, length);
	return route_parse(copy, length, &origin, error);
}

static void
test_route(gconstpointer data)
{
	const struct accepted *row = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = parse(row->text, row->length, 1, 1, &error);
	g_autofree char *rendered = NULL;

	g_assert_no_error(error);
	rendered = render(route);
	g_assert_cmpstr(rendered, ==, row->rendered);
}

static void
test_not_route(gconstpointer data)
{
	const struct refused *row = data;
	g_autoptr(GError) error = NULL;
	g_autofree char *message =
	    g_strdup_printf("test:%s; expected %s", row->fault, row->expected);

	g_assert_null(parse(row->text, row->length, 1, 1, &error));
	g_assert_error(error, ROUTE_ERROR, ROUTE_ERROR_SYNTAX);
	g_assert_cmpstr(error->message, ==, message);
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
	g_autoptr(Route) route = parse(TEXT(text), 1, 1, NULL);

	g_assert_nonnull(route);
	g_assert_cmpint(route->kind, ==, ROUTE_HOSTS);
	g_assert_cmpuint(route->destinations->len, ==, G_N_ELEMENTS(kinds));
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct destination *d = route->destinations->pdata[i];

		g_assert_cmpint(d->kind, ==, kinds[i]);
	}
}

static void
test_origin(void)
{
	g_autoptr(GError) first = NULL;
	g_autoptr(GError) second = NULL;

	g_assert_null(parse(TEXT(" a:0"), 7, 20, &first));
	g_assert_cmpstr(first->message, ==,
	    "test:7:23: bad port '0'; expected 1 to 65535");
	g_assert_null(parse(TEXT(" a,\n b:0"), 7, 20, &second));
	g_assert_cmpstr(second->message, ==,
	    "test:8:4: bad port '0'; expected 1 to 65535");
}

static void
test_limit(void)
{
	g_autoptr(GString) text = g_string_new("a");
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = NULL;

	for (guint i = 1; i < ROUTE_DESTINATIONS_MAX; i++)
		g_string_append(text, ",a");
	route = parse(text->str, text->len, 1, 1, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(route->destinations->len, ==, 1000);
	g_string_append(text, ",a");
	g_assert_null(parse(text->str, text->len, 1, 1, &error));
	g_assert_cmpstr(error->message, ==,
	    "test:1:2001: too many destinations; expected at most 1000");
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
	g_autoptr(Route) again = parse(once, strlen(once), 1, 1, &error);

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
	guint taken = 0;

	for (guint i = 0; i < 50000; i++) {
		g_autoptr(GString) text = mutant(random);
		g_autoptr(GError) error = NULL;
		g_autoptr(Route) route =
		    parse(text->str, text->len, 1, 1, &error);

		if (route == NULL)
			check_message(text, error->message);
		else
			check_sane(route);
		taken += route != NULL;
	}
	/* Mutants that are all alike would say nothing. */
	g_assert_cmpuint(taken, >, 5000);
	g_assert_cmpuint(taken, <, 45000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("route", routes, test_route);
	TABLE_ADD("not a route", not_routes, test_not_route);
	g_test_add_func("/the kind follows the form", test_kinds);
	g_test_add_func("/messages count from the origin", test_origin);
	g_test_add_func("/a route has at most 1000 destinations", test_limit);
	g_test_add_func("/mutants do no harm", test_mutants);
	return g_test_run();
}
