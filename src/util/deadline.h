/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines: points in time on the monotonic clock, in microseconds, as
 * g_get_monotonic_time() gives them.  Every wait of the agent has one.
 */
#ifndef SMTPROUTE_DEADLINE_H
#define SMTPROUTE_DEADLINE_H

#include <poll.h>

#include <glib.h>

/* The deadline @span microseconds from now. */
gint64
deadline_in(gint64 span);

/* Microseconds left until @deadline, 0 if it has passed. */
gint64
deadline_left(gint64 deadline);

/*
 * poll(2) until something is ready or @deadline has passed; a signal does not
 * end it.  Returns what poll(2) returns: 0 says the deadline has passed, -1
 * leaves errno.
 */
int
deadline_poll(struct pollfd *fds, nfds_t count, gint64 deadline);

/*
 * What to say of a wait of @span microseconds that has ended, or else has met
 * @total, the deadline of the whole delivery.  A new string.
 */
char *
deadline_passed(gint64 span, gint64 total);

#endif
