/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies: the same whole or byte by byte, bounded, and of what RFC 5321 has.
 */
#include <config.h>

#include "fuzz/fuzz.h"
#include "smtp/reply.h"
#include "util/printable.h"

#define LINE_MAX_SHOWN 200

static void
check(const struct reply *reply)
{
	g_autofree char *text = reply_text(reply);
	g_autofree char *line = printable(text, LINE_MAX_SHOWN);
	char dsn[DSN_SIZE];

	g_assert_cmpint(reply->code, >=, 200);
	g_assert_cmpint(reply->code, <=, 599);
	g_assert_cmpuint(reply->lines->len, >, 0);
	g_assert_cmpuint(strlen(text), <=, REPLY_MAX);
	g_assert_cmpuint(strlen(line), <=, LINE_MAX_SHOWN);
	fuzz_assert_line(line);
	if (reply->dsn[0] != '\0') {
		g_assert_true(dsn_parse(reply->dsn,
		    (char)('0' + reply->code / 100), dsn));
		g_assert_cmpstr(dsn, ==, reply->dsn);
	}
}

static void
note(GString *seen, const struct reply *reply)
{
	g_string_append_printf(seen, "%d %s\n", reply->code, reply->dsn);
	for (guint i = 0; i < reply->lines->len; i++)
		g_string_append_printf(seen, "\t%s\n",
		    (const char *)reply->lines->pdata[i]);
}

/* FALSE: no reply will come any more. */
static gboolean
take_all(struct reply_reader *reader, GString *seen)
{
	g_autoptr(GError) error = NULL;

	for (;;) {
		g_autoptr(Reply) reply = reply_reader_take(reader, &error);

		if (reply == NULL)
			break;
		check(reply);
		note(seen, reply);
	}
	if (error == NULL)
		return TRUE;
	fuzz_assert_error(error);
	g_string_append(seen, "no reply\n");
	return FALSE;
}

/* What comes of it in pieces of @piece bytes. */
static char *
read_in_pieces(const guint8 *data, gsize size, gsize piece)
{
	g_autoptr(ReplyReader) reader = reply_reader_new();
	GString *seen = g_string_new(NULL);

	for (gsize at = 0; at < size; at += piece) {
		reply_reader_add(reader, (const char *)data + at,
		    MIN(piece, size - at));
		if (!take_all(reader, seen))
			break;
	}
	return g_string_free(seen, FALSE);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *whole = read_in_pieces(data, size, MAX(size, 1));
	g_autofree char *pieces = read_in_pieces(data, size, 1);

	g_assert_cmpstr(whole, ==, pieces);
	return 0;
}
