/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>
#include <sysexits.h>

#include <glib.h>

#include "agent/verdict.h"

/* What pipe(8) is to read, and the exit status that agrees with it. */
static const struct row {
	const char *says;
	enum verdict_kind kind;
	const char *dsn;
	const char *text;
	const char *line;
	int status;
} rows[] = {
    {"delivered", VERDICT_DELIVERED, "2.0.0", "mx[192.0.2.1]:25: 250 Ok",
	"2.0.0 mx[192.0.2.1]:25: 250 Ok", EX_OK},
    {"delivered with another code", VERDICT_DELIVERED, "2.1.5", "a", "2.1.5 a",
	EX_OK},
    {"deferred", VERDICT_DEFER, "4.4.1", "mx: connect: refused",
	"4.4.1 mx: connect: refused", EX_TEMPFAIL},
    {"deferred without a code", VERDICT_DEFER, "", "a", "4.3.0 a", EX_TEMPFAIL},
    {"bounced", VERDICT_BOUNCE, "5.0.0", "a", "5.0.0 a", EX_UNAVAILABLE},

    {"no such user", VERDICT_BOUNCE, "5.1.1", "a", "5.1.1 a", EX_NOUSER},
    {"bad address syntax", VERDICT_BOUNCE, "5.1.3", "a", "5.1.3 a", EX_NOUSER},
    {"a sender's address with bad syntax", VERDICT_BOUNCE, "5.1.7", "a",
	"5.1.7 a", EX_DATAERR},
    {"a sender's domain that is none", VERDICT_BOUNCE, "5.1.8", "a", "5.1.8 a",
	EX_NOHOST},
    {"mailbox disabled", VERDICT_BOUNCE, "5.2.1", "a", "5.2.1 a", EX_NOUSER},
    {"mailbox full", VERDICT_BOUNCE, "5.2.2", "a", "5.2.2 a", EX_UNAVAILABLE},
    {"no such system", VERDICT_BOUNCE, "5.1.2", "a", "5.1.2 a", EX_NOHOST},
    {"a system that takes no mail", VERDICT_BOUNCE, "5.1.10", "a", "5.1.10 a",
	EX_NOHOST},
    {"no way to the system", VERDICT_BOUNCE, "5.4.4", "a", "5.4.4 a",
	EX_NOHOST},
    {"a message too big", VERDICT_BOUNCE, "5.3.4", "a", "5.3.4 a",
	EX_UNAVAILABLE},
    {"bad content", VERDICT_BOUNCE, "5.6.0", "a", "5.6.0 a", EX_DATAERR},
    {"policy", VERDICT_BOUNCE, "5.7.1", "a", "5.7.1 a", EX_NOPERM},
    {"subject 70 is not policy", VERDICT_BOUNCE, "5.70.1", "a", "5.70.1 a",
	EX_UNAVAILABLE},

    {"delivered with a code of class 4 defers", VERDICT_DELIVERED, "4.0.0", "a",
	"4.0.0 a", EX_TEMPFAIL},
    {"delivered with a code of class 5 defers", VERDICT_DELIVERED, "5.1.1", "a",
	"4.3.0 a", EX_TEMPFAIL},
    {"delivered without a code defers", VERDICT_DELIVERED, "", "a", "4.3.0 a",
	EX_TEMPFAIL},
    {"bounced with a code of class 2 defers", VERDICT_BOUNCE, "2.0.0", "a",
	"4.3.0 a", EX_TEMPFAIL},
    {"bounced with a code of class 4 defers", VERDICT_BOUNCE, "4.7.1", "a",
	"4.7.1 a", EX_TEMPFAIL},
    {"bounced without a code defers", VERDICT_BOUNCE, "", "a", "4.3.0 a",
	EX_TEMPFAIL},
    {"deferred with a code of class 2 defers", VERDICT_DEFER, "2.0.0", "a",
	"4.3.0 a", EX_TEMPFAIL},
    {"deferred with a code of class 5 defers", VERDICT_DEFER, "5.1.1", "a",
	"4.3.0 a", EX_TEMPFAIL},
    {"a code that is none defers", VERDICT_BOUNCE, "550", "a", "4.3.0 a",
	EX_TEMPFAIL},
    {"a code with something behind it defers", VERDICT_BOUNCE, "5.1.1.", "a",
	"4.3.0 a", EX_TEMPFAIL},
    {"a code behind a blank defers", VERDICT_BOUNCE, " 5.1.1", "a", "4.3.0 a",
	EX_TEMPFAIL},
    {"a code in the text is text", VERDICT_DEFER, "4.4.1", "5.1.1 a",
	"4.4.1 5.1.1 a", EX_TEMPFAIL},

    {"an empty text", VERDICT_DEFER, "4.4.1", "", "4.4.1 ", EX_TEMPFAIL},
    {"line ends", VERDICT_BOUNCE, "5.1.1", "a\r\n5.7.1 b\n", "5.1.1 a 5.7.1 b ",
	EX_NOUSER},
    {"control bytes", VERDICT_DEFER, "4.4.1", "\001a\033[1m\177",
	"4.4.1 ?a?[1m?", EX_TEMPFAIL},
    {"typographic quotes", VERDICT_DEFER, "4.4.1", "\342\200\230a\342\200\231",
	"4.4.1 'a'", EX_TEMPFAIL},
    {"bytes that are no UTF-8", VERDICT_DEFER, "4.4.1", "a\377b", "4.4.1 a?b",
	EX_TEMPFAIL},
    {"what would be a format", VERDICT_DEFER, "4.4.1", "%s%n%d", "4.4.1 %s%n%d",
	EX_TEMPFAIL},
};

