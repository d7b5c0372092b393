/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include <utime.h>

#include <glib/gstdio.h>

#include "unit/mapfile.h"

#define TEXT(literal) MAPFILE_TEXT(literal)
#define HOST          MAPFILE_HOST

/*
 * @result: the hosts' names or the keyword; or, for a message, the message,
 * with MAP for the path.
 */
struct row {
	const char *says;
	const char *map;
	gsize length;
	const char *nexthop;
	const char *domain;
	const char *result;
};

#define TREE                                                                   \
	TEXT("* star\n"                                                        \
	     ".com dotcom\n"                                                   \
	     "example.com exact\n"                                             \
	     ".example.com dotexample\n"                                       \
	     "a.example.com a\n"                                               \
	     ".a.example.com dota\n"                                           \
	     "[192.0.2.1] v4\n"                                                \
	     "[IPv6:2001:DB8:0::1] v6\n"                                       \
	     "b\xc3\xbcro.example idn\n"                                       \
	     ".B\xc3\x9cRO.example dotidn\n"                                   \
	     "exchange_1 named\n")

static const struct row lookups[] = {
    {"the domain itself", TREE, NULL, "example.com", "exact"},
    {"the domain itself before its parent", TREE, NULL, "a.example.com", "a"},
    {"a parent", TREE, NULL, "b.example.com", "dotexample"},
    {"the longest parent", TREE, NULL, "x.a.example.com", "dota"},
    {"a parent further up", TREE, NULL, "x.b.example.com", "dotexample"},
    {"a parent at the top", TREE, NULL, "other.com", "dotcom"},
    {"a parent ends at a dot", TREE, NULL, "notexample.com", "dotcom"},
    {"a parent does not match itself", TREE, NULL, "com", "star"},
    {"the default", TREE, NULL, "example.org", "star"},
    {"the default for one letter", TREE, NULL, "x", "star"},
    {"an IPv4 literal", TREE, NULL, "[192.0.2.1]", "v4"},
    {"an IPv6 literal", TREE, NULL, "[ipv6:2001:db8::1]", "v6"},
    {"the default for a literal", TREE, NULL, "[192.0.2.2]", "star"},
    {"no parent for a literal", TEXT(".1] a\n.2.1] b\n"), NULL, "[192.0.2.1]",
	"no route for [192.0.2.1] in MAP"},
    {"a U-label key", TREE, NULL, "xn--bro-hoa.example", "idn"},
    {"a U-label parent", TREE, NULL, "a.xn--bro-hoa.example", "dotidn"},
    {"case of a key", TEXT("EXAMPLE.Com a"), NULL, "example.com", "a"},
    {"case of a parent", TEXT(".EXAMPLE.Com a"), NULL, "x.example.com", "a"},
    {"a trailing dot", TEXT("example.com. a"), NULL, "example.com", "a"},
    {"one behind a letter", TEXT("x. a"), NULL, "x", "a"},
    {"a dot is no key", TEXT(". a"), NULL, "x", "no route for x in MAP"},
    {"a parent's trailing dot", TEXT(".example.com. a"), NULL, "x.example.com",
	"a"},
    {"two trailing dots", TEXT("example.com.. a"), NULL, "example.com",
	"no route for example.com in MAP"},
    {"no key fits", TEXT(".example.com a\n"), NULL, "example.com",
	"no route for example.com in MAP"},
    {"an empty map", TEXT(""), NULL, "example.com",
	"no route for example.com in MAP"},
    {"no chain of routes", TEXT("a.example b.example\nb.example c"), NULL,
	"a.example", "b.example"},

    {"ALL", TEXT("ALL a\n"), NULL, "example.com", "a"},
    {"ALL in any case", TEXT("aLL: a\n"), NULL, "[192.0.2.1]", "a"},
    {"ALL with nothing is DNS", TEXT("ALL:\n"), NULL, "example.com", "USEDNS"},
    {"ALL with blanks is DNS", TEXT("a b\nall: \t\r\n#x\n\n"), NULL,
	"example.com", "USEDNS"},
    {"ALL with its value below", TEXT("ALL:\n a\n"), NULL, "example.com", "a"},
    {"ALL without a colon needs a value", TEXT("ALL\n"), NULL, "example.com",
	"MAP:1:4: no destination; expected " HOST},
    {"a star needs a value", TEXT("*:\n"), NULL, "example.com",
	"MAP:1:3: no destination; expected " HOST},
    {"ALL is first of equals", TEXT("ALL:\n* a\n"), NULL, "example.com",
	"USEDNS"},
    {"the star is first of equals", TEXT("* a\nALL: b\n"), NULL, "example.com",
	"a"},
    {"a domain called all", TEXT("* star\n.all a\n"), NULL, "b.all", "a"},

    {"a colon and blanks", TEXT("example.com: a\n"), NULL, "example.com", "a"},
    {"a colon only", TEXT("example.com:a:25\n"), NULL, "example.com", "a"},
    {"a colon after a parent", TEXT(".example.com: a\n"), NULL, "x.example.com",
	"a"},
    {"a colon after a literal", TEXT("[IPv6:::1]: a\n"), NULL, "[ipv6:::1]",
	"a"},
    {"an untagged literal", TEXT("[2001:db8::1]:a"), NULL, "[ipv6:2001:db8::1]",
	"a"},
    {"blanks before a colon", TEXT("example.com : a\n"), NULL, "example.com",
	"MAP:1:13: bad host ''; expected " HOST},
    {"an unclosed literal", TEXT("[192.0.2.1 a\n"), NULL, "[192.0.2.1]",
	"no route for [192.0.2.1] in MAP"},

    {"the first of equal keys", TEXT("A.example a\na.example. b\n"), NULL,
	"a.example", "a"},
    {"the first of equal parents", TEXT(".a.example a\n.a.example b\n"), NULL,
	"x.a.example", "a"},
    {"the first of equals with a value",
	TEXT("a.example\na.example b\na.example c\n"), NULL, "a.example", "b"},
    {"the first with its value below", TEXT("a.example\n b\na.example c\n"),
	NULL, "a.example", "b"},
    {"a longer key without a value", TEXT("* a\na.example\n"), NULL,
	"a.example", "MAP:2:10: no destination; expected " HOST},

    {"a tab", TEXT("a.example\ta\n"), NULL, "a.example", "a"},
    {"CRLF", TEXT("# x\r\n\r\na.example a,\r\n\tb\r\nb.example c\r\n"), NULL,
	"a.example", "a b"},
    {"no final line end", TEXT("b.example b\na.example a"), NULL, "a.example",
	"a"},
    {"a continuation line", TEXT("a.example a,\n b\nb.example c\n"), NULL,
	"a.example", "a b"},
    {"continuation, comments, blank lines",
	TEXT("a.example a,\n# x\n\n \t\n  # y\n\tb,\n#\n c\nd x\n"), NULL,
	"a.example", "a b c"},
    {"a value below", TEXT("a.example\n# x\n a\n"), NULL, "a.example", "a"},
    {"a continuation of another entry", TEXT("a.example a\nb.example b,\n c\n"),
	NULL, "a.example", "a"},
    {"a continuation of nothing", TEXT("# x\n\n a\n b\nc.example c\n"), NULL,
	"c.example", "c"},
    {"a byte order mark",
	TEXT("\xef\xbb\xbf"
	     "a.example a\n"),
	NULL, "a.example", "a"},
    {"a byte order mark, and the place of a fault",
	TEXT("\xef\xbb\xbf"
	     "a.example a:x\n"),
	NULL, "a.example", "MAP:1:13: bad port 'x'; expected 1 to 65535"},
    {"a byte order mark alone", TEXT("\xef\xbb\xbf"), NULL, "a.example",
	"no route for a.example in MAP"},
    {"a key in a comment", TEXT("#a.example a\n # a.example b\n"), NULL,
	"a.example", "no route for a.example in MAP"},
    {"a comment behind a value", TEXT("a.example a # x\n"), NULL, "a.example",
	"MAP:1:13: bad text '#'; expected comments on lines of their own"},
    {"NUL in a key", TEXT("a\0.example a\na.example b\n"), NULL, "a.example",
	"b"},
    {"NUL after a U-label key", TEXT("\xc3\xbc\0 a\n\xc3\xbc b\n"), NULL,
	"xn--tda", "b"},
    {"keys of rubbish", TEXT("\xff a\n: b\n[ c\n. d\n..a e\n\0 f\na g\n"), NULL,
	"a", "g"},
    {"a key of rubbish only", TEXT(": b\n"), NULL, "a",
	"no route for a in MAP"},

    {"an error elsewhere", TEXT("a.example ;\nb.example b\n"), NULL,
	"b.example", "b"},
    {"an error here", TEXT("b.example b\na.example ;\n* a\n"), NULL,
	"a.example", "MAP:2:11: bad host ';'; expected " HOST},
    {"an error on a continuation line",
	TEXT("# x\na.example: a,\r\n# y\r\n\r\n  b:0\n"), NULL, "a.example",
	"MAP:5:5: bad port '0'; expected 1 to 65535"},
    {"an error right after a colon", TEXT("a.example:;\n"), NULL, "a.example",
	"MAP:1:11: bad host ';'; expected " HOST},
    {"a comma before the next entry", TEXT("a a,\n\n# x\nb b\n"), NULL, "a",
	"MAP:1:5: no destination; expected " HOST},

    {"the nexthop is the domain", TREE, "example.com", "example.com", "exact"},
    {"the nexthop is the domain, not canonical", TREE, "B.Example.COM.",
	"b.example.com", "dotexample"},
    {"the nexthop is the domain in U-labels", TREE, "a.b\xc3\xbcro.example",
	"a.xn--bro-hoa.example", "dotidn"},
    {"the nexthop is the literal", TREE, "[IPv6:2001:db8::0:1]",
	"[ipv6:2001:db8::1]", "v6"},
    {"a named route", TREE, "exchange_1", "example.com", "named"},
    {"a named route in other case", TREE, "Exchange_1", "example.com", "named"},
    {"a route named with digits", TEXT("2024 a"), "2024", "example.com", "a"},
    {"another domain is a name", TREE, "a.example.com", "example.com", "a"},
    {"a name has no parents", TREE, "b.example.com", "example.com",
	"no route named b.example.com in MAP"},
    {"a name has no default", TREE, "exchange", "example.com",
	"no route named exchange in MAP"},
    {"a name in U-labels", TREE, "b\xc3\xbcro.example", "example.com", "idn"},
    {"a name that is none", TREE, "\xff\x01", "example.com",
	"no route named ?? in MAP"},
    {"no name", TREE, "", "example.com", "no route named  in MAP"},

    {"an inline route in brackets", TREE, "[mx1]", "example.com", "mx1"},
    {"an inline route of several", TREE, "mx1,[mx2]:26/pri=1", "example.com",
	"mx1 mx2"},
    {"an inline route with a port", TREE, "example.com:25", "example.com",
	"example.com"},
    {"an inline option", TREE, "example.com/drain", "example.com",
	"example.com"},
    {"an inline keyword", TREE, "/dev/null", "example.com", "/dev/null"},
    {"another literal is an inline route", TREE, "[192.0.2.1]", "example.com",
	"192.0.2.1"},
    {"a bad inline route", TREE, "mx1,mx2:0", "example.com",
	"inline route:1:9: bad port '0'; expected 1 to 65535"},
};

