/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "address/domain.h"
#include "unit/table.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define A63 A60 "aaa"

/* Domains of 253 and of 254 bytes, of labels that are short enough. */
#define A253 A63 "." A63 "." A63 "." A60 "a"
#define A254 A253 "a"

/* Soft hyphens, which nameprep drops: 1,024 bytes. */
#define SHY8   "\xc2\xad\xc2\xad\xc2\xad\xc2\xad"
#define SHY64  SHY8 SHY8 SHY8 SHY8 SHY8 SHY8 SHY8 SHY8
#define SHY512 SHY64 SHY64 SHY64 SHY64 SHY64 SHY64 SHY64 SHY64

#define CHARACTER "character other than letters, digits, '-' and '_'"
#define HYPHEN    "label that begins or ends with '-'"
#define BRACKETS  "address without brackets around it"
#define ADDRESS   "neither IPv4 nor IPv6 address"
#define IDN       "not a valid internationalized name"

struct accepted {
	const char *says;
	const char *text;
	const char *canonical;
};

struct refused {
	const char *says;
	const char *text;
	const char *fault;
};

static const struct accepted domains[] = {
    {"a name stays", "mx1.example.com", "mx1.example.com"},
    {"a single label is a domain", "ex1", "ex1"},
    {"letters become lower case", "MX1.Example.COM", "mx1.example.com"},
    {"a trailing dot is dropped", "example.com.", "example.com"},
    {"an underscore is taken", "_mx.a_b.example", "_mx.a_b.example"},
    {"a hyphen stands inside", "a--b.example", "a--b.example"},
    {"digits stand anywhere but alone at the end", "1.2.3.a4", "1.2.3.a4"},
    {"a label may have 63 bytes", A63 ".de", A63 ".de"},
    {"a domain may have 253 bytes", A253, A253},
    {"253 bytes and a dot are taken", A253 ".", A253},
    {"a U-label becomes an A-label", "b\xc3\xbcro.example",
	"xn--bro-hoa.example"},
    {"capitals in a U-label are the same", "B\xc3\x9cRO.Example",
	"xn--bro-hoa.example"},
    {"an A-label stays", "XN--BRO-hoa.example", "xn--bro-hoa.example"},
    {"a decomposed letter is the same", "bu\xcc\x88ro.example",
	"xn--bro-hoa.example"},
    {"a dot after a U-label is dropped", "example.\xc3\xbc.",
	"example.xn--tda"},
    {"an ideographic full stop is a dot", "ex1\xe3\x80\x82org", "ex1.org"},
    {"a double-struck capital is a letter", "\xe2\x84\x95.de", "n.de"},
};

static const struct refused not_domains[] = {
    {"nothing", "", "empty label"},
    {"a dot", ".", "empty label"},
    {"an empty label at the beginning", ".example.com", "empty label"},
    {"an empty label inside", "example..com", "empty label"},
    {"two trailing dots", "example.com..", "empty label"},
    {"two dots after a U-label", "example.\xc3\xbc..", "empty label"},
    {"a label of nothing visible", "\xc2\xad.de", "empty label"},
    {"a hyphen at the beginning", "-a.de", HYPHEN},
    {"a hyphen at the end", "a.b-", HYPHEN},
    {"a label of a hyphen", "a.-.de", HYPHEN},
    {"an option", "-oProxyCommand=x", CHARACTER},
    {"a blank", "a b.de", CHARACTER},
    {"a line end", "a.de\n", CHARACTER},
    {"brackets", "[a.de]", CHARACTER},
    {"a port", "a.de:25", CHARACTER},
    {"an at sign", "a@b.de", CHARACTER},
    {"an angle bracket", "a.de>", CHARACTER},
    {"a slash that comes of a compatibility letter", "\xe2\x84\x80.de",
	CHARACTER},
    {"a label of 64 bytes", A63 "a.de", "label longer than 63 bytes"},
    {"a domain of 254 bytes", A254, "longer than 253 bytes"},
    {"a domain of a kilobyte", A254 "." A254 "." A254 "." A254,
	"longer than 253 bytes"},
    {"a kilobyte of which little is visible", "a" SHY512 SHY512 ".de",
	"longer than 253 bytes"},
    {"an IPv4 address", "192.0.2.1", "last label all digits"},
    {"a number", "25", "last label all digits"},
    {"full-width digits", "a.\xef\xbc\x91", "last label all digits"},
    {"an IPv6 address", "2001:db8::1", CHARACTER},
    {"bytes that are no UTF-8", "a\xff.de", IDN},
    {"a letter that is cut off", "a.de\xe3\x80", IDN},
    {"a change of direction", "\xe2\x80\xae.de", IDN},
    {"a U-label in an A-label", "xn--a\xc3\xbc.de", IDN},
};

