/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "smtp/reply.h"
#include "unit/table.h"

/* A string literal, NUL bytes included. */
#define T(literal) literal, sizeof(literal) - 1

static const struct accepted {
	const char *says;
	const char *input;
	gsize length;
	int code;
	const char *dsn;
	const char *text;
} accepted[] = {
    {"one line", T("250 2.1.0 Ok\r\n"), 250, "2.1.0", "2.1.0 Ok"},
    {"no enhanced code", T("220 mx1 ESMTP\r\n"), 220, "", "mx1 ESMTP"},
    {"a code alone", T("250\r\n"), 250, "", ""},
    {"a code and a blank", T("250 \r\n"), 250, "", ""},
    {"an enhanced code alone", T("550 5.1.1\r\n"), 550, "5.1.1", "5.1.1"},
    {"the lowest code", T("200 a\r\n"), 200, "", "a"},
    {"the highest code", T("599 a\r\n"), 599, "", "a"},
    {"LF without CR", T("250-a\n250 b\n"), 250, "", "a b"},
    {"two lines are one text", T("250-a\r\n250 b\r\n"), 250, "", "a b"},
    {"a line without text adds none", T("250-a\r\n250-\r\n250 b\r\n"), 250, "",
	"a b"},
    {"a first line without text", T("250-\r\n250 a\r\n"), 250, "", "a"},
    {"a last line that is a code alone", T("250-a\r\n250\r\n"), 250, "", "a"},
    {"a hyphen is text after the last line's blank", T("250 -a\r\n"), 250, "",
	"-a"},
    {"a repeated enhanced code stands once",
	T("550-5.1.1 no such\r\n550 5.1.1 user\r\n"), 550, "5.1.1",
	"5.1.1 no such user"},
    {"an enhanced code of the second line alone stays",
	T("550-no such user\r\n550 5.1.1 a\r\n"), 550, "5.1.1",
	"no such user 5.1.1 a"},
    {"another enhanced code stays", T("550-5.1.1 a\r\n550 5.7.1 b\r\n"), 550,
	"5.1.1", "5.1.1 a 5.7.1 b"},
    {"a longer number is another enhanced code",
	T("550-5.1.1 a\r\n550 5.1.10 b\r\n"), 550, "5.1.1", "5.1.1 a 5.1.10 b"},
    {"an enhanced code of another class is text", T("550 4.1.1 a\r\n"), 550, "",
	"4.1.1 a"},
    {"354 has no enhanced code", T("354 3.0.0 go\r\n"), 354, "3.0.0",
	"3.0.0 go"},
    {"a NUL byte becomes a question mark", T("250 a\0b\r\n"), 250, "", "a?b"},
    {"a NUL byte does not end an enhanced code", T("550 5.1.1\0a\r\n"), 550, "",
	"5.1.1?a"},
    {"CR inside a line stays", T("250 a\rb\r\n"), 250, "", "a\rb"},
    {"8-bit bytes stay", T("250 gr\303\274n\377\r\n"), 250, "",
	"gr\303\274n\377"},
    {"blanks at the end stay", T("250 a  \r\n"), 250, "", "a  "},
    {"an empty line before it", T("\r\n250 a\r\n"), 250, "", "a"},
    {"empty lines of both forms before it", T("\n\r\n\n\n\r\n250 a\r\n"), 250,
	"", "a"},
    {"an empty line behind it", T("250 a\r\n\r\n"), 250, "", "a"},
    {"half an empty line behind it", T("250 a\r\n\r"), 250, "", "a"},
};