/* Of long ago: postmap(1) waits until a file is no longer young. */
static void
make_old(const char *path)
{
	struct utimbuf times = {.actime = 1, .modtime = 1};

	g_assert_cmpint(g_utime(path, &times), ==, 0);
}

static void
test_lookup(struct mapfile *f, gconstpointer data)
{
	const struct row *row = data;
	g_autofree char *result = NULL;

	mapfile_write(f, row->map, row->length);
	result = mapfile_look_up(f, row->nexthop, row->domain);
	g_assert_cmpstr(result, ==, row->result);
}

/* FALSE: Postfix has no lmdb maps here. */
static gboolean
postmap(const struct mapfile *f, const char *folder)
{
	g_autofree char *map = g_strconcat("lmdb:", f->path, NULL);
	const char *const argv[] = {"/usr/sbin/postmap", "-c", folder, map,
	    NULL};
	g_autoptr(GError) error = NULL;
	g_autofree char *said = NULL;
	int status = -1;

	if (!g_spawn_sync(NULL, (char **)(guintptr)argv, NULL,
		G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said, &status,
		&error))
		return FALSE;
	if (strstr(said, "unsupported dictionary type") != NULL)
		return FALSE;
	g_assert_cmpint(status, ==, 0);
	return TRUE;
}

/*
 * What differs once postmap(1) has made an lmdb map of it: lines are gone, and
 * so is what is no entry to Postfix, without a value or blanks before it.  A
 * byte order mark is part of the first key.
 */