static void
assert_reported(const struct verdict *verdict, const char *expected, int status)
{
	g_autofree char *line = verdict_line(verdict);

	g_assert_cmpstr(line, ==, expected);
	g_assert_cmpint(verdict_status(verdict), ==, status);
}

static void
test_row(gconstpointer data)
{
	const struct row *row = data;
	struct verdict verdict = {0};

	verdict_set(&verdict, row->kind, row->dsn, "%s", row->text);
	assert_reported(&verdict, row->line, row->status);
	verdict_clear(&verdict);
}

/* Whatever is set before it or after, and however long the text is. */
static void
test_note(void)
{
	g_autofree char *long_text = g_strnfill(VERDICT_LINE_MAX, 'x');
	g_autofree char *line = NULL;
	struct verdict verdict = {0};

	verdict_note(&verdict, "no log: %s", "/l: full\n\001");
	assert_reported(&verdict, "4.3.0 no verdict (no log: /l: full ?)",
	    EX_TEMPFAIL);
	verdict_set(&verdict, VERDICT_DELIVERED, "2.0.0", "a");
	assert_reported(&verdict, "2.0.0 a (no log: /l: full ?)", EX_OK);
	verdict_note(&verdict, "b");
	verdict_set(&verdict, VERDICT_BOUNCE, "5.1.1", "%s", long_text);
	line = verdict_line(&verdict);
	g_assert_cmpuint(strlen(line), ==, VERDICT_LINE_MAX);
	g_assert_true(g_str_has_suffix(line, "x... (b)"));
	verdict_note(&verdict, "%s", long_text);
	g_free(line);
	line = verdict_line(&verdict);
	g_assert_cmpuint(strlen(line), <=, VERDICT_LINE_MAX);
	g_assert_true(g_str_has_suffix(line, "x...)"));
	g_assert_true(g_str_has_prefix(line, "5.1.1 xxx"));
	verdict_clear(&verdict);
	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
}

