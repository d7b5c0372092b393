/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "hosts/capacity.h"

guint
capacity_sessions(const struct capacity *capacity, gint64 now, gint64 max)
{
	/* What is too far ahead is of a clock before this one. */
	if (capacity->sessions == 0 || capacity->until <= now ||
	    capacity->until - now > max)
		return G_MAXUINT;
	return capacity->sessions;
}

gboolean
capacity_refused(struct capacity *capacity, guint sessions, gint64 now,
    gint64 max)
{
	gboolean news = capacity_sessions(capacity, now, max) != sessions;

	*capacity = (struct capacity){
	    .until = now + max,
	    .sessions = sessions,
	};
	return news;
}

void
capacity_succeeded(struct capacity *capacity, gint64 now, gint64 max)
{
	if (capacity_sessions(capacity, now, max) == G_MAXUINT) {
		*capacity = (struct capacity){0};
		return;
	}
	if (++capacity->succeeded < capacity->sessions)
		return;
	capacity->sessions++;
	capacity->succeeded = 0;
}