static const struct exception {
	const char *says;
	const char *result;
} exceptions[] = {
    {"ALL with nothing is DNS", "no route for example.com in MAP"},
    {"ALL with blanks is DNS", "no route for example.com in MAP"},
    {"ALL without a colon needs a value", "no route for example.com in MAP"},
    {"a star needs a value", "no route for example.com in MAP"},
    {"ALL is first of equals", "a"},
    {"a colon only", "no route for example.com in MAP"},
    {"an untagged literal", "no route for [ipv6:2001:db8::1] in MAP"},
    {"blanks before a colon",
	"MAP: key example.com: column 1: bad host ''; expected " HOST},
    {"a longer key without a value", "a"},
    {"a comment behind a value",
	"MAP: key a.example: column 3: bad text '#'; expected comments on "
	"lines of their own"},
    {"an error here",
	"MAP: key a.example: column 1: bad host ';'; expected " HOST},
    {"an error on a continuation line",
	"MAP: key a.example: column 8: bad port '0'; expected 1 to 65535"},
    {"an error right after a colon", "no route for a.example in MAP"},
    {"a byte order mark", "no route for a.example in MAP"},
    {"a byte order mark, and the place of a fault",
	"no route for a.example in MAP"},
    {"a comma before the next entry",
	"MAP: key a: column 3: no destination; expected " HOST},
};