static const struct accepted literals[] = {
    {"an IPv4 address", "[192.0.2.1]", "[192.0.2.1]"},
    {"an IPv6 address", "[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]"},
    {"a tag in any case", "[iPV6:2001:db8::1]", "[ipv6:2001:db8::1]"},
    {"an IPv6 address without a tag", "[2001:db8::1]", "[ipv6:2001:db8::1]"},
    {"an IPv6 address in a long form", "[IPv6:2001:DB8:0:0:0:0:0:1]",
	"[ipv6:2001:db8::1]"},
    {"an IPv4 address inside IPv6", "[IPv6:::FFFF:192.0.2.1]",
	"[ipv6:::ffff:192.0.2.1]"},
};

static const struct refused not_literals[] = {
    {"nothing", "", BRACKETS},
    {"one bracket", "[", BRACKETS},
    {"no brackets", "192.0.2.1", BRACKETS},
    {"an open beginning", "x192.0.2.1]", BRACKETS},
    {"an open end", "[192.0.2.1", BRACKETS},
    {"a trailing dot", "[192.0.2.1].", BRACKETS},
    {"empty brackets", "[]", ADDRESS},
    {"a name", "[example.com]", ADDRESS},
    {"three numbers", "[192.0.2]", ADDRESS},
    {"a number that is too large", "[192.0.2.256]", ADDRESS},
    {"a tag alone", "[IPv6:]", ADDRESS},
    {"another tag", "[IPv4:192.0.2.1]", ADDRESS},
    {"a zone", "[IPv6:fe80::1%lo]", ADDRESS},
    {"double brackets", "[[192.0.2.1]]", ADDRESS},
    {"the wrong tag", "[IPv6:192.0.2.1]", "not an IPv6 address"},
};

typedef char *
canonical_function(const char *text, GError **error);

static void
check_accepted(const struct accepted *row, canonical_function *canonical)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *once = canonical(row->text, &error);
	g_autofree char *twice = NULL;

	g_assert_no_error(error);
	g_assert_cmpstr(once, ==, row->canonical);
	twice = canonical(once, &error);
	g_assert_cmpstr(twice, ==, once);
}

static void
check_refused(const struct refused *row, canonical_function *canonical)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(canonical(row->text, &error));
	g_assert_error(error, DOMAIN_ERROR, DOMAIN_ERROR_SYNTAX);
	g_assert_cmpstr(error->message, ==, row->fault);
}

static void
test_domain(gconstpointer row)
{
	check_accepted(row, domain_canonical);
}

static void
test_not_domain(gconstpointer row)
{
	check_refused(row, domain_canonical);
}

static void
test_literal(gconstpointer row)
{
	check_accepted(row, domain_literal_canonical);
}

static void
test_not_literal(gconstpointer row)
{
	check_refused(row, domain_literal_canonical);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("domain", domains, test_domain);
	TABLE_ADD("not a domain", not_domains, test_not_domain);
	TABLE_ADD("literal", literals, test_literal);
	TABLE_ADD("not a literal", not_literals, test_not_literal);
	return g_test_run();
}
