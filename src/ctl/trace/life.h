/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the maillog tells of a message, in the order of time.  A short queue id
 * is used again when its message is gone, so one may have had several lives.
 */
#ifndef SMTPROUTE_CTL_TRACE_LIFE_H
#define SMTPROUTE_CTL_TRACE_LIFE_H

#include <glib.h>

enum event_kind {
	EVENT_OTHER,
	EVENT_CAME,    /* in: from a client, or from sendmail(1) */
	EVENT_NAME,    /* Message-ID */
	EVENT_ATTEMPT, /* it became active: sender, size, recipients */
	EVENT_RESULT,  /* for a recipient */
	EVENT_REMOVED, /* from the queue */
};

struct event {
	enum event_kind kind;
	gint64 time; /* seconds since 1970 */
	char *program;
	char *text;     /* printable */
	gboolean apart; /* from a log without Postfix's own lines: which of
			 * one second is first is not known */
};

/* What became of a recipient so far. */
struct fate {
	char *address;
	char *status; /* "deferred" */
	char *dsn;
	char *relay;
	char *reason;
	gint64 time; /* of the last result */
	guint tries;
};

struct life {
	GPtrArray *events; /* of struct event */
	GPtrArray *fates;  /* of struct fate, in the order of the log */
	guint attempts;
	gboolean removed;
};

struct event *
event_new(gint64 time, const char *program, const char *message);

void
event_free(gpointer event);

/* Of an EVENT_RESULT; NULL: it has no such form. */
struct fate *
fate_parse(const struct event *event);

void
fate_free(gpointer fate);

/*
 * Sorts @events, an array of struct event, and takes them over; one log's are
 * in its order.  An array of struct life.
 */
GPtrArray *
life_divide(GPtrArray *events);

#endif
