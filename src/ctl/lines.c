/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/lines.h"

/* A part of a line that is not yet at its end. */
static void
keep(struct lines *lines, const char *bytes, gsize count)
{
	if (lines->skips)
		return;
	if (lines->rest->len + count <= lines->max) {
		g_string_append_len(lines->rest, bytes, (gssize)count);
		return;
	}
	lines->skips = TRUE;
	lines->left_out++;
	g_string_truncate(lines->rest, 0);
}

static void
hand_over(struct lines *lines)
{
	if (!lines->skips)
		lines->take(lines->rest->str, lines->rest->len, lines->data);
	lines->skips = FALSE;
	g_string_truncate(lines->rest, 0);
}

void
lines_add(struct lines *lines, const char *bytes, gsize count)
{
	const char *end = bytes + count;

	if (lines->rest == NULL)
		lines->rest = g_string_new(NULL);
	while (bytes < end) {
		const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));

		keep(lines, bytes,
		    (gsize)((stop != NULL ? stop : end) - bytes));
		if (stop == NULL)
			return;
		hand_over(lines);
		bytes = stop + 1;
	}
}

const char *
lines_take(const char *bytes, gsize count, gpointer data)
{
	lines_add(data, bytes, count);
	return NULL;
}

void
lines_end(struct lines *lines)
{
	if (lines->rest == NULL)
		return;
	if (lines->rest->len > 0 || lines->skips)
		hand_over(lines);
	g_string_free(lines->rest, TRUE);
	lines->rest = NULL;
}
