/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capacity: how many sessions at once a host takes from us, learnt from what
 * it refuses while it serves others of ours.
 *
 * Times are as in health.h.
 */
#ifndef SMTPROUTE_CAPACITY_H
#define SMTPROUTE_CAPACITY_H

#include <glib.h>

/* All zero: nothing was learnt. */
struct capacity {
	gint64 until; /* what was learnt is forgotten then */
	guint32 sessions;
	guint32 succeeded; /* in a row, since it last changed */
};

/* G_MAXUINT: nothing is known.  @max: the longest that it is remembered. */
guint
capacity_sessions(const struct capacity *capacity, gint64 now, gint64 max);

/*
 * The host has refused one more than @sessions, at least one.  TRUE: that is
 * news.
 */
gboolean
capacity_refused(struct capacity *capacity, guint sessions, gint64 now,
    gint64 max);

/*
 * A session has come to an answer.  When as many have as the host is known to
 * take, one more is tried.
 */
void
capacity_succeeded(struct capacity *capacity, gint64 now, gint64 max);

#endif
