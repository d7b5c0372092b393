/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of what comes in pieces, with a limit on what is kept of one.
 */
#ifndef SMTPROUTE_CTL_LINES_H
#define SMTPROUTE_CTL_LINES_H

#include <glib.h>

struct lines {
	gsize max; /* of a line; a longer one is left out and counted */
	/* A line without its end, with a NUL there; it may be changed. */
	void (*take)(char *line, gsize length, gpointer data);
	gpointer data;
	guint64 left_out;
	/* For lines.c, zero at first: */
	GString *rest;
	gboolean skips;
};

void
lines_add(struct lines *lines, const char *bytes, gsize count);

/* A command_taker (command.h) of the same: @data is the struct lines. */
const char *
lines_take(const char *bytes, gsize count, gpointer data);

/* There is no more: what has no line end is a line, too. */
void
lines_end(struct lines *lines);

#endif
