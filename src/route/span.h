/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left of a route's text, or of a word of it, and where that stands:
 * what the parser in route.c goes along.  It owns nothing.
 */
#ifndef SMTPROUTE_SPAN_H
#define SMTPROUTE_SPAN_H

#include <glib.h>

#include "route/route.h"

struct span {
	const char *at;
	const char *end;
	struct route_origin origin; /* of at */
};

gboolean
span_is_empty(const struct span *span);

/* A new string. */
char *
span_text(const struct span *span);

/*
 * Sets "place: what; expected ..." (ROUTE_ERROR_SYNTAX).  FALSE, so that
 * parsers can return it.
 */
gboolean
span_fail(const struct span *where, const char *what, const char *expected,
    GError **error);

/* The same with the text that is at fault: "bad what 'text'". */
gboolean
span_refuse(const struct span *found, const char *what, const char *expected,
    GError **error);

/* Leaves out the next @count bytes, no line end among them. */
void
span_advance(struct span *span, gsize count);

/* Cuts off and returns what stands before the next of the bytes in @stops. */
struct span
span_cut(struct span *span, const char *stops);

/* Leaves out blanks, line ends and lines of comment. */
void
span_skip_blanks(struct span *text);

/*
 * Cuts off the word, possibly empty, that @text begins with; a comma or a
 * blank ends it.  FALSE: it is not UTF-8.
 */
gboolean
span_word(struct span *text, struct span *word, GError **error);

#endif
