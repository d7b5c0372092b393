/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came of a host's mail, hour by hour, for a day: for people, who see by
 * it when something began.
 *
 * Hours are of the time of day, in microseconds since 1970.  A clock that is
 * set by a day or more begins anew; one that is set back by less goes on
 * counting in the hours that it comes to again.
 */
#ifndef SMTPROUTE_HOURLY_H
#define SMTPROUTE_HOURLY_H

#include <glib.h>

/* The hour under way is one of them. */
#define HOURLY_HOURS 24

enum hourly_kind {
	HOURLY_SENT, /* recipients, as the next two */
	HOURLY_DEFERRED,
	HOURLY_BOUNCED,
	HOURLY_FAILED, /* failures of the host itself */
	HOURLY_KINDS,
};

/* All zero: nothing yet. */
struct hourly {
	gint64 head; /* the number of the last hour that anything is of */
	guint32 counts[HOURLY_HOURS][HOURLY_KINDS]; /* by it, modulo */
};

void
hourly_add(struct hourly *hourly, gint64 now, enum hourly_kind kind,
    guint64 count);

/* Of the hour that was under way @ago hours ago; 0: the one that is now. */
guint32
hourly_get(const struct hourly *hourly, gint64 now, guint ago,
    enum hourly_kind kind);

#endif