static const struct refused {
	const char *says;
	const char *input;
	gsize length;
	const char *message;
} refused[] = {
    {"a line of a blank", T(" \r\n"), "not an SMTP reply"},
    {"CR CR LF", T("\r\r\n"), "not an SMTP reply"},
    {"an empty line, and rubbish", T("\r\nhello\r\n"),
	"not an SMTP reply: hello"},
    {"a text without a code", T("hello\r\n"), "not an SMTP reply"},
    {"two digits", T("25 a\r\n"), "not an SMTP reply"},
    {"two digits alone", T("25\r\n"), "not an SMTP reply"},
    {"four digits", T("2500 a\r\n"), "not an SMTP reply"},
    {"a code that begins with 1", T("150 a\r\n"), "not an SMTP reply"},
    {"a code that begins with 6", T("600 a\r\n"), "not an SMTP reply"},
    {"a letter behind the code", T("250a\r\n"), "not an SMTP reply"},
    {"a tab behind the code", T("250\ta\r\n"), "not an SMTP reply"},
    {"a letter in the code", T("2x0 a\r\n"), "not an SMTP reply"},
    {"a blank before the code", T(" 250 a\r\n"), "not an SMTP reply"},
    {"a sign before the code", T("+250 a\r\n"), "not an SMTP reply"},
    {"a NUL byte in the code", T("2\00050 a\r\n"), "not an SMTP reply"},
    {"a NUL byte behind the code", T("250\0a\r\n"), "not an SMTP reply"},
    {"an 8-bit digit", T("25\260 a\r\n"), "not an SMTP reply"},
    {"CR CR LF behind the code", T("250\r\r\n"), "not an SMTP reply"},
    {"another protocol", T("SSH-2.0-OpenSSH_9.2\r\n"),
	"not an SMTP reply: SSH-2.0-OpenSSH_9.2"},
    {"a web server", T("HTTP/1.1 400 Bad Request\r\n"),
	"not an SMTP reply: HTTP/1.1 400 Bad Request"},
    {"a second line without a code", T("250-a\r\nb\r\n"), "not an SMTP reply"},
    {"an empty second line", T("250-a\r\n\r\n"), "not an SMTP reply"},
    {"another code in the last line", T("250-a\r\n251 b\r\n"),
	"reply lines with different codes: 251 b"},
    {"another code in a middle line", T("250-a\r\n550-b\r\n250 c\r\n"),
	"reply lines with different codes"},
};

static const struct unfinished {
	const char *says;
	const char *input;
	gboolean nothing; /* nothing is pending */
} unfinished[] = {
    {"nothing", "", TRUE},
    {"an empty line", "\r\n", TRUE},
    {"LF alone", "\n", TRUE},
    {"CR alone", "\r", TRUE},
    {"an empty line and a half", "\n\r", TRUE},
    {"an empty line and a digit", "\r\n2", FALSE},
    {"a digit", "2", FALSE},
    {"a code", "250", FALSE},
    {"a line without its end", "250 a", FALSE},
    {"CR without LF", "250 a\r", FALSE},
    {"what cannot become a reply, but has no end yet", "hello", FALSE},
    {"a first line", "250-a\r\n", FALSE},
    {"a first line and a code", "250-a\r\n250", FALSE},
    {"two lines that are not the last", "250-a\r\n250-b\r\n", FALSE},
};

static const struct code {
	const char *says;
	const char *text;
	char class;
	const char *dsn; /* NULL: there is none */
} codes[] = {
    {"a code with text", "5.1.1 a", '5', "5.1.1"},
    {"a code alone", "2.0.0", '2', "2.0.0"},
    {"the longest code", "4.123.456 a", '4', "4.123.456"},
    {"nothing", "", '5', NULL},
    {"a class alone", "5", '5', NULL},
    {"a class and a dot", "5.", '5', NULL},
    {"a class and a subject", "5.1", '5', NULL},
    {"no detail", "5.1.", '5', NULL},
    {"no subject", "5..1", '5', NULL},
    {"another class", "4.1.1 a", '5', NULL},
    {"a subject of four digits", "5.1234.1 a", '5', NULL},
    {"a detail of four digits", "5.1.1234 a", '5', NULL},
    {"a fourth number", "5.1.1.1 a", '5', NULL},
    {"a letter behind it", "5.1.1a", '5', NULL},
    {"a colon behind it", "5.1.1: a", '5', NULL},
    {"a blank before it", " 5.1.1 a", '5', NULL},
    {"a letter in it", "5.x.1 a", '5', NULL},
    {"a sign in it", "5.-1.1 a", '5', NULL},
};

