/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an LMTP client says: a command is taken, or refused with a reply of one
 * line; the content that was dotted is undotted to the same, in any pieces.
 */
#include <config.h>

#include "fuzz/fuzz.h"
#include "lmtp/parameter.h"
#include "lmtp/undot.h"

static void
check_request(const char *line)
{
	struct lmtp_request request = {0};
	struct lmtp_refusal refusal = {0};

	if (lmtp_request_parse(&request, line, &refusal)) {
		g_assert_cmpint(request.verb, !=, LMTP_UNKNOWN);
		g_assert_true(request.path != NULL ||
		    (request.verb != LMTP_MAIL && request.verb != LMTP_RCPT));
		if (request.dsn != NULL)
			fuzz_assert_line(request.dsn);
	} else {
		g_assert_cmpint(refusal.code, >=, 400);
		g_assert_cmpint(refusal.code, <=, 599);
		fuzz_assert_line(refusal.text);
	}
	lmtp_request_clear(&request);
}

/* The content of @data in pieces of @piece bytes, up to its end. */
static GString *
undotted(const char *data, gsize size, gsize piece, gboolean *ended)
{
	GString *content = g_string_new(NULL);
	struct undot undot = {0};
	gsize at = 0;

	while (at < size && undot.place != UNDOT_END) {
		const char *run;
		gsize length;

		at += undot_next(&undot, data + at, MIN(piece, size - at), &run,
		    &length);
		g_string_append_len(content, run, (gssize)length);
	}
	*ended = undot.place == UNDOT_END;
	return content;
}

/* As RFC 5321 section 4.5.2 has the client do it. */
static GString *
dotted(const char *data, gsize size)
{
	GString *wire = g_string_new(NULL);
	gboolean line_begins = TRUE;

	for (gsize i = 0; i < size; i++) {
		if (line_begins && data[i] == '.')
			g_string_append_c(wire, '.');
		g_string_append_c(wire, data[i]);
		line_begins = i > 0 && data[i - 1] == '\r' && data[i] == '\n';
	}
	if (!line_begins)
		g_string_append(wire, "\r\n");
	g_string_append(wire, ".\r\n");
	return wire;
}

static void
check_round(const char *data, gsize size)
{
	g_autoptr(GString) wire = dotted(data, size);
	g_autoptr(GString) whole = NULL;
	g_autoptr(GString) pieces = NULL;
	gboolean ended;

	whole = undotted(wire->str, wire->len, wire->len, &ended);
	g_assert_true(ended);
	g_assert_cmpmem(whole->str, MIN(whole->len, size), data, size);
	g_assert_true(whole->len == size || whole->len == size + 2);
	pieces = undotted(wire->str, wire->len, 1, &ended);
	g_assert_true(ended);
	g_assert_true(g_string_equal(whole, pieces));
}

/* Whatever it is, pieces make no difference. */
static void
check_pieces(const char *data, gsize size)
{
	gboolean ended;
	gboolean ended_again;
	g_autoptr(GString) whole = undotted(data, size, size, &ended);
	g_autoptr(GString) pieces = undotted(data, size, 1, &ended_again);

	g_assert_cmpint(ended, ==, ended_again);
	g_assert_true(g_string_equal(whole, pieces));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *line = fuzz_string(data, size);

	check_request(line);
	check_round((const char *)data, size);
	check_pieces((const char *)data, size);
	return 0;
}