/* Forgetting defers, whatever was forgotten. */
static void
test_unset(void)
{
	struct verdict verdict = {0};

	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
	verdict.kind = VERDICT_DELIVERED;
	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
	g_strlcpy(verdict.dsn, "2.0.0", sizeof(verdict.dsn));
	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
	verdict.kind = VERDICT_BOUNCE;
	g_strlcpy(verdict.dsn, "5.1.1", sizeof(verdict.dsn));
	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
	verdict_set(&verdict, VERDICT_DELIVERED, "2.0.0", "a");
	verdict_clear(&verdict);
	assert_reported(&verdict, "4.3.0 no verdict", EX_TEMPFAIL);
}

/* The last word counts, and may quote the one before. */
static void
test_set_again(void)
{
	struct verdict verdict = {0};

	verdict_set(&verdict, VERDICT_DELIVERED, "2.0.0", "first");
	verdict_set(&verdict, VERDICT_DEFER, "4.4.2", "%s, second",
	    verdict.text);
	assert_reported(&verdict, "4.4.2 first, second", EX_TEMPFAIL);
	verdict_clear(&verdict);
}

static void
test_mixed(void)
{
	struct verdict verdict = {0};
	g_autofree char *line = NULL;

	verdict_set_mixed(&verdict, "a: 550 5.1.1 no");
	line = verdict_line(&verdict);
	g_assert_cmpint(verdict_status(&verdict), ==, EX_TEMPFAIL);
	g_assert_true(g_str_has_prefix(line, "4.3.5 "));
	g_assert_nonnull(
	    strstr(line, "smtproute_destination_recipient_limit = 1"));
	g_assert_true(g_str_has_suffix(line, "; a: 550 5.1.1 no"));
	verdict_clear(&verdict);
}

/* pipe(8) keeps a limited number of bytes; the code is among them. */
static void
test_length(void)
{
	static const gsize lengths[] = {VERDICT_LINE_MAX - 7,
	    VERDICT_LINE_MAX - 6, VERDICT_LINE_MAX - 5, VERDICT_LINE_MAX, 4096,
	    1000000};

	for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autofree char *text = g_strnfill(lengths[i], 'x');
		g_autofree char *line = NULL;
		struct verdict verdict = {0};
		gsize whole = lengths[i] + strlen("5.1.1 ");

		verdict_set(&verdict, VERDICT_BOUNCE, "5.1.1", "%s", text);
		line = verdict_line(&verdict);
		g_assert_cmpuint(strlen(line), ==,
		    MIN(whole, VERDICT_LINE_MAX));
		g_assert_true(g_str_has_prefix(line, "5.1.1 xxx"));
		g_assert_true(g_str_has_suffix(line,
		    whole <= VERDICT_LINE_MAX ? "xxx" : "..."));
		verdict_clear(&verdict);
	}
}

/* Each byte alone in the text: printable ASCII or '?', never a line end. */
static void
test_every_byte(void)
{
	for (int byte = 1; byte < 256; byte++) {
		struct verdict verdict = {0};
		g_autofree char *line = NULL;
		char text[] = {'a', (char)byte, 'b', '\0'};

		verdict_set(&verdict, VERDICT_DELIVERED, "2.0.0", "%s", text);
		line = verdict_line(&verdict);
		g_assert_cmpuint(strlen(line), ==, strlen("2.0.0 a?b"));
		for (const char *p = line; *p != '\0'; p++)
			g_assert_true(g_ascii_isprint(*p));
		if (g_ascii_isprint((char)byte))
			g_assert_cmpint(line[strlen("2.0.0 a")], ==, byte);
		verdict_clear(&verdict);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path =
		    g_strdup_printf("/line/%s", rows[i].says);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/what was not set defers", test_unset);
	g_test_add_func("/a note ends the line", test_note);
	g_test_add_func("/what was set is replaced", test_set_again);
	g_test_add_func("/mixed answers defer", test_mixed);
	g_test_add_func("/a long line is cut", test_length);
	g_test_add_func("/every byte comes out printable", test_every_byte);
	return g_test_run();
}
