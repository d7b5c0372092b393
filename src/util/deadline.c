/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>

#include "util/deadline.h"

gint64
deadline_in(gint64 span)
{
	return g_get_monotonic_time() + span;
}

gint64
deadline_left(gint64 deadline)
{
	return MAX(deadline - g_get_monotonic_time(), 0);
}

int
deadline_poll(struct pollfd *fds, nfds_t count, gint64 deadline)
{
	for (;;) {
		gint64 left = deadline_left(deadline);
		/* Rounded up, or the last millisecond would be a busy loop. */
		gint64 milliseconds = (left + 999) / 1000;
		int ready = poll(fds, count, (int)MIN(milliseconds, G_MAXINT));

		if (ready > 0 || (ready < 0 && errno != EINTR))
			return ready;
		if (ready == 0 && deadline_left(deadline) == 0)
			return 0;
	}
}

char *
deadline_passed(gint64 span, gint64 total)
{
	if (deadline_left(total) == 0)
		return g_strdup("time-limit reached");
	return g_strdup_printf("timed out after %" G_GINT64_FORMAT " s",
	    span / G_USEC_PER_SEC);
}