static void
test_accepted(gconstpointer data)
{
	const struct accepted *row = data;
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply = NULL;
	g_autofree char *text = NULL;

	reply_reader_add(reader, row->input, row->length);
	reply = reply_reader_take(reader, &error);
	g_assert_no_error(error);
	g_assert_nonnull(reply);
	text = reply_text(reply);
	g_assert_cmpint(reply->code, ==, row->code);
	g_assert_cmpstr(reply->dsn, ==, row->dsn);
	g_assert_cmpstr(text, ==, row->text);
	g_assert_cmpint(reply_reader_is_clean(reader), ==,
	    !g_str_has_suffix(row->says, "behind it"));
	g_assert_false(reply_reader_pending(reader));
}

static void
assert_refused(struct reply_reader *reader, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(reply_reader_take(reader, &error));
	g_assert_error(error, REPLY_ERROR, REPLY_ERROR_SYNTAX);
	/* What follows quotes the line. */
	g_assert_true(g_str_has_prefix(error->message, message));
	g_assert_true(reply_reader_pending(reader));
}

/* What is refused once is refused for good. */
static void
test_refused(gconstpointer data)
{
	const struct refused *row = data;
	g_autoptr(ReplyReader) reader = reply_reader_new();

	reply_reader_add(reader, row->input, row->length);
	assert_refused(reader, row->message);
	assert_refused(reader, row->message);
	reply_reader_add(reader, T("250 a\r\n"));
	assert_refused(reader, row->message);
}

static void
test_unfinished(gconstpointer data)
{
	const struct unfinished *row = data;
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GError) error = NULL;

	reply_reader_add(reader, row->input, strlen(row->input));
	for (int round = 0; round < 2; round++) {
		g_assert_null(reply_reader_take(reader, &error));
		g_assert_no_error(error);
		g_assert_cmpint(reply_reader_pending(reader), ==,
		    !row->nothing);
		g_assert_cmpint(reply_reader_is_clean(reader), ==,
		    row->input[0] == '\0');
	}
}

static void
test_code(gconstpointer data)
{
	const struct code *row = data;
	char dsn[DSN_SIZE] = "before";

	g_assert_cmpint(dsn_parse(row->text, row->class, dsn), ==,
	    row->dsn != NULL);
	g_assert_cmpstr(dsn, ==, row->dsn != NULL ? row->dsn : "before");
}

static void
test_one_by_one(void)
{
	static const int expected[] = {220, 250, 354};
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GError) error = NULL;

	reply_reader_add(reader, T("220 a\r\n250-b\r\n250 c\r\n354 d\r"));
	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_autoptr(Reply) reply = reply_reader_take(reader, &error);

		g_assert_no_error(error);
		g_assert_cmpint(reply != NULL ? reply->code : 0, ==,
		    i < 2 ? expected[i] : 0);
		g_assert_true(reply_reader_pending(reader));
	}
	reply_reader_add(reader, "\n", 1);
	{
		g_autoptr(Reply) reply = reply_reader_take(reader, &error);

		g_assert_no_error(error);
		g_assert_cmpint(reply->code, ==, expected[2]);
	}
	g_assert_false(reply_reader_pending(reader));
}

/* A reply of @size bytes in lines of @line_size, the last one longer. */
static GString *
long_reply(gsize size, gsize line_size)
{
	GString *reply = g_string_new(NULL);
	g_autofree char *fill = g_strnfill(size, 'x');

	while (reply->len + 2 * line_size <= size)
		g_string_append_printf(reply, "250-%.*s\r\n",
		    (int)line_size - 6, fill);
	g_string_append_printf(reply, "250 %.*s\r\n",
	    (int)(size - reply->len) - 6, fill);
	g_assert_cmpuint(reply->len, ==, size);
	return reply;
}

