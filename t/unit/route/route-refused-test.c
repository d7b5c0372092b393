/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "route/route.h"
#include "unit/routetext.h"
#include "unit/table.h"

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

/* @fault: "line:column: what", @expected what stands after it. */
struct refused {
	const char *says;
	const char *text;
	gsize length;
	const char *fault;
	const char *expected;
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
test_not_route(gconstpointer data)
{
	const struct refused *row = data;
	g_autoptr(GError) error = NULL;
	g_autofree char *message =
	    g_strdup_printf("test:%s; expected %s", row->fault, row->expected);

	g_assert_null(routetext_parse(row->text, row->length, 1, 1, &error));
	g_assert_error(error, ROUTE_ERROR, ROUTE_ERROR_SYNTAX);
	g_assert_cmpstr(error->message, ==, message);
}

static void
test_origin(void)
{
	g_autoptr(GError) first = NULL;
	g_autoptr(GError) second = NULL;

	g_assert_null(routetext_parse(TEXT(" a:0"), 7, 20, &first));
	g_assert_cmpstr(first->message, ==,
	    "test:7:23: bad port '0'; expected 1 to 65535");
	g_assert_null(routetext_parse(TEXT(" a,\n b:0"), 7, 20, &second));
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
	route = routetext_parse(text->str, text->len, 1, 1, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(route->destinations->len, ==, 1000);
	g_string_append(text, ",a");
	g_assert_null(routetext_parse(text->str, text->len, 1, 1, &error));
	g_assert_cmpstr(error->message, ==,
	    "test:1:2001: too many destinations; expected at most 1000");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("not a route", not_routes, test_not_route);
	g_test_add_func("/messages count from the origin", test_origin);
	g_test_add_func("/a route has at most 1000 destinations", test_limit);
	return g_test_run();
}
