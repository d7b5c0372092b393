/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "util/printable.h"

#define CUT_MARK "..."

/* Nearly all text is: of at most @max bytes, and needs nothing. */
static gboolean
is_plain(const char *text, gsize max)
{
	gsize length = 0;

	while (length <= max && g_ascii_isprint(text[length]))
		length++;
	return length <= max && text[length] == '\0';
}

/* In ASCII, on one line; longer than @max by one byte if it is too long. */
static GString *
make_plain(const char *text, gsize max)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autofree char *ascii = g_str_to_ascii(valid, "C");
	GString *line = g_string_new(NULL);

	for (const char *p = ascii; *p != '\0' && line->len <= max;) {
		gsize gap = strspn(p, "\t\r\n");

		if (gap > 0)
			g_string_append_c(line, ' ');
		else
			g_string_append_c(line, g_ascii_isprint(*p) ? *p : '?');
		p += MAX(gap, 1);
	}
	return line;
}

char *
printable(const char *text, gsize max)
{
	GString *line;

	if (is_plain(text, max))
		return g_strdup(text);
	line = make_plain(text, max);
	if (line->len > max) {
		gsize mark = MIN(strlen(CUT_MARK), max);

		g_string_truncate(line, max - mark);
		g_string_append_len(line, CUT_MARK, (gssize)mark);
	}
	return g_string_free(line, FALSE);
}