static const char *
index_result(const struct row *row)
{
	for (gsize i = 0; i < G_N_ELEMENTS(exceptions); i++) {
		if (strcmp(exceptions[i].says, row->says) == 0)
			return exceptions[i].result;
	}
	return row->result;
}

static void
test_index(struct mapfile *f, gconstpointer data)
{
	const struct row *row = data;
	g_autofree char *main_cf = g_build_filename(f->folder, "main.cf", NULL);
	g_autofree char *file = g_strconcat(f->path, ".lmdb", NULL);
	struct mapfile index = *f;
	g_autofree char *result = NULL;
	FILE *config = g_fopen(main_cf, "w");

	g_assert_nonnull(config);
	fputs("compatibility_level = 3.6\n", config);
	g_assert_cmpint(fclose(config), ==, 0);
	make_old(main_cf);
	mapfile_write(f, row->map, row->length);
	make_old(f->path);
	if (postmap(f, f->folder)) {
		index.path = g_strconcat("lmdb:", f->path, NULL);
		result = mapfile_look_up(&index, row->nexthop, row->domain);
		g_free(index.path);
		g_assert_cmpstr(result, ==, index_result(row));
		g_assert_cmpint(g_remove(file), ==, 0);
	} else {
		g_test_skip("no postmap(1), or none with lmdb maps");
	}
	g_assert_cmpint(g_remove(main_cf), ==, 0);
}

static void
add_index(const struct row *row)
{
	g_autofree char *says = g_strconcat("by index: ", row->says, NULL);

	mapfile_add(says, row, test_index);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* What fails is to be torn down, too. */
	g_test_set_nonfatal_assertions();
	for (gsize i = 0; i < G_N_ELEMENTS(lookups); i++)
		mapfile_add(lookups[i].says, &lookups[i], test_lookup);
	for (gsize i = 0; i < G_N_ELEMENTS(lookups); i++)
		add_index(&lookups[i]);
	return g_test_run();
}
