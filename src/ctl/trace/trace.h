/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms that "smtproutectl trace" has.
 */
#ifndef SMTPROUTE_CTL_TRACE_TRACE_H
#define SMTPROUTE_CTL_TRACE_TRACE_H

#include <glib.h>

#include "ctl/ctl.h"

/* What is known of a message. */
struct trace {
	const char *id;
	GPtrArray *lives;  /* of struct life */
	const char *queue; /* where it is now; NULL: in none, or unknown */
	gint64 next;       /* try, seconds since 1970; 0: unknown */
	guint64 left_out;  /* lines, since there are too many */
};

/* A story for people. */
void
trace_say_text(const struct ctl *ctl, const struct trace *trace);

/* One object; smtproutectl(8) has the keys. */
void
trace_say_json(const struct trace *trace);

#endif
