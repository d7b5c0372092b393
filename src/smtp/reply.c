/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/reply.h"
#include "util/printable.h"

/* Of a line that is no reply, for the message. */
#define QUOTE_MAX 60

G_DEFINE_QUARK(smtproute_reply_error, reply_error)

struct reply_reader {
	GString *input;
	gsize line;    /* where the first line not yet examined begins */
	gsize scanned; /* no LF between line and here */
	gsize skipped; /* octets of empty lines before the reply */
	int code;      /* of the lines before, 0: none */
};

struct reply_reader *
reply_reader_new(void)
{
	struct reply_reader *reader = g_new0(struct reply_reader, 1);

	reader->input = g_string_new(NULL);
	return reader;
}

void
reply_reader_free(struct reply_reader *reader)
{
	g_string_free(reader->input, TRUE);
	g_free(reader);
}

void
reply_reader_add(struct reply_reader *reader, const char *data, gsize length)
{
	g_string_append_len(reader->input, data, length);
}

/* Empty lines between replies, as many as have come. */
static void
skip_empty_lines(struct reply_reader *reader)
{
	const char *start = reader->input->str;
	const char *end = start;
	gsize length;

	while (*end == '\n' || (end[0] == '\r' && end[1] == '\n'))
		end += *end == '\n' ? 1 : 2;
	length = end - start;
	if (length == 0)
		return;
	g_string_erase(reader->input, 0, length);
	reader->scanned -= MIN(reader->scanned, length);
	reader->skipped += length;
}

gboolean
reply_reader_pending(struct reply_reader *reader)
{
	skip_empty_lines(reader);
	/* CR may be the first half of an empty line's end. */
	return reader->skipped > REPLY_MAX ||
	    (reader->input->len > 0 && !g_str_equal(reader->input->str, "\r"));
}

gboolean
reply_reader_is_clean(const struct reply_reader *reader)
{
	return reader->input->len == 0 && reader->skipped == 0;
}

void
reply_free(struct reply *reply)
{
	g_ptr_array_unref(reply->lines);
	g_free(reply);
}

/* One to @digits digits at **text, which is moved behind them. */
static gboolean
skip_number(const char **text, int digits)
{
	const char *start = *text;

	while (g_ascii_isdigit(**text) && *text - start < digits)
		(*text)++;
	return *text > start && !g_ascii_isdigit(**text);
}

gboolean
dsn_parse(const char *text, char class, char ret[DSN_SIZE])
{
	const char *end = text + 1;

	/* RFC 3463 section 2: class "." subject "." detail. */
	if (*text != class || *end++ != '.' || !skip_number(&end, 3))
		return FALSE;
	if (*end++ != '.' || !skip_number(&end, 3))
		return FALSE;
	if (*end != ' ' && *end != '\0')
		return FALSE;
	memcpy(ret, text, end - text);
	ret[end - text] = '\0';
	return TRUE;
}

/*
 * The code of a line, and whether it is the last one of its reply.  A text
 * without the blank before it, or with no text, is taken as RFC 5321 section
 * 4.2 asks of clients.
 */
static int
line_code(const char *line, gsize length, gboolean *last)
{
	if (length < 3 || line[0] < '2' || line[0] > '5' ||
	    !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]))
		return 0;
	if (length > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	*last = length == 3 || line[3] == ' ';
	return g_ascii_digit_value(line[0]) * 100 +
	    g_ascii_digit_value(line[1]) * 10 + g_ascii_digit_value(line[2]);
}

/* A line's text as a string. */
static char *
line_text(const char *line, gsize length)
{
	gsize size = length > 4 ? length - 4 : 0;
	char *text = g_malloc(size + 1);

	for (gsize i = 0; i < size; i++)
		text[i] = line[4 + i] != '\0' ? line[4 + i] : '?';
	text[size] = '\0';
	return text;
}