/* Feeds @input as a peer does: a piece, then a look. */
static struct reply *
feed(const GString *input, gsize piece, GError **error)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autoptr(GError) bad = NULL;
	struct reply *reply = NULL;

	for (gsize i = 0; i < input->len && reply == NULL; i += piece) {
		reply_reader_add(reader, input->str + i,
		    MIN(piece, input->len - i));
		reply = reply_reader_take(reader, &bad);
		if (bad != NULL) {
			g_propagate_error(error, g_steal_pointer(&bad));
			return NULL;
		}
	}
	return reply;
}

/* The limit is the same, however the bytes arrive. */
static void
test_size(void)
{
	static const gsize lines[] = {6, 100, REPLY_MAX};
	static const gsize pieces[] = {1, 1000, 8192, REPLY_MAX + 1};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GString) most = long_reply(REPLY_MAX, lines[i]);
		g_autoptr(GString) more = long_reply(REPLY_MAX + 1, lines[i]);

		for (gsize j = 0; j < G_N_ELEMENTS(pieces); j++) {
			g_autoptr(GError) error = NULL;
			g_autoptr(GError) refusal = NULL;
			g_autoptr(Reply) reply = NULL;

			reply = feed(most, pieces[j], &error);
			g_assert_no_error(error);
			g_assert_nonnull(reply);
			g_assert_null(feed(more, pieces[j], &refusal));
			g_assert_error(refusal, REPLY_ERROR, REPLY_ERROR_SIZE);
		}
	}
}

/* So it is with empty lines, of which there may be as many. */
static void
test_empty_lines(void)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();
	g_autofree char *lines = g_strnfill(REPLY_MAX, '\n');

	reply_reader_add(reader, lines, REPLY_MAX);
	g_assert_false(reply_reader_pending(reader));
	reply_reader_add(reader, "\n", 1);
	g_assert_true(reply_reader_pending(reader));
}

/* With the reply behind them, too. */
static void
test_empty_lines_and_reply(void)
{
	for (gsize more = 0; more < 2; more++) {
		g_autoptr(GString) input = long_reply(REPLY_MAX - 5, 100);
		g_autoptr(GError) error = NULL;
		g_autoptr(Reply) reply = NULL;

		g_string_prepend(input, more ? "\n\n\n\n\n\n" : "\n\n\n\n\n");
		reply = feed(input, input->len, &error);
		g_assert_cmpint(reply == NULL, ==, more);
		g_assert_cmpint(g_error_matches(error, REPLY_ERROR,
				    REPLY_ERROR_SIZE),
		    ==, more);
	}
}

/* A server that never comes to an end. */
static void
test_endless(void)
{
	static const char *const lines[] = {"x", "250-", "250-a\r\n", "250-\n",
	    "\r\n", "\n"};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GString) input = g_string_new(lines[i]);
		g_autoptr(GError) error = NULL;

		while (input->len <= REPLY_MAX)
			g_string_append(input, i < 2 ? "endless" : lines[i]);
		g_assert_null(feed(input, 1000, &error));
		g_assert_error(error, REPLY_ERROR, REPLY_ERROR_SIZE);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("accepted", accepted, test_accepted);
	TABLE_ADD("refused", refused, test_refused);
	TABLE_ADD("unfinished", unfinished, test_unfinished);
	TABLE_ADD("enhanced code", codes, test_code);
	g_test_add_func("/replies are taken one by one", test_one_by_one);
	g_test_add_func("/size/the longest reply is taken, a longer one is not",
	    test_size);
	g_test_add_func("/size/empty lines count", test_empty_lines);
	g_test_add_func("/size/with the reply behind them",
	    test_empty_lines_and_reply);
	g_test_add_func("/size/a reply without end is refused", test_endless);
	return g_test_run();
}
