/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "route/span.h"
#include "util/printable.h"

/* As much of the route's text as a message quotes. */
#define QUOTE_MAX 40

gboolean
span_is_empty(const struct span *span)
{
	return span->at == span->end;
}

char *
span_text(const struct span *span)
{
	return g_strndup(span->at, (gsize)(span->end - span->at));
}

gboolean
span_fail(const struct span *where, const char *what, const char *expected,
    GError **error)
{
	g_autofree char *place = route_place(&where->origin);

	g_set_error(error, ROUTE_ERROR, ROUTE_ERROR_SYNTAX,
	    "%s: %s; expected %s", place, what, expected);
	return FALSE;
}

gboolean
span_refuse(const struct span *found, const char *what, const char *expected,
    GError **error)
{
	g_autofree char *text = span_text(found);
	g_autofree char *quote = printable(text, QUOTE_MAX);
	g_autofree char *fault = g_strdup_printf("bad %s '%s'", what, quote);

	return span_fail(found, fault, expected, error);
}

void
span_advance(struct span *span, gsize count)
{
	span->at += count;
	span->origin.column += (unsigned)count;
}

struct span
span_cut(struct span *span, const char *stops)
{
	struct span head = *span;

	while (!span_is_empty(span) && strchr(stops, *span->at) == NULL)
		span_advance(span, 1);
	head.end = span->at;
	return head;
}

/*
 * The text's last blanks and comments are cut off instead, so that what is
 * missing there is missed right after the last word.
 */
void
span_skip_blanks(struct span *text)
{
	struct span next = *text;
	gboolean line_began = FALSE;
	gboolean comment = FALSE;

	for (; next.at < next.end; span_advance(&next, 1)) {
		if (*next.at == '\n') {
			next.origin.line++;
			next.origin.column = 0;
			line_began = TRUE;
			comment = FALSE;
		} else if (line_began && *next.at == '#') {
			comment = TRUE;
		} else if (!comment && !g_ascii_isspace(*next.at)) {
			*text = next;
			return;
		}
	}
	text->end = text->at;
}

gboolean
span_word(struct span *text, struct span *word, GError **error)
{
	struct span head = *text;
	const char *at = text->at;
	const char *bad;

	while (at < text->end && *at != ',' && !g_ascii_isspace(*at))
		at++;
	head.end = at;
	/* Says no to NUL as well. */
	if (!g_utf8_validate(head.at, at - head.at, &bad)) {
		span_advance(&head, (gsize)(bad - head.at));
		return span_fail(&head, "stray byte", "UTF-8 without NUL",
		    error);
	}
	span_advance(text, (gsize)(at - text->at));
	*word = head;
	return TRUE;
}
