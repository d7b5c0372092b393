/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dots of DATA (RFC 5321 section 4.5.2), undone.
 */
#ifndef SMTPROUTE_UNDOT_H
#define SMTPROUTE_UNDOT_H

#include <glib.h>

/* Where in a line the next octet stands. */
enum undot_place {
	UNDOT_LINE_BEGIN, /* zero: the content begins with a line */
	UNDOT_WITHIN,
	UNDOT_CR,     /* after a CR */
	UNDOT_DOT,    /* after a dot that begins a line, and was dropped */
	UNDOT_DOT_CR, /* after that and a CR, which is still to be said */
	UNDOT_END,    /* after CRLF.CRLF */
};

/* All zero: at the beginning. */
struct undot {
	enum undot_place place;
};

/*
 * The next run of content in @data: *run and *length, which may be 0; it lies
 * in @data, or is a constant.  Returns how many octets of @data are used up by
 * then; 0 with no run only at UNDOT_END, or if @size is 0.
 */
gsize
undot_next(struct undot *undot, const char *data, gsize size, const char **run,
    gsize *length);

#endif