/* Where the next line's LF is, or NULL. */
static const char *
find_line_end(struct reply_reader *reader)
{
	const GString *input = reader->input;
	const char *end;

	end = memchr(input->str + reader->scanned, '\n',
	    input->len - reader->scanned);
	reader->scanned =
	    end != NULL ? (gsize)(end - input->str) + 1 : input->len;
	return end;
}

/* A line's length without CRLF, or without a bare LF. */
static gsize
line_length(const char *line, const char *end)
{
	return end - line - (end > line && end[-1] == '\r');
}

/* The reply that ends before reader->line; takes it out. */
static struct reply *
take_lines(struct reply_reader *reader)
{
	struct reply *reply = g_new0(struct reply, 1);
	char class = '0' + reader->code / 100;
	const char *line = reader->input->str;
	const char *stop = line + reader->line;

	reply->code = reader->code;
	reply->lines = g_ptr_array_new_with_free_func(g_free);
	while (line < stop) {
		const char *end = memchr(line, '\n', stop - line);
		char *text = line_text(line, line_length(line, end));

		if (reply->dsn[0] == '\0')
			dsn_parse(text, class, reply->dsn);
		g_ptr_array_add(reply->lines, text);
		line = end + 1;
	}
	g_string_erase(reader->input, 0, reader->line);
	reader->line = reader->scanned = reader->skipped = 0;
	reader->code = 0;
	return reply;
}

static struct reply *
fail_size(GError **error)
{
	g_set_error(error, REPLY_ERROR, REPLY_ERROR_SIZE,
	    "reply longer than %d bytes", REPLY_MAX);
	return NULL;
}

/* What came instead tells what kind of server it is. */
static struct reply *
fail_syntax(const char *line, gsize length, const char *what, GError **error)
{
	g_autofree char *start = g_strndup(line, MIN(length, QUOTE_MAX));
	g_autofree char *quote = printable(start, QUOTE_MAX);

	g_strstrip(quote);
	g_set_error(error, REPLY_ERROR, REPLY_ERROR_SYNTAX, "%s%s%s", what,
	    quote[0] != '\0' ? ": " : "", quote);
	return NULL;
}

struct reply *
reply_reader_take(struct reply_reader *reader, GError **error)
{
	const char *end;

	skip_empty_lines(reader);
	while ((end = find_line_end(reader)) != NULL) {
		const char *line = reader->input->str + reader->line;
		gboolean last = FALSE;
		int code = line_code(line, line_length(line, end), &last);

		if (reader->scanned + reader->skipped > REPLY_MAX) {
			reader->scanned = reader->line;
			return fail_size(error);
		}
		if (code == 0 || (reader->code != 0 && code != reader->code)) {
			reader->scanned = reader->line;
			return fail_syntax(line, end - line,
			    code == 0 ? "not an SMTP reply"
				      : "reply lines with different codes",
			    error);
		}
		reader->code = code;
		reader->line = reader->scanned;
		if (last)
			return take_lines(reader);
	}
	if (reader->input->len + reader->skipped > REPLY_MAX)
		fail_size(error);
	return NULL;
}

char *
reply_text(const struct reply *reply)
{
	GString *text = g_string_new(NULL);
	gsize skip = strlen(reply->dsn);
	gboolean seen = FALSE;

	for (guint i = 0; i < reply->lines->len; i++) {
		const char *line = g_ptr_array_index(reply->lines, i);
		char dsn[DSN_SIZE];
		gboolean same = skip > 0 &&
		    dsn_parse(line, reply->dsn[0], dsn) &&
		    g_str_equal(dsn, reply->dsn);

		if (same && seen)
			line += skip;
		seen |= same;
		while (*line == ' ')
			line++;
		if (*line == '\0')
			continue;
		if (text->len > 0)
			g_string_append_c(text, ' ');
		g_string_append(text, line);
	}
	return g_string_free(text, FALSE);
}

void
reply_append_code(GString *text, int code)
{
	g_string_append_c(text, (char)('0' + code / 100));
	g_string_append_c(text, (char)('0' + code / 10 % 10));
	g_string_append_c(text, (char)('0' + code % 10));
}
